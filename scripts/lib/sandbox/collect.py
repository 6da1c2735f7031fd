"""Files that an untrusted program has written into its work folder."""

import fnmatch
import os
import stat
from collections.abc import Sequence
from itertools import islice

from scripts.lib.sandbox.bubblewrap import descriptors

_MAX_LISTED = 1000


def collected(work: int, patterns: Sequence[str], max_bytes: int) -> dict[str, bytes]:
    """Regular files in the open folder `work` that match a pattern and are smaller than
    `max_bytes`, by relative name.

    A pattern is a file name with wild cards, optionally below a folder without any. The folder was
    written by an untrusted program: links are never followed, pipes and devices never opened, and
    at most a thousand names listed.
    """
    files: dict[str, bytes] = {}
    for pattern in patterns:
        folder, _, name = pattern.rpartition("/")
        with descriptors() as opened:
            descriptor = _open_folder(work, folder, opened)
            if descriptor is None:
                continue
            names = [entry.name for entry in islice(os.scandir(descriptor), _MAX_LISTED)]
            for match in sorted(fnmatch.filter(names, name)):
                content = _read_regular(match, descriptor, max_bytes)
                if content is not None:
                    files[f"{folder}/{match}" if folder else match] = content
    return files


def _open_folder(work: int, folder: str, opened: list[int]) -> int | None:
    """Descriptor of a folder below `work`, reached without following links; None if there is none."""
    descriptor = work
    for part in filter(None, folder.split("/")):
        try:
            descriptor = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=descriptor)
        except OSError:
            return None
        opened.append(descriptor)
    return descriptor


def _read_regular(name: str, folder: int, max_bytes: int) -> bytes | None:
    """Content of a regular file in an open folder; None for anything else, and for a file of the
    maximum size.
    """
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:
        return None
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_size >= max_bytes:
        os.close(descriptor)
        return None
    with os.fdopen(descriptor, "rb") as stream:
        return stream.read(max_bytes)
