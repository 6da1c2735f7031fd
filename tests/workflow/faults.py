"""What goes wrong around a run, on purpose: full and read-only disks, damaged files, processes that are killed."""

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
def mounted(place: Path, *command: str) -> Iterator[None]:
    """Something mounted at a folder; needs root."""
    place.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", *command, str(place)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@contextmanager
def small_disk(place: Path, kilobytes: int) -> Iterator[None]:
    """A folder on a disk of its own that holds next to nothing."""
    with mounted(place, "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs"):
        # Snakemake removes folders that a failed job leaves empty, which a disk's own folder does not suffer.
        (place / OTHER).touch()
        yield


@contextmanager
def read_only(place: Path) -> Iterator[None]:
    """A folder that nothing can be written to."""
    with mounted(place, "--bind", str(place)):
        subprocess.run(["mount", "-o", "remount,bind,ro", str(place)], check=True)
        yield


def truncate(file: Path) -> None:
    """Leave the first half of a file, with its old time, as a crash of the file system does."""
    before = file.stat()
    os.truncate(file, before.st_size // 2)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def fill(place: Path) -> None:
    """Leave no room on the disk of a folder."""
    block = bytes(4096)
    with (place / "filler").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(block)


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start Snakemake in a folder, its output in `out.log` there."""
    with (folder / "out.log").open("w") as output:
        return subprocess.Popen(
            snakemake_command(folder, *arguments),
            env=snakemake_environment(),
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
        )


def _script(run: subprocess.Popen[str], name: str) -> psutil.Process | None:
    """The process of a run that runs the script `name` now, if there is one."""
    assert run.poll() is None, f"the run ended before {name} was seen"
    for process in psutil.Process(run.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            line = process.cmdline()
            if line and line[-1].endswith(f".{name}") and "python" in line[0]:
                return process
    return None


def script_of(run: subprocess.Popen[str], name: str) -> psutil.Process:
    """The process of a run that runs the script `name`, as soon as it is there."""
    return wait_for(lambda: _script(run, name), f"process of {name}", 120)


def wait_for(found: Callable[[], T | None], what: str, seconds: float = 60) -> T:
    """What a question that is asked again and again finds at last; fail when that is not in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := found():
            return answer
        time.sleep(0.02)
    raise AssertionError(f"no {what} within {seconds} s")


def busy_worker(job: psutil.Process) -> psutil.Process | None:
    """A process that a job has forked off itself and that runs something now, if there is one."""
    with suppress(psutil.NoSuchProcess):
        for child in job.children():
            if child.cmdline() == job.cmdline() and child.children():
                return child
    return None


def strangers(folder: Path) -> list[Path]:
    """Files below a folder with names that only unfinished work has."""
    return [file for file in folder.rglob(".*.tmp") if ".snakemake" not in file.parts]
