"""Prepare a working directory for a new run after a crash: `python -m scripts.workflow.recovery
--help`.

A Snakemake that was killed leaves its lock and running jobs, and a second run would write the same
files as these jobs. The Snakefile therefore marks every process of a run with the working
directory (`mark_run`). Recovery finds the marked processes, ends them, and then removes the lock.
SLURM jobs are found by the prefix of their names and their working directory. The Snakemake that
submitted them may still run on another login node, so they are cancelled on request only.
"""

import argparse
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import psutil
import yaml

from scripts.lib.run_mark import MARKER

GRACE_SECONDS = 10
CANCEL_SECONDS = 120
_TEMPORARY = re.compile(r"\..+\.[0-9a-f]{32}\.tmp")
ROOT = Path(__file__).resolve().parent.parent.parent

T = TypeVar("T")


def run_id(folder: str | Path) -> str:
    """Identifier of a working directory in the marker, 16 hexadecimal digits."""
    return hashlib.sha256(os.fsencode(Path(folder).resolve())).hexdigest()[:16]


def mark_run() -> None:
    """Mark the processes that this one will start as part of the run in the current folder."""
    os.environ[MARKER] = run_id(Path.cwd())


_lock_descriptors: list[int] = []  # kept open, because closing a descriptor releases its lock


