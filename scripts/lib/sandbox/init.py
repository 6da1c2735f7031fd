"""Starts programs inside a sandbox that bubblewrap has set up: a small process of its own, from its standard input.

It enters the sandbox's name spaces once. Then each request gets new process, mount, IPC and host name spaces below
them, with empty in-memory folders to write to, so that a run finds nothing of the one before and dies as a whole. It
imports the standard library only, and all of it before it enters, because afterwards there is nothing of it to import.

Requests come by a socket that keeps message borders: a JSON object, with open files for standard input, output and
error and for the files of the run. The answers are the run's first process, its folders, and how it ended.

A process that ignores SIGCHLD loses the CPU time of its children. A filter of system calls cannot see that, because
the new action lies in memory. The kernel therefore asks the launcher about each change of what SIGCHLD does.
"""

import ctypes
import fcntl
import gc
import json
import os
import resource
import select
import signal
import socket
import stat
import struct
import sys

_NEW_NAMESPACE = {"mnt": 0x00020000, "cgroup": 0x02000000, "uts": 0x04000000, "ipc": 0x08000000, "net": 0x40000000}
_NEW_USERS, _NEW_PROCESSES = 0x10000000, 0x20000000
_READ_ONLY, _NO_SETUID, _NO_DEVICES, _NO_PROGRAMS, _BIND = 1, 2, 4, 8, 0x5000  # mounts below are bound, too
_CHANGE_MOUNT = 0x1020
_FIXED_ADDRESSES = 0x0040000
_DIE_WITH_PARENT, _SET_DUMPABLE, _NO_NEW_PRIVILEGES = 1, 4, 38
_CLONE = {"x86_64": 56, "aarch64": 220}
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_READ_MEMORY = {"x86_64": 310, "aarch64": 270}
_SET_FILTER, _WITH_LISTENER = 1, 8
# struct seccomp_notif, the place of the call's second argument in it, and struct seccomp_notif_resp
_QUESTION_BYTES, _SECOND_ARGUMENT, _REPLY = 80, 40, "=QqiI"
_RECEIVE_QUESTION, _SEND_REPLY, _CONTINUE = 0xC0502100, 0xC0182101, 1
# The handler and the flags of a signal's action as the kernel takes it.
_ACTION = "=QQ"
_NO_ZOMBIES = 2
# Each takes about a kilobyte that is in no size.
_MOST_INODES = 65536
_MOST_FILES = 250
_LONGEST_MESSAGE = 1 << 20
# Time of change of a run's files, in seconds since 1970: 1980-01-01, so that what a program makes of it never changes.
FILE_TIME = 315_532_800
# What Python ignores or handles, or who started it has had ignored, and a program that it starts must not.
_CHANGED_SIGNALS = signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    """A system call's result; raise `OSError` for a failure."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def _forked(new: int) -> int:
    """Fork, with `new` name spaces for the child, and without what Python does about threads then: there are none."""
    flags = ctypes.c_ulong(new | signal.SIGCHLD)
    return _checked(_libc.syscall(_CLONE[os.uname().machine], flags, 0, 0, 0, 0), "clone")


class _Filter(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))


class _Piece(ctypes.Structure):
    """`struct iovec`."""

    _fields_ = (("address", ctypes.c_void_p), ("length", ctypes.c_size_t))


def _mount(what: str, place: str, kind: str, flags: int, data: str = "") -> None:
    words = [word.encode() for word in (what, place, kind)]
    _checked(_libc.mount(*words, ctypes.c_ulong(flags), data.encode()), f"mount {place}")


def _enter(setup: dict) -> None:
    """Give up root's identity if told to, and join the sandbox's name spaces, as their owner.

    Where root owns the name space of users around the sandbox's, only root can join, and gives up its identity inside.
    """
    if setup["identity"]:
        user, group = setup["identity"]
        os.setgroups([])
        os.setresgid(group, group, group)
        if not setup["joins_as_root"]:
            os.setresuid(user, user, user)
    _checked(_libc.setns(setup["owner"], _NEW_USERS), "join user name space")
    if setup["joins_as_root"]:
        with open("/proc/self/uid_map") as file:  # noqa: PTH123  # as little as possible is imported
            user = int(file.read().split()[0])
        os.setresuid(user, user, user)
    for name, descriptor in setup["namespaces"].items():
        _checked(_libc.setns(descriptor, _NEW_NAMESPACE[name]), f"join {name} name space")
    _checked(_libc.prctl(_SET_DUMPABLE, 0, 0, 0, 0), "prctl")
    _checked(_libc.prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0), "prctl")
    if os.getppid() != setup["parent"]:
        os._exit(1)


def _fill(names: list[str], sources: list[int]) -> None:
    """Copy open files into the work folder, which is the current one."""
    for name, source in zip(names, sources, strict=True):
        if os.path.dirname(name):  # noqa: PTH120  # as little as possible is imported
            os.makedirs(os.path.dirname(name), exist_ok=True)  # noqa: PTH103, PTH120
        target = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        size, done = os.fstat(source).st_size, 0
        while done < size:
            done += os.sendfile(target, source, done, size - done)
        os.utime(target, (FILE_TIME, FILE_TIME))
        os.close(target)


def _load_filter(filters: list) -> int | None:
    """Load the first filter of system calls that the kernel takes; return the listener that comes with it, if any.

    It holds for this process and all runs, because loading it for each run would cost more than starting a program.
    """
    _checked(_libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0), "prctl")
    for text, flags in filters:
        steps = bytes.fromhex(text)
        program = _Filter(len(steps) // 8, steps)
        result = _libc.syscall(_SECCOMP[os.uname().machine], _SET_FILTER, flags, ctypes.byref(program))
        if result >= 0:
            return result if flags & _WITH_LISTENER else None
    return _checked(result, "load the filter of system calls")


def _restrict(request: dict, setup: dict, streams: list[int]) -> None:
    """Make this process one of an ordinary user who cannot become more, within the kernel's limits."""
    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    for name, most in request["limits"].items():
        resource.setrlimit(getattr(resource, name), (most, most))
    if setup["user"] is not None:
        _checked(_libc.setns(setup["user"], _NEW_USERS), "join user name space")
    # What some compilers write hangs on where memory happens to lie. Containers may forbid this; it is no protection.
    _libc.personality(_FIXED_ADDRESSES)


