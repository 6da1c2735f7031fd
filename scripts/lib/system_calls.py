"""Linux system calls that Python has no function for.

This module imports the standard library only, because programs that run without the project's files
include its text (see `scripts.lib.sandbox.standalone`).
"""

import ctypes
import os
import signal

# Flags of clone(2), setns(2) and unshare(2) by the kind of name space.
NAMESPACES = {
    "mnt": 0x00020000,
    "cgroup": 0x02000000,
    "uts": 0x04000000,
    "ipc": 0x08000000,
    "user": 0x10000000,
    "pid": 0x20000000,
    "net": 0x40000000,
}
# Flags of mount(2); BIND includes the mounts below the source (MS_BIND | MS_REC).
READ_ONLY, NO_SETUID, NO_DEVICES, NO_PROGRAMS, BIND = 1, 2, 4, 8, 0x5000
CHANGE_MOUNT = 0x1020  # MS_REMOUNT | MS_BIND
PRIVATE = 0x44000  # MS_PRIVATE | MS_REC
_SET_PARENT_DEATH_SIGNAL = 1

libc = ctypes.CDLL(None, use_errno=True)


class FilterProgram(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_char_p))


def checked(result: int, call: str) -> int:
    """The result of a system call; raise `OSError` with the name `call` if it failed."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}")
    return result


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """mount(2) with a file system of some kind; raise `OSError` if it fails."""
    words = [word.encode() for word in (source, target, kind)]
    checked(libc.mount(*words, ctypes.c_ulong(flags), options.encode()), f"mount {target}")


def die_with_parent(parent: int | None = None) -> None:
    """Make the kernel kill this process when its parent dies; exit at once if the parent is no
    longer `parent`.
    """
    libc.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if parent is not None and os.getppid() != parent:
        os._exit(1)
