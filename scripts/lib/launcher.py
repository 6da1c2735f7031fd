"""Starts programs inside a sandbox that bubblewrap has set up: a small process of its own, from its standard input.

It enters the sandbox's name spaces once. Then each request gets new process, mount and IPC name spaces below them, with
empty in-memory folders to write to, so that a run finds nothing of the one before and dies as a whole. It imports the
standard library only, and all of it before it enters, because afterwards there is nothing of it to import.

Requests come by a socket that keeps message borders: a JSON object, with open files for standard input, output and
error and for the files of the run. The answers are the run's first process, its work folder, and how it ended.
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

_NEW_NAMESPACE = {"mnt": 0x00020000, "cgroup": 0x02000000, "uts": 0x04000000, "ipc": 0x08000000, "net": 0x40000000}
_NEW_USERS, _NEW_PROCESSES = 0x10000000, 0x20000000
_NO_SETUID, _NO_DEVICES, _NO_PROGRAMS, _BIND = 2, 4, 8, 0x5000  # mounts below are bound, too
_FIXED_ADDRESSES = 0x0040000
_DIE_WITH_PARENT, _SET_DUMPABLE, _NO_NEW_PRIVILEGES = 1, 4, 38
_CLONE = {"x86_64": 56, "aarch64": 220}
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


def _mount(what: str, place: str, kind: str, flags: int, data: str = "") -> None:
    words = [word.encode() for word in (what, place, kind)]
    _checked(_libc.mount(*words, ctypes.c_ulong(flags), data.encode()), f"mount {place}")


def _enter(setup: dict) -> None:
    """Give up root's identity if told to, and join the sandbox's name spaces, as their owner."""
    if setup["identity"]:
        user, group = setup["identity"]
        os.setgroups([])
        os.setresgid(group, group, group)
        os.setresuid(user, user, user)
    _checked(_libc.setns(setup["owner"], _NEW_USERS), "join user name space")
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


def _restrict(request: dict, setup: dict, streams: list[int]) -> None:
    """Make this process one of an ordinary user who cannot become more, within the kernel's limits."""
    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    for name, most in request["limits"].items():
        resource.setrlimit(getattr(resource, name), (most, most))
    if setup["user"] is not None:
        _checked(_libc.setns(setup["user"], _NEW_USERS), "join user name space")
    _checked(_libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0), "prctl")
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
    for folder in request["folders"]:
        _mount("tmpfs", folder, "tmpfs", _NO_SETUID | _NO_DEVICES, f"mode=0755,size={request['folder_bytes']}")
    for place, opened in kept.items():
        is_folder = stat.S_ISDIR(os.fstat(opened).st_mode)
        os.makedirs(place if is_folder else os.path.dirname(place), exist_ok=True)  # noqa: PTH103, PTH120
        if not is_folder:
            os.close(os.open(place, os.O_WRONLY | os.O_CREAT))
        _mount(f"/proc/self/fd/{opened}", place, "none", _BIND)
        os.close(opened)


def _run(request: dict, setup: dict, given: list[int], channel: socket.socket) -> None:
    """Be the first process of a run: make its folders, start the program, and end with it."""
    _checked(_libc.prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0), "prctl")
    _mount("proc", "/proc", "proc", _NO_SETUID | _NO_DEVICES | _NO_PROGRAMS)
    _make_folders(request)
    os.chdir(request["folders"][0])
    _fill(request["files"], given[3:])
    work = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    socket.send_fds(channel, [b'{"work": true}'], [work])
    channel.close()
    program = _forked(0)
    if program == 0:
        _restrict(request, setup, given[:3])
        _become_program(request["command"], request["environment"])
    for descriptor in (work, *given, *range(3)):
        os.close(descriptor)
    ended, status = 0, 0
    while ended != program:
        ended, status = os.wait()
    os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))


def _start(request: dict, setup: dict, given: list[int], channel: socket.socket) -> int:
    """Start a run; return its first process's id."""
    first = _forked(_NEW_PROCESSES | _NEW_NAMESPACE["mnt"] | _NEW_NAMESPACE["ipc"])
    if first == 0:
        try:
            _run(request, setup, given, channel)
        except OSError as error:
            channel.send(json.dumps({"error": str(error)}).encode())
        finally:
            os._exit(1)
    return first


def serve(channel: socket.socket, setup: dict) -> None:
    """Answer requests until the other end is closed."""
    while True:
        message, given, _, _ = socket.recv_fds(channel, _LONGEST_MESSAGE, _MOST_FILES)
        if not message:
            return
        for descriptor in given:
            os.set_inheritable(descriptor, False)
        first = _start(json.loads(message), setup, given, channel)
        for descriptor in given:
            os.close(descriptor)
        handle = os.pidfd_open(first)
        socket.send_fds(channel, [json.dumps({"first": first}).encode()], [handle])
        os.close(handle)
        _, status, used = os.wait4(first, 0)
        ending = {"status": status, "cpu_seconds": used.ru_utime + used.ru_stime, "peak_mb": used.ru_maxrss / 1000}
        channel.send(json.dumps(ending).encode())


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    # A collection of garbage would touch all memory, which is shared with the processes that start from here.
    gc.disable()
    gc.freeze()
    for passed in given["passed"]:
        os.set_inheritable(passed, False)
    for changed in _CHANGED_SIGNALS:
        signal.signal(changed, signal.SIG_DFL)
    with socket.socket(fileno=given["channel"]) as channel:
        try:
            _enter(given)
        except OSError as error:
            channel.send(json.dumps({"error": str(error)}).encode())
        else:
            serve(channel, given)