def hold_folder() -> None:
    """Lock the current folder until this process ends; raise `SystemExit` when another run holds
    the lock.

    Snakemake itself locks the files that it knows at the start. Before checkpoints are evaluated
    these are few, so a second run could write the same tables. The operating system releases this
    lock with the process.
    """
    records = Path(".snakemake")
    records.mkdir(exist_ok=True)
    descriptor = os.open(records / "run.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        sys.exit(f"error: another run is active in {Path.cwd()}; wait until it ends, or stop it with Ctrl-C")
    _lock_descriptors.append(descriptor)


def check_writable(folder: str | Path) -> None:
    """End the process with one line when a folder, or the nearest existing parent of it, is not
    writable.
    """
    existing = Path(folder).resolve()
    while not existing.exists():
        existing = existing.parent
    if not os.access(existing, os.W_OK | os.X_OK):
        fault = f"error: {existing} is not writable (permissions, or a read-only file system)"
        sys.exit(f"{fault}; change that, or set results_dir")


def reset_future_times(folder: str | Path) -> None:
    """Reset modification times below a folder that lie in the future to the current time, and
    report how many.

    They are left by a clock that was ahead. Snakemake refuses a result that is older than its input.
    """
    now = time.time()
    paths = [path for path in (Path(folder), *Path(folder).rglob("*")) if path.exists() and path.lstat().st_mtime > now]
    for path in paths:
        os.utime(path, (now, now), follow_symlinks=False)
    if paths:
        what = f"{len(paths)} modification times in the future, the first of {paths[0]}"
        print(f"warning: reset {what}; check this machine's clock", file=sys.stderr)


def remove_temporary_files(folder: str | Path) -> None:
    """Delete what killed jobs left below a folder: files and folders under the temporary names of
    `scripts.lib.files`. Only for a folder that no other run writes to.
    """
    for path in [path for path in Path(folder).rglob(".*.tmp") if _TEMPORARY.fullmatch(path.name)]:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _ask(question: Callable[[], T], default: T) -> T:
    """What a process answers, or `default` when it has ended or belongs to another user."""
    try:
        return question()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return default


def _is_snakemake(argv: list[str]) -> bool:
    """Whether a command line runs Snakemake with Python."""
    if len(argv) < 2 or "python" not in Path(argv[0]).name:
        return False
    return Path(argv[1]).name == "snakemake" or argv[1:3] == ["-m", "snakemake"]


def _marker(process: psutil.Process) -> str:
    """The identifier of the run that started a process; empty for none."""
    environment: dict[str, str] = _ask(process.environ, {})
    return environment.get(MARKER, "")


def live_runs(folder: str | Path) -> list[int]:
    """Process ids of the Snakemakes in a folder, except those that a run in this folder started as
    jobs.
    """
    home, marker = str(Path(folder).resolve()), run_id(folder)
    return [
        process.pid
        for process in psutil.process_iter()
        if _is_snakemake(_ask(process.cmdline, [])) and _ask(process.cwd, "") == home and _marker(process) != marker
    ]


def leftovers(folder: str | Path) -> list[psutil.Process]:
    """Processes of runs in a folder with all their descendants, except this process and its
    parents.
    """
    marker = run_id(folder)
    spared = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    marked = [process for process in psutil.process_iter() if process.pid not in spared and _marker(process) == marker]
    family = {process.pid: process for process in marked}
    no_children: list[psutil.Process] = []
    for process in marked:
        family |= {child.pid: child for child in _ask(partial(process.children, recursive=True), no_children)}
    return [process for pid, process in sorted(family.items()) if pid not in spared]


def _is_over(process: psutil.Process) -> bool:
    """Whether a process has ended; a zombie, which its parent has not waited for, has ended."""
    return not process.is_running() or _ask(process.status, psutil.STATUS_DEAD) in (
        psutil.STATUS_ZOMBIE,
        psutil.STATUS_DEAD,
    )


def _survivors(processes: list[psutil.Process]) -> list[psutil.Process]:
    """The processes that have not ended within `GRACE_SECONDS`."""
    deadline = time.monotonic() + GRACE_SECONDS
    while True:
        # Parents get time to reap their zombies; a zombie that remains counts as ended.
        psutil.wait_procs(processes, timeout=0.2)
        alive = [process for process in processes if not _is_over(process)]
        if not alive or time.monotonic() > deadline:
            return alive


def end(processes: list[psutil.Process]) -> None:
    """End processes: terminate them, wait `GRACE_SECONDS`, then kill them; return when they have
    ended.
    """
    for process in processes:
        _ask(process.terminate, None)
    for process in (alive := _survivors(processes)):
        _ask(process.kill, None)
    if alive := _survivors(alive):
        pids = ", ".join(str(process.pid) for process in alive)
        sys.exit(f"error: processes {pids} of an earlier run cannot be ended; end them, then run again")


def is_locked(folder: str | Path) -> bool:
    """Whether Snakemake's lock of the folder exists, whether or not its run is alive."""
    locks = Path(folder, ".snakemake", "locks")
    return locks.is_dir() and any(locks.iterdir())


def jobname_prefix(profile: str | Path) -> str:
    """The prefix of job names that a profile sets; empty where the profile or the prefix is
    missing.
    """
    file = Path(profile, "config.yaml")
    settings = yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return str(settings.get("slurm-jobname-prefix", ""))


def queued_jobs(folder: str | Path, prefix: str) -> list[str]:
    """Ids of this user's unfinished SLURM jobs that were submitted from `folder` and have the
    prefix.

    Empty on a machine without SLURM, and, with a warning, where SLURM does not answer.
    """
    if shutil.which("squeue") is None:
        return []
    command = ["squeue", "--me", "--noheader", "--format=%A|%j|%Z"]
    answer = subprocess.run(command, check=False, capture_output=True, text=True)
    if answer.returncode != 0:
        reason = answer.stderr.strip().rpartition("\n")[2]
        print(f"warning: SLURM cannot list jobs of an earlier run: {reason}", file=sys.stderr)
        return []
    home = str(Path(folder).resolve())
    jobs = [line.split("|", 2) for line in answer.stdout.splitlines()]
    return sorted({job for job, name, directory in jobs if name.startswith(prefix) and directory == home})


def cancel_jobs(folder: str | Path, prefix: str) -> None:
    """Cancel the jobs of `queued_jobs` and wait until they have left the queue."""
    jobs = queued_jobs(folder, prefix)
    if not jobs:
        return
    print(f"cancelling {len(jobs)} SLURM jobs of an earlier run", file=sys.stderr)
    subprocess.run(["scancel", *jobs], check=True)
    deadline = time.monotonic() + CANCEL_SECONDS
    while jobs := queued_jobs(folder, prefix):
        if time.monotonic() > deadline:
            sys.exit(f"error: scancel did not end the SLURM jobs {', '.join(jobs)}; see squeue, then run again")
        time.sleep(1)


def prepare(folder: str | Path, prefix: str = "", cancel: bool = False) -> None:
    """Prepare `folder` for a new run; end the process with one line when a run is active there.

    With `cancel`, SLURM jobs submitted from `folder` whose names begin with `prefix` are cancelled
    first. Without it they count as a run that may be active.
    """
    live = live_runs(folder)
    if live:
        pids = ", ".join(map(str, live))
        remedy = "wait until it ends, or stop it with Ctrl-C"
        sys.exit(f"error: Snakemake is running in {folder} (process {pids}); {remedy}")
    if cancel:
        cancel_jobs(folder, prefix)
    elif jobs := queued_jobs(folder, prefix):
        remedy = "wait until that run ends, or cancel them by `make resume`"
        sys.exit(f"error: SLURM has {len(jobs)} jobs from {folder}; {remedy}")
    processes = leftovers(folder)
    if processes:
        print(f"ending {len(processes)} processes of an earlier, interrupted run", file=sys.stderr)
        end(processes)
    if is_locked(folder):
        print("removing the lock of an earlier, interrupted run", file=sys.stderr)
        # The lock belongs to the folder, not to a workflow. An empty workflow can remove it even
        # where the configuration is wrong.
        unlock = [sys.executable, "-m", "snakemake", "--snakefile", os.devnull, "--unlock", "--quiet"]
        subprocess.run([*unlock, "--directory", str(folder)], check=True)


def main() -> None:
    """Command line: the working directory, by default the current one, and what to do about SLURM
    jobs.
    """
    parser = argparse.ArgumentParser(description="Prepare a working directory for a new run after a crash.")
    parser.add_argument("folder", nargs="?", default=".", type=Path)
    parser.add_argument("--cancel-jobs", action="store_true", help="cancel SLURM jobs submitted from the folder")
    parser.add_argument(
        "--profile", default=ROOT / "profiles" / "slurm", type=Path, help="the profile with their prefix"
    )
    arguments = parser.parse_args()
    prepare(arguments.folder.resolve(), jobname_prefix(arguments.profile), arguments.cancel_jobs)


if __name__ == "__main__":
    main()
