"""A sandbox that is set up once and used for many runs, one after the other: bubblewrap and an init
process inside it.

Bubblewrap sets up name spaces and mounts and keeps them alive. The init enters them and starts each
run with process, mount, IPC and host name spaces and in-memory folders of its own; see `init`.
Paths that only root can reach are bound to a folder that `nobody` can enter before bubblewrap
starts; see `mounter`.
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

from scripts.lib import system_calls
from scripts.lib.job import InputError
from scripts.lib.sandbox import bubblewrap, init, mounter, program_filter, sigchld
from scripts.lib.sandbox.bubblewrap import FOLDERS, descriptors, memory_file
from scripts.lib.sandbox.standalone import program_text
from scripts.lib.sandbox.supervise import ProcessExit

_SPACES = ("mnt", "net", "ipc", "uts", "cgroup")
_OWNER_OF_NAMESPACE = 0xB701  # ioctl NS_GET_USERNS
_MAX_REPLY_BYTES = 1 << 16
# Flags of seccomp(2): some kernels would otherwise slow down all programs under a filter.
_NO_SLOWDOWN, _LISTENER = 4, 8


@dataclass(frozen=True)
class StartedRun:
    """A run that has begun: id and open handle of its first process, and its open in-memory
    folders, work first.
    """

    first: int
    handle: int
    folders: tuple[int, ...]


class Session:
    """Bubblewrap, with `arguments`, and an init process inside; ends with this object and with the
    process that has it.

    mounts: what the arguments mount in addition to the system, path outside by path inside. Raise
    `InputError` if the machine refuses sandboxes.
    """

    def __init__(self, arguments: Sequence[str], mounts: Mapping[str, str]) -> None:
        inside = [Path(path) for path in mounts]
        self.mounted_below = [str(path) for path in inside if any(path.is_relative_to(folder) for folder in FOLDERS)]
        identity = bubblewrap.unprivileged()
        needs_root = identity is not None and bubblewrap.closed_folders(arguments[0], mounts.values())
        self.channel, init_channel = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with init_channel, descriptors() as opened:
            holder, first = _start_bubblewrap(arguments, identity, mounts if needs_root else None)
            setup = _namespaces(first, opened) | {"channel": init_channel.fileno(), "joins_as_root": needs_root}
            opened.append(memory_file(json.dumps(_filters()).encode()))
            setup |= {"identity": identity and [*asdict(identity).values()], "filters": opened[-1]}
            init_process = _start_init(setup, [init_channel.fileno(), *opened])
        self.close = weakref.finalize(self, _close, self.channel, init_process, holder, first)

    def start(self, request: Mapping[str, Any], files: Sequence[int]) -> StartedRun:
        """Begin a run with open files for its streams and for its files; raise `InputError` if that
        fails.
        """
        message = json.dumps({**request, "folders": FOLDERS, "mounted_below": self.mounted_below}).encode()
        # The reply says what went wrong.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            socket.send_fds(self.channel, [message], files)
        replies: dict[str, tuple[Any, list[int]]] = {}
        while len(replies) < 2:
            replies |= self._reply()
        (first, [handle]), (_, folders) = replies["first"], replies["folders"]
        return StartedRun(first, handle, tuple(folders))

    def _reply(self) -> dict[str, tuple[Any, list[int]]]:
        """The init's next reply: its values by name, each with the open files that came along."""
        message, opened = self._receive()
        for descriptor in opened:
            os.set_inheritable(descriptor, False)
        reply = json.loads(message) if message else {"error": "its init process has ended"}
        if "error" in reply:
            raise InputError(f"the sandbox does not start; check it with `make doctor`: {reply['error']}")
        return {name: (value, opened) for name, value in reply.items()}

    def _receive(self) -> tuple[bytes, list[int]]:
        """The init's next message and the open files that came along; nothing if the init has
        ended.
        """
        try:
            message, opened, _, _ = socket.recv_fds(self.channel, _MAX_REPLY_BYTES, len(FOLDERS))
        except ConnectionResetError:
            return b"", []
        return message, opened

    def wait(self) -> ProcessExit:
        """Wait for the run that was started last; it counts as killed if the init was killed."""
        message, _ = self._receive()
        if not message:
            return ProcessExit(-signal.SIGKILL, 0.0, 0.0)
        reply = json.loads(message)
        if "error" in reply:
            raise InputError(f"the sandbox does not start; check it with `make doctor`: {reply['error']}")
        return ProcessExit(os.waitstatus_to_exitcode(reply["status"]), reply["cpu_seconds"], reply["peak_mb"])


class Sessions(threading.local):
    """The sessions of a thread, by bubblewrap's arguments; a forked process starts its own."""

    def __init__(self) -> None:
        self._sessions: dict[tuple[str, ...], Session] = {}
        self._process = os.getpid()

    def get(self, arguments: tuple[str, ...], mounts: Mapping[str, str]) -> Session:
        """The session with some arguments, started at the first use; see `Session`."""
        if self._process != os.getpid():
            self._sessions, self._process = {}, os.getpid()
        if arguments not in self._sessions:
            self._sessions[arguments] = Session(arguments, mounts)
        return self._sessions[arguments]

    def forget(self, arguments: tuple[str, ...]) -> None:
        """Start a new session when these arguments are used next."""
        self._sessions.pop(arguments, None)

    def close(self) -> None:
        """End this process's sessions."""
        if self._process == os.getpid():
            for session in self._sessions.values():
                session.close()
        self._sessions.clear()


