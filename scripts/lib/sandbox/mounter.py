"""Lets `nobody` mount what lies below folders that only root can enter: runs as root, then becomes bubblewrap.

In user and mount name spaces of its own, it binds each path to an entry of a new in-memory folder over `/tmp`, gives up
root's identity, and starts the command that it was given. Nothing changes outside these name spaces. It imports the
standard library only and is run from its text, because the project may lie below such a folder.
"""

import ctypes
import json
import os
import stat
import sys

_NEW_MOUNTS, _NEW_USERS = 0x00020000, 0x10000000
_NO_SETUID, _NO_DEVICES, _BIND = 2, 4, 0x5000  # mounts below are bound, too
_SHARE_NOTHING = 0x44000

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    """Raise `OSError` for a failed system call."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _mount(what: str, place: str, kind: str, flags: int, data: str = "") -> None:
    words = [word.encode() for word in (what, place, kind)]
    _checked(_libc.mount(*words, ctypes.c_ulong(flags), data.encode()), f"mount {place}")


def _write_maps(process: int, lines: dict[str, str]) -> None:
    """Write the maps of users and groups of a process's new name space."""
    for name, text in lines.items():
        with open(f"/proc/{process}/{name}", "w") as file:  # noqa: PTH123  # as little as possible is imported
            file.write(text)


def _enter_namespaces(user: int, group: int) -> None:
    """Enter name spaces in which root and `nobody` are who they were; a child, still outside, says so to the kernel."""
    reader, writer = os.pipe()
    parent, child = os.getpid(), os.fork()
    if child == 0:
        try:
            os.close(writer)
            os.read(reader, 1)
            _write_maps(parent, {"uid_map": f"0 0 1\n{user} {user} 1\n", "gid_map": f"0 0 1\n{group} {group} 1\n"})
        except OSError as error:
            os.write(2, f"{error}\n".encode())
            os._exit(1)
        os._exit(0)
    _checked(_libc.unshare(_NEW_USERS | _NEW_MOUNTS), "new name spaces")
    os.close(writer)
    os.close(reader)
    if os.waitpid(child, 0)[1] != 0:
        sys.exit("the maps of users cannot be written")
    _mount("none", "/", "none", _SHARE_NOTHING)


def _bind(paths: list[str], folder: str) -> None:
    """Bind paths to entries of a new in-memory folder over `folder`; the entries are named by number."""
    opened = [os.open(path, os.O_PATH | os.O_CLOEXEC) for path in paths]
    _mount("tmpfs", folder, "tmpfs", _NO_SETUID | _NO_DEVICES, "mode=0755,size=1000000")
    for number, source in enumerate(opened):
        place = f"{folder}/{number}"
        if stat.S_ISDIR(os.fstat(source).st_mode):
            os.mkdir(place)  # noqa: PTH102
        else:
            os.close(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
        _mount(f"/proc/self/fd/{source}", place, "none", _BIND)


def main(given: dict) -> None:
    """Bind `paths` over `folder`, become `user` and `group`, and turn into `command`."""
    os.umask(0o022)
    _enter_namespaces(given["user"], given["group"])
    _bind(given["paths"], given["folder"])
    os.setgroups([])
    os.setresgid(*[given["group"]] * 3)
    os.setresuid(*[given["user"]] * 3)
    os.execve(given["command"][0], given["command"], dict(os.environ))


if __name__ == "__main__":
    try:
        main(json.loads(sys.argv[1]))
    except OSError as error:
        sys.exit(str(error))
