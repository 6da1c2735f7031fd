"""Injects faults into a run: full and read-only disks, damaged files, killed processes."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import psutil

from tests.workflow.conftest import snakemake_command, snakemake_environment

OTHER = "something-else"
T = TypeVar("T")


@contextmanager
def mounted(folder: Path, *command: str) -> Iterator[None]:
    """A file system mounted at a folder; needs root."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", *command, str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[None]:
    """A folder on a separate disk of this size."""
    with mounted(folder, "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs"):
        # Snakemake removes folders that a failed job leaves empty, which fails for a mount point.
        (folder / OTHER).touch()
        yield


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A folder that cannot be written to."""
    with mounted(folder, "--bind", str(folder)):
        subprocess.run(["mount", "-o", "remount,bind,ro", str(folder)], check=True)
        yield


def truncate(file: Path) -> None:
    """Cut a file to its first half and keep its modification time.

    It simulates a crash of the file system.
    """
    before = file.stat()
    os.truncate(file, before.st_size // 2)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def fill(folder: Path) -> None:
    """Fill the disk of a folder."""
    block = bytes(4096)
    with (folder / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(block)


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start Snakemake in a folder; its output goes to `out.log` there."""
    with (folder / "out.log").open("w") as output:
        return subprocess.Popen(
            snakemake_command(folder, *arguments),
            env=snakemake_environment(),
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )


def _script(run: subprocess.Popen[str], name: str) -> psutil.Process | None:
    """The process of a run that runs the script `name`, if there is one."""
    assert run.poll() is None, f"the run ended before {name} was seen"
    for process in psutil.Process(run.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            line = process.cmdline()
            if line and line[-1].endswith(f".{name}") and "python" in line[0]:
                return process
    return None


def script_of(run: subprocess.Popen[str], name: str) -> psutil.Process:
    """The process of a run that runs the script `name`, as soon as it has started."""
    return wait_for(lambda: _script(run, name), f"process of {name}", 120)


def wait_for(poll: Callable[[], T | None], what: str, seconds: float = 60) -> T:
    """The first true result of `poll`, which is called repeatedly.

    Fails when there is none in time.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := poll():
            return result
        time.sleep(0.02)
    raise AssertionError(f"no {what} within {seconds} s")


def busy_worker(job: psutil.Process) -> psutil.Process | None:
    """A process that a job has forked and that has child processes, if there is one."""
    with suppress(psutil.NoSuchProcess):
        for child in job.children():
            if child.cmdline() == job.cmdline() and child.children():
                return child
    return None


def temporary_files(folder: Path) -> list[Path]:
    """Files below a folder that have the name of a file that is still being written."""
    return [file for file in folder.rglob(".*.tmp") if ".snakemake" not in file.parts]
