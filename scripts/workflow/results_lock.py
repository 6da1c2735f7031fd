"""Lock of a results folder: one run at a time writes to it, from any checkout, folder or machine.

`hold_results` locks a file in the folder through the operating system and records the run's process
and host in it. The operating system releases the lock with the process. Network file systems may
not pass the lock on to other machines. There, the record of another host counts until its run has
ended or somebody deletes the file.
"""

import atexit
import fcntl
import json
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

NAME = ".run.lock"
# File systems that several machines may have mounted, by the beginning of their names.
_NETWORK = (
    "nfs",
    "cifs",
    "smb",
    "lustre",
    "beegfs",
    "gpfs",
    "ceph",
    "glusterfs",
    "pvfs",
    "afs",
    "9p",
    "virtiofs",
    "fuse",
)


def owner() -> dict[str, Any]:
    """The record of this process in a lock file."""
    process = psutil.Process()
    times = {"process": process.pid, "started": process.create_time()}
    return {"host": socket.gethostname(), **times, "folder": str(Path.cwd())}


def is_alive(process: int, started: float) -> bool:
    """Whether the process of this machine with an id and a start time still runs; a zombie does
    not.
    """
    try:
        candidate = psutil.Process(process)
        is_same = abs(candidate.create_time() - started) < 1
        return bool(is_same and candidate.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def is_shared(folder: Path) -> bool:
    """Whether a folder is on a file system that other machines may write to."""
    resolved = folder.resolve()
    mounts = {Path(part.mountpoint): part.fstype for part in psutil.disk_partitions(all=True)}
    nearest = next((path for path in (resolved, *resolved.parents) if path in mounts), None)
    return nearest is not None and mounts[nearest].startswith(_NETWORK)


def _recorded(descriptor: int) -> dict[str, Any]:
    """The record in a lock file of the run that holds it; empty without a valid record."""
    with suppress(ValueError):
        record = json.loads(os.pread(descriptor, 1 << 16, 0))
        return record if isinstance(record, dict) else {}
    return {}


def _is_locked(descriptor: int) -> bool:
    """Whether another process holds the operating system's lock. Otherwise take it, where the file
    system has locks.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def is_held(recorded: dict[str, Any], locked: bool, shared: bool) -> bool:
    """Whether a run that may be alive holds a folder.

    locked: the operating system reports the lock. recorded: the lock file's record of the last run
    that did not end normally. shared: whether other machines, whose locks and processes cannot be
    seen from here, may write to the folder.
    """
    if locked or not recorded:
        return locked
    if recorded.get("host") == socket.gethostname():
        # Such a process can hold the folder only where the operating system's lock is not reliable.
        return shared and is_alive(int(recorded.get("process", 0)), float(recorded.get("started", 0)))
    return shared


def _refusal(folder: Path, recorded: dict[str, Any], locked: bool) -> str:
    who = f"process {recorded.get('process', 'unknown')} on {recorded.get('host', 'an unknown host')}"
    where = f" in {recorded['folder']}" if "folder" in recorded else ""
    remedy = "wait until it ends, or set another results_dir"
    if not locked and recorded.get("host") != socket.gethostname():
        remedy += f"; if that run has ended, delete {folder / NAME}"
    return f"error: another run ({who}{where}) is writing to {folder}; {remedy}"


def _release(descriptor: int, process: int) -> None:
    # The end of a child of this process must not release the folder.
    if os.getpid() == process:
        os.ftruncate(descriptor, 0)
        os.close(descriptor)


def hold_results(folder: str | Path) -> None:
    """Lock a results folder until this process ends; end the process with one line when another run
    holds the lock.
    """
    results = Path(folder).resolve()
    results.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(results / NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    locked, recorded = _is_locked(descriptor), _recorded(descriptor)
    if is_held(recorded, locked, is_shared(results)):
        os.close(descriptor)
        sys.exit(_refusal(results, recorded, locked))
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(owner()).encode(), 0)
    os.fsync(descriptor)
    atexit.register(_release, descriptor, os.getpid())
