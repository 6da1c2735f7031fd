"""A corpus as a folder tree: `<Language>/Source_<n>/source.<suffix>`, flat folders, or any other
depth.
"""

import csv
import errno
import hashlib
import logging
import os
import re
import stat
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from heapq import nsmallest
from pathlib import Path
from typing import Any

from scripts.lib.files import sha256_text
from scripts.lib.job import InputError
from scripts.lib.schemas.sources import Rejection
from scripts.sources.dataset_card import LONGEST_LABEL
from scripts.sources.decode import decode
from scripts.sources.record import Record

MANIFEST = "MANIFEST.tsv"
_WORD = 1 << 128
_DIGITS = re.compile(r"([0-9]+)")
_LONGEST_LINE = 1 << 16
# What opening a file costs, in bytes that could be read instead.
_ENTRY_BYTES = 4096
# Characters that a message shows of a path that is too long.
_SHOWN = 100


@dataclass(frozen=True)
class Entry:
    """A candidate file: path below the corpus (posix), size in bytes, modification time, and why it
    is not read.
    """

    path: str
    size: int
    mtime: int
    fault: Rejection | None


def _fault(item: os.DirEntry, root: str) -> Rejection | None:
    """Why a candidate is not read; None for a readable file."""
    if item.is_symlink():
        target = os.path.realpath(item.path)
        if os.path.commonpath([target, root]) != root:
            return Rejection.SYMLINK_OUTSIDE
    return None if Path(item.path).is_file() else Rejection.NOT_REGULAR


def _entry(item: os.DirEntry, root: str) -> Entry:
    fault = _fault(item, root)
    status = item.stat(follow_symlinks=fault is None)
    size = status.st_size if stat.S_ISREG(status.st_mode) else 0
    return Entry(Path(item.path).relative_to(root).as_posix(), size, int(status.st_mtime), fault)


def entries(root: str | Path, language: str, suffixes: list[str]) -> Iterator[Entry]:
    """Every candidate below `<root>/<language>`, at any depth and in no particular order, one at a
    time.

    A candidate is anything except a folder whose name ends in one of `suffixes` (without the dot),
    in upper or lower case.
    Links to folders are not followed. Raises `InputError` where folders are nested so deep that the
    system cannot open them.
    """
    try:
        yield from _entries(os.path.realpath(root), language, tuple(f".{suffix.lower()}" for suffix in suffixes))
    except OSError as error:
        if error.errno not in (errno.EMFILE, errno.ENAMETOOLONG):
            raise
        where = f"{str(error.filename)[:_SHOWN]}…"
        raise InputError(
            f"{where} has folders nested too deep ({error.strerror}); move its files up, or remove it"
        ) from error


def _entries(top: str, language: str, endings: tuple[str, ...]) -> Iterator[Entry]:
    """`entries` below a folder without links in its path; suffixes begin with a dot."""
    # One open folder per level, because a list of all folders would grow with the corpus.
    opened = [os.scandir(f"{top}/{language}")] if Path(top, language).is_dir() else []
    while opened:
        item = next(opened[-1], None)
        if item is None:
            opened.pop().close()
        elif item.is_dir(follow_symlinks=False):
            opened.append(os.scandir(item.path))
        elif item.name.lower().endswith(endings) and not (item.is_symlink() and Path(item.path).is_dir()):
            yield _entry(item, top)


def _name_bytes(name: str) -> bytes:
    """The bytes of a file name, which need not be valid text."""
    return name.encode(sys.getfilesystemencoding(), "surrogateescape")


def _text(name: str) -> str:
    """A file name as valid text, with invalid bytes escaped."""
    return _name_bytes(name).decode("utf-8", "backslashreplace")


def fingerprint(root: str | Path, language: str, suffixes: list[str]) -> str:
    """A text that changes when a file of the language, or the manifest, is added, changed, renamed
    or removed.

    It is a sum of hashes of path, size and modification time, which needs no order and no memory;
    no contents are read. Times are in whole seconds, because archives and copies keep no more.
    """
    manifest = Path(root, MANIFEST)
    total = int(manifest.stat().st_mtime) if manifest.is_file() else 0
    for entry in entries(root, language, suffixes):
        line = b"%s\0%d\0%d\0%s" % (_name_bytes(entry.path), entry.size, entry.mtime, str(entry.fault).encode())
        total = (total + int.from_bytes(hashlib.sha256(line).digest()[:16], "big")) % _WORD
    return f"{total:032x}"


def natural(path: str) -> list[tuple[int, str]]:
    """Sort key of paths with numbers by value, so that `Source_2` comes before `Source_10`."""
    return [(int(part), "") if part.isdecimal() and part.isascii() else (-1, part) for part in _DIGITS.split(path)]