def _become_program(command: list[str], environment: dict[str, str]) -> None:
    """Turn this process into a program; end with a message where there is none. Nothing is imported on the way."""
    folders = [""] if "/" in command[0] else [f"{folder}/" for folder in environment["PATH"].split(":")]
    message = "not found"
    for folder in folders:
        try:
            os.execve(folder + command[0], command, environment)
        except FileNotFoundError:
            continue
        except OSError as error:
            message = error.strerror
    os.write(2, f"{command[0]}: {message}\n".encode())
    os._exit(127)


def _make_folders(request: dict) -> None:
    """Empty folders in memory in the place of those of bubblewrap, with what is mounted below them kept."""
    kept = {place: os.open(place, os.O_PATH | os.O_CLOEXEC) for place in request["mounted_below"]}
    options = f"mode=0755,size={request['folder_bytes']},nr_inodes={_MOST_INODES}"
    for folder in request["folders"]:
        _mount("tmpfs", folder, "tmpfs", _NO_SETUID | _NO_DEVICES, options)
    for place, opened in kept.items():
        is_folder = stat.S_ISDIR(os.fstat(opened).st_mode)
        os.makedirs(place if is_folder else os.path.dirname(place), exist_ok=True)  # noqa: PTH103, PTH120
        if not is_folder:
            os.close(os.open(place, os.O_WRONLY | os.O_CREAT))
        _mount(f"/proc/self/fd/{opened}", place, "none", _BIND)
        os.close(opened)


def _mount_processes() -> None:
    """A `/proc` of this process name space, read-only as a whole, because some of its files are the machine's."""
    flags = _NO_SETUID | _NO_DEVICES | _NO_PROGRAMS
    _mount("proc", "/proc", "proc", flags)
    _mount("none", "/proc", "none", _CHANGE_MOUNT | _READ_ONLY | flags)


def _run(request: dict, setup: dict, given: list[int], channel: socket.socket) -> None:
    """Be the first process of a run: make its folders, start the program, and end with it."""
    _checked(_libc.prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0), "prctl")
    _mount_processes()
    _make_folders(request)
    os.chdir(request["folders"][0])
    _fill(request["files"], given[3:])
    folders = [os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) for folder in request["folders"]]
    socket.send_fds(channel, [b'{"folders": true}'], folders)
    program = _forked(0)
    if program == 0:
        _restrict(request, setup, given[:3])
        _become_program(request["command"], request["environment"])
    channel.close()
    opened = [setup["listener"]] if setup["listener"] is not None else []
    for descriptor in (*opened, *folders, *given, *range(3)):
        os.close(descriptor)
    status = _reaped(program)
    os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))


