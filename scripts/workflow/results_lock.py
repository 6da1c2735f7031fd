"""One run at a time writes to a results folder, from whatever checkout, working directory or machine it was started.

`hold_results` keeps a lock file in the folder: locked by the operating system, and with the run's process and host in
it. A lock of the operating system ends with its process. Network file systems may not pass it on to other machines, so
there the record of another host counts until its run has ended or somebody deletes the file.
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
# Beginnings of the names of file systems that several machines may have mounted.
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
    """This process as a lock file has it."""
    own = psutil.Process()
    return {"host": socket.gethostname(), "process": own.pid, "started": own.create_time(), "folder": str(Path.cwd())}


def is_alive(process: int, started: float) -> bool:
    """Whether a process of this machine that began at a time still runs; a zombie does not."""
    try:
        found = psutil.Process(process)
        return abs(found.create_time() - started) < 1 and found.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def is_shared(folder: Path) -> bool:
    """Whether a folder lies on a file system that other machines may write to."""
    resolved = folder.resolve()
    mounts = {Path(part.mountpoint): part.fstype for part in psutil.disk_partitions(all=True)}
    nearest = next((path for path in (resolved, *resolved.parents) if path in mounts), None)
    return nearest is not None and mounts[nearest].startswith(_NETWORK)


def _recorded(descriptor: int) -> dict[str, Any]:
    """What a lock file says of the run that holds it; empty when it says nothing."""
    with suppress(ValueError):
        found = json.loads(os.pread(descriptor, 1 << 16, 0))
        return found if isinstance(found, dict) else {}
    return {}


def _is_locked(descriptor: int) -> bool:
    """Whether another process has the operating system's lock; takes it otherwise, where the file system has locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def is_held(recorded: dict[str, Any], locked: bool, shared: bool) -> bool:
    """Whether a run that may be alive holds a folder.

    locked: the operating system says so. recorded: what the lock file has of the last run that has not ended by itself.
    shared: whether other machines, whose locks and processes are not seen here, may write to the folder.
    """
    if locked or not recorded:
        return locked
    if recorded.get("host") == socket.gethostname():
        # Only where the operating system's lock does not count can such a process hold the folder.
        return shared and is_alive(int(recorded.get("process", 0)), float(recorded.get("started", 0)))
    return shared


def _refusal(folder: Path, recorded: dict[str, Any], locked: bool) -> str:
    who = f"process {recorded.get('process', 'unknown')} on {recorded.get('host', 'an unknown host')}"
    where = f" in {recorded['folder']}" if "folder" in recorded else ""
    remedy = "wait until it ends, or set another results_dir"
    if not locked and recorded.get("host") != socket.gethostname():
        remedy += f"; if that run is dead, delete {folder / NAME}"
    return f"error: another run ({who}{where}) writes to {folder}; {remedy}"


def _release(descriptor: int, process: int) -> None:
    # A child of this process that ends must not give the folder free.
    if os.getpid() == process:
        os.ftruncate(descriptor, 0)
        os.close(descriptor)


def hold_results(folder: str | Path) -> None:
    """Keep every other run out of a results folder until this process ends; end it with one line when one is there."""
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
