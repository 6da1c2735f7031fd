"""The bubblewrap command line of a sandbox, how root gives up its identity for it, and the
handshake at its start.
"""

import contextlib
import fcntl
import json
import os
import pwd
import re
import selectors
import shutil
import stat
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from scripts.lib.job import InputError

WORK = "/work-folder"
# The folders that a run may write to.
FOLDERS = (WORK, "/tmp", "/dev/shm")
_USER = 1000
_HANDSHAKE_SECONDS = 60
_SYSTEM = ("bin", "lib", "lib32", "lib64", "libx32", "sbin")
_ETC = ("alternatives", "ld.so.cache", "ld.so.conf", "ld.so.conf.d")
_ACCOUNTS = {"passwd": f"user:x:{_USER}:{_USER}::{WORK}:/bin/sh\n", "group": f"user:x:{_USER}:\n"}
_REMEDY = (
    "allow unprivileged user namespaces (Debian: sysctl kernel.unprivileged_userns_clone=1; Ubuntu 24.04 and later: an "
    "AppArmor profile for bwrap, or sysctl kernel.apparmor_restrictunprivileged_userns=0), or set the section's "
    "`sandbox: off` in the config if you trust the programs"
)


def fixed_options(mounts: Mapping[str, str]) -> tuple[str, ...]:
    """The command line up to what differs per session; `mounts` has the extra read-only paths by
    their path inside.
    """
    extra = [part for inside, path in mounts.items() for part in ("--ro-bind", path, inside)]
    return (*_namespaces(), *_system_mounts(), *_own_folders(), *extra, "--chdir", WORK)


def program() -> str:
    """Path of bubblewrap without symbolic links; its bare name if it is not on the PATH of this process."""
    found = shutil.which("bwrap")
    return str(Path(found).resolve()) if found else "bwrap"


def _namespaces() -> list[str]:
    """The command, with options for name spaces, identity and lifetime."""
    return [
        *(
            program(),
            "--unshare-all",
            "--unshare-user",
            "--uid",
            str(_USER),
            "--gid",
            str(_USER),
            "--hostname",
            "sandbox",
        ),
        *("--die-with-parent", "--new-session"),
    ]


def _system_mounts() -> list[str]:
    """Options for the operating system, read-only: `/usr`, its links at the root, and chosen files
    of `/etc`.
    """
    options = ["--ro-bind", "/usr", "/usr"]
    for name in _SYSTEM:
        path = Path("/", name)
        if path.is_symlink():
            options += ["--symlink", str(path.readlink()), str(path)]
        elif path.is_dir():
            options += ["--ro-bind", str(path), str(path)]
    for name in _ETC:
        options += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    return options


def outermost(paths: Sequence[str]) -> list[str]:
    """The paths that exist, without those below another one or below `/usr`, which is always
    mounted.
    """
    outer_paths = [Path("/usr")]
    for path in sorted({Path(path) for path in paths}):
        if path.exists() and not any(path.is_relative_to(outer) for outer in outer_paths):
            outer_paths.append(path)
    return [str(path) for path in outer_paths[1:]]


def _own_folders() -> list[str]:
    """Options for the sandbox's private folders; each run gets new ones instead of those in
    `FOLDERS`.
    """
    folders = [part for folder in FOLDERS for part in ("--size", "1000000", "--tmpfs", folder)]
    return ["--proc", "/proc", "--dev", "/dev", *folders, "--remount-ro", "/dev"]


