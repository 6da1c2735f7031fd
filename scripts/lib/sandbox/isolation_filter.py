"""A seccomp filter under which a process can compute, and talk through files that are open already,
and nothing else.

It needs no rights and no name spaces, so that it works for every user and in every container.
Files, sockets, other processes and the process's own limits are out of reach of what runs under it,
whatever it does to memory.
"""

import ctypes
import errno
import os

from scripts.lib.sandbox.seccomp import ALLOWED, KILLED, Step, argument, machine_numbers, packed, prologue, refuse, when
from scripts.lib.system_calls import FilterProgram

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
_NO_NEW_PRIVILEGES, _SET_SECCOMP, _MODE_FILTER = 38, 22, 2


def _steps(architecture: int, column: int, process: int) -> list[Step]:
    """The filter for one process."""
    allowed = [step for call in _ALLOWED.values() for step in when([call[column]], [ALLOWED])]
    signal_itself = [argument(0), *when([process], [ALLOWED]), refuse(errno.EPERM)]
    return [
        *prologue(architecture, KILLED),
        *allowed,
        *when([_SIGNAL_THREAD[column]], signal_itself),
        refuse(errno.EPERM),
    ]


def allow_computing_only() -> None:
    """Forbid this process, for good, every system call that a computation does not need; they fail
    with EPERM.

    Raise `OSError` where the kernel or the machine's architecture has no such filters.
    """
    try:
        _, architecture, column = machine_numbers()
    except ValueError as error:
        raise OSError(errno.ENOSYS, str(error)) from error
    steps = _steps(architecture, column, os.getpid())
    program = FilterProgram(len(steps), packed(steps))
    libc = ctypes.CDLL(None, use_errno=True)
    for words in ((_NO_NEW_PRIVILEGES, 1, 0, 0, 0), (_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program))):
        if libc.prctl(*words) != 0:
            raise OSError(ctypes.get_errno(), "prctl")
