"""Run functions of this project on untrusted text in a process with limits, which can compute and nothing else.

A parser that is given crafted text may crash, never end, take all memory, or be taken over. Here such a call costs its
caller an `IsolationError` at most. The process is forked from the caller, so that it needs no start-up and no files,
gives up everything but computing (see `isolation_filter`), and serves any number of calls; a call that ends it costs
the next one a fork.
"""

import atexit
import codecs
import contextlib
import ctypes
import faulthandler
import gc
import json
import logging
import os
import resource
import select
import signal
import socket
import sys
import time
import unicodedata
import warnings
from collections.abc import Callable
from typing import Any, NoReturn

from scripts.lib.job import InputError
from scripts.lib.sandbox.isolation_filter import allow_computing_only
from scripts.lib.sandbox.supervise import Limits

# What Python loads when it is first used, with `unicodedata`, which named characters in strings need; in the process
# that computes there is nothing to load it from.
_CODECS = ("unicode_escape", "raw_unicode_escape", "latin-1", "ascii", "utf-8", "utf-16", "utf-32")
_TRIES = 3
_LENGTH_BYTES = 8
_MOST_STACK = 8 << 20
_MOST_WAITING = 10
_MOST_MESSAGES = 1 << 16
_DIE_WITH_PARENT = 1
_READY, _UNFILTERED = b"r", b"u"
_OUT_OF_MEMORY = (b"out of memory", b"bad_alloc", b"MemoryError")
_DEFAULT_SIGNALS = (signal.SIGPROF, signal.SIGTERM, signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE)


class IsolationError(Exception):
    """A call that did not end well: `status` is `timeout`, `memory_limit` or `crashed`; the message is one line."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status = status


class _EndedError(Exception):
    """The process ended, or went past the limit by the clock, in the middle of a call."""


def _packed(value: Any) -> bytes:
    """A JSON value as one message."""
    body = json.dumps(value).encode()
    return len(body).to_bytes(_LENGTH_BYTES, "big") + body


class _Process:
    """The process that computes, seen from its parent."""

    def __init__(self) -> None:
        self.channel, theirs = socket.socketpair()
        self.messages = os.memfd_create("messages", os.MFD_CLOEXEC)
        parent = os.getpid()
        with theirs, warnings.catch_warnings():
            # Other threads of this process, such as those that read tables, hold no lock that the calls need.
            warnings.simplefilter("ignore", DeprecationWarning)
            self.pid = os.fork()
            if self.pid == 0:
                _serve(theirs.fileno(), self.messages, parent)
        self.own_bytes = self._started()

    def _started(self) -> int:
        """Wait until the process is ready; return the address space that it has then, in bytes."""
        answer = self.channel.recv(1)
        if answer not in (_READY, _UNFILTERED):
            self.end()
            raise InputError("the process that reads untrusted text does not start; run again")
        if answer == _UNFILTERED:
            logging.warning("this kernel has no seccomp filters: untrusted text is read within limits, unfiltered")
        with open(f"/proc/{self.pid}/statm", "rb") as file:  # noqa: PTH123
            return int(file.read().split()[0]) * resource.getpagesize()

    def call(self, request: dict[str, Any], limits: Limits) -> dict[str, Any]:
        """The answer to a request; raise `_EndedError` or `TimeoutError` when there is none."""
        deadline = time.monotonic() + limits.wall_seconds
        try:
            hard = resource.prlimit(self.pid, resource.RLIMIT_AS)[1]
            most = self.own_bytes + limits.memory_mb * 1_000_000
            soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.prlimit(self.pid, resource.RLIMIT_AS, (soft, hard))
            self.channel.settimeout(limits.wall_seconds)
            self.channel.sendall(_packed(request))
            length = int.from_bytes(self._received(_LENGTH_BYTES, deadline), "big")
            if length > limits.memory_mb * 1_000_000:
                raise ValueError("too long")
            return json.loads(self._received(length, deadline))
        except (BrokenPipeError, ConnectionResetError, ProcessLookupError) as error:
            raise _EndedError from error

    def _received(self, size: int, deadline: float) -> bytearray:
        """The next bytes from the process."""
        content, done = bytearray(size), 0
        view = memoryview(content)
        while done < size:
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self.channel.settimeout(left)
            count = self.channel.recv_into(view[done:])
            if count == 0:
                raise _EndedError
            done += count
        return content

    def end(self) -> tuple[int, bytes]:
        """Kill the process if it is still there; return its exit code, or minus a signal, and its last messages."""
        self.channel.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        _, status, _ = os.wait4(self.pid, 0)
        size = os.fstat(self.messages).st_size
        messages = os.pread(self.messages, _MOST_MESSAGES, max(0, size - _MOST_MESSAGES))
        os.close(self.messages)
        return os.waitstatus_to_exitcode(status), messages

    def ended(self) -> tuple[int, bytes]:
        """`end` for a process that ends by itself."""
        handle = os.pidfd_open(self.pid)
        select.select([handle], [], [], _MOST_WAITING)
        os.close(handle)
        return self.end()


def _serve(channel: int, messages: int, parent: int) -> NoReturn:
    """Be the process that computes: give up all else, then answer requests until the other end is closed."""
    try:
        filtered = _give_up(channel, messages, parent)
        os.write(0, _READY if filtered else _UNFILTERED)
        while True:
            length = int.from_bytes(_read(_LENGTH_BYTES), "big")
            _write(_answer(json.loads(_read(length))))
    except EOFError:
        os._exit(0)
    except BaseException as error:
        os.write(2, f"{type(error).__name__}: {error}\n".encode(errors="replace"))
        os._exit(1)


def _give_up(channel: int, messages: int, parent: int) -> bool:
    """Keep two open files and the right to compute; tell whether the kernel could be asked for the latter."""
    libc = ctypes.CDLL(None)
    libc.prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    faulthandler.disable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for each in _DEFAULT_SIGNALS:
        signal.signal(each, signal.SIG_DFL)
    os.environ.clear()
    for target, source in ((0, channel), (1, messages), (2, messages)):
        os.dup2(source, target)
    for opened in [int(name) for name in os.listdir("/proc/self/fd") if int(name) > 2]:  # noqa: PTH208
        with contextlib.suppress(OSError):
            os.close(opened)
    for kind, most in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, _MOST_MESSAGES)):
        resource.setrlimit(kind, (most, most))
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    resource.setrlimit(resource.RLIMIT_STACK, (_MOST_STACK if hard < 0 else min(_MOST_STACK, hard), hard))
    # A collection would touch, and so copy, all memory that is shared with the parent.
    gc.freeze()
    for name in _CODECS:
        codecs.lookup(name)
    unicodedata.lookup("SPACE")
    try:
        allow_computing_only()
    except OSError:
        return False
    return True


def _read(size: int) -> bytes:
    """The next bytes of the request; raise `EOFError` at its end."""
    parts, left = [], size
    while left:
        part = os.read(0, min(left, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        left -= len(part)
    return b"".join(parts)


def _write(content: bytes) -> None:
    """Send all of an answer."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(0, rest) :]


