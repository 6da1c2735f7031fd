"""A corpus as a folder tree: `<Language>/Source_<n>/source.<suffix>`, flat folders, or anything between."""

import csv
import hashlib
import os
import re
import stat
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from heapq import nsmallest
from pathlib import Path
from typing import Any

from scripts.lib.files import sha256_text
from scripts.lib.job import InputError
from scripts.sources.decode import decode
from scripts.sources.record import Record

MANIFEST = "MANIFEST.tsv"
_WORD = 1 << 128
_DIGITS = re.compile(r"([0-9]+)")
_LONGEST_LINE = 1 << 16


@dataclass(frozen=True)
class Entry:
    """A candidate file: path below the corpus (posix), bytes, time of change, why it cannot be read."""

    path: str
    size: int
    mtime: int
    fault: str | None


def _fault(item: os.DirEntry, root: str) -> str | None:
    """Why a candidate is not read: a link that leaves the corpus, a pipe, a broken link; None for a readable file."""
    if item.is_symlink():
        target = os.path.realpath(item.path)
        if os.path.commonpath([target, root]) != root:
            return "symlink_outside"
    return None if Path(item.path).is_file() else "not_regular"


def _entry(item: os.DirEntry, root: str) -> Entry:
    fault = _fault(item, root)
    status = item.stat(follow_symlinks=fault is None)
    size = status.st_size if stat.S_ISREG(status.st_mode) else 0
    return Entry(Path(item.path).relative_to(root).as_posix(), size, int(status.st_mtime), fault)


def entries(root: str | Path, language: str, suffixes: list[str]) -> Iterator[Entry]:
    """Every candidate below `<root>/<language>`, at any depth and in no particular order, one at a time.

    A candidate is anything but a folder whose name ends in one of `suffixes` (given without the dot). Linked folders
    are not entered.
    """
    top = os.path.realpath(root)
    endings = tuple(f".{suffix}" for suffix in suffixes)
    # One open folder a level: a list of the folders to come would be as long as the corpus.
    opened = [os.scandir(f"{top}/{language}")] if Path(top, language).is_dir() else []
    while opened:
        item = next(opened[-1], None)
        if item is None:
            opened.pop().close()
        elif item.is_dir(follow_symlinks=False):
            opened.append(os.scandir(item.path))
        elif item.name.endswith(endings) and not (item.is_symlink() and Path(item.path).is_dir()):
            yield _entry(item, top)


def _name_bytes(name: str) -> bytes:
    """A file name's bytes, also where they are no valid text."""
    return name.encode(sys.getfilesystemencoding(), "surrogateescape")


def _text(name: str) -> str:
    """A file name as valid text."""
    return _name_bytes(name).decode("utf-8", "backslashreplace")


def fingerprint(root: str | Path, language: str, suffixes: list[str]) -> str:
    """Changes when a file of the language, or the manifest, is added, changed, renamed or removed; reads no contents.

    A sum of hashes over path, size and time of change, so that neither order nor number of files costs memory. Times
    are in whole seconds, because archives and copies keep no more.
    """
    manifest = Path(root, MANIFEST)
    total = int(manifest.stat().st_mtime) if manifest.is_file() else 0
    for entry in entries(root, language, suffixes):
        line = b"%s\0%d\0%d\0%s" % (_name_bytes(entry.path), entry.size, entry.mtime, str(entry.fault).encode())
        total = (total + int.from_bytes(hashlib.sha256(line).digest()[:16], "big")) % _WORD
    return f"{total:032x}"


def natural(path: str) -> list[tuple[int, str]]:
    """What sorts paths with their numbers by value, so that `Source_2` comes before `Source_10`."""
    return [(int(part), "") if part.isdecimal() and part.isascii() else (-1, part) for part in _DIGITS.split(path)]


def chosen(root: str | Path, language: str, suffixes: list[str], first: int | None) -> Iterator[Entry]:
    """The candidates of a language: all in no particular order, or the `first` ones in natural order of their paths."""
    found = entries(root, language, suffixes)
    return (
        found if first is None else iter(nsmallest(first, found, key=lambda entry: (natural(entry.path), entry.path)))
    )


def _manifest_lines(manifest: Path) -> Iterator[str]:
    """Lines of the manifest; raise `InputError` for one that is far too long."""
    with manifest.open(encoding="utf-8", errors="backslashreplace", newline="") as stream:
        while line := stream.readline(_LONGEST_LINE):
            if len(line) == _LONGEST_LINE:
                raise InputError(f"{manifest} has a line of more than {_LONGEST_LINE} characters; replace it")
            yield line


def licenses(root: str | Path, language: str) -> dict[str, str]:
    """License of each path of the language, from the columns `path` and `license` of the corpus's MANIFEST.tsv.

    `path` names a file or the folder that contains it. The column may be spelled `licence`. Empty when the corpus has
    no manifest.
    """
    manifest = Path(root, MANIFEST)
    if not manifest.is_file():
        return {}
    found = {}
    for row in csv.DictReader(_manifest_lines(manifest), delimiter="\t", quoting=csv.QUOTE_NONE):
        path, license = row.get("path") or "", row.get("license") or row.get("licence")
        if license and path.startswith(f"{language}/"):
            found[path] = sys.intern(license)
    return found


def _read(root: Path, entry: Entry, corpus: Mapping[str, Any]) -> Record:
    """The record of one candidate; of a file over `max_bytes` nothing is read."""
    path = _text(entry.path)
    if entry.fault:
        return Record(path, sha256_text(f"path:{path}"), 0, rejected=entry.fault)
    top = os.path.realpath(root)
    target = _text(os.path.relpath(os.path.realpath(Path(top, entry.path)), top))
    unread = Record(path, sha256_text(f"path:{target}"), entry.size, rejected="too_large")
    if entry.size > corpus["max_bytes"]:
        return unread
    with Path(root, entry.path).open("rb") as stream:
        data = stream.read(corpus["max_bytes"] + 1)
    if len(data) > corpus["max_bytes"]:
        return unread
    found = decode(data, corpus["encodings"], corpus["max_bad_bytes"])
    text = {"source": found.text, "encoding": found.encoding, "rejected": found.rejected}
    doubts = {"bad_bytes": found.bad_bytes, "uncertain": found.uncertain}
    return Record(path, hashlib.sha256(data).hexdigest(), len(data), **text, **doubts)


def records(root: str | Path, language: str, suffixes: list[str], corpus: Mapping[str, Any]) -> Iterator[Record]:
    """Every candidate file of a language, or the `first` ones, read and decoded; `corpus` are the config's settings."""
    known = licenses(root, language)
    for entry in chosen(root, language, suffixes, corpus["first"]):
        record = _read(Path(root), entry, corpus)
        license = known.get(record.path) or known.get(record.path.rpartition("/")[0])
        yield record if license is None else replace(record, license=license)
