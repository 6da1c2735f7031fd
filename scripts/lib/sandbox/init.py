"""The init process of a session: starts one run after the other inside the sandbox that bubblewrap
has set up.

It enters the sandbox's name spaces once. Each request then gets new process, mount, IPC and host
name spaces below them, with empty in-memory folders to write to, so that a run sees nothing of the
run before and dies as a whole. It is run from its text (see `standalone`) and imports everything
before it enters, because inside there is nothing to import.

Requests come through a socket that preserves message boundaries: a JSON object, with open files for
standard input, output and error and for the files of the run. The replies are the run's first
process, its folders, and how it ended.
"""

import ctypes
import gc
import json
import os
import resource
import signal
import socket
import stat
import sys
from typing import Any

from scripts.lib.sandbox.sigchld import respond_until_end
from scripts.lib.system_calls import (
    BIND,
    CHANGE_MOUNT,
    NAMESPACES,
    NO_DEVICES,
    NO_PROGRAMS,
    NO_SETUID,
    READ_ONLY,
    FilterProgram,
    checked,
    die_with_parent,
    libc,
    mount,
)

_FIXED_ADDRESSES = 0x0040000
_SET_DUMPABLE, _NO_NEW_PRIVILEGES = 4, 38
_CLONE = {"x86_64": 56, "aarch64": 220}
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_SET_FILTER, _WITH_LISTENER = 1, 8
# Each inode takes about a kilobyte that no size option counts.
_MAX_INODES = 65536
_MAX_FILES = 250
# Above all descriptors of a run: its files, folders and name spaces.
_MAX_DESCRIPTOR = 1 << 16
_MAX_MESSAGE_BYTES = 1 << 20
# Modification time of a run's files, in seconds since 1970 (1980-01-01): constant, because
# compilers may write it.
FILE_TIME = 315_532_800
# Signals that Python or its parent may ignore or handle, and that a started program must not
# inherit so.
_CHANGED_SIGNALS = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}


def _forked(namespaces: int) -> int:
    """Fork with new name spaces for the child, without Python's handling of threads, of which there
    are none.
    """
    flags = ctypes.c_ulong(namespaces | signal.SIGCHLD)
    return checked(libc.syscall(_CLONE[os.uname().machine], flags, 0, 0, 0, 0), "clone")


def _enter(setup: dict[str, Any]) -> None:
    """Give up root's identity if the setup names another, and join the sandbox's name spaces as
    their owner.

    If root owns the user name space around the sandbox's, only root can join; it gives up its
    identity inside.
    """
    if setup["identity"]:
        user, group = setup["identity"]
        os.setgroups([])
        os.setresgid(group, group, group)
        if not setup["joins_as_root"]:
            os.setresuid(user, user, user)
    checked(libc.setns(setup["owner"], NAMESPACES["user"]), "join user name space")
    if setup["joins_as_root"]:
        with open("/proc/self/uid_map") as file:  # noqa: PTH123  # imports are kept to a minimum
            user = int(file.read().split()[0])
        os.setresuid(user, user, user)
    for name, descriptor in setup["namespaces"].items():
        checked(libc.setns(descriptor, NAMESPACES[name]), f"join {name} name space")
    checked(libc.prctl(_SET_DUMPABLE, 0, 0, 0, 0), "prctl")
    # All runs share this folder, whose mode and times a program could change for the next one. Terminals can be opened
    # in it all the same; bubblewrap would forbid its devices as well.
    mount("none", "/dev/pts", "none", CHANGE_MOUNT | READ_ONLY | NO_SETUID | NO_PROGRAMS)
    die_with_parent(setup["parent"])


def _write_files(names: list[str], sources: list[int]) -> None:
    """Copy open files into the work folder, which is the current one."""
    for name, source in zip(names, sources, strict=True):
        if os.path.dirname(name):  # noqa: PTH120  # imports are kept to a minimum
            os.makedirs(os.path.dirname(name), exist_ok=True)  # noqa: PTH103, PTH120
        target = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        size, copied = os.fstat(source).st_size, 0
        while copied < size:
            copied += os.sendfile(target, source, copied, size - copied)
        os.utime(target, (FILE_TIME, FILE_TIME))
        os.close(target)