def memory_file(content: bytes) -> int:
    """Descriptor of an anonymous, sealed (read-only) file with `content`."""
    descriptor = os.memfd_create("sandbox", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    seals = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    return descriptor


@contextlib.contextmanager
def descriptors() -> Iterator[list[int]]:
    """A list whose descriptors are closed at the end."""
    opened: list[int] = []
    try:
        yield opened
    finally:
        for descriptor in opened:
            with contextlib.suppress(OSError):
                os.close(descriptor)


def account_options(opened: list[int]) -> list[str]:
    """Options that put the accounts of a sandbox into its `/etc`; descriptors are added to
    `opened`.
    """
    options: list[str] = []
    for name, text in _ACCOUNTS.items():
        opened.append(memory_file(text.encode()))
        options += ["--file", str(opened[-1]), f"/etc/{name}"]
    return options


def checked_name(name: str) -> str:
    """`name` itself; raise `ValueError` if it is not a relative path that stays below the work
    folder.
    """
    if Path(name).is_absolute() or ".." in Path(name).parts or "\0" in name:
        raise ValueError(f"not a file name below the work folder: {name!r}")
    return name


class ClosedPathError(InputError):
    """A path that a sandbox should mount can be read by its owner only, and the sandbox runs as
    another user.
    """


@dataclass(frozen=True)
class Identity:
    """The user that root becomes to run a sandbox: numbers of user and group."""

    user: int
    group: int


@cache
def unprivileged() -> Identity | None:
    """The user that root becomes to run a sandbox, `nobody`; None for other users, who keep their
    identity.

    Root of a container that has no other users is an ordinary user outside, and stays root. Raise
    `InputError` if root has no other user to become.
    """
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    maps = [[int(number) for number in line.split()] for line in Path("/proc/self/uid_map").read_text().splitlines()]
    if any(first <= nobody.pw_uid < first + count for first, _, count in maps):
        return Identity(nobody.pw_uid, nobody.pw_gid)
    if any(first == 0 and outside == 0 for first, outside, _ in maps):
        raise InputError(
            "the sandbox does not start as root: the user `nobody` does not exist in this container; add it"
        )
    return None


def open_to_all(path: Path) -> bool:
    """Whether every user may read a file, or list and enter a folder."""
    about = path.stat()
    needed = stat.S_IROTH | (stat.S_IXOTH if stat.S_ISDIR(about.st_mode) else 0)
    return about.st_mode & needed == needed


def _readable(path: Path) -> bool:
    """Whether every user may read a path and, if it is a folder with entries, at least one of them."""
    if not open_to_all(path):
        return False
    entries = [entry for entry in path.iterdir() if entry.exists()] if path.is_dir() else []
    return not entries or any(open_to_all(entry) for entry in entries)


def closed_folders(program: str, paths: Iterable[str]) -> bool:
    """Whether bubblewrap or a path that it mounts lies below a folder that only its owner can
    enter.

    Raise `ClosedPathError` for a path whose content itself cannot be read by all users.
    """
    resolved = [Path(path).resolve() for path in paths]
    for path in resolved:
        if not _readable(path):
            raise ClosedPathError(
                f"{path} can be read by its owner only, and sandboxes that root starts run as another user; "
                f"run with umask 022, and chmod -R go+rX {path}"
            )
    folders = {folder for path in [Path(program).resolve(), *resolved] for folder in path.parents}
    return not all(folder.stat().st_mode & stat.S_IXOTH for folder in folders)


@cache
def kernel_is(minimum: tuple[int, int]) -> bool:
    """Whether this Linux has at least the version `minimum` (major, minor)."""
    major, minor = re.findall(r"\d+", os.uname().release)[:2]
    return (int(major), int(minor)) >= minimum


def counts_by_namespace() -> bool:
    """Whether the kernel counts a user's processes separately in each user name space, as Linux
    does since 5.14.
    """
    return kernel_is((5, 14))


def first_process(info: int, holder: subprocess.Popen[bytes]) -> int:
    """Wait until `cat` runs in a sandbox; return the id, seen from outside, of the sandbox's first
    process.

    info: descriptor from which bubblewrap's `--info-fd` is read; holder: bubblewrap, with pipes for
    its streams. Raise `InputError` if bubblewrap fails.
    """
    message = _read(info, b"}", holder)
    assert holder.stdin is not None
    assert holder.stdout is not None
    # If bubblewrap has ended meanwhile, the read below says so.
    with contextlib.suppress(BrokenPipeError):
        holder.stdin.write(b"\n")
        holder.stdin.flush()
    _read(holder.stdout.fileno(), b"\n", holder)
    return int(json.loads(message)["child-pid"])


def _read(source: int, last: bytes, holder: subprocess.Popen[bytes]) -> bytes:
    """Read a pipe up to the byte `last`; raise `InputError` if the pipe ends or the byte does not
    come in time.
    """
    deadline, text = time.monotonic() + _HANDSHAKE_SECONDS, b""
    with selectors.DefaultSelector() as selector:
        selector.register(source, selectors.EVENT_READ)
        while last not in text:
            block = selector.select(max(0, deadline - time.monotonic())) and os.read(source, 4096)
            if not block:
                raise _refused(holder)
            text += block
    return text


def _refused(holder: subprocess.Popen[bytes]) -> InputError:
    """The error that says why bubblewrap did not start and what to do."""
    holder.kill()
    _, message = holder.communicate()
    text = " ".join(message.decode("utf-8", "replace").split()) or "bubblewrap did not become ready"
    return InputError(f"the sandbox does not start: {text}; {_REMEDY}")
