"""A seccomp filter under which a process can compute, and talk through files that are open already, and nothing else.

It needs no rights and no name spaces, so that it works for every user and in every container. Files, sockets, other
processes and the process's own limits are out of reach of what runs under it, whatever it does to memory.
"""

import ctypes
import errno
import os
import struct

# System calls on x86_64 and aarch64, those that a computation makes most often first.
_ALLOWED = {
    "read": (0, 63),
    "write": (1, 64),
    "mmap": (9, 222),
    "munmap": (11, 215),
    "brk": (12, 214),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "mprotect": (10, 226),
    "futex": (202, 98),
    "setitimer": (38, 103),
    "clock_gettime": (228, 113),
    "gettimeofday": (96, 169),
    "getrandom": (318, 278),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sigaltstack": (131, 132),
    "sched_yield": (24, 124),
    "getpid": (39, 172),
    "gettid": (186, 178),
    "exit": (60, 93),
    "exit_group": (231, 94),
}
# abort() sends a signal by it; allowed to the process itself only.
_SIGNAL_THREAD = (234, 131)
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_LOAD, _EQUALS, _RETURN = 0x20, 0x15, 0x06  # BPF: load a word, jump when it equals, return
_CALL_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data, low words first
_ALLOW, _KILL, _REFUSE = 0x7FFF0000, 0x80000000, 0x00050000 | errno.EPERM
_NO_NEW_PRIVILEGES, _SET_SECCOMP, _MODE_FILTER = 38, 22, 2


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_void_p))


def _instructions(column: int, architecture: int, process: int) -> list[tuple[int, int, int, int]]:
    """The filter as BPF instructions: operation, jump if true, jump if false, value."""
    allow = [each for call in _ALLOWED.values() for each in ((_EQUALS, 0, 1, call[column]), (_RETURN, 0, 0, _ALLOW))]
    return [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUALS, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _CALL_NUMBER),
        *allow,
        (_EQUALS, 0, 3, _SIGNAL_THREAD[column]),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        (_EQUALS, 0, 1, process),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _REFUSE),
    ]


def allow_computing_only() -> None:
    """Forbid this process, for good, every system call that a computation does not need; they fail with EPERM.

    Raise `OSError` where the kernel or the machine's architecture has no such filters.
    """
    machine = os.uname().machine
    if machine not in _MACHINES:
        raise OSError(errno.ENOSYS, f"no system call filter for {machine}")
    packed = [struct.pack("=HBBI", *each) for each in _instructions(*_MACHINES[machine], os.getpid())]
    instructions = ctypes.create_string_buffer(b"".join(packed))
    program = _Program(len(packed), ctypes.cast(instructions, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    for words in ((_NO_NEW_PRIVILEGES, 1, 0, 0, 0), (_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program))):
        if libc.prctl(*words) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
