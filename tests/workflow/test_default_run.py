"""The default run, from programs to tables: complete, with the expected controls, and nothing left to do."""

import csv
import os
import time
from pathlib import Path

import pytest

from scripts.lib.files import sha256_file

pytestmark = pytest.mark.slow

# Files that must be the same in every run, below the results folder.
REPEATABLE = ("pairs/*/*.parquet", "models/*/*/*.safetensors", "tables/*", "scores/**/*.json", "figures/*.svg")


def hashes(results: Path) -> dict[str, str]:
    """SHA-256 of every file that must be repeatable, by its path in the results."""
    files = {file for pattern in REPEATABLE for file in results.glob(pattern)}
    return {file.relative_to(results).as_posix(): sha256_file(file) for file in sorted(files)}


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory, workflow):
    """The folder of a default run from scratch."""
    folder = tmp_path_factory.mktemp("unbroken")
    workflow(folder, timeout=1800)
    return folder


def test_controls_have_the_expected_scores(unbroken):
    with (unbroken / "results/tables/scores.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    for model, value in (("reference", 100), ("empty", 0)):
        passes = [row for row in rows if row["model"] == model and row["metric"].startswith("pass@")]
        assert {row["benchmark"] for row in passes} == {"fixdocs", "humaneval", "multipl-e"}
        assert {float(row["value"]) for row in passes} == {value}
    ceiling = [row for row in rows if row["model"] == "ceiling"]
    assert {(row["benchmark"], row["metric"], float(row["value"])) for row in ceiling} == {("fixdocs", "pass@1", 100)}
    compiled = {(row["benchmark"], row["language"]) for row in rows if row["metric"] == "compiles@1"}
    assert compiled == {("multipl-e", "C++")}


def test_every_default_stage_is_in_the_tables(unbroken):
    with (unbroken / "results/tables/scores.csv").open(newline="") as stream:
        seen = {(row["benchmark"], row["checkpoint"]) for row in csv.DictReader(stream)}
    for benchmark in ("multipl-e", "humaneval", "recode", "codexglue", "validation"):
        assert {(benchmark, "base"), (benchmark, "ircoder")} <= seen
    assert {("fixdocs", "base-instruct"), ("fixdocs", "ircoder-instruct")} <= seen
    assert len([checkpoint for benchmark, checkpoint in seen if benchmark == "commits"]) >= 4


def test_a_finished_run_reruns_nothing(unbroken, workflow):
    started = time.monotonic()
    output = workflow(unbroken).stdout
    assert "Nothing to be done" in output
    assert time.monotonic() - started < 20


def test_no_path_of_this_machine_in_the_results(unbroken):
    files = [
        str(file)
        for file in sorted((unbroken / "results").rglob("*"))
        if file.is_file()
        and not {"logs", "benchmarks"} & set(file.parts)
        and os.fsencode(unbroken) in file.read_bytes()
    ]
    assert files == []