def _start_bubblewrap(
    arguments: Sequence[str], identity: bubblewrap.Identity | None, root_mounts: Mapping[str, str] | None
) -> tuple[subprocess.Popen[bytes], int]:
    """Start bubblewrap around a program that only waits; also return the id of the first process
    inside.

    root_mounts: the mounted paths by their path inside if `identity` cannot reach some of them;
    else None.
    """
    with descriptors() as opened:
        info, info_end = os.pipe()
        opened += [info, info_end]
        accounts = bubblewrap.account_options(opened)
        options = [*accounts, "--remount-ro", "/", "--info-fd", str(info_end), "--", "cat"]
        command, credentials = [*arguments, *options], identity
        if identity is not None and root_mounts is not None:
            command, credentials = _mounter_command(identity, root_mounts, options), None
        holder = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=[info_end, *map(int, accounts[1::3])],
            env={"PATH": "/usr/bin:/bin"},
            user=credentials.user if credentials else None,
            group=credentials.group if credentials else None,
            extra_groups=[] if credentials else None,
        )
        os.close(info_end)
        opened.remove(info_end)
        return holder, bubblewrap.first_process(info, holder)


def _mounter_command(identity: bubblewrap.Identity, mounts: Mapping[str, str], options: Sequence[str]) -> list[str]:
    """The command that starts bubblewrap as `identity` if only root can reach what is mounted (see
    `mounter`).
    """
    folder = "/tmp"
    program = Path(bubblewrap.program())
    # Bubblewrap may need the libraries of the environment that it belongs to.
    prefix = program.parent.parent if bubblewrap.open_to_all(program.parent.parent) else program.parent
    numbered = {inside: f"{folder}/{number}" for number, inside in enumerate(mounts)}
    _, *fixed = bubblewrap.fixed_options(numbered)
    command = [f"{folder}/{len(mounts)}/{program.relative_to(prefix)}", *fixed, *options]
    setup = {"paths": [*mounts.values(), str(prefix)], "folder": folder, "command": command, **asdict(identity)}
    return [sys.executable, "-S", "-s", "-P", "-c", program_text(mounter, system_calls), json.dumps(setup)]


def _filters() -> list[tuple[str, int]]:
    """The filters of system calls to try, the best first: BPF as hexadecimal digits, and flags for
    the kernel.
    """
    try:
        notifying, plain = (program_filter.filter_program(notify).hex() for notify in (True, False))
    except ValueError as error:
        raise InputError(f"the sandbox does not start: {error}") from error
    with_listener = [(notifying, _LISTENER | _NO_SLOWDOWN)] if bubblewrap.kernel_is((5, 5)) else []
    return [*with_listener, (plain, _NO_SLOWDOWN), (plain, 0)]


def _namespaces(first: int, opened: list[int]) -> dict[str, Any]:
    """Open the name spaces of a process: `namespaces` by kind, the user name space that is their
    `owner`, and `user`.

    `user` is the process's user name space if it differs from the owner, else None. Descriptors go
    to `opened`.
    """
    spaces = {}
    for name in (*_SPACES, "user"):
        try:
            spaces[name] = os.open(f"/proc/{first}/ns/{name}", os.O_RDONLY | os.O_CLOEXEC)
        except PermissionError as error:
            remedy = "give root the capabilities SYS_PTRACE and SYS_ADMIN, or run as an ordinary user"
            raise InputError(f"the sandbox does not start: {error}; {remedy}") from error
        opened.append(spaces[name])
    opened.append(fcntl.ioctl(spaces["mnt"], _OWNER_OF_NAMESPACE))
    user = spaces.pop("user")
    same = os.path.samestat(os.fstat(user), os.fstat(opened[-1]))
    return {"namespaces": spaces, "owner": opened[-1], "user": None if same else user}


def _start_init(setup: Mapping[str, Any], passed: list[int]) -> subprocess.Popen[bytes]:
    """Start the init without a path in its command line, because programs in the sandbox can read
    that.
    """
    argument = json.dumps({**setup, "parent": os.getpid(), "passed": passed})
    environment = {"PYTHONHOME": f"{sys.base_prefix}:{sys.base_exec_prefix}", "PYTHONUTF8": "1"}
    with descriptors() as opened:
        opened.append(memory_file(program_text(init, system_calls, sigchld).encode()))
        return subprocess.Popen(
            ["sandbox", "-S", "-s", "-P", "-", argument],
            executable=sys.executable,
            stdin=opened[0],
            pass_fds=passed,
            env=environment,
            cwd="/",
        )


def _close(
    channel: socket.socket, init_process: subprocess.Popen[bytes], holder: subprocess.Popen[bytes], first: int
) -> None:
    """End a session; in a process that was forked from its own, only close the descriptors."""
    channel.close()
    for process in (init_process, holder):
        process.kill()
        process.wait()
    for pipe in (holder.stdin, holder.stdout, holder.stderr):
        if pipe is not None:
            pipe.close()
    with contextlib.suppress(ChildProcessError):
        os.waitpid(first, 0)
