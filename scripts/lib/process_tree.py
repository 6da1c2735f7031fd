"""The processes below a process, through /proc.

A running program is measured many times a second, so files are read without pathlib, which takes
longer than the kernel.
"""

import os

# Of files whose process has ended, or that may not be read.
_UNREADABLE = (FileNotFoundError, ProcessLookupError, PermissionError)


def read_proc(path: str) -> bytes:
    """The content of a file of /proc; empty if its process is gone or the file may not be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except _UNREADABLE:
        return b""
    try:
        content = b""
        while block := os.read(descriptor, 1 << 20):
            content += block
        return content
    except _UNREADABLE:
        return b""
    finally:
        os.close(descriptor)


def children(pid: int) -> list[int]:
    """Process ids of the children of all threads of `pid`; empty when it is gone."""
    folder = f"/proc/{pid}/task"
    try:
        with os.scandir(folder) as threads:
            names = [thread.name for thread in threads]
    except (FileNotFoundError, ProcessLookupError):
        return []
    # A thread may end after the folder is listed.
    return [int(child) for name in names for child in read_proc(f"{folder}/{name}/children").split()]


def descendants(pid: int, max_processes: int = 100_000) -> list[int]:
    """`pid` and every process below it, parents first, at most `max_processes`."""
    pids = [pid]
    for process in pids:
        if len(pids) >= max_processes:
            break
        pids.extend(children(process))
    return pids[:max_processes]
