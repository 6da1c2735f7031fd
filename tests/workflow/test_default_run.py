"""The default run, from programs to tables: complete, and repeatable to the byte after kills."""

import csv
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from scripts.lib.files import sha256_file
from scripts.workflow.recovery import prepare
from tests.workflow.conftest import restore_interrupts, snakemake_command, snakemake_environment

pytestmark = pytest.mark.slow

# A path that each stage writes; the run is killed soon after the path exists.
STAGES = ("ir", "dedup", "tokens", "models/tiny-gpt-bigcode/base-instruct", "generations", "executions")
# Files that must be the same in every run, below the results folder.
REPEATABLE = ("pairs/*/*.parquet", "models/*/*/*.safetensors", "tables/*", "scores/**/*.json", "figures/*.svg")


def hashes(results: Path) -> dict[str, str]:
    """SHA-256 of every file that must be repeatable, by its path in the results."""
    files = {file for pattern in REPEATABLE for file in results.glob(pattern)}
    return {file.relative_to(results).as_posix(): sha256_file(file) for file in sorted(files)}


def interrupt(process: subprocess.Popen, path: Path, how: signal.Signals, seconds: float = 900) -> bool:
    """End a run by a signal to its process group once `path` exists.

    False when it ended before that.

    SIGINT is sent like Ctrl-C. SIGKILL is sent to Snakemake only, so its jobs keep running.
    """
    deadline = time.monotonic() + seconds
    while process.poll() is None and not path.exists():
        assert time.monotonic() < deadline, f"no {path} after {seconds} s"
        time.sleep(0.05)
    if process.poll() is not None:
        return False
    if how == signal.SIGKILL:
        process.kill()
    else:
        os.killpg(process.pid, how)
    return process.wait(timeout=120) != 0


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


def test_a_killed_run_gives_the_same_bytes(unbroken, workflow, tmp_path_factory):
    folder = tmp_path_factory.mktemp("killed")
    for number, stage in enumerate(STAGES):
        process = subprocess.Popen(
            snakemake_command(folder),
            env=snakemake_environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=restore_interrupts,
        )
        how = signal.SIGINT if number % 2 else signal.SIGKILL
        assert interrupt(process, folder / "results" / stage, how), f"the run ended before {stage}"
        prepare(folder)
    workflow(folder, timeout=1800)
    killed, whole = hashes(folder / "results"), hashes(unbroken / "results")
    assert {name for name in killed | whole if killed.get(name) != whole.get(name)} == set()
