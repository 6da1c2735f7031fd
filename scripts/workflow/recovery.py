"""Make a working directory fit for a new run after an earlier one died: `python -m scripts.workflow.recovery --help`.

A Snakemake that is killed outright leaves its lock behind and its jobs running; a second run would then write the same
files beside them. The Snakefile marks every process that a run starts with its working directory (`mark_run`), so that
what is left can be found, ended and waited for before the lock is taken away. Jobs in a SLURM queue are known by the
prefix of their names and their working directory; as the Snakemake that sent them may be alive on another login node,
they are cancelled only when asked for.
"""

import argparse
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psutil
import yaml

MARKER = "IRCODER_RUN"
GRACE_SECONDS = 10
CANCEL_SECONDS = 120
ROOT = Path(__file__).resolve().parent.parent.parent

T = TypeVar("T")


def run_id(folder: str | Path) -> str:
    """Sixteen hexadecimal digits that stand for a working directory in the marker."""
    return hashlib.sha256(os.fsencode(Path(folder).resolve())).hexdigest()[:16]


def mark_run() -> None:
    """Mark this process's future children as belonging to the run in the current folder."""
    os.environ[MARKER] = run_id(Path.cwd())


_held: list[int] = []  # descriptors whose locks live as long as this process


def hold_folder() -> None:
    """Keep every other run out of the current folder as long as this process lives; raise `SystemExit` beside one.

    Snakemake locks the files that it knows of when it starts, which are few while checkpoints are open: a second run
    would write the same tables. The lock is the operating system's, so that none outlives its process.
    """
    place = Path(".snakemake")
    place.mkdir(exist_ok=True)
    descriptor = os.open(place / "run.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        sys.exit(f"error: another run works in {Path.cwd()}; wait until it ends, or end it with Ctrl-C")
    _held.append(descriptor)


def check_writable(folder: str | Path) -> None:
    """End the process with one line when nothing can be written to a folder, or to where it would be made."""
    place = Path(folder).resolve()
    while not place.exists():
        place = place.parent
    if not os.access(place, os.W_OK | os.X_OK):
        fault = f"error: nothing can be written to {place} (permissions, or a read-only file system)"
        sys.exit(f"{fault}; mend that, or set results_dir")


def mend_times(folder: str | Path) -> None:
    """Give files below a folder that are of the future the time of now.

    They come from a clock that has gone back since, and Snakemake refuses a result that is older than what it is from.
    """
    now = time.time()
    for path in (Path(folder), *Path(folder).rglob("*")):
        if path.exists() and path.lstat().st_mtime > now:
            os.utime(path, (now, now), follow_symlinks=False)


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


def _is_over(process: psutil.Process) -> bool:
    """Whether a process has ended; a zombie, whose parent does not ask for it, has ended, too."""
    return not process.is_running() or _ask(process.status, psutil.STATUS_DEAD) in (
        psutil.STATUS_ZOMBIE,
        psutil.STATUS_DEAD,
    )


def _survivors(processes: list[psutil.Process]) -> list[psutil.Process]:
    """The processes that have not ended within `GRACE_SECONDS`."""
    deadline = time.monotonic() + GRACE_SECONDS
    while True:
        # Time for parents to take away their zombies; one that does not is no reason to wait longer.
        psutil.wait_procs(processes, timeout=0.2)
        alive = [process for process in processes if not _is_over(process)]
        if not alive or time.monotonic() > deadline:
            return alive


def end(processes: list[psutil.Process]) -> None:
    """End processes: ask them to, wait `GRACE_SECONDS`, then force them; return when they are gone."""
    for process in processes:
        _ask(process.terminate, None)
    for process in (alive := _survivors(processes)):
        _ask(process.kill, None)
    if alive := _survivors(alive):
        pids = ", ".join(str(process.pid) for process in alive)
        sys.exit(f"error: processes {pids} of an earlier run cannot be ended; end them, then run again")


def is_locked(folder: str | Path) -> bool:
    """Whether a Snakemake, alive or dead, holds the folder's lock."""
    locks = Path(folder, ".snakemake", "locks")
    return locks.is_dir() and any(locks.iterdir())


def jobname_prefix(profile: str | Path) -> str:
    """The prefix of job names that a profile sets; empty without a profile file or a prefix in it."""
    file = Path(profile, "config.yaml")
    settings = yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return settings.get("slurm-jobname-prefix", "")


def queued_jobs(folder: str | Path, prefix: str) -> list[str]:
    """Ids of this user's SLURM jobs that were sent from `folder`, have the prefix and are not over.

    None, with a warning where it is worth one, on a machine that has no SLURM or cannot reach it.
    """
    if shutil.which("squeue") is None:
        return []
    command = ["squeue", "--me", "--noheader", "--format=%A|%j|%Z"]
    answer = subprocess.run(command, check=False, capture_output=True, text=True)
    if answer.returncode != 0:
        reason = answer.stderr.strip().rpartition("\n")[2]
        print(f"warning: SLURM is not asked for jobs of an earlier run: {reason}", file=sys.stderr)
        return []
    home = str(Path(folder).resolve())
    jobs = [line.split("|", 2) for line in answer.stdout.splitlines()]
    return sorted({job for job, name, place in jobs if name.startswith(prefix) and place == home})


def cancel_jobs(folder: str | Path, prefix: str) -> None:
    """Cancel what `queued_jobs` finds and wait until it has left the queue."""
    jobs = queued_jobs(folder, prefix)
    if not jobs:
        return
    print(f"cancelling {len(jobs)} SLURM jobs that an earlier run has left", file=sys.stderr)
    subprocess.run(["scancel", *jobs], check=True)
    deadline = time.monotonic() + CANCEL_SECONDS
    while jobs := queued_jobs(folder, prefix):
        if time.monotonic() > deadline:
            sys.exit(f"error: SLURM jobs {', '.join(jobs)} are still there after scancel; see squeue, then run again")
        time.sleep(1)


def prepare(folder: str | Path, prefix: str = "", cancel: bool = False) -> None:
    """Let a new run start in `folder`; end the process with one line when a live run is there.

    With `cancel`, SLURM jobs sent from `folder` whose names begin with `prefix` are cancelled first; without it they
    count as a run that may be alive.
    """
    live = live_runs(folder)
    if live:
        pids = ", ".join(map(str, live))
        sys.exit(f"error: Snakemake is running in {folder} (process {pids}); wait until it ends, or end it with Ctrl-C")
    if cancel:
        cancel_jobs(folder, prefix)
    elif jobs := queued_jobs(folder, prefix):
        sys.exit(f"error: SLURM has {len(jobs)} jobs from {folder}; wait for that run, or `make resume` cancels them")
    left = leftovers(folder)
    if left:
        print(f"ending {len(left)} processes that an earlier, interrupted run has left", file=sys.stderr)
        end(left)
    if is_locked(folder):
        print("taking away the lock of an earlier, interrupted run", file=sys.stderr)
        # The lock is the folder's, whatever the workflow: an empty one works even while the configuration is wrong.
        unlock = [sys.executable, "-m", "snakemake", "--snakefile", os.devnull, "--unlock", "--quiet"]
        subprocess.run([*unlock, "--directory", str(folder)], check=True)


def main() -> None:
    """Command line: the working directory, by default the current one, and what to do about SLURM jobs."""
    parser = argparse.ArgumentParser(description="Make a working directory fit for a new run after an interrupted one.")
    parser.add_argument("folder", nargs="?", default=".", type=Path)
    parser.add_argument("--cancel-jobs", action="store_true", help="cancel SLURM jobs that were sent from the folder")
    parser.add_argument("--profile", default=ROOT / "profiles" / "slurm", type=Path, help="where their prefix stands")
    given = parser.parse_args()
    prepare(given.folder.resolve(), jobname_prefix(given.profile), given.cancel_jobs)


if __name__ == "__main__":
    main()
