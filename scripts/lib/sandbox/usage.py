"""What a process tree uses, through /proc: CPU time, memory and tasks.

Memory is more than what processes map. Files in the run's in-memory folders, anonymous shared
memory that is mapped but not touched by the process that maps it, page tables, and socket buffers
are counted as well. The sandbox refuses calls that allocate memory that cannot be counted (see
`program_filter`).
"""

import os
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

from scripts.lib.process_tree import descendants, read_proc

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
# Bytes of addresses that one page of a page table covers.
_TABLE_REACH = _PAGE // 8 * _PAGE
# Page tables below this size are not counted.
_SMALL_TABLES = 10_000_000
_FEW_SOCKET_BYTES = 16_000_000


class Usage(NamedTuple):
    """What a process tree uses at one moment; `cpu_seconds` includes children that have ended."""

    cpu_seconds: float
    memory_mb: float
    tasks: int


class _Process(NamedTuple):
    """CPU seconds (with those of waited-for children), resident bytes, threads and bytes of
    addresses of a process.
    """

    cpu_seconds: float
    resident: int
    threads: int
    addresses: int


class _Shares(NamedTuple):
    """Resident bytes of a process with shared pages split among their users (PSS): private, and of
    shared memory.
    """

    private: int
    shared: int


def unix_session(pid: int) -> int | None:
    """Id of the Unix session of a process, which may have ended without being reaped; None when it
    is gone.
    """
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None


def _size(content: bytes, name: bytes) -> int:
    """The value in bytes of a line such as `VmPTE: 12 kB` of a file of /proc, 0 for an absent one."""
    value = (b"\n" + content).partition(b"\n" + name + b":")[2]
    return int(value.split(None, 1)[0]) << 10 if value else 0


def _process(pid: int) -> _Process | None:
    """The kernel's counters of a process; None if it is gone."""
    content = read_proc(f"/proc/{pid}/stat")
    if not content:
        return None
    # The name, in parentheses, may contain any character.
    fields = content.rpartition(b")")[2].split()
    return _Process(sum(map(int, fields[11:15])) / _TICKS, int(fields[21]) * _PAGE, int(fields[17]), int(fields[20]))


def _shares(pid: int) -> _Shares:
    """Resident bytes with shared pages split; all private if that cannot be read, zero for an ended
    process.
    """
    content = read_proc(f"/proc/{pid}/smaps_rollup")
    if content:
        shared = _size(content, b"Pss_Shmem")
        return _Shares(_size(content, b"Pss") - shared, shared)
    # The process may have ended since its first lookup.
    about = _process(pid)
    return _Shares(about.resident if about else 0, 0)


def _table_bytes(pid: int, process: _Process) -> int:
    """Bytes of a process's page tables, which matter if it has touched a small part of many
    addresses.
    """
    if process.addresses // (_TABLE_REACH // _PAGE) < _SMALL_TABLES:
        return 0
    return _size(read_proc(f"/proc/{pid}/status"), b"VmPTE")


def _shared_extents(pid: int) -> dict[bytes, int]:
    """Bytes, touched or not, of each anonymous shared memory that a process maps, by inode number."""
    extents: dict[bytes, int] = {}
    for line in read_proc(f"/proc/{pid}/maps").splitlines():
        if line.endswith(b"/dev/zero (deleted)"):
            span, _, offset, _, number, *_ = line.split()
            first, _, last = span.partition(b"-")
            extents[number] = max(extents.get(number, 0), int(offset, 16) + int(last, 16) - int(first, 16))
    return extents


def _shared_on_machine() -> int:
    """Bytes of shared memory on this machine, of all processes and in-memory folders."""
    return _size(read_proc("/proc/meminfo"), b"Shmem")


def in_folders(folders: Iterable[int]) -> int:
    """Bytes that files occupy in in-memory file systems; `folders` are open folders in them."""
    return sum((about.f_blocks - about.f_bfree) * about.f_frsize for about in map(os.fstatvfs, folders))


@cache
def _socket_bytes() -> int:
    """Maximum size of a socket's buffer."""
    return int(Path("/proc/sys/net/core/wmem_default").read_bytes())


def in_sockets(pid: int) -> int:
    """Upper bound of bytes in socket buffers of a process's network name space, beyond a small
    allowance.
    """
    used = read_proc(f"/proc/{pid}/net/sockstat").partition(b"sockets: used ")[2]
    return max(0, int(used.split(None, 1)[0]) * _socket_bytes() - _FEW_SOCKET_BYTES) if used else 0


class Watch:
    """Measures the tree below `pid`.

    max_tasks: at most a few more tasks than these are counted. memory_mb: beyond this much memory,
    shared pages are counted once, which is slower. unmapped_bytes: returns the number of bytes of
    the tree that belong to no process.
    """

    def __init__(self, pid: int, max_tasks: int, memory_mb: float, unmapped_bytes: Callable[[], int]) -> None:
        self.pid = pid
        self.max_tasks = max_tasks
        self.max_bytes = memory_mb * 1e6
        self.unmapped_bytes = unmapped_bytes
        self.shared_before = _shared_on_machine()

    def usage(self) -> Usage:
        """What the tree uses now."""
        pids = descendants(self.pid, self.max_tasks + 1)
        processes = {pid: process for pid in pids if (process := _process(pid)) is not None}
        tasks = max(len(pids), sum(process.threads for process in processes.values()))
        cpu_seconds = sum(process.cpu_seconds for process in processes.values())
        return Usage(cpu_seconds, self._memory(processes) / 1e6, tasks)

    def _memory(self, processes: dict[int, _Process]) -> int:
        """Bytes of memory: an upper bound; only if that exceeds the limit, a sum that counts shared
        pages once.
        """
        tables = sum(_table_bytes(pid, process) for pid, process in processes.items())
        unmapped = self.unmapped_bytes() + self._untouched(processes)
        memory = sum(process.resident for process in processes.values()) + tables + unmapped
        if memory <= self.max_bytes:
            return memory
        shares = [_shares(pid) for pid in processes]
        return sum(share.private for share in shares) + tables + max(unmapped, sum(share.shared for share in shares))

    def _untouched(self, processes: dict[int, _Process]) -> int:
        """Upper bound of bytes of anonymous shared memory; at most the growth of the machine's
        shared memory.
        """
        if sum(process.addresses for process in processes.values()) <= self.max_bytes:
            return 0
        extents: dict[bytes, int] = {}
        for pid in processes:
            for number, size in _shared_extents(pid).items():
                extents[number] = max(extents.get(number, 0), size)
        return min(sum(extents.values()), max(0, _shared_on_machine() - self.shared_before)) if extents else 0
