"""Run functions of this project on untrusted text in a process with limits that can compute and
nothing else.

A parser that reads crafted text may crash, loop forever, exhaust memory, or be taken over. Here
such a call raises an `IsolationError` in its caller, and no more. The process is forked from the
caller, so that it needs no start-up and no files; it gives up everything but computing (see
`isolation_worker`) and serves any number of calls. A call that ends the process costs the next call
a fork.
"""

import atexit
import contextlib
import json
import logging
import os
import resource
import select
import signal
import socket
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

from scripts.lib.job import InputError
from scripts.lib.sandbox.isolation_worker import LENGTH_BYTES, MAX_MESSAGES, READY, UNFILTERED, packed, serve
from scripts.lib.sandbox.supervise import Limits

_TRIES = 3
_MAX_WAIT_SECONDS = 10
_OUT_OF_MEMORY = (b"out of memory", b"bad_alloc", b"MemoryError")


class IsolationError(Exception):
    """A call that failed: `status` is `timeout`, `memory_limit` or `crashed`; the message is one
    line.
    """

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status = status


class _EndedError(Exception):
    """The process ended in the middle of a call."""


class _Process:
    """The process that computes, seen from its parent."""

    def __init__(self) -> None:
        self.channel, child_channel = socket.socketpair()
        self.messages = os.memfd_create("messages", os.MFD_CLOEXEC)
        parent = os.getpid()
        with child_channel, warnings.catch_warnings():
            # Other threads of this process, such as those that read tables, hold no lock that the
            # calls need.
            warnings.simplefilter("ignore", DeprecationWarning)
            self.pid = os.fork()
            if self.pid == 0:
                serve(child_channel.fileno(), self.messages, parent)
        self.initial_bytes = self._wait_until_ready()

    def _wait_until_ready(self) -> int:
        """Wait until the process is ready; return the size of its address space at that moment, in
        bytes.
        """
        reply = self.channel.recv(1)
        if reply not in (READY, UNFILTERED):
            self.end()
            raise InputError("the process that reads untrusted text does not start; run again")
        if reply == UNFILTERED:
            logging.warning("this kernel has no seccomp filters: untrusted text is read within limits, unfiltered")
        with open(f"/proc/{self.pid}/statm", "rb") as file:  # noqa: PTH123
            return int(file.read().split()[0]) * resource.getpagesize()

    def call(self, request: dict[str, Any], limits: Limits) -> dict[str, Any]:
        """The answer to a request; raise `_EndedError` or `TimeoutError` if there is none."""
        deadline = time.monotonic() + limits.wall_seconds
        try:
            hard = resource.prlimit(self.pid, resource.RLIMIT_AS)[1]
            max_bytes = self.initial_bytes + limits.memory_mb * 1_000_000
            soft = max_bytes if hard == resource.RLIM_INFINITY else min(max_bytes, hard)
            resource.prlimit(self.pid, resource.RLIMIT_AS, (soft, hard))
            self.channel.settimeout(limits.wall_seconds)
            self.channel.sendall(packed(request))
            length = int.from_bytes(self._receive(LENGTH_BYTES, deadline), "big")
            if length > limits.memory_mb * 1_000_000:
                raise ValueError("the answer is too long")
            answer: dict[str, Any] = json.loads(self._receive(length, deadline))
            return answer
        except (BrokenPipeError, ConnectionResetError, ProcessLookupError) as error:
            raise _EndedError from error

    def _receive(self, size: int, deadline: float) -> bytearray:
        """The next bytes from the process."""
        content, received = bytearray(size), 0
        view = memoryview(content)
        while received < size:
            seconds = deadline - time.monotonic()
            if seconds <= 0:
                raise TimeoutError
            self.channel.settimeout(seconds)
            count = self.channel.recv_into(view[received:])
            if count == 0:
                raise _EndedError
            received += count
        return content

    def end(self) -> tuple[int, bytes]:
        """Kill the process if it still runs; return its exit code, or minus a signal, and its last
        messages.
        """
        self.channel.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        _, status, _ = os.wait4(self.pid, 0)
        size = os.fstat(self.messages).st_size
        messages = os.pread(self.messages, MAX_MESSAGES, max(0, size - MAX_MESSAGES))
        os.close(self.messages)
        return os.waitstatus_to_exitcode(status), messages

    def wait(self) -> tuple[int, bytes]:
        """`end` for a process that is about to exit by itself."""
        handle = os.pidfd_open(self.pid)
        select.select([handle], [], [], _MAX_WAIT_SECONDS)
        os.close(handle)
        return self.end()


