"""A sandbox that is prepared once and used for many runs, one after the other: bubblewrap and a launcher inside it.

Bubblewrap sets up the name spaces and mounts and keeps them. The launcher enters them and starts each run with process,
mount, IPC and host name spaces and in-memory folders of its own; see `launcher`. What root alone can reach is bound to
a folder that `nobody` can enter before bubblewrap starts; see `mounter`.
"""

import contextlib
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scripts.lib.job import InputError
from scripts.lib.sandbox import bubblewrap, init, mounter, program_filter
from scripts.lib.sandbox.bubblewrap import FOLDERS, descriptors, memory_file
from scripts.lib.sandbox.supervise import Ending

_SPACES = ("mnt", "net", "ipc", "uts", "cgroup")
_OWNER_OF_NAMESPACE = 0xB701  # ioctl NS_GET_USERNS
_LONGEST_ANSWER = 1 << 16
# Flags of seccomp(2): some kernels would otherwise make all programs under a filter slower.
_NO_SLOWDOWN, _LISTENER = 4, 8


@dataclass(frozen=True)
class Started:
    """A run that has begun: its first process, an open handle on that, and its open folders in memory, work first."""

    first: int
    handle: int
    folders: tuple[int, ...]


class Enclosure:
    """Bubblewrap, with `arguments`, and a launcher inside; gone when this object is, or its process.

    `mounted` is what the arguments mount in addition to the system, path outside by path inside. Raise `InputError`
    when the machine refuses sandboxes.
    """

    def __init__(self, arguments: Sequence[str], mounted: Mapping[str, str]) -> None:
        inside = [Path(place) for place in mounted]
        self.below = [str(place) for place in inside if any(place.is_relative_to(folder) for folder in FOLDERS)]
        identity = bubblewrap.unprivileged()
        closed = identity is not None and bubblewrap.closed_folders(arguments[0], mounted.values())
        self.channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, descriptors() as held:
            holder, first = _hold(arguments, identity, mounted if closed else None)
            setup = _namespaces(first, held) | {"channel": theirs.fileno(), "joins_as_root": closed}
            held.append(memory_file(json.dumps(_filters()).encode()))
            setup |= {"identity": identity and [*asdict(identity).values()], "filters": held[-1]}
            starter = _launch(setup, [theirs.fileno(), *held])
        self.close = weakref.finalize(self, _close, self.channel, starter, holder, first)

    def start(self, request: Mapping[str, Any], given: Sequence[int]) -> Started:
        """Begin a run with open files for its streams and for its files; raise `InputError` when that fails."""
        message = json.dumps({**request, "folders": FOLDERS, "mounted_below": self.below}).encode()
        # What went wrong the answers tell.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            socket.send_fds(self.channel, [message], given)
        answers: dict[str, tuple[Any, list[int]]] = {}
        while len(answers) < 2:
            answers |= self._answer()
        (first, [handle]), (_, folders) = answers["first"], answers["folders"]
        return Started(first, handle, tuple(folders))

    def _answer(self) -> dict[str, tuple[Any, list[int]]]:
        """The launcher's next answer: its values by name, each with the open files that came along."""
        message, opened = self._received()
        for descriptor in opened:
            os.set_inheritable(descriptor, False)
        answer = json.loads(message) if message else {"error": "its launcher has ended"}
        if "error" in answer:
            raise InputError(f"the sandbox does not start: {answer['error']}")
        return {name: (value, opened) for name, value in answer.items()}

    def _received(self) -> tuple[bytes, list[int]]:
        """The launcher's next message, and open files that came along; nothing when the launcher has ended."""
        try:
            message, opened, _, _ = socket.recv_fds(self.channel, _LONGEST_ANSWER, len(FOLDERS))
        except ConnectionResetError:
            return b"", []
        return message, opened

    def ending(self) -> Ending:
        """How the run that was begun last has ended; waits for it. Killed, when the launcher was."""
        message, _ = self._received()
        answer = json.loads(message) if message else {"status": signal.SIGKILL, "cpu_seconds": 0.0, "peak_mb": 0.0}
        if "error" in answer:
            raise InputError(f"the sandbox does not start: {answer['error']}")
        return Ending(os.waitstatus_to_exitcode(answer["status"]), answer["cpu_seconds"], answer["peak_mb"])


class Enclosures(threading.local):
    """The enclosures of a thread, by bubblewrap's arguments; a forked process makes its own."""

    def __init__(self) -> None:
        self.made: dict[tuple[str, ...], Enclosure] = {}
        self.process = os.getpid()

    def of(self, arguments: tuple[str, ...], mounted: Mapping[str, str]) -> Enclosure:
        """The enclosure with some arguments, made at the first use; see `Enclosure`."""
        if self.process != os.getpid():
            self.__init__()
        if arguments not in self.made:
            self.made[arguments] = Enclosure(arguments, mounted)
        return self.made[arguments]

    def forget(self, arguments: tuple[str, ...]) -> None:
        """Have a new enclosure made when these arguments are used next."""
        self.made.pop(arguments, None)

    def close(self) -> None:
        """End this process's enclosures."""
        if self.process == os.getpid():
            for enclosure in self.made.values():
                enclosure.close()
        self.made.clear()


