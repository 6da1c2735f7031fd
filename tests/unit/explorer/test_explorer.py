"""The explorer without a browser: its questions on a small database, and text as safe HTML."""

import html
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from scripts.explorer import show
from scripts.explorer.metadata import metadata, read_queries
from scripts.lib.schemas.database import BY_NAME, DATABASE
from tests.support.database_results import HOSTILE, MODEL, program_id, write_database, write_results

PARAMETERS = {"program": "", "words": "main", "language": "", "problem": "", "benchmark": "", "task": "", "stage": ""}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of results with its database."""
    folder = tmp_path_factory.mktemp("results")
    write_results(folder)
    write_database(folder)
    return folder


def answer(results: Path, name: str, **values: str) -> list[dict]:
    """The rows of a question."""
    with closing(sqlite3.connect(results / DATABASE)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(read_queries()[name]["sql"], PARAMETERS | values)]


@pytest.mark.parametrize("name", read_queries())
def test_each_question_has_an_answer(results, name):
    assert answer(results, name)


def test_no_question_hides_a_table():
    assert not read_queries().keys() & BY_NAME.keys()


def test_the_outcomes_of_a_program_are_those_of_the_ledger(results):
    rows = answer(results, "program", program="c++/source_")
    assert [(row["path"][4:12], row["outcome"]) for row in rows if row["variant"] == "perf"] == [
        ("Source_1", "pair"),
        ("Source_2", "near_duplicate"),
        ("Source_3", "compile_error"),
        ("Source_4", "duplicate"),
    ]
    assert rows[4]["detail"] == f"error: {HOSTILE}"


def test_a_search_for_words_takes_them_literally(results):
    assert [row["path"] for row in answer(results, "source_and_ir", words='two"')][:1] == ["C++/Source_2/source"]
    assert answer(results, "source_and_ir", words="main AND two") == []


def test_a_cluster_is_listed_with_the_program_that_represents_it(results):
    (row,) = answer(results, "cluster", language="C++")
    assert (row["members"], row["kept"]) == (2, "C++/Source_1/source")
    assert row["page"] == f"/-/cluster?key=C++/{program_id('C++', 'Source_1')}"


def test_failures_of_models_are_counted_by_checkpoint_and_message(results):
    rows = {(row["checkpoint"], row["message"]): row["programs"] for row in answer(results, "failures")}
    assert rows == {("base", HOSTILE): 2, ("ircoder", HOSTILE): 1}


def test_completions_of_a_problem_have_verdicts(results):
    rows = answer(results, "completion", problem="HumanEval/0")
    assert {row["checkpoint"]: row["status"] for row in rows if row["model"] == MODEL} == {
        "base": "runtime_error",
        "ircoder": "passed",
    }


def test_the_cost_of_a_stage_includes_failed_attempts(results):
    (row,) = answer(results, "cost")
    assert (row["stage"], row["rule"], row["jobs"], row["attempts"]) == ("evaluate", "all", 1, 2)
    assert [row["rule"] for row in answer(results, "cost", stage="evaluate")] == ["evaluate_execute"]


def test_every_table_is_described_and_labels_are_columns():
    tables = metadata()["databases"]["run"]["tables"]
    assert tables.keys() == BY_NAME.keys()
    for name, entry in tables.items():
        assert {entry["label_column"], *entry.get("facets", [])} <= set(BY_NAME[name].names)


@pytest.mark.parametrize("language", ["C++", "Fortran", "Objective-C", "llvm", "Python", "Rust", "no such language"])
def test_code_is_escaped_in_every_language(language):
    text = f"x = '{HOSTILE}'\n"
    shown = str(show.code(text, language))
    assert html.unescape(re.sub(r"</?span[^<>]*>", "", shown)) == show.visible(text)
    assert not re.findall("<(?!/?span)", shown)
    assert "[U+202E]" in show.visible(text)


def test_long_code_is_escaped_without_highlighting():
    shown = show.code("<b>" + "x" * show.HIGHLIGHTED, "C")
    assert shown.startswith("&lt;b&gt;xxx")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", None),
        ("a\nb", '<div class="text">a\nb</div>'),
        ("\u202eb", '<div class="text">[U+202E]b</div>'),
        ("<b>" * 200, f'<div class="text">{"&lt;b&gt;" * 100}<span class="more">… 600 characters</span></div>'),
        ("ab" * 32, f'<span class="digest" title="{"ab" * 32}">abababababab…</span>'),
    ],
)
def test_a_cell_shows_the_beginning_of_a_text(text, shown):
    assert show.cell(text) == shown


@pytest.mark.parametrize("name", ["C", "D", "Haskell", "Nim", "Go", "Swift"])
def test_languages_of_the_workflow_are_highlighted(name):
    assert "<span" in show.code("import x; // y\n", name)
