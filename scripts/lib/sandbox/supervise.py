"""Run a process with its output captured, and watch its whole tree for limits on what it uses (see `usage`)."""

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

from scripts.lib.sandbox.usage import Usage, Watch, children, descendants, session

_BLOCK = 1 << 16
_FIRST_TICK = 0.02
_LAST_TICK = 0.1
_KILLED = 128 + signal.SIGKILL
_SET_CHILD_SUBREAPER = 36
_FILE_TOO_BIG = 128 + signal.SIGXFSZ

__all__ = [
    "Ending",
    "Limits",
    "Outcome",
    "Running",
    "adopt_orphans",
    "children",
    "descendants",
    "kill",
    "reaped",
    "session",
    "supervise",
]


@dataclass(frozen=True)
class Limits:
    """What one run may use; `file_mb` bounds a single file, `processes` counts threads too.

    `address_space` also applies `memory_mb` as RLIMIT_AS to each process. It stops an allocation at once, but breaks
    runtimes that reserve far more than they use (Go, GHC, Swift, the JVM).
    """

    wall_seconds: float
    cpu_seconds: float
    memory_mb: int
    output_bytes: int = 4_000_000
    file_mb: int = 64
    processes: int = 128
    address_space: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    `status` is `exited` (by itself; `returncode` is its exit code, or 128 + the signal that ended it) or the limit at
    which the whole tree was killed: `timeout`, `cpu_limit`, `memory_limit`, `output_limit`, `process_limit`; or
    `killed` when somebody else ended it. `files` has the files asked for that were there.
    """

    status: str
    returncode: int
    stdout: bytes
    stderr: bytes
    seconds: float
    cpu_seconds: float
    peak_mb: float
    files: dict[str, bytes] = field(default_factory=dict)


class Ending(NamedTuple):
    """How a process ended: its exit code, or minus a signal, and what it and its children used."""

    returncode: int
    cpu_seconds: float
    peak_mb: float


@dataclass(frozen=True)
class Running:
    """A process tree that was started.

    `top` is its first process and `handle` an open descriptor of that; `pipes` are the descriptors that its standard
    output and error are read from. `end` kills all of it, `ending` waits for the first process and reaps it. `unmapped`
    is how many bytes it holds that are in no process.
    """

    top: int
    handle: int
    pipes: tuple[int, int]
    end: Callable[[], None]
    ending: Callable[[], Ending]
    unmapped: Callable[[], int] = int


class Capture:
    """Reads a process's output pipes and notices its end, without ever holding much more than `most` bytes."""

    def __init__(self, running: Running, most: int) -> None:
        self.most = most
        self.pipes = running.pipes
        self.parts = {pipe: bytearray() for pipe in self.pipes}
        self.selector = selectors.DefaultSelector()
        self.ended = running.handle
        self.selector.register(self.ended, selectors.EVENT_READ)
        for pipe in self.pipes:
            os.set_blocking(pipe, False)
            self.selector.register(pipe, selectors.EVENT_READ)

    @property
    def full(self) -> bool:
        """Whether the child wrote more than it may."""
        return sum(map(len, self.parts.values())) > self.most

    def _read(self, pipe: int) -> bool:
        """Take one block of what a pipe holds; False when there is no more to come or to take."""
        try:
            block = os.read(pipe, _BLOCK)
        except BlockingIOError:
            return True
        self.parts[pipe] += block
        return bool(block) and not self.full

    def wait(self, seconds: float) -> bool:
        """Read output for up to `seconds`; True once the child has ended."""
        ready = [key.fileobj for key, _ in self.selector.select(seconds)]
        for pipe in ready:
            if pipe != self.ended and not self._read(pipe):
                self.selector.unregister(pipe)
        return self.ended in ready

    def drain(self) -> None:
        """Read what an ended child left in its pipes, never waiting for more."""
        for pipe in self.pipes:
            size = -1
            while size != len(self.parts[pipe]) and not self.full:
                size = len(self.parts[pipe])
                self._read(pipe)

    def close(self) -> tuple[bytes, bytes]:
        """What was read from standard output and error, each cut at the cap."""
        self.selector.close()
        return bytes(self.parts[self.pipes[0]][: self.most]), bytes(self.parts[self.pipes[1]][: self.most])


def kill(pids: list[int]) -> None:
    """SIGKILL each process that is still there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _passed(limits: Limits, seconds: float, used: Usage) -> str | None:
    """The first limit that a tree has passed, as an outcome status."""
    checks = {
        "timeout": seconds > limits.wall_seconds,
        "cpu_limit": used.cpu_seconds > limits.cpu_seconds,
        "memory_limit": used.memory_mb > limits.memory_mb,
        "process_limit": used.tasks > limits.processes,
    }
    return next((status for status, hit in checks.items() if hit), None)


def _watch(capture: Capture, running: Running, limits: Limits) -> tuple[str | None, Usage]:
    """Wait for the child's end; return the limit at which it was killed, if any, and the most that was ever used."""
    watch = Watch(running.top, limits.processes, limits.memory_mb, running.unmapped)
    started = looked = time.monotonic()
    status, most, tick = None, Usage(0.0, 0.0, 0), _FIRST_TICK
    while not capture.wait(tick):
        now = time.monotonic()
        if status is None and capture.full:
            status = "output_limit"
            running.end()
        elif status is None and now - looked >= tick:
            used = watch.usage()
            looked, tick, most = now, min(_LAST_TICK, tick * 1.5), Usage(*map(max, zip(most, used, strict=True)))
            status = _passed(limits, now - started, used)
            if status is not None:
                running.end()
    return status, most


def _ending(returncode: int, full: bool) -> str:
    """The status of a run that ended without being killed at a limit."""
    if full or returncode == _FILE_TOO_BIG:
        return "output_limit"
    return "killed" if returncode == _KILLED else "exited"


@cache
def _adopt_orphans(process: int) -> None:
    """`adopt_orphans` for the process of this id, which is this one; a forked process does not inherit it."""
    if ctypes.CDLL(None, use_errno=True).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl(PR_SET_CHILD_SUBREAPER) in process {process}")


def adopt_orphans() -> None:
    """Make orphans below this process its own children, so that what they used can be asked for."""
    _adopt_orphans(os.getpid())


def reaped(pid: int) -> Ending:
    """Wait for a child and take its end."""
    _, status, spent = os.wait4(pid, 0)
    return Ending(os.waitstatus_to_exitcode(status), spent.ru_utime + spent.ru_stime, spent.ru_maxrss / 1000)


def supervise(running: Running, limits: Limits) -> Outcome:
    """Read a started tree's output and watch it until its first process ends or it passes a limit.

    In any case the whole tree is killed then, so that nothing outlives the run, and the first process reaped.
    """
    capture = Capture(running, limits.output_bytes)
    started = time.monotonic()
    try:
        status, most = _watch(capture, running, limits)
    finally:
        running.end()
        ending = running.ending()
        seconds = time.monotonic() - started
        capture.drain()
        full = capture.full
        stdout, stderr = capture.close()
    returncode = ending.returncode if ending.returncode >= 0 else 128 - ending.returncode
    # The kernel's sum leaves out processes that were killed with the tree; the watcher's leaves out the last moment.
    cpu = max(most.cpu_seconds, ending.cpu_seconds)
    largest = max(most.memory_mb, ending.peak_mb)
    return Outcome(status or _ending(returncode, full), returncode, stdout, stderr, seconds, cpu, largest)