def _hold(
    arguments: Sequence[str], identity: bubblewrap.Identity | None, closed: Mapping[str, str] | None
) -> tuple[subprocess.Popen[bytes], int]:
    """Start bubblewrap around a program that only waits; also return its first process inside.

    `closed` has the mounted paths by their path inside where some of them are out of reach for this identity.
    """
    with descriptors() as held:
        info, info_end = os.pipe()
        held += [info, info_end]
        files = bubblewrap.account_options(held)
        own = [*files, "--remount-ro", "/", "--info-fd", str(info_end), "--", "cat"]
        started = {} if identity is None or closed is not None else identity.as_started
        holder = subprocess.Popen(
            [*arguments, *own] if closed is None else _mounter(identity, closed, own),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=[info_end, *map(int, files[1::3])],
            env={"PATH": "/usr/bin:/bin"},
            **started,
        )
        os.close(info_end)
        held.remove(info_end)
        return holder, bubblewrap.first_process(info, holder)


def _mounter(identity: bubblewrap.Identity, closed: Mapping[str, str], own: Sequence[str]) -> list[str]:
    """The command that starts bubblewrap as `identity` where only root can reach what is mounted (see `mounter`)."""
    folder = "/tmp"
    program = Path(bubblewrap.program()).resolve()
    # With the libraries of the environment that it is from.
    prefix = program.parent.parent if bubblewrap.open_to_all(program.parent.parent) else program.parent
    moved = {inside: f"{folder}/{number}" for number, inside in enumerate(closed)}
    _, *options = bubblewrap.fixed_options(moved)
    command = [f"{folder}/{len(closed)}/{program.relative_to(prefix)}", *options, *own]
    given = {"paths": [*closed.values(), str(prefix)], "folder": folder, "command": command, **asdict(identity)}
    text = Path(mounter.__file__).read_text(encoding="utf-8")
    return [sys.executable, "-S", "-s", "-P", "-c", text, json.dumps(given)]


def _filters() -> list[tuple[str, int]]:
    """The filters of system calls to try, the best first: BPF as hexadecimal digits, and flags for the kernel."""
    try:
        asking, plain = (program_filter.filter_program(asking).hex() for asking in (True, False))
    except ValueError as error:
        raise InputError(f"the sandbox does not start: {error}") from error
    answers = [(asking, _LISTENER | _NO_SLOWDOWN)] if bubblewrap.kernel_is((5, 5)) else []
    return [*answers, (plain, _NO_SLOWDOWN), (plain, 0)]


def _namespaces(first: int, held: list[int]) -> dict[str, Any]:
    """Open name spaces of a process: the others, the one of users that owns them, and its own of users if another."""
    opened = {}
    for name in (*_SPACES, "user"):
        try:
            opened[name] = os.open(f"/proc/{first}/ns/{name}", os.O_RDONLY | os.O_CLOEXEC)
        except PermissionError as error:
            remedy = "give root the capabilities SYS_PTRACE and SYS_ADMIN, or run as an ordinary user"
            raise InputError(f"the sandbox does not start: {error}; {remedy}") from error
        held.append(opened[name])
    held.append(fcntl.ioctl(opened["mnt"], _OWNER_OF_NAMESPACE))
    user = opened.pop("user")
    same = os.path.samestat(os.fstat(user), os.fstat(held[-1]))
    return {"namespaces": opened, "owner": held[-1], "user": None if same else user}


def _launch(setup: Mapping[str, Any], passed: list[int]) -> subprocess.Popen[bytes]:
    """Start the init, which has no path in its command line, because programs in the sandbox can read that."""
    given = json.dumps({**setup, "parent": os.getpid(), "passed": passed})
    environment = {"PYTHONHOME": f"{sys.base_prefix}:{sys.base_exec_prefix}", "PYTHONUTF8": "1"}
    with descriptors() as held:
        held.append(memory_file(Path(init.__file__).read_bytes()))
        return subprocess.Popen(
            ["sandbox", "-S", "-s", "-P", "-", given],
            executable=sys.executable,
            stdin=held[0],
            pass_fds=passed,
            env=environment,
            cwd="/",
        )


def _close(
    channel: socket.socket, starter: subprocess.Popen[bytes], holder: subprocess.Popen[bytes], first: int
) -> None:
    """End an enclosure; in a process that was forked from its own, only let go of it."""
    channel.close()
    for process in (starter, holder):
        process.kill()
        process.wait()
    for pipe in (holder.stdin, holder.stdout, holder.stderr):
        pipe.close()
    with contextlib.suppress(ChildProcessError):
        os.waitpid(first, 0)
