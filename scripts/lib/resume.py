"""Make a working directory fit for a new run after an earlier one died: `python -m scripts.lib.resume [folder]`.

A Snakemake that is killed outright leaves its lock behind and its jobs running; a second run would then write the same
files beside them. The Snakefile marks every process that a run starts with its working directory (`mark_run`), so that
what is left can be found, ended and waited for before the lock is taken away.
"""

import argparse
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psutil

MARKER = "IRCODER_RUN"
GRACE_SECONDS = 10
ROOT = Path(__file__).resolve().parent.parent.parent

T = TypeVar("T")


def run_id(folder: str | Path) -> str:
    """Sixteen hexadecimal digits that stand for a working directory in the marker."""
    return hashlib.sha256(os.fsencode(Path(folder).resolve())).hexdigest()[:16]


def mark_run() -> None:
    """Mark this process's future children as belonging to the run in the current folder."""
    os.environ[MARKER] = run_id(Path.cwd())


def _ask(question: Callable[[], T], default: T) -> T:
    """The answer of a process to a question, or `default` when it is gone or another user's."""
    try:
        return question()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return default


def _is_snakemake(argv: list[str]) -> bool:
    """Whether a command line is a Python process that runs Snakemake."""
    if len(argv) < 2 or "python" not in Path(argv[0]).name:
        return False
    return Path(argv[1]).name == "snakemake" or argv[1:3] == ["-m", "snakemake"]


def _marker(process: psutil.Process) -> str:
    """The run that started a process; empty for none."""
    return _ask(process.environ, {}).get(MARKER, "")


def live_runs(folder: str | Path) -> list[int]:
    """Process ids of the Snakemakes that work in a folder and that no run there has started itself."""
    home, own = str(Path(folder).resolve()), run_id(folder)
    return [
        process.pid
        for process in psutil.process_iter()
        if _is_snakemake(_ask(process.cmdline, [])) and _ask(process.cwd, "") == home and _marker(process) != own
    ]


def leftovers(folder: str | Path) -> list[psutil.Process]:
    """Processes that runs in a folder have started, with all that these started, except this one and its parents."""
    own = run_id(folder)
    spared = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    marked = [process for process in psutil.process_iter() if process.pid not in spared and _marker(process) == own]
    family = {process.pid: process for process in marked}
    for process in marked:
        children: list[psutil.Process] = []
        family |= {child.pid: child for child in _ask(lambda p=process: p.children(recursive=True), children)}
    return [process for pid, process in sorted(family.items()) if pid not in spared]


def end(processes: list[psutil.Process]) -> None:
    """End processes: ask them to, wait `GRACE_SECONDS`, then force them; return when they are gone."""
    for process in processes:
        _ask(process.terminate, None)
    _, alive = psutil.wait_procs(processes, timeout=GRACE_SECONDS)
    for process in alive:
        _ask(process.kill, None)
    _, alive = psutil.wait_procs(alive, timeout=GRACE_SECONDS)
    if alive:
        pids = ", ".join(str(process.pid) for process in alive)
        sys.exit(f"error: processes {pids} of an earlier run cannot be ended; end them, then run again")


def is_locked(folder: str | Path) -> bool:
    """Whether a Snakemake, alive or dead, holds the folder's lock."""
    locks = Path(folder, ".snakemake", "locks")
    return locks.is_dir() and any(locks.iterdir())


def prepare(folder: str | Path) -> None:
    """Let a new run start in `folder`; end the process with one line when a live run is there."""
    live = live_runs(folder)
    if live:
        pids = ", ".join(map(str, live))
        sys.exit(f"error: Snakemake is running in {folder} (process {pids}); wait until it ends, or end it with Ctrl-C")
    left = leftovers(folder)
    if left:
        print(f"ending {len(left)} processes that an earlier, interrupted run has left", file=sys.stderr)
        end(left)
    if is_locked(folder):
        print("taking away the lock of an earlier, interrupted run", file=sys.stderr)
        unlock = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--unlock", "--quiet"]
        subprocess.run([*unlock, "--directory", str(folder)], check=True)


def main() -> None:
    """Command line: the working directory, by default the current one."""
    parser = argparse.ArgumentParser(description="Make a working directory fit for a new run after an interrupted one.")
    parser.add_argument("folder", nargs="?", default=".", type=Path)
    prepare(parser.parse_args().folder.resolve())


if __name__ == "__main__":
    main()
