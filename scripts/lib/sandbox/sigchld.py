"""Answers the kernel's questions about SIGCHLD while a run lasts.

A process that ignores SIGCHLD loses the CPU time of its children. A filter of system calls cannot
detect that, because the new action lies in memory. The filter therefore makes the kernel ask the
init about each change of the action of SIGCHLD (seccomp_unotify(2)).
"""

import ctypes
import fcntl
import os
import select
import signal
import struct

from scripts.lib.system_calls import libc

_READ_MEMORY = {"x86_64": 310, "aarch64": 270}
# Size of struct seccomp_notif, the offset of the call's second argument in it, and struct
# seccomp_notif_resp.
_NOTIFICATION_BYTES, _SECOND_ARGUMENT, _RESPONSE = 80, 40, "=QqiI"
_RECEIVE_NOTIFICATION, _SEND_RESPONSE, _CONTINUE = 0xC0502100, 0xC0182101, 1
# The handler and the flags of a signal's action as the kernel takes it.
_ACTION = "=QQ"
_NO_ZOMBIES = 2


class _IoVector(ctypes.Structure):
    """`struct iovec`."""

    _fields_ = (("address", ctypes.c_void_p), ("length", ctypes.c_size_t))


def _ignores_children(process: int, address: int) -> bool:
    """Whether the signal action at an address of a process's memory discards the status of its
    children.
    """
    action = ctypes.create_string_buffer(struct.calcsize(_ACTION))
    local = _IoVector(ctypes.addressof(action), len(action))
    remote = _IoVector(address, len(action))
    one, zero = ctypes.c_ulong(1), ctypes.c_ulong(0)  # as wide as the kernel reads them
    call = _READ_MEMORY[os.uname().machine]
    if libc.syscall(call, process, ctypes.byref(local), one, ctypes.byref(remote), one, zero) != len(action):
        return False  # the kernel cannot read it either, and refuses the call
    handler, flags = struct.unpack(_ACTION, action)
    return handler == signal.SIG_IGN or bool(flags & _NO_ZOMBIES)


def _respond(listener: int) -> None:
    """Answer one notification of the kernel: a call that would ignore SIGCHLD has no effect but
    reports success.
    """
    notification = bytearray(_NOTIFICATION_BYTES)
    try:
        fcntl.ioctl(listener, _RECEIVE_NOTIFICATION, notification)
        number, process = struct.unpack_from("=QI", notification)
        (address,) = struct.unpack_from("=Q", notification, _SECOND_ARGUMENT)
        flags = 0 if _ignores_children(process, address) else _CONTINUE
        fcntl.ioctl(listener, _SEND_RESPONSE, struct.pack(_RESPONSE, number, 0, 0, flags))
    except FileNotFoundError:
        return  # the caller has been killed


def respond_until_end(handle: int, listener: int | None) -> None:
    """Answer the kernel's notifications about a run until its first process has ended."""
    events = select.poll()
    for descriptor in (handle, listener):
        if descriptor is not None:
            events.register(descriptor, select.POLLIN)
    while handle not in (ready := [descriptor for descriptor, _ in events.poll()]):
        for descriptor in ready:
            _respond(descriptor)