_current: _Process | None = None
_owner = 0


def close_isolation() -> None:
    """End the computing process of this process, if it has one."""
    global _current
    if _current is not None and _owner == os.getpid():
        _current.end()
    _current = None


def _process() -> _Process:
    """The computing process of this process, started if there is none; a forked process starts its
    own.
    """
    global _current, _owner
    if _current is None or _owner != os.getpid():
        _current, _owner = _Process(), os.getpid()
    return _current


atexit.register(close_isolation)


def isolated(function: Callable[..., Any], *arguments: Any, limits: Limits) -> Any:
    """`function(*arguments)`, computed in a separate process within the CPU, wall and memory
    limits.

    function: a top-level function of a module of this project; it may open no file and import
    nothing. arguments, and the return value: JSON values (a tuple comes back as a list). If the
    function raises an exception that its own module defines, raise that. Raise `IsolationError` for
    a crash, an exceeded limit, and any other exception, and `InputError` if the process is killed
    from outside again and again.
    """
    request = {"module": function.__module__, "name": function.__name__, "arguments": arguments}
    for _ in range(_TRIES):
        process = _process()
        try:
            answer = process.call(request | {"seconds": limits.cpu_seconds}, limits)
        except TimeoutError as error:
            close_isolation()
            raise IsolationError("timeout", f"{function.__name__}: not done after {_in_words(limits)}") from error
        except (ValueError, RecursionError) as error:
            close_isolation()
            raise IsolationError("crashed", f"{function.__name__}: its answer cannot be read") from error
        except _EndedError as error:
            _forget()
            failure = _failure(function.__name__, *process.wait(), limits)
            if failure is not None:
                raise failure from error
            continue
        if "unknown" not in answer:
            return _result(function, answer, limits)
        # The function's module was imported after the process was forked.
        close_isolation()
    raise InputError("a process that reads programs was killed; run again, finished programs are kept")


def _forget() -> None:
    """Start a new process for the next call."""
    global _current
    _current = None


def _in_words(limits: Limits) -> str:
    """The limits in words."""
    return f"{limits.cpu_seconds} s of CPU, {limits.wall_seconds} s, {limits.memory_mb} MB"


def _failure(name: str, returncode: int, messages: bytes, limits: Limits) -> IsolationError | None:
    """The error that the end of the process means for the call; None if it was killed from outside."""
    if returncode == -signal.SIGKILL:
        return None
    if returncode == -signal.SIGPROF:
        return IsolationError("timeout", f"{name}: not done after {_in_words(limits)}")
    if any(word in messages for word in _OUT_OF_MEMORY):
        return IsolationError("memory_limit", f"{name}: exceeds the limits: {_in_words(limits)}")
    reason = signal.Signals(-returncode).name if returncode < 0 else f"exit code {returncode}"
    return IsolationError("crashed", f"{name} crashed ({reason})")


def _result(function: Callable[..., Any], answer: dict[str, Any], limits: Limits) -> Any:
    """The value of an answer; raise the exception that it reports."""
    if "value" in answer:
        return answer["value"]
    if "memory" in answer:
        close_isolation()
        raise IsolationError("memory_limit", f"{function.__name__}: exceeds the limits: {_in_words(limits)}")
    kind = getattr(sys.modules[function.__module__], str(answer.get("raised")), None)
    if isinstance(kind, type) and issubclass(kind, Exception):
        raise kind(str(answer.get("message")))
    raise IsolationError("crashed", f"{function.__name__} raised {answer.get('raised')}")
