"""Functions on untrusted text run in a process of their own: what it may not do, and what its failures become."""

import ast
import os
import signal
import socket
import time
from pathlib import Path

import pytest

from scripts.lib.job import InputError
from scripts.lib.sandbox import isolation
from scripts.lib.sandbox.isolation import IsolationError, close_isolation, isolated
from scripts.lib.sandbox.supervise import Limits

LIMITS = Limits(wall_seconds=20, cpu_seconds=10, memory_mb=300)


class RefusedError(Exception):
    """What a function says about its argument."""


def doubled(text):
    return text * 2


def refused(text):
    raise RefusedError(f"no: {text}")


def broken(text):
    return {}[text]


def unparsed(source):
    return ast.unparse(ast.parse(source))


def process_id():
    return os.getpid()


def endless():
    while True:
        pass


def waiting():
    os.read(0, 1)


def greedy(size):
    return len(bytearray(size))


def deep(levels):
    return deep(levels - 1) + 1 if levels else 0


def segmentation_fault():
    os.kill(os.getpid(), signal.SIGSEGV)
    os.abort()


def attempt(name):
    """Try something that a computation does not need; the name of the error."""
    attempts = {
        "read": lambda: Path("/etc/passwd").read_bytes(),
        "write": lambda: Path("/tmp/made-in-isolation").write_bytes(b"x"),
        "connect": lambda: socket.socket(),
        "fork": os.fork,
        "run": lambda: os.execv("/bin/true", ["true"]),
        "signal": lambda: os.kill(os.getppid(), signal.SIGTERM),
        "list": lambda: list(Path("/proc/self/fd").iterdir()),
        "limits": lambda: isolation.resource.setrlimit(isolation.resource.RLIMIT_AS, (-1, -1)),
    }
    try:
        attempts[name]()
    except OSError as error:
        return type(error).__name__
    except ValueError as error:
        return str(error)
    return "done"


def is_alive(process):
    """Whether a process runs; one that has ended and that nobody has waited for does not."""
    status = Path(f"/proc/{process}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


@pytest.fixture(autouse=True)
def _new_process():
    """The functions of this file are known to processes that are forked after its import."""
    close_isolation()
    yield
    close_isolation()


def test_values_are_returned():
    text = "ü\0\u2028\ud83d" + "x" * 3_000_000
    assert isolated(doubled, text, limits=LIMITS) == text * 2


@pytest.mark.parametrize("source", [r"x = '\N{BULLET} \xe9 \u2028'", r"print(f'{x!r:>{3}} {chr(10)}', b'\xff')"])
def test_python_finds_what_it_loads_when_it_is_first_used(source):
    assert isolated(unparsed, source, limits=LIMITS) == unparsed(source)


def test_one_process_serves_many_calls():
    first = isolated(process_id, limits=LIMITS)
    assert first != os.getpid()
    assert isolated(process_id, limits=LIMITS) == first


def test_a_modules_own_exception_is_raised():
    with pytest.raises(RefusedError, match="no: x"):
        isolated(refused, "x", limits=LIMITS)


def test_any_other_exception_is_a_crash():
    with pytest.raises(IsolationError, match="broken raised KeyError") as caught:
        isolated(broken, "x", limits=LIMITS)
    assert caught.value.status == "crashed"


@pytest.mark.parametrize(
    ("function", "arguments", "limits", "status"),
    [
        (endless, (), Limits(30, 0.3, 300), "timeout"),
        (waiting, (), Limits(0.5, 10, 300), "timeout"),
        (greedy, (2_000_000_000,), LIMITS, "memory_limit"),
        (segmentation_fault, (), LIMITS, "crashed"),
    ],
)
def test_a_failed_call_has_its_status_and_the_next_call_works(function, arguments, limits, status):
    with pytest.raises(IsolationError) as caught:
        isolated(function, *arguments, limits=limits)
    assert caught.value.status == status
    assert "\n" not in str(caught.value)
    assert isolated(greedy, 1000, limits=LIMITS) == 1000


def test_the_memory_limit_leaves_room_for_what_is_allowed():
    assert isolated(greedy, 200_000_000, limits=LIMITS) == 200_000_000


@pytest.mark.parametrize("name", ["read", "write", "connect", "fork", "run", "signal", "list"])
def test_nothing_but_computing_is_possible(name):
    assert isolated(attempt, name, limits=LIMITS) == "PermissionError"
    assert not Path("/tmp/made-in-isolation").exists()


def test_limits_cannot_be_lifted():
    assert isolated(attempt, "limits", limits=LIMITS) != "done"


def test_the_isolated_process_keeps_no_open_file_of_its_caller(tmp_path):
    with (tmp_path / "open").open("w") as held:
        close_isolation()
        process = isolated(process_id, limits=LIMITS)
        opened = [str(link.readlink()) for link in Path(f"/proc/{process}/fd").iterdir()]
    assert held.name not in opened
    assert len(opened) == 3


def test_a_process_that_is_killed_from_outside_is_started_again():
    first = isolated(process_id, limits=LIMITS)
    os.kill(first, signal.SIGKILL)
    assert isolated(process_id, limits=LIMITS) != first


def test_a_process_that_is_killed_repeatedly_ends_the_job(monkeypatch):
    started = isolation._Process.__init__

    def start_and_kill(self):
        started(self)
        os.kill(self.pid, signal.SIGKILL)

    monkeypatch.setattr(isolation._Process, "__init__", start_and_kill)
    with pytest.raises(InputError, match="run again"):
        isolated(process_id, limits=LIMITS)


def test_a_forked_process_has_its_own():
    ours = isolated(process_id, limits=LIMITS)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, str(isolated(process_id, limits=LIMITS)).encode())
        close_isolation()
        os._exit(0)
    os.waitpid(child, 0)
    assert int(os.read(reader, 100)) != ours
    assert isolated(process_id, limits=LIMITS) == ours


def test_it_ends_with_its_parent():
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, str(isolated(process_id, limits=LIMITS)).encode())
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    process = int(os.read(reader, 100))
    deadline = time.monotonic() + 60
    while is_alive(process) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(process)
