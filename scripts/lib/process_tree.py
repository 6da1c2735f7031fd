"""The processes below a process, through /proc."""

from contextlib import suppress
from pathlib import Path


def children(pid: int) -> list[int]:
    """Process ids of the children of all threads of `pid`; empty when it is gone."""
    pids: list[int] = []
    with suppress(FileNotFoundError, ProcessLookupError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            # A thread may end after the folder is listed.
            with suppress(FileNotFoundError, ProcessLookupError):
                pids.extend(map(int, Path(task, "children").read_bytes().split()))
    return pids


def descendants(pid: int, max_processes: int = 100_000) -> list[int]:
    """`pid` and every process below it, parents first, at most `max_processes`."""
    pids = [pid]
    for process in pids:
        if len(pids) >= max_processes:
            break
        pids.extend(children(process))
    return pids[:max_processes]
