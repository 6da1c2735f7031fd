"""Binds paths that only root can reach to a folder that `nobody` can enter, then becomes
bubblewrap.

It runs as root. In user and mount name spaces of its own, it binds each path to an entry of a new
in-memory folder over `/tmp`, gives up root's identity, and executes the command that it was passed.
Nothing changes outside these name spaces. It is run from its text (see `standalone`), because the
project may lie below such a folder.
"""

import json
import os
import stat
import sys
from typing import Any

from scripts.lib.system_calls import BIND, NAMESPACES, NO_DEVICES, NO_SETUID, PRIVATE, checked, libc, mount


def _write_maps(process: int, maps: dict[str, str]) -> None:
    """Write the maps of users and groups of a process's new name space."""
    for name, text in maps.items():
        with open(f"/proc/{process}/{name}", "w") as file:  # noqa: PTH123  # imports are kept to a minimum
            file.write(text)


def _enter_namespaces(user: int, group: int) -> None:
    """Enter name spaces in which root and `nobody` have their numbers; a child that stays outside
    writes the maps.
    """
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
    checked(libc.unshare(NAMESPACES["user"] | NAMESPACES["mnt"]), "new name spaces")
    os.close(writer)
    os.close(reader)
    if os.waitpid(child, 0)[1] != 0:
        sys.exit("the maps of users and groups cannot be written")
    mount("none", "/", "none", PRIVATE)


def _bind(paths: list[str], folder: str) -> None:
    """Bind paths to entries of a new in-memory folder over `folder`; the entries are named by
    number.
    """
    opened = [os.open(path, os.O_PATH | os.O_CLOEXEC) for path in paths]
    mount("tmpfs", folder, "tmpfs", NO_SETUID | NO_DEVICES, "mode=0755,size=1000000")
    for number, source in enumerate(opened):
        target = f"{folder}/{number}"
        if stat.S_ISDIR(os.fstat(source).st_mode):
            os.mkdir(target)  # noqa: PTH102
        else:
            os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
        mount(f"/proc/self/fd/{source}", target, "none", BIND)


def main(setup: dict[str, Any]) -> None:
    """Bind `paths` over `folder`, become `user` and `group`, and execute `command`."""
    os.umask(0o022)
    _enter_namespaces(setup["user"], setup["group"])
    _bind(setup["paths"], setup["folder"])
    os.setgroups([])
    os.setresgid(*[setup["group"]] * 3)
    os.setresuid(*[setup["user"]] * 3)
    os.execve(setup["command"][0], setup["command"], dict(os.environ))


if __name__ == "__main__":
    try:
        main(json.loads(sys.argv[1]))
    except OSError as error:
        sys.exit(str(error))
