"""Faults during a run: one helpful line, no unfinished files, and the next run recovers."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pyarrow.parquet as pq
import pytest

from scripts.lib.checkpoints import COMPLETE
from scripts.lib.files import read_json, sha256_file, sha256_text
from scripts.workflow import recovery
from tests.workflow.conftest import ROOT
from tests.workflow.faults import (
    OTHER,
    busy_worker,
    fill,
    read_only,
    script_of,
    small_disk,
    start,
    temporary_files,
    truncate,
    wait_for,
)

pytestmark = pytest.mark.resilience
TINY = ("--configfile", str(ROOT / "tests" / "workflow" / "tiny.yaml"), "--config", "languages=[C]")
SMALL_RUN = ROOT / "tests" / "workflow" / "small_run"
MODEL = "results/models/tiny-gpt-bigcode"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, workflow: Run) -> Path:
    """A folder with pairs of C programs and an adapter that was trained on them."""
    folder = tmp_path_factory.mktemp("trained")
    workflow(folder, f"{MODEL}/adapter", "pairs", *TINY)
    return folder


@pytest.fixture
def folder(trained: Path, tmp_path: Path) -> Path:
    """A copy of the folder `trained`."""
    shutil.copytree(trained, tmp_path / "run", symlinks=True)
    return tmp_path / "run"


def digest(file: Path) -> str:
    """SHA-256 of a file; of a table of outcomes, without the seconds that compilers took."""
    if "/results/ir/" not in file.as_posix():
        return sha256_file(file)
    return sha256_text(repr(pq.read_table(file).drop_columns(["seconds"]).to_pylist()))


def hashes(folder: Path) -> dict[str, str]:
    """Digests of tables and weights by path; a table of pairs is a folder of parts."""
    files = [*folder.glob("results/**/*.parquet"), *folder.glob("results/models/**/*.safetensors")]
    return {file.relative_to(folder).as_posix(): digest(file) for file in sorted(files) if file.is_file()}


def recovers(folder: Path, workflow: Run, *targets: str, before: dict[str, str]) -> None:
    """Assert that no unfinished files exist, and that the next run restores the results."""
    assert temporary_files(folder / "results") == []
    workflow(folder, *targets, *TINY)
    assert hashes(folder) == before


def test_a_full_disk_during_compilation_is_one_line_and_recovers(folder: Path, workflow: Run) -> None:
    before = hashes(folder)
    shutil.rmtree(folder / "results" / "ir")
    with small_disk(folder / "results" / "ir", 16):
        output = workflow(folder, "ir", *TINY, succeeds=False).stdout
        assert re.search(r"compile_shard: .*No space left on device", output)
        assert list((folder / "results" / "ir").rglob("*.parquet")) == []
    recovers(folder, workflow, "ir", before=before)


def test_a_full_disk_is_detected_before_training(folder: Path, workflow: Run) -> None:
    before = hashes(folder)
    shutil.rmtree(folder / MODEL / "adapter")
    with small_disk(folder / "results" / "checkpoints", 256):
        output = workflow(folder, f"{MODEL}/adapter", *TINY, succeeds=False).stdout
        assert re.search(r"pretrain_adapter: .* MB of disk space, but .* are free in .*; free disk space", output)
        assert not (folder / MODEL / "adapter").exists()
    recovers(folder, workflow, f"{MODEL}/adapter", before=before)


@pytest.fixture
def longer(folder: Path, workflow: Run, tmp_path: Path) -> tuple[str, ...]:
    """Options of a training with many checkpoints, which has run in `folder`."""
    training = {"max_steps": 60, "epochs": 60, "eval_steps": 60, "save_steps": 1}
    (tmp_path / "longer.yaml").write_text(json.dumps({"pretrain": {"training": training}}), encoding="utf-8")
    options = (*TINY[:2], str(tmp_path / "longer.yaml"), *TINY[2:])
    workflow(folder, f"{MODEL}/adapter", *options)
    return options


def checkpoint(folder: Path) -> Path | None:
    """A complete checkpoint of the training of a folder's adapter, if there is one."""
    return next((folder / "results" / "checkpoints").rglob(f"checkpoint-*/{COMPLETE}"), None)


def test_a_full_disk_during_training_is_one_line_and_recovers(
    folder: Path, workflow: Run, longer: tuple[str, ...]
) -> None:
    before = hashes(folder)
    shutil.rmtree(folder / MODEL / "adapter")
    checkpoints = folder / "results" / "checkpoints"
    with small_disk(checkpoints, 1_000_000):
        run = start(folder, f"{MODEL}/adapter", *longer)
        wait_for(lambda: checkpoint(folder), "checkpoint")
        fill(checkpoints)
        assert run.wait(120) != 0
        assert re.search(r"pretrain_adapter: .*(disk is full|No space left)", (folder / "out.log").read_text())
        assert not (folder / MODEL / "adapter").exists()
        (checkpoints / "filler").unlink()
        assert temporary_files(folder / "results") == []
        workflow(folder, f"{MODEL}/adapter", *longer)
        assert hashes(folder) == before