def _reaped(program: int) -> int:
    """Wait for the program and return its status; end and reap all other processes, so that their time is counted."""
    ended, status = 0, 0
    while ended != program:
        ended, status = os.wait()
    try:
        os.kill(-1, signal.SIGKILL)
        while True:
            os.wait()
    except (ProcessLookupError, ChildProcessError):
        return status


def _start(request: dict, setup: dict, given: list[int], channel: socket.socket) -> int:
    """Start a run; return its first process's id."""
    first = _forked(_NEW_PROCESSES | _NEW_NAMESPACE["mnt"] | _NEW_NAMESPACE["ipc"] | _NEW_NAMESPACE["uts"])
    if first == 0:
        try:
            _run(request, setup, given, channel)
        except OSError as error:
            channel.send(json.dumps({"error": str(error)}).encode())
        finally:
            os._exit(1)
    return first


def _ignores_children(process: int, address: int) -> bool:
    """Whether the action at an address of a process's memory lets its children end without being waited for."""
    action = ctypes.create_string_buffer(struct.calcsize(_ACTION))
    here = _Piece(ctypes.addressof(action), len(action))
    there = _Piece(address, len(action))
    one, nothing = ctypes.c_ulong(1), ctypes.c_ulong(0)  # as wide as the kernel reads them
    call = _READ_MEMORY[os.uname().machine]
    if _libc.syscall(call, process, ctypes.byref(here), one, ctypes.byref(there), one, nothing) != len(action):
        return False  # the kernel cannot read it either, and refuses
    handler, flags = struct.unpack(_ACTION, action)
    return handler == signal.SIG_IGN or bool(flags & _NO_ZOMBIES)


def _reply(listener: int) -> None:
    """Answer one question of the kernel: a call that would ignore SIGCHLD has no effect, and is told that it had."""
    question = bytearray(_QUESTION_BYTES)
    try:
        fcntl.ioctl(listener, _RECEIVE_QUESTION, question)
        number, process = struct.unpack_from("=QI", question)
        (address,) = struct.unpack_from("=Q", question, _SECOND_ARGUMENT)
        flags = 0 if _ignores_children(process, address) else _CONTINUE
        fcntl.ioctl(listener, _SEND_REPLY, struct.pack(_REPLY, number, 0, 0, flags))
    except FileNotFoundError:
        return  # whoever called has been killed


def _attend(handle: int, listener: int | None) -> None:
    """Answer the kernel's questions about a run until its first process has ended."""
    sources = select.poll()
    for source in (handle, listener):
        if source is not None:
            sources.register(source, select.POLLIN)
    while handle not in (ready := [source for source, _ in sources.poll()]):
        for source in ready:
            _reply(source)


def _served(request: dict, setup: dict, given: list[int], channel: socket.socket) -> None:
    """Do one run and answer three times."""
    first = _start(request, setup, given, channel)
    for descriptor in given:
        os.close(descriptor)
    handle = os.pidfd_open(first)
    socket.send_fds(channel, [json.dumps({"first": first}).encode()], [handle])
    _attend(handle, setup["listener"])
    os.close(handle)
    _, status, used = os.wait4(first, 0)
    ending = {"status": status, "cpu_seconds": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss / 1000}
    channel.send(json.dumps(ending).encode())


def serve(channel: socket.socket, setup: dict) -> None:
    """Answer requests until the other end is closed."""
    while True:
        message, given, _, _ = socket.recv_fds(channel, _LONGEST_MESSAGE, _MOST_FILES)
        if not message:
            return
        for descriptor in given:
            os.set_inheritable(descriptor, False)
        _served(json.loads(message), setup, given, channel)


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    # A collection of garbage would touch all memory, which is shared with the processes that start from here.
    gc.disable()
    gc.freeze()
    for passed in given["passed"]:
        os.set_inheritable(passed, False)
    with open(given["filters"], "rb") as file:  # noqa: PTH123  # as little as possible is imported
        given["filters"] = json.load(file)
    for changed in _CHANGED_SIGNALS:
        signal.signal(changed, signal.SIG_DFL)
    with socket.socket(fileno=given["channel"]) as channel:
        try:
            _enter(given)
            given["listener"] = _load_filter(given["filters"])
        except OSError as error:
            channel.send(json.dumps({"error": str(error)}).encode())
        else:
            serve(channel, given)
