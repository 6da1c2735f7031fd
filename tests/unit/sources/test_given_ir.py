"""Modules that come with programs: which variant they are of, and what is stored of them."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scripts.lib.files import sha256_text
from scripts.lib.job import InputError
from scripts.lib.parquet import write_table
from scripts.lib.schemas.sources import SOURCES
from scripts.sources.corpus import Corpus
from scripts.sources.ir import outcomes, reported
from scripts.sources.modules import write_modules
from tests.support.compiling import SETTINGS
from tests.support.pairs_pipeline import CORPUS

MODULE = """; ModuleID = '/home/someone/source.c'
source_filename = "/home/someone/source.c"

define i32 @f(i32 %x) #0 {
  ret i32 %x
}

attributes #0 = { nounwind "target-cpu"="skylake" }
"""


def rows_of(folder: Path, module: str, listed: str, variants: list[str], parts: list[str]):
    """Outcome rows of one program that came with one module, in the list of a variant."""
    sha256 = sha256_text("int f;")
    source = {
        "id": sha256[:16],
        "language": "C",
        "path": "a.c",
        "source_sha256": sha256,
        "source": "int f;",
        "bytes": 6,
    }
    write_table(folder / "sources.parquet", [source], SOURCES.schema)
    columns = {"source": "source", "language": None, "path": None, "license": None, "ir": "ir"}
    settings = CORPUS | {"format": "tables", "files": "*.jsonl" if not listed else "{split}.jsonl", "columns": columns}
    name = f"{CORPUS['splits'][listed]}.jsonl" if listed else "rows.jsonl"
    (folder / "in").mkdir()
    (folder / "in" / name).write_text(json.dumps({"source": source["source"], "ir": module}) + "\n")
    write_modules(Corpus(folder / "in", "C", settings, ["c"]), folder / "modules")
    settings = {"parts": parts, "origin": "came with the program", "limits": SETTINGS["limits"]}
    return list(outcomes(str(folder / "sources.parquet"), str(folder / "modules"), variants, settings))


@pytest.mark.parametrize("module", [MODULE, MODULE.replace("\n", "\r\n"), MODULE + "\n\n; the end"])
def test_without_normalisation_the_text_of_a_module_stays_as_it_came(tmp_path, module):
    [row] = rows_of(tmp_path, module, "perf", ["perf"], [])
    assert (row["status"], row["ir"]) == ("ok", module)


def test_without_normalisation_modules_are_still_verified(tmp_path):
    [row] = rows_of(tmp_path, "define i32 @f() { ret i64 1 }", "perf", ["perf"], [])
    assert (row["status"], row["ir"]) == ("invalid_ir", None)


def test_modules_of_a_corpus_without_lists_are_those_of_its_one_variant(tmp_path):
    [row] = rows_of(tmp_path, MODULE, "", ["size"], ["identifiers"])
    assert (row["variant"], row["status"]) == ("size", "ok")


def corpus_of(folder: Path, files: str, splits: dict[str, str]) -> Corpus:
    """A corpus of tables with modules."""
    columns = {"source": "source", "language": None, "path": None, "license": None, "ir": "ir"}
    return Corpus(folder, "C", CORPUS | {"format": "tables", "files": files, "splits": splits, "columns": columns}, [])


def read_all(corpus: Corpus):
    return [record for piece in corpus.measured().pieces() for record in corpus.records(piece, True)]


@pytest.mark.parametrize("module", ["5", "true", "NaN", '["define"]', '{"O3": "define"}'])
def test_a_module_that_is_no_text_is_named_with_its_line(tmp_path, module):
    (tmp_path / "O3.jsonl").write_text('{"source": "a", "ir": null}\n\n{"source": "b", "ir": ' + module + "}\n")
    with pytest.raises(InputError, match=r"O3\.jsonl, line 3: the column of modules holds \w+ values, not text"):
        read_all(corpus_of(tmp_path, "{split}.jsonl", {"perf": "O3", "size": "Oz"}))


@pytest.mark.parametrize("module", [5, ["define"], {"O3": "define"}])
def test_a_table_whose_modules_are_no_text_is_named(tmp_path, module):
    pq.write_table(pa.table({"source": ["a"], "ir": [module]}), tmp_path / "O3.parquet")
    with pytest.raises(InputError, match=r"O3\.parquet: the column of modules holds \w+ values, not text"):
        read_all(corpus_of(tmp_path, "{split}.parquet", {"perf": "O3", "size": "Oz"}))


def test_a_file_of_two_variants_is_refused(tmp_path):
    for name in ("train-O3.jsonl", "train-O3z.jsonl"):
        (tmp_path / name).write_text('{"source": "a", "ir": "x"}\n')
    splits = {"perf": "O3", "size": "O3z"}
    with pytest.raises(InputError, match=r"train-O3z\.jsonl: matches '\*\{split\}\*' .* the variants perf and size"):
        read_all(corpus_of(tmp_path, "*{split}*", splits))
    assert [record.variant for record in read_all(corpus_of(tmp_path, "*-{split}.jsonl", splits))] == ["perf", "size"]


def test_variants_without_usable_modules_have_a_line_in_the_log(tmp_path, caplog):
    row = {"language": "C", "compiler": "came with the program", "diagnostics": "", "status": "ok"}
    absent = {**row, "variant": "size", "status": "compile_error"}
    absent["diagnostics"] = "no module came with the program in this variant"
    rows = [{**row, "variant": "perf"}, absent, {**row, "variant": "perf", "status": "invalid_ir"}]
    assert list(reported(rows)) == rows
    assert [record.getMessage() for record in caplog.records] == [
        "C, size: none of the 1 programs of this shard came with a module; "
        "check corpus.files, corpus.splits and corpus.columns"
    ]
    caplog.clear()
    list(reported([{**row, "variant": "perf", "status": "invalid_ir", "diagnostics": "expected '='"}] * 10))
    [record] = caplog.records
    assert record.getMessage() == (
        "C, perf: none of 10 programs compiled with the modules of the corpus; most often invalid_ir: expected '='"
    )