def test_a_full_disk_during_the_writing_of_tables_is_one_line_and_recovers(tmp_path: Path, workflow: Run) -> None:
    options = ["--snakefile", str(SMALL_RUN / "Snakefile"), "--configfile", str(SMALL_RUN / "config.yaml")]
    with small_disk(tmp_path / "results" / "tables", 4):
        output = workflow(tmp_path, "results/tables/scores.csv", *options, succeeds=False).stdout
        assert re.search(r"tables_scores: .*No space left on device", output)
        assert [file.name for file in (tmp_path / "results" / "tables").iterdir()] == [OTHER]
    workflow(tmp_path, "results/tables/scores.csv", *options)
    assert (tmp_path / "results" / "tables" / "scores.csv").read_text().startswith("benchmark,language,model")


def test_a_read_only_results_folder_is_one_line(folder: Path, workflow: Run) -> None:
    before = hashes(folder)
    table = folder / "results" / "ir" / "C" / "000.parquet"
    table.unlink()
    with read_only(folder / "results"):
        output = workflow(folder, "ir", *TINY, succeeds=False).stdout
        assert re.search(rf"^error: {folder}/results is not writable .*; change that", output, re.MULTILINE)
    recovers(folder, workflow, "ir", before=before)


@pytest.mark.parametrize(
    ("damaged", "gone", "target"),
    [
        ("results/ir/C/001.parquet", "results/pairs/C", "pairs"),
        ("results/sources/C/001.parquet", "results/ir/C/001.parquet", "ir"),
    ],
    ids=["an outcome table", "a shard of sources"],
)
def test_a_damaged_table_is_named_and_its_remedy_works(
    folder: Path, workflow: Run, damaged: str, gone: str, target: str
) -> None:
    before = hashes(folder)
    truncate(folder / damaged)
    lost = folder / gone
    shutil.rmtree(lost) if lost.is_dir() else lost.unlink()
    output = workflow(folder, target, *TINY, succeeds=False).stdout
    assert re.search(rf"{damaged} is (not a whole parquet file|damaged) .*; delete it and run again", output)
    start = read_json(folder / "results/provenance/run.json")["starts"][-1]
    assert start["succeeded"] is False
    assert damaged in "".join(failure["error"] for failure in start["failures"])
    (folder / damaged).unlink()
    if "sources" in damaged:
        output = workflow(folder, target, *TINY, succeeds=False).stdout
        remedy = re.search(r"delete (\S+shards\.json) and run again", output)
        assert remedy
        (folder / remedy[1]).unlink()
    recovers(folder, workflow, target, before=before)


@pytest.mark.parametrize("gone", ["its files", "its contents"])
def test_an_empty_checkpoint_is_ignored(folder: Path, workflow: Run, longer: tuple[str, ...], gone: str) -> None:
    before = hashes(folder)
    shutil.rmtree(folder / MODEL / "adapter")
    run = start(folder, f"{MODEL}/adapter", *longer)
    wait_for(lambda: checkpoint(folder), "checkpoint")
    run.kill()
    run.wait()
    recovery.prepare(folder)
    for file in [file for file in (folder / "results" / "checkpoints").rglob("checkpoint-*/*") if file.is_file()]:
        if gone == "its files":
            file.unlink()
        elif file.name != COMPLETE:
            os.truncate(file, 0)
    workflow(folder, f"{MODEL}/adapter", *longer)
    assert hashes(folder) == before


def test_a_clock_that_is_set_back_does_not_matter(folder: Path, workflow: Run) -> None:
    before = hashes(folder)
    tomorrow = time.time() + 86400
    for file in folder.glob("results/**/*"):
        os.utime(file, (tomorrow, tomorrow))
    for stage in ("dedup", "pairs"):
        shutil.rmtree(folder / "results" / stage)
    recovers(folder, workflow, "pairs", before=before)
    assert "Nothing to be done" in workflow(folder, "pairs", *TINY).stdout


def test_a_second_run_in_the_folder_is_refused_and_the_first_continues(tmp_path: Path, workflow: Run) -> None:
    first = start(tmp_path, "ir", *TINY)
    script_of(first, "shard.py").suspend()
    second = workflow(tmp_path, "ir", *TINY, succeeds=False).stdout
    assert f"error: another run is active in {tmp_path}; wait until it ends" in second
    with pytest.raises(SystemExit, match=f"Snakemake is running in .*process {first.pid}"):
        recovery.prepare(tmp_path)
    assert first.poll() is None
    script_of(first, "shard.py").resume()
    assert first.wait(300) == 0


@pytest.mark.parametrize("fault", ["SIGTERM", "worker"])
def test_a_compile_job_that_is_terminated_recovers(trained: Path, tmp_path: Path, workflow: Run, fault: str) -> None:
    run = start(tmp_path, "ir", *TINY)
    job = script_of(run, "shard.py")
    if fault == "SIGTERM":
        job.send_signal(signal.SIGTERM)
    else:
        wait_for(lambda: busy_worker(job), "worker at work").kill()
    assert run.wait(120) != 0
    assert psutil.wait_procs([job], timeout=10)[1] == []
    output = (tmp_path / "out.log").read_text()
    assert fault == "SIGTERM" or "a worker process was killed; run again" in output
    assert temporary_files(tmp_path / "results") == []
    workflow(tmp_path, "ir", *TINY)
    unbroken = {path: digest for path, digest in hashes(trained).items() if path.startswith("results/ir/")}
    assert unbroken and unbroken.items() <= hashes(tmp_path).items()
