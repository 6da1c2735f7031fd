"""The process in which untrusted text is read: gives up everything but computing, then answers
calls.

It is forked from the process that calls (see `isolation`), and talks to it through a socket:
messages of eight bytes of length, then JSON.
"""

import codecs
import contextlib
import faulthandler
import gc
import json
import os
import resource
import signal
import sys
import unicodedata
from typing import Any, NoReturn

from scripts.lib.sandbox.isolation_filter import allow_computing_only
from scripts.lib.system_calls import die_with_parent

LENGTH_BYTES = 8
MAX_MESSAGES = 1 << 16
READY, UNFILTERED = b"r", b"u"
# Python loads these modules at their first use, which the filter would forbid; named characters
# need `unicodedata`.
_CODECS = ("unicode_escape", "raw_unicode_escape", "latin-1", "ascii", "utf-8", "utf-16", "utf-32")
_MAX_STACK = 8 << 20
_DEFAULT_SIGNALS = (signal.SIGPROF, signal.SIGTERM, signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE)


def packed(value: Any) -> bytes:
    """A JSON value as one message."""
    body = json.dumps(value).encode()
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def serve(channel: int, messages: int, parent: int) -> NoReturn:
    """Give up all rights, then answer requests until the other end is closed.

    channel: descriptor of the socket; messages: descriptor of the file for standard output and
    error; parent: id of the process that calls.
    """
    try:
        filtered = _give_up_rights(channel, messages, parent)
        os.write(0, READY if filtered else UNFILTERED)
        while True:
            length = int.from_bytes(_read(LENGTH_BYTES), "big")
            _write(_answer(json.loads(_read(length))))
    except EOFError:
        os._exit(0)
    except BaseException as error:
        os.write(2, f"{type(error).__name__}: {error}\n".encode(errors="replace"))
        os._exit(1)


def _give_up_rights(channel: int, messages: int, parent: int) -> bool:
    """Keep two open files and the right to compute; return whether the kernel could restrict the
    system calls.
    """
    die_with_parent(parent)
    faulthandler.disable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in _DEFAULT_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    os.environ.clear()
    for target, source in ((0, channel), (1, messages), (2, messages)):
        os.dup2(source, target)
    for descriptor in [int(name) for name in os.listdir("/proc/self/fd") if int(name) > 2]:  # noqa: PTH208
        with contextlib.suppress(OSError):
            os.close(descriptor)
    for kind, maximum in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_FSIZE, MAX_MESSAGES)):
        resource.setrlimit(kind, (maximum, maximum))
    hard = resource.getrlimit(resource.RLIMIT_STACK)[1]
    resource.setrlimit(resource.RLIMIT_STACK, (_MAX_STACK if hard < 0 else min(_MAX_STACK, hard), hard))
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
    parts, remaining = [], size
    while remaining:
        part = os.read(0, min(remaining, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        remaining -= len(part)
    return b"".join(parts)


def _write(content: bytes) -> None:
    """Send all of an answer."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(0, rest) :]


def _answer(request: dict[str, Any]) -> bytes:
    """The message with the result of the requested call, or its exception; a timer that kills
    bounds its CPU time.
    """
    module = sys.modules.get(request["module"])
    function = getattr(module, request["name"], None)
    if function is None:
        return packed({"unknown": True})
    signal.setitimer(signal.ITIMER_PROF, request["seconds"])
    try:
        answer = packed({"value": function(*request["arguments"])})
    except MemoryError:
        answer = packed({"memory": True})
    except Exception as error:
        answer = packed({"raised": type(error).__name__, "message": str(error)})
    signal.setitimer(signal.ITIMER_PROF, 0)
    return answer
