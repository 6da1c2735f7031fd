"""Capture the output of a running process and stop its whole tree at the limits on what it uses
(see `usage`).
"""

import contextlib
import ctypes
import os
import selectors
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from scripts.lib.cost import add_killed
from scripts.lib.process_tree import children, descendants
from scripts.lib.sandbox.usage import Usage, Watch, unix_session

_BLOCK = 1 << 16
_FIRST_TICK = 0.02
_LAST_TICK = 0.1
_KILLED = 128 + signal.SIGKILL
_SET_CHILD_SUBREAPER = 36
_FILE_TOO_BIG = 128 + signal.SIGXFSZ

__all__ = [
    "Limits",
    "Outcome",
    "ProcessExit",
    "Running",
    "adopt_orphans",
    "children",
    "descendants",
    "kill",
    "reaped",
    "supervise",
    "unix_session",
]


@dataclass(frozen=True)
class Limits:
    """What one run may use; `file_mb` bounds a single file, `processes` counts threads too (1 MB is
    10^6 bytes).

    `address_space` also applies `memory_mb` as RLIMIT_AS to each process. It stops an allocation at
    once, but breaks runtimes that reserve far more than they use (Go, GHC, Swift, the JVM).
    `ended_at_mb` ends the tree with the status `memory_limit` before it uses all of `memory_mb`,
    and changes nothing else for it.
    """

    wall_seconds: float
    cpu_seconds: float
    memory_mb: int
    output_bytes: int = 4_000_000
    file_mb: int = 64
    processes: int = 128
    address_space: bool = False
    ended_at_mb: int | None = None

    @property
    def watched_mb(self) -> int:
        """Memory beyond which the tree is ended."""
        return self.memory_mb if self.ended_at_mb is None else min(self.memory_mb, self.ended_at_mb)


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    `status` is `exited` (`returncode` is the exit code, or 128 + the signal that ended it), or the
    limit at which the whole tree was killed: `timeout`, `cpu_limit`, `memory_limit`,
    `output_limit`, `process_limit`; or `killed` if it was killed from outside. `files` has the
    content of the requested files that exist, by name. `seconds` are wall time, `peak_mb` the
    largest memory of the tree at one moment.
    """

    status: str
    returncode: int
    stdout: bytes
    stderr: bytes
    seconds: float
    cpu_seconds: float
    peak_mb: float
    files: dict[str, bytes] = field(default_factory=dict)


class ProcessExit(NamedTuple):
    """How a process ended: its exit code, or minus a signal, and what it and its children used."""

    returncode: int
    cpu_seconds: float
    peak_mb: float


@dataclass(frozen=True)
class Running:
    """A process tree that was started.

    `top` is the id of its first process and `handle` an open descriptor of it (pidfd); `pipes` are
    the descriptors from which its standard output and error are read. `kill` kills the tree, `wait`
    waits for the first process and reaps it. `unmapped_bytes` returns the number of bytes of the
    tree that belong to no process. `forgets_killed` says that the kernel does not count what killed
    processes of the tree have used, because nobody waits for them.
    """

    top: int
    handle: int
    pipes: tuple[int, int]
    kill: Callable[[], None]
    wait: Callable[[], ProcessExit]
    unmapped_bytes: Callable[[], int] = int
    forgets_killed: bool = False


class Capture:
    """Reads a process's output pipes and detects its end; never holds much more than `max_bytes`
    bytes.
    """

    def __init__(self, running: Running, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.pipes = running.pipes
        self.parts = {pipe: bytearray() for pipe in self.pipes}
        self.selector = selectors.DefaultSelector()
        self.handle = running.handle
        self.selector.register(self.handle, selectors.EVENT_READ)
        for pipe in self.pipes:
            os.set_blocking(pipe, False)
            self.selector.register(pipe, selectors.EVENT_READ)

    @property
    def full(self) -> bool:
        """Whether the child wrote more than allowed."""
        return sum(map(len, self.parts.values())) > self.max_bytes

    def _read(self, pipe: int) -> bool:
        """Read one block from a pipe; False at the end of the pipe or when the capture is full."""
        try:
            block = os.read(pipe, _BLOCK)
        except BlockingIOError:
            return True
        self.parts[pipe] += block
        return bool(block) and not self.full

    def wait(self, seconds: float) -> bool:
        """Read output for up to `seconds`; True once the child has ended."""
        ready = [key.fd for key, _ in self.selector.select(seconds)]
        for pipe in ready:
            if pipe != self.handle and not self._read(pipe):
                self.selector.unregister(pipe)
        return self.handle in ready

    def drain(self) -> None:
        """Read what an ended child left in its pipes, without waiting for more."""
        for pipe in self.pipes:
            size = -1
            while size != len(self.parts[pipe]) and not self.full:
                size = len(self.parts[pipe])
                self._read(pipe)

    def close(self) -> tuple[bytes, bytes]:
        """Close the capture; return standard output and error, each cut at the maximum."""
        self.selector.close()
        stdout, stderr = (bytes(self.parts[pipe][: self.max_bytes]) for pipe in self.pipes)
        return stdout, stderr


def kill(pids: list[int]) -> None:
    """Send SIGKILL to each process that still exists."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _exceeded(limits: Limits, seconds: float, used: Usage) -> str | None:
    """The first limit that a tree exceeds, as an outcome status."""
    checks = {
        "timeout": seconds > limits.wall_seconds,
        "cpu_limit": used.cpu_seconds > limits.cpu_seconds,
        "memory_limit": used.memory_mb > limits.watched_mb,
        "process_limit": used.tasks > limits.processes,
    }
    return next((status for status, hit in checks.items() if hit), None)