def _answer(request: dict[str, Any]) -> bytes:
    """The message about what the requested call gives or raises; its CPU time is bounded by a timer that kills."""
    module = sys.modules.get(request["module"])
    function = getattr(module, request["name"], None)
    if function is None:
        return _packed({"unknown": True})
    signal.setitimer(signal.ITIMER_PROF, request["seconds"])
    try:
        answer = _packed({"value": function(*request["arguments"])})
    except MemoryError:
        answer = _packed({"memory": True})
    except Exception as error:
        answer = _packed({"raised": type(error).__name__, "message": str(error)})
    signal.setitimer(signal.ITIMER_PROF, 0)
    return answer


_current: _Process | None = None
_owner = 0


def close_isolation() -> None:
    """End this process's computing process, if it has one."""
    global _current
    if _current is not None and _owner == os.getpid():
        _current.end()
    _current = None


def _process() -> _Process:
    """The computing process of this one, started where there is none; a forked process starts its own."""
    global _current, _owner
    if _current is None or _owner != os.getpid():
        _current, _owner = _Process(), os.getpid()
    return _current


atexit.register(close_isolation)


def isolated(function: Callable[..., Any], *arguments: Any, limits: Limits) -> Any:
    """`function(*arguments)`, computed in a process of its own within the CPU, wall and memory limits.

    function: of a module of this project, at its top level; it may use no file and import nothing.
    arguments, and what it returns: JSON values (a tuple comes back as a list).
    Raise the exception of the function's own module that it raised, and `IsolationError` for a crash, a limit that was
    passed, and any other exception. Raise `InputError` when the process is killed from outside again and again.
    """
    request = {"module": function.__module__, "name": function.__name__, "arguments": arguments}
    for _ in range(_TRIES):
        process = _process()
        try:
            answer = process.call(request | {"seconds": limits.cpu_seconds}, limits)
        except TimeoutError as error:
            close_isolation()
            raise IsolationError("timeout", f"{function.__name__}: not done after {_allowed(limits)}") from error
        except (ValueError, RecursionError) as error:
            close_isolation()
            raise IsolationError("crashed", f"{function.__name__}: its answer cannot be read") from error
        except _EndedError as error:
            _forget()
            failure = _failure(function.__name__, *process.ended(), limits)
            if failure is not None:
                raise failure from error
            continue
        if "unknown" not in answer:
            return _result(function, answer, limits)
        # The function's module was imported after the process was forked.
        close_isolation()
    raise InputError("a process that reads programs was killed; run again, finished programs are kept")


def _forget() -> None:
    """Have a new process started for the next call."""
    global _current
    _current = None


def _allowed(limits: Limits) -> str:
    """The limits in words."""
    return f"{limits.cpu_seconds} s of CPU, {limits.wall_seconds} s, {limits.memory_mb} MB"


def _failure(name: str, returncode: int, messages: bytes, limits: Limits) -> IsolationError | None:
    """What the end of the process says about the call; None when somebody else killed it, which says nothing."""
    if returncode == -signal.SIGKILL:
        return None
    if returncode == -signal.SIGPROF:
        return IsolationError("timeout", f"{name}: not done after {_allowed(limits)}")
    if any(word in messages for word in _OUT_OF_MEMORY):
        return IsolationError("memory_limit", f"{name}: takes more than is allowed: {_allowed(limits)}")
    end = signal.Signals(-returncode).name if returncode < 0 else f"exit code {returncode}"
    return IsolationError("crashed", f"{name} crashed ({end})")


def _result(function: Callable[..., Any], answer: dict[str, Any], limits: Limits) -> Any:
    """The value of an answer; raise what it says was raised."""
    if "value" in answer:
        return answer["value"]
    if "memory" in answer:
        close_isolation()
        raise IsolationError("memory_limit", f"{function.__name__}: takes more than is allowed: {_allowed(limits)}")
    kind = getattr(sys.modules[function.__module__], str(answer.get("raised")), None)
    if isinstance(kind, type) and issubclass(kind, Exception):
        raise kind(str(answer.get("message")))
    raise IsolationError("crashed", f"{function.__name__} raised {answer.get('raised')}")
