"""The run's database: what it contains, and that updates replace only what changed."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from scripts.lib.files import read_json, write_json
from scripts.lib.job import InputError
from scripts.lib.schemas.database import DATABASE, DATABASE_TABLES
from scripts.provenance.database_language import limit
from tests.support.database_results import (
    HOSTILE,
    LONG_LINE,
    MODEL,
    program_id,
    write_cell,
    write_database,
    write_jobs,
    write_language,
    write_results,
)

CELL = f"humaneval/python/t0.2/{MODEL}"


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A folder of results with its database."""
    write_results(tmp_path)
    write_database(tmp_path)
    return tmp_path


def query(results: Path, sql: str, *values: object) -> list[tuple]:
    """Rows of a query."""
    with closing(sqlite3.connect(results / DATABASE)) as connection:
        return connection.execute(sql, values).fetchall()


def content(results: Path) -> dict[str, list[tuple]]:
    """All rows of all tables, sorted."""
    return {
        table.name: sorted(query(results, f'SELECT {", ".join(table.names)} FROM "{table.name}"'), key=repr)
        for table in DATABASE_TABLES
    }


def test_every_table_has_rows_and_every_reference_a_target(results):
    assert all(content(results).values())
    assert query(results, "PRAGMA foreign_key_check") == []
    assert query(results, "SELECT count(*) FROM sources") == [(6,)]
    assert query(results, "SELECT count(*) FROM modules") == [(12,)]


def test_texts_are_stored_unchanged(results):
    key = f"C++/{program_id('C++', 'Source_1')}"
    assert query(results, "SELECT text FROM sources WHERE key = ?", key) == [(f"// {HOSTILE}\nint main;\n",)]
    ((text, seed),) = query(results, "SELECT text, seed FROM completions WHERE key = ?", f"{CELL}.base/HumanEval/1#0")
    assert text.endswith(LONG_LINE)
    assert int(seed) == 2**64 - 1


def test_a_large_text_is_named_by_file_and_row(tmp_path):
    write_results(tmp_path)
    write_database(tmp_path, text_bytes=1000)
    name = program_id("C++", "Source_3")
    row = query(tmp_path, "SELECT text, file, row FROM sources WHERE id = ?", name)
    assert row == [(None, "sources/C++/000.parquet", 2)]


@pytest.mark.parametrize(("most", "stored"), [(3, None), (4, "éé")])
def test_the_size_of_a_text_is_that_of_its_bytes(most, stored):
    assert limit(most)("éé") == stored


def test_an_execution_leads_to_its_problem_and_prompt(results):
    sql = """SELECT executions.status, problems.problem, problems.reference, generations.prompt, scores.value
        FROM executions JOIN completions ON completions.key = executions.completion
        JOIN generations ON generations.key = completions.generation JOIN problems ON problems.key = generations.problem
        JOIN scores ON scores.cell = executions.cell WHERE executions.completion = ?"""
    ((status, problem, reference, prompt, value),) = query(results, sql, f"{CELL}.ircoder/HumanEval/0#0")
    assert (status, problem, value) == ("passed", "HumanEval/0", 50.0)
    assert HOSTILE in reference
    assert HOSTILE in prompt


def test_full_text_search_finds_programs_and_completions(results):
    matches = "SELECT rowid FROM sources_fts WHERE sources_fts MATCH ?"
    sql = f"SELECT path FROM sources WHERE rowid IN ({matches}) ORDER BY path"
    assert query(results, sql, "two") == [("C++/Source_2/source",), ("Python/Source_2/source",)]
    sql = "SELECT count(*) FROM completions_fts WHERE completions_fts MATCH 'hacked'"
    assert query(results, sql) == [(8,)]


def test_an_unchanged_run_replaces_no_part(results):
    before = (results / DATABASE).read_bytes()
    assert write_database(results) == []
    assert (results / DATABASE).read_bytes() == before


def test_a_changed_part_is_replaced_and_the_content_is_that_of_a_new_database(results):
    write_cell(results, "humaneval/python", f"t0.2/{MODEL}.base", [True, True])
    write_jobs(results)
    assert write_database(results) == ["run", "task/humaneval/python"]
    assert query(results, "SELECT count(*) FROM completions_fts WHERE completions_fts MATCH 'hacked'") == [(8,)]
    updated = content(results)
    (results / DATABASE).unlink()
    write_database(results)
    assert content(results) == updated


def test_a_part_that_the_run_no_longer_has_is_deleted(results):
    write_language(results, "D")
    write_jobs(results)
    assert write_database(results) == ["language/D", "run"]
    assert query(results, "SELECT count(*) FROM sources WHERE language = 'D'") == [(3,)]
    for folder in ("sources", "ir", "dedup", "pairs"):
        shutil.rmtree(results / folder / "D")
    write_jobs(results)
    assert write_database(results) == ["run"]
    assert query(results, "SELECT count(*) FROM sources WHERE language = 'D'") == [(0,)]
    assert query(results, "SELECT count(*) FROM sources_fts WHERE sources_fts MATCH 'two'") == [(2,)]


def test_a_database_of_another_schema_or_a_damaged_one_is_written_again(results):
    expected = content(results)
    with closing(sqlite3.connect(results / DATABASE)) as connection:
        connection.execute("CREATE TABLE other (x)")
    assert len(write_database(results)) == 4
    (results / DATABASE).write_bytes(b"no database")
    assert len(write_database(results)) == 4
    assert content(results) == expected


def test_a_reference_without_a_target_is_one_line_and_leaves_the_database(results):
    record = read_json(results / "provenance/jobs.json")
    record["jobs"].append({"rule": "evaluate_score", "inputs": [], "outputs": ["scores/other.json"]})
    write_cell(results, "humaneval/python", f"t0.2/{MODEL}.ircoder-1", [True])
    write_json(results / "provenance/jobs.json", record)
    before = (results / DATABASE).read_bytes()
    with pytest.raises(InputError, match=r"refers to '.*ircoder-1.*run again"):
        write_database(results)
    assert (results / DATABASE).read_bytes() == before
