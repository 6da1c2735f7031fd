"""A corpus as a folder tree: `<Language>/Source_<n>/source.<suffix>`, flat folders, or anything between."""

import csv
import hashlib
import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from scripts.lib.files import sha256_file, sha256_text
from scripts.sources.decode import decode
from scripts.sources.record import Record

MANIFEST = "MANIFEST.tsv"
_WORD = 1 << 128


@dataclass(frozen=True)
class Entry:
    """A candidate file: path below the corpus (posix), bytes, time of change, why it cannot be read."""

    path: str
    size: int
    mtime_ns: int
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
    return Entry(Path(item.path).relative_to(root).as_posix(), size, status.st_mtime_ns, fault)


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


def fingerprint(root: str | Path, language: str, suffixes: list[str]) -> str:
    """Changes when a file of the language, or the manifest, is added, changed, renamed or removed; reads no contents.

    A sum of hashes over path, size and time of change, so that neither order nor number of files costs memory.
    """
    manifest = Path(root, MANIFEST)
    total = manifest.stat().st_mtime_ns if manifest.is_file() else 0
    for entry in entries(root, language, suffixes):
        line = b"%s\0%d\0%d\0%s" % (_name_bytes(entry.path), entry.size, entry.mtime_ns, str(entry.fault).encode())
        total = (total + int.from_bytes(hashlib.sha256(line).digest()[:16], "big")) % _WORD
    return f"{total:032x}"


def licences(root: str | Path, language: str) -> dict[str, str]:
    """Licence of each path of the language, from the columns `path` and `licence` of the corpus's MANIFEST.tsv.

    `path` names the file or the folder that holds it. Empty when the corpus has no manifest.
    """
    manifest = Path(root, MANIFEST)
    if not manifest.is_file():
        return {}
    found = {}
    with manifest.open(encoding="utf-8", errors="backslashreplace", newline="") as stream:
        for row in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE):
            path, licence = row.get("path") or "", row.get("licence")
            if licence and path.startswith(f"{language}/"):
                found[path] = sys.intern(licence)
    return found


def _read(root: Path, entry: Entry, max_bytes: int, encodings: list[str]) -> Record:
    """The record of one candidate; a file over `max_bytes` is hashed and left unread."""
    path = _name_bytes(entry.path).decode("utf-8", "backslashreplace")
    if entry.fault:
        return Record(path, sha256_text(f"path:{path}"), 0, rejected=entry.fault)
    file = root / entry.path
    if entry.size > max_bytes:
        return Record(path, sha256_file(file), entry.size, rejected="too_large")
    data = file.read_bytes()
    decoded = decode(data, encodings)
    digest = hashlib.sha256(data).hexdigest()
    return Record(path, digest, len(data), decoded.text, decoded.encoding, decoded.rejected)


def records(
    root: str | Path, language: str, suffixes: list[str], max_bytes: int, encodings: list[str]
) -> Iterator[Record]:
    """Every candidate file of a language, read and decoded, in no particular order."""
    known = licences(root, language)
    for entry in entries(root, language, suffixes):
        record = _read(Path(root), entry, max_bytes, encodings)
        licence = known.get(record.path) or known.get(record.path.rpartition("/")[0])
        yield record if licence is None else replace(record, licence=licence)
