"""A temporary SLURM cluster, and runs on it."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.workflow.conftest import restore_interrupts

ROOT = Path(__file__).resolve().parents[2]
CLUSTER = ROOT / "tests" / "slurm" / "cluster.sh"


@dataclass
class Job:
    """One job in SLURM's accounting, without its steps."""

    name: str
    state: str
    memory: str
    minutes: str
    allocated: str
    comment: str


def snakemake(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start Snakemake with the SLURM profile in a working directory, its output in `out.log` there."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "snakemake", "--profile", str(ROOT / "profiles" / "slurm")]
    with (folder / "out.log").open("a") as output:
        return subprocess.Popen(
            [*command, "--directory", str(folder), *arguments],
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=restore_interrupts,
        )


def finish(run: subprocess.Popen[str], folder: Path, seconds: float) -> None:
    """Wait for a run and fail with the end of its output unless it succeeds."""
    assert run.wait(seconds) == 0, "\n".join((folder / "out.log").read_text().splitlines()[-40:])


def ask(*command: str) -> list[str]:
    """The lines that a SLURM command prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def accounted(folder: Path) -> list[Job]:
    """The accounting of all jobs that were submitted from a folder, in order of submission."""
    form = "--format=jobname,state,reqmem,timelimitraw,alloctres,comment,workdir"
    lines = ask("sacct", "--allocations", "--noheader", "--parsable2", "--starttime=now-1days", form)
    fields = [line.split("|") for line in lines]
    return [Job(*values) for *values, workdir in fields if workdir == str(folder)]


def in_queue(folder: Path, state: str = "all") -> int:
    """The number of jobs from a folder in SLURM's queue, of one state or all."""
    lines = ask("squeue", "--noheader", "--array", "--format=%Z", f"--states={state}" if state != "all" else "--all")
    return lines.count(str(folder))


def wait_until(condition: Callable[[], bool], seconds: float) -> None:
    """Wait until a condition holds; fail if it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"the condition did not hold within {seconds} s"
        time.sleep(0.3)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Path]:
    """A running cluster; yields the folder of its state and logs."""
    assert os.geteuid() == 0, "the temporary SLURM cluster needs root; run the tests as root"
    # The user of the database cannot enter pytest's own folders.
    folder = Path(tempfile.mkdtemp(prefix="slurm-test-"))
    folder.chmod(0o755)
    subprocess.run([CLUSTER, "start", folder / "state"], check=True)
    yield folder / "state"
    subprocess.run([CLUSTER, "stop", folder / "state"], check=True)
    shutil.rmtree(folder)
