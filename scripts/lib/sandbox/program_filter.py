"""The seccomp filter of a sandbox: which system calls a program inside may not make, as a BPF
program for the kernel.

It refuses what evades the limits or outlives a run: memory that belongs to no process (memory
files, System V segments and queues, huge pages, pages in pipes, attributes of files), new user name
spaces, key rings, sockets other than those of the Unix family, tracing, and interfaces that run
code in the kernel. The filter also holds for the init, so it cannot refuse the calls that the init
itself makes (mount, setns, clone with other name spaces, process_vm_readv); these require
capabilities, which no program inside can get without a new user name space. The numbers are from
the kernel's tables (arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h).
"""

import errno
import signal

from scripts.lib.sandbox.seccomp import (
    ALLOWED,
    JUMP_AT_LEAST,
    JUMP_BITS,
    JUMP_EQUAL,
    NOTIFY,
    RETURN,
    Step,
    argument,
    machine_numbers,
    packed,
    prologue,
    refuse,
    when,
)

_X32 = 0x40000000
_NEW_USERS = 0x10000000
_MAP_HUGETLB = 0x40000
_AF_UNIX, _AF_INET, _AF_INET6 = 1, 2, 10
_SOL_SOCKET = 1
# SO_SNDBUF, SO_RCVBUF and their …FORCE forms
_BUFFER_SIZES = (7, 8, 32, 33)

# Programs that find one of these calls missing fall back to another.
_ABSENT = errno.ENOSYS
# Number on x86_64, number on aarch64, error.
_REFUSED = {
    "memfd_create": (319, 279, _ABSENT),
    "memfd_secret": (447, 447, _ABSENT),
    "shmget": (29, 194, _ABSENT),
    "semget": (64, 190, _ABSENT),
    "msgsnd": (69, 189, _ABSENT),
    "mq_open": (240, 180, _ABSENT),
    "vmsplice": (278, 75, _ABSENT),
    # The kernel keeps extended attributes of files in memory apart from the size of their folder.
    "setxattr": (188, 5, errno.ENOTSUP),
    "lsetxattr": (189, 6, errno.ENOTSUP),
    "fsetxattr": (190, 7, errno.ENOTSUP),
    "setxattrat": (463, 463, errno.ENOTSUP),
    "add_key": (248, 217, _ABSENT),
    "request_key": (249, 218, _ABSENT),
    "keyctl": (250, 219, _ABSENT),
    # Its flags lie in memory, which a filter cannot read; the C library then calls clone.
    "clone3": (435, 435, _ABSENT),
    "unshare": (272, 97, errno.EPERM),
    "pivot_root": (155, 41, errno.EPERM),
    "open_tree": (428, 428, _ABSENT),
    "move_mount": (429, 429, _ABSENT),
    "fsopen": (430, 430, _ABSENT),
    "fsconfig": (431, 431, _ABSENT),
    "fsmount": (432, 432, _ABSENT),
    "fspick": (433, 433, _ABSENT),
    "mount_setattr": (442, 442, _ABSENT),
    "open_tree_attr": (467, 467, _ABSENT),
    "umount2": (166, 39, errno.EPERM),
    "sethostname": (170, 161, errno.EPERM),
    "setdomainname": (171, 162, errno.EPERM),
    "ptrace": (101, 117, errno.EPERM),
    "process_vm_writev": (311, 271, errno.EPERM),
    "process_madvise": (440, 440, errno.EPERM),
    "pidfd_getfd": (438, 438, errno.EPERM),
    "kcmp": (312, 272, errno.EPERM),
    "userfaultfd": (323, 282, _ABSENT),
    "io_uring_setup": (425, 425, _ABSENT),
    "io_uring_enter": (426, 426, _ABSENT),
    "io_uring_register": (427, 427, _ABSENT),
    "io_setup": (206, 0, _ABSENT),
    "bpf": (321, 280, errno.EPERM),
    "perf_event_open": (298, 241, errno.EPERM),
    "fanotify_init": (300, 262, errno.EPERM),
}
# Numbers of the calls that are allowed or refused by their arguments.
_DECIDED = {"clone": (56, 220), "mmap": (9, 222), "socket": (41, 198), "setsockopt": (54, 208), "sigaction": (13, 134)}


def _rules() -> dict[str, list[Step]]:
    """For each call of `_DECIDED`, the steps that end with a decision."""
    network = when([_AF_INET, _AF_INET6], [refuse(errno.ENETUNREACH)])
    # Setting the action of SIGCHLD notifies the listener; reading it, with no new action, is
    # allowed.
    children = [
        *(argument(0), Step(JUMP_EQUAL, signal.SIGCHLD, no=5)),
        *(argument(1), Step(JUMP_EQUAL, 0, no=2), argument(1, high=True), Step(JUMP_EQUAL, 0, yes=1)),
        *(Step(RETURN, NOTIFY), ALLOWED),
    ]
    return {
        "clone": [argument(0), *when([_NEW_USERS], [refuse(errno.EPERM)], JUMP_BITS), ALLOWED],
        "mmap": [argument(3), *when([_MAP_HUGETLB], [refuse(errno.ENOMEM)], JUMP_BITS), ALLOWED],
        "socket": [argument(0), *when([_AF_UNIX], [ALLOWED]), *network, refuse(errno.EAFNOSUPPORT)],
        "setsockopt": [
            argument(1),
            *when([_SOL_SOCKET], [argument(2), *when(_BUFFER_SIZES, [refuse(0)]), ALLOWED]),
            ALLOWED,
        ],
        "sigaction": children,
    }


def filter_program(notify: bool, machine: str | None = None) -> bytes:
    """The filter as an array of `struct sock_filter`, for `machine` (as in `uname -m`), by default
    this one.

    With `notify`, the kernel asks a listener about changes of the action of SIGCHLD (see
    `sigchld`); without it, they are allowed. Raise `ValueError` for a machine whose call numbers
    are not known.
    """
    name, architecture, column = machine_numbers(machine)
    steps = prologue(architecture, refuse(_ABSENT))
    if name == "x86_64":
        steps += when([_X32], [refuse(_ABSENT)], JUMP_AT_LEAST)
    for numbers in _REFUSED.values():
        steps += when([numbers[column]], [refuse(numbers[2])])
    for call, rule in _rules().items():
        if notify or call != "sigaction":
            steps += when([_DECIDED[call][column]], rule)
    return packed([*steps, ALLOWED])