def selected(root: str | Path, language: str, suffixes: list[str], first: int | None) -> Iterator[Entry]:
    """The candidates of a language: all in no particular order, or the `first` ones in natural
    order of their paths.
    """
    candidates = entries(root, language, suffixes)
    if first is None:
        return candidates
    return iter(nsmallest(first, candidates, key=lambda entry: (natural(entry.path), entry.path)))


def _manifest_lines(manifest: Path) -> Iterator[str]:
    """Lines of the manifest; raise `InputError` for a line that is too long."""
    with manifest.open(encoding="utf-8-sig", errors="backslashreplace", newline="") as stream:
        while line := stream.readline(_LONGEST_LINE):
            if len(line) == _LONGEST_LINE:
                raise InputError(f"{manifest} has a line of more than {_LONGEST_LINE} characters; replace it")
            yield line


def licenses(root: str | Path, language: str) -> dict[str, str]:
    """License of each path of the language, from the columns `path` and `license` of the corpus's
    MANIFEST.tsv.

    `path` names a file or the folder that contains it. The column may be spelled `licence`. Empty
    when the corpus has no manifest.
    """
    manifest = Path(root, MANIFEST)
    if not manifest.is_file():
        return {}
    stated = {}
    rows = csv.DictReader(_manifest_lines(manifest), delimiter="\t", quoting=csv.QUOTE_NONE)
    if not {"path"} < set(rows.fieldnames or ()) & {"path", "license", "licence"}:
        remedy = "write it as UTF-8 text with the columns path and license"
        logging.warning("%s states no licenses: its first line does not name the columns; %s", manifest, remedy)
    for row in rows:
        path, license = row.get("path") or "", row.get("license") or row.get("licence")
        if license and path.startswith(f"{language}/"):
            if len(license) > LONGEST_LABEL:
                raise InputError(f"{manifest} states a license of {len(license)} characters; give its name")
            stated[path] = sys.intern(license)
    return stated


def _read(root: Path, entry: Entry, corpus: Mapping[str, Any]) -> Record:
    """The record of a candidate; a file over `max_bytes` is not read."""
    path = _text(entry.path)
    if entry.fault:
        return Record(path, sha256_text(f"path:{path}"), 0, rejected=entry.fault)
    top = os.path.realpath(root)
    target = _text(os.path.relpath(os.path.realpath(Path(top, entry.path)), top))
    unread = Record(path, sha256_text(f"path:{target}"), entry.size, rejected=Rejection.TOO_LARGE)
    if entry.size > corpus["max_bytes"]:
        return unread
    with Path(root, entry.path).open("rb") as stream:
        data = stream.read(corpus["max_bytes"] + 1)
    if len(data) > corpus["max_bytes"]:
        return unread
    decoded = decode(data, corpus["encodings"], corpus["max_bad_bytes"])
    return Record.of(decoded, path, hashlib.sha256(data).hexdigest(), len(data))


@dataclass(frozen=True)
class TreePiece:
    """Candidates that one process reads."""

    entries: tuple[Entry, ...]

    def key(self, root: Path) -> str:
        """A text that changes when one of the files does; no contents are read."""
        return repr([self.entries, _manifest_state(root)])


def _manifest_state(root: Path) -> tuple[int, int] | None:
    """Size and modification time of the manifest; None where there is none."""
    manifest = Path(root, MANIFEST)
    if not manifest.is_file():
        return None
    status = manifest.stat()
    return status.st_size, status.st_mtime_ns


def pieces(candidates: Iterator[Entry], piece_bytes: int, longest: int) -> Iterator[TreePiece]:
    """The candidates in pieces of about `piece_bytes` of programs of up to `longest` bytes, in the
    order in which they come.
    """
    waiting: list[Entry] = []
    size = 0
    for entry in candidates:
        waiting.append(entry)
        size += min(entry.size, longest) + _ENTRY_BYTES
        if size >= piece_bytes:
            yield TreePiece(tuple(waiting))
            waiting, size = [], 0
    if waiting:
        yield TreePiece(tuple(waiting))


# The manifest of the corpus that a process reads; workers have the one of the process that forked them.
@lru_cache(maxsize=1)
def _licenses(root: Path, language: str, state: tuple[int, int] | None) -> dict[str, str]:
    return licenses(root, language) if state else {}


def prepare(root: Path, language: str) -> None:
    """Read the manifest before workers are forked, so that not each of them has to."""
    _licenses(root, language, _manifest_state(root))


def records(piece: TreePiece, root: Path, language: str, corpus: Mapping[str, Any]) -> Iterator[Record]:
    """Every candidate file of a piece, read and decoded; `corpus` are the config's settings."""
    known = _licenses(root, language, _manifest_state(root))
    for entry in piece.entries:
        record = _read(root, entry, corpus)
        license = known.get(record.path) or known.get(record.path.rpartition("/")[0])
        yield record if license is None else replace(record, license=license)