def _watch(capture: Capture, running: Running, limits: Limits) -> tuple[str | None, Usage]:
    """Wait for the child's end; return the limit at which it was killed, if any, and its maximum
    usage.
    """
    watch = Watch(running.top, limits.processes, limits.watched_mb, running.unmapped_bytes)
    started = measured = time.monotonic()
    status, peak, tick = None, Usage(0.0, 0.0, 0), _FIRST_TICK
    while not capture.wait(tick):
        now = time.monotonic()
        if status is None and capture.full:
            status = "output_limit"
            running.kill()
        elif status is None and now - measured >= tick:
            used = watch.usage()
            measured, tick, peak = now, min(_LAST_TICK, tick * 1.5), _maximum(peak, used)
            status = _exceeded(limits, now - started, used)
            if status is not None:
                running.kill()
    return status, peak


def _maximum(one: Usage, other: Usage) -> Usage:
    """The larger of each value of two usages."""
    return Usage(
        max(one.cpu_seconds, other.cpu_seconds), max(one.memory_mb, other.memory_mb), max(one.tasks, other.tasks)
    )


def _status(returncode: int, full: bool) -> str:
    """The status of a run that was not killed at a limit."""
    if full or returncode == _FILE_TOO_BIG:
        return "output_limit"
    return "killed" if returncode == _KILLED else "exited"


@cache
def _adopt_orphans(process: int) -> None:
    """`adopt_orphans` for this process, whose id is the cache key, because a forked process does
    not inherit it.
    """
    if ctypes.CDLL(None, use_errno=True).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl(PR_SET_CHILD_SUBREAPER) in process {process}")


def adopt_orphans() -> None:
    """Make orphans below this process its children, so that they can be killed and what they used
    is counted.
    """
    _adopt_orphans(os.getpid())


def reaped(pid: int) -> ProcessExit:
    """Wait for a child and reap it."""
    _, status, spent = os.wait4(pid, 0)
    return ProcessExit(os.waitstatus_to_exitcode(status), spent.ru_utime + spent.ru_stime, spent.ru_maxrss / 1000)


def supervise(running: Running, limits: Limits) -> Outcome:
    """Read a started tree's output and watch it until its first process ends or it exceeds a limit.

    In either case the whole tree is then killed, so that nothing outlives the run, and the first
    process reaped.
    """
    capture = Capture(running, limits.output_bytes)
    started = time.monotonic()
    try:
        status, peak = _watch(capture, running, limits)
    finally:
        running.kill()
        ended = running.wait()
        seconds = time.monotonic() - started
        capture.drain()
        full = capture.full
        stdout, stderr = capture.close()
    returncode = ended.returncode if ended.returncode >= 0 else 128 - ended.returncode
    # The kernel's sum lacks the processes that were killed with the tree; the watcher's lacks the
    # last moment.
    cpu_seconds = max(peak.cpu_seconds, ended.cpu_seconds)
    if running.forgets_killed:
        add_killed(cpu_seconds - ended.cpu_seconds if status else 0.0)
    if status is None and cpu_seconds > limits.cpu_seconds:
        status = "cpu_limit"  # exceeded after the last measurement; a busy machine delays them
    peak_mb = max(peak.memory_mb, ended.peak_mb)
    return Outcome(status or _status(returncode, full), returncode, stdout, stderr, seconds, cpu_seconds, peak_mb)
