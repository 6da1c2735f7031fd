"""Modules that come with programs: which variant they are of, and what is stored of them."""

import json
from pathlib import Path

import pytest

from scripts.lib.files import sha256_text
from scripts.lib.parquet import write_table
from scripts.lib.schemas.sources import SOURCES
from scripts.sources.corpus import Corpus
from scripts.sources.ir import outcomes
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