def _load_filter(filters: list[tuple[str, int]]) -> int | None:
    """Load the first filter of system calls that the kernel accepts; return the listener that comes
    with it, if any.

    It holds for this process and all runs, because loading it for each run would cost more than
    starting a program.
    """
    checked(libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0), "prctl")
    result = -1
    for text, flags in filters:
        steps = bytes.fromhex(text)
        program = FilterProgram(len(steps) // 8, steps)
        result = libc.syscall(_SECCOMP[os.uname().machine], _SET_FILTER, flags, ctypes.byref(program))
        if result >= 0:
            return result if flags & _WITH_LISTENER else None
    return checked(result, "load the filter of system calls")


def _restrict(request: dict[str, Any], setup: dict[str, Any]) -> None:
    """Restrict what this process starts to an ordinary user's rights and the limits that the kernel
    enforces.
    """
    # `posix_spawn(setsid=True)` would need a Python built against glibc 2.26 or later.
    os.setsid()
    for name, maximum in request["limits"].items():
        resource.setrlimit(getattr(resource, name), (maximum, maximum))
    if setup["user"] is not None:
        checked(libc.setns(setup["user"], NAMESPACES["user"]), "join user name space")
    # The output of some compilers depends on addresses. Containers may forbid this call; it is no
    # protection.
    libc.personality(_FIXED_ADDRESSES)


def _start_program(command: list[str], environment: dict[str, str], streams: list[int]) -> int:
    """Start a program in a process group of its own; return its process id. If there is none, write a
    message and exit with 127.

    Forking Python and then executing would first copy most of its memory.
    """
    folders = [""] if "/" in command[0] else [f"{folder}/" for folder in environment["PATH"].split(":")]
    actions = [(os.POSIX_SPAWN_DUP2, stream, number) for number, stream in enumerate(streams)]
    message: str | None = "not found"
    for path in [folder + command[0] for folder in folders]:
        if os.access(path, os.F_OK):
            try:
                return os.posix_spawn(path, command, environment, file_actions=actions, setpgroup=0)
            except OSError as error:
                message = error.strerror
    os.write(streams[2], f"{command[0]}: {message}\n".encode())
    os._exit(127)


def _make_folders(request: dict[str, Any]) -> None:
    """Mount empty in-memory folders over those of bubblewrap, and bind again what is mounted below
    those.
    """
    mounted = {path: os.open(path, os.O_PATH | os.O_CLOEXEC) for path in request["mounted_below"]}
    options = f"mode=0755,size={request['folder_bytes']},nr_inodes={_MAX_INODES}"
    for folder in request["folders"]:
        mount("tmpfs", folder, "tmpfs", NO_SETUID | NO_DEVICES, options)
    for path, source in mounted.items():
        is_folder = stat.S_ISDIR(os.fstat(source).st_mode)
        os.makedirs(path if is_folder else os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
        if not is_folder:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT))
        mount(f"/proc/self/fd/{source}", path, "none", BIND)
        os.close(source)


def _mount_processes() -> None:
    """Mount a `/proc` of this process name space, read-only as a whole, because some of its files
    are the machine's.
    """
    flags = NO_SETUID | NO_DEVICES | NO_PROGRAMS
    mount("proc", "/proc", "proc", flags)
    mount("none", "/proc", "none", CHANGE_MOUNT | READ_ONLY | flags)


def _run(request: dict[str, Any], setup: dict[str, Any], files: list[int], channel: socket.socket) -> None:
    """Be the first process of a run: make its folders, start the program, and exit when it ends."""
    die_with_parent()
    _mount_processes()
    _make_folders(request)
    os.chdir(request["folders"][0])
    _write_files(request["files"], files[3:])
    folders = [os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) for folder in request["folders"]]
    socket.send_fds(channel, [b'{"folders": true}'], folders)
    _restrict(request, setup)
    program = _start_program(request["command"], request["environment"], files[:3])
    # All at once: each call of Python copies memory that this process shares with the init.
    os.closerange(0, _MAX_DESCRIPTOR)
    status = _reaped(program)
    os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))


def _reaped(program: int) -> int:
    """Wait for the program and return its status; kill and reap all other processes, so that their
    time is counted.
    """
    ended, status = 0, 0
    while ended != program:
        ended, status = os.wait()
    try:
        os.kill(-1, signal.SIGKILL)
        while True:
            os.wait()
    except (ProcessLookupError, ChildProcessError):
        return status


def _start(request: dict[str, Any], setup: dict[str, Any], files: list[int], channel: socket.socket) -> int:
    """Start a run; return the id of its first process."""
    first = _forked(sum(NAMESPACES[kind] for kind in ("pid", "mnt", "ipc", "uts")))
    if first == 0:
        try:
            _run(request, setup, files, channel)
        except OSError as error:
            channel.send(json.dumps({"error": str(error)}).encode())
        finally:
            os._exit(1)
    return first


def _serve_request(request: dict[str, Any], setup: dict[str, Any], files: list[int], channel: socket.socket) -> None:
    """Do one run and reply three times."""
    first = _start(request, setup, files, channel)
    for descriptor in files:
        os.close(descriptor)
    handle = os.pidfd_open(first)
    socket.send_fds(channel, [json.dumps({"first": first}).encode()], [handle])
    respond_until_end(handle, setup["listener"])
    os.close(handle)
    _, status, used = os.wait4(first, 0)
    ending = {"status": status, "cpu_seconds": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss / 1000}
    channel.send(json.dumps(ending).encode())


def serve(channel: socket.socket, setup: dict[str, Any]) -> None:
    """Serve requests until the other end is closed."""
    while True:
        message, files, _, _ = socket.recv_fds(channel, _MAX_MESSAGE_BYTES, _MAX_FILES)
        if not message:
            return
        for descriptor in files:
            os.set_inheritable(descriptor, False)
        _serve_request(json.loads(message), setup, files, channel)


def main(setup: dict[str, Any]) -> None:
    """Enter the sandbox and serve requests; report over the channel why that is impossible."""
    # A collection of garbage would touch all memory, which is shared with the processes that start
    # from here.
    gc.disable()
    gc.freeze()
    for descriptor in setup["passed"]:
        os.set_inheritable(descriptor, False)
    with open(setup["filters"], "rb") as file:  # noqa: PTH123  # imports are kept to a minimum
        filters = json.load(file)
    for number in _CHANGED_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    with socket.socket(fileno=setup["channel"]) as channel:
        try:
            _enter(setup)
            setup["listener"] = _load_filter(filters)
        except OSError as error:
            channel.send(json.dumps({"error": str(error)}).encode())
        else:
            serve(channel, setup)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
