"""Jobs killed by SIGKILL, alone or with the whole run: the next run gives the same bytes."""

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from scripts.provenance.digests import digest_of
from scripts.workflow import recovery
from tests.support.equal_results import CRATE, same_times
from tests.workflow.conftest import ROOT, restore_interrupts, snakemake_command, snakemake_environment
from tests.workflow.faults import script_of, start, temporary_files
from tests.workflow.test_default_run import hashes

pytestmark = pytest.mark.resilience
TINY = ("--configfile", str(ROOT / "tests" / "workflow" / "tiny.yaml"), "--config", "languages=[C]")
MODEL = "tiny-gpt-bigcode"
GENERATED = f"results/generations/codexglue/python/greedy/{MODEL}.base.jsonl.zst"
EXECUTED = f"results/executions/multipl-e/py/t0.2/{MODEL}.base.parquet"
# The file or folder that a job writes, by the script that is killed.
JOBS = {
    "tokens.py": f"results/tokens/{MODEL}",
    "losses.py": f"results/models/{MODEL}/losses/base.parquet",
    "generate.py": GENERATED,
    "execute.py": EXECUTED,
    "score.py": f"results/scores/codexglue/python/greedy/{MODEL}.base.json",
    "jobs.py": "results/provenance/jobs.json",
    "report.py": "results/report.html",
    "crate.py": "results/ro-crate-metadata.json",
}


# A path that each stage writes; the run is killed soon after the path exists.
STAGES = ("ir", "dedup", "tokens", f"models/{MODEL}/base-commits-Python", "generations", "executions")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, workflow: Callable) -> Path:
    """The folder of a small run that was not interrupted."""
    folder = tmp_path_factory.mktemp("finished")
    workflow(folder, *TINY)
    return folder


def files(path: Path) -> list[Path]:
    """The file, or all files of the folder, sorted."""
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def content(path: Path) -> object:
    """What a file must have equal after a kill: its bytes, by their digest, but for times and costs in report and
    crate, and for the seconds that programs took.
    """
    if path.name in (CRATE, "report.html"):
        return same_times(path.name, path.read_text())
    return digest_of(path)


def contents(folder: Path, output: str) -> dict[str, object]:
    """The content of each file of an output, by its path below the folder."""
    return {file.relative_to(folder).as_posix(): content(file) for file in files(folder / output)}


def remove(path: Path) -> None:
    """Delete a file or a folder."""
    shutil.rmtree(path) if path.is_dir() else path.unlink()


def kill_tree(pid: int) -> None:
    """SIGKILL a process and its descendants, parents first, so that no parent sees a child fail."""
    parent = psutil.Process(pid)
    for process in (parent, *parent.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)


def is_alive(process: psutil.Process) -> bool:
    """Whether a process has not ended."""
    with suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


@pytest.mark.parametrize("victim", ["the job", "the whole run"])
@pytest.mark.parametrize("script", JOBS)
def test_a_killed_job_gives_the_same_bytes(
    finished: Path, script: str, victim: str, workflow: Callable, tmp_path: Path
) -> None:
    output, folder = JOBS[script], tmp_path / "run"
    shutil.copytree(finished, folder, symlinks=True)
    # A job that ends before it is killed is started again and killed sooner.
    for longest in (1, 0.2, 0.05, 0):
        remove(folder / output)
        run = start(folder, output, *TINY)
        process = script_of(run, script)
        time.sleep(random.uniform(0, longest))
        if is_alive(process):
            break
        run.wait(120)
    else:
        pytest.fail(f"{script} always ended before it was killed")
    kill_tree(process.pid if victim == "the job" else run.pid)
    assert run.wait(120) != 0
    recovery.prepare(folder)
    workflow(folder, output, *TINY)
    assert temporary_files(folder / "results") == []
    assert contents(folder, output) == contents(finished, output)


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


def test_a_run_killed_in_every_stage_gives_the_same_bytes(finished: Path, workflow: Callable, tmp_path: Path) -> None:
    for number, stage in enumerate(STAGES):
        process = subprocess.Popen(
            snakemake_command(tmp_path, *TINY),
            env=snakemake_environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=restore_interrupts,
        )
        how = signal.SIGINT if number % 2 else signal.SIGKILL
        assert interrupt(process, tmp_path / "results" / stage, how), f"the run ended before {stage}"
        recovery.prepare(tmp_path)
    workflow(tmp_path, *TINY)
    killed, whole = hashes(tmp_path / "results"), hashes(finished / "results")
    assert killed.keys() == whole.keys()
    assert [name for name in whole if killed[name] != whole[name]] == []
