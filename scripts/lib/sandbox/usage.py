"""What a process tree uses, through /proc: CPU time, memory and tasks.

Memory is more than what processes map. Counted as well are files in the run's in-memory folders, anonymous shared
memory that is mapped but not touched by the process that maps it, page tables, and buffers of sockets. What cannot be
counted the sandbox refuses (see `sandbox_filter`).
"""

import os
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
# A page of a page table stands for this many bytes of addresses.
_TABLE_REACH = _PAGE // 8 * _PAGE
# Page tables below this are not worth a look.
_SMALL_TABLES = 10_000_000
_FEW_SOCKET_BYTES = 16_000_000


class Usage(NamedTuple):
    """What a process tree uses at one moment; `cpu_seconds` includes children that have ended."""

    cpu_seconds: float
    memory_mb: float
    tasks: int


class _Process(NamedTuple):
    """CPU seconds (with those of waited-for children), resident bytes, threads and bytes of addresses of a process."""

    cpu_seconds: float
    resident: int
    threads: int
    addresses: int


class _Shares(NamedTuple):
    """Resident bytes of a process with shared pages split among their users (PSS): private, and of shared memory."""

    private: int
    shared: int


def children(pid: int) -> list[int]:
    """Process ids of the children of all threads of `pid`; empty when it is gone."""
    found: list[int] = []
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            found.extend(map(int, Path(task, "children").read_bytes().split()))
    except (FileNotFoundError, ProcessLookupError):
        return found
    return found


def descendants(pid: int, most: int = 100_000) -> list[int]:
    """`pid` and every process below it, parents first, at most `most`."""
    found = [pid]
    for process in found:
        if len(found) >= most:
            break
        found.extend(children(process))
    return found[:most]


def session(pid: int) -> int | None:
    """The session that a process, maybe ended and not yet waited for, belongs to; None when it is gone."""
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None


def _lines(path: str) -> list[bytes]:
    """The lines of a file of /proc; none when its process is gone or may not be looked into."""
    try:
        return Path(path).read_bytes().splitlines()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return []


def _sizes(path: str, names: Iterable[bytes]) -> list[int] | None:
    """The values in bytes of lines such as `VmPTE: 12 kB`, 0 for an absent one; None when the file tells nothing."""
    values = {name: value.split() for name, _, value in (line.partition(b":") for line in _lines(path))}
    return [int(values.get(name, [b"0"])[0]) << 10 for name in names] if values else None


def _process(pid: int) -> _Process | None:
    """What the kernel counts for a process; None when it is gone."""
    lines = _lines(f"/proc/{pid}/stat")
    if not lines:
        return None
    # The name, in brackets, may hold line feeds.
    fields = b"\n".join(lines).rpartition(b")")[2].split()
    return _Process(sum(map(int, fields[11:15])) / _TICKS, int(fields[21]) * _PAGE, int(fields[17]), int(fields[20]))


def _shares(pid: int) -> _Shares:
    """Resident bytes with shared pages split; all private where that cannot be seen, none of an ended process."""
    sizes = _sizes(f"/proc/{pid}/smaps_rollup", [b"Pss", b"Pss_Shmem"])
    if sizes is not None:
        return _Shares(sizes[0] - sizes[1], sizes[1])
    # It may have ended since it was looked at first.
    about = _process(pid)
    return _Shares(about.resident if about else 0, 0)


def _table_bytes(pid: int, process: _Process) -> int:
    """Bytes of a process's page tables, which count where it has touched little of many addresses."""
    if process.addresses // (_TABLE_REACH // _PAGE) < _SMALL_TABLES:
        return 0
    return sum(_sizes(f"/proc/{pid}/status", [b"VmPTE"]) or [])


def _shared_extents(pid: int) -> dict[bytes, int]:
    """Bytes, touched or not, of each anonymous shared memory that a process maps, by its number."""
    extents: dict[bytes, int] = {}
    for line in _lines(f"/proc/{pid}/maps"):
        if line.endswith(b"/dev/zero (deleted)"):
            span, _, offset, _, number, *_ = line.split()
            first, _, last = span.partition(b"-")
            extents[number] = max(extents.get(number, 0), int(offset, 16) + int(last, 16) - int(first, 16))
    return extents


def _shared_on_machine() -> int:
    """Bytes of shared memory on this machine, of all processes and in-memory folders."""
    return sum(_sizes("/proc/meminfo", [b"Shmem"]) or [])


def in_folders(folders: Iterable[int]) -> int:
    """Bytes that files take in in-memory file systems, given by open folders in them."""
    return sum((about.f_blocks - about.f_bfree) * about.f_frsize for about in map(os.fstatvfs, folders))


@cache
def _socket_bytes() -> int:
    """The most that a socket's buffer holds."""
    return int(Path("/proc/sys/net/core/wmem_default").read_bytes())


def in_sockets(pid: int) -> int:
    """The most bytes that can be in buffers of the sockets of a process's network name space, a few left out."""
    for line in _lines(f"/proc/{pid}/net/sockstat"):
        if line.startswith(b"sockets: used "):
            return max(0, int(line.split()[2]) * _socket_bytes() - _FEW_SOCKET_BYTES)
    return 0


class Watch:
    """Looks at the tree below `pid`, and counts at most a few more tasks than `most_tasks`.

    `memory_mb` is the memory from which on it is counted exactly, which is slower; `unmapped` says how many bytes the
    tree holds that are in no process.
    """

    def __init__(self, pid: int, most_tasks: int, memory_mb: float, unmapped: Callable[[], int]) -> None:
        self.pid = pid
        self.most_tasks = most_tasks
        self.most_bytes = memory_mb * 1e6
        self.unmapped = unmapped
        self.shared_before = _shared_on_machine()

    def usage(self) -> Usage:
        """What the tree uses now."""
        processes = descendants(self.pid, self.most_tasks + 1)
        seen = {process: about for process in processes if (about := _process(process)) is not None}
        tasks = max(len(processes), sum(about.threads for about in seen.values()))
        return Usage(sum(about.cpu_seconds for about in seen.values()), self._memory(seen) / 1e6, tasks)

    def _memory(self, seen: dict[int, _Process]) -> int:
        """Bytes of memory: an upper bound, and only when that passes the limit with what is shared counted once."""
        tables = sum(_table_bytes(pid, about) for pid, about in seen.items())
        unmapped = self.unmapped() + self._untouched(seen)
        memory = sum(about.resident for about in seen.values()) + tables + unmapped
        if memory <= self.most_bytes:
            return memory
        shares = [_shares(pid) for pid in seen]
        return sum(share.private for share in shares) + tables + max(unmapped, sum(share.shared for share in shares))

    def _untouched(self, seen: dict[int, _Process]) -> int:
        """The most bytes of anonymous shared memory; no more than the machine's shared memory has grown."""
        if sum(about.addresses for about in seen.values()) <= self.most_bytes:
            return 0
        extents: dict[bytes, int] = {}
        for pid in seen:
            for number, size in _shared_extents(pid).items():
                extents[number] = max(extents.get(number, 0), size)
        return min(sum(extents.values()), max(0, _shared_on_machine() - self.shared_before)) if extents else 0
