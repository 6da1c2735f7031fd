"""Checks that the files of a corpus still have the bytes that a run read."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scripts.lib.files import sha256_file
from scripts.lib.parquet import iter_rows
from scripts.lib.schemas.sources import Rejection

# Files whose bytes were not read, so that their digest is one of the path.
_UNREAD = (Rejection.TOO_LARGE, Rejection.SYMLINK_OUTSIDE, Rejection.NOT_REGULAR)


def _programs(results: Path) -> Iterator[tuple[str, str]]:
    """Path and SHA-256 of every file that was read, exact duplicates included."""
    for table in sorted(results.glob("sources/*/[0-9]*.parquet")):
        for row in iter_rows(table, ["path", "source_sha256", "rejected"]):
            if row["rejected"] not in _UNREAD:
                yield row["path"], row["source_sha256"]
    for table in sorted(results.glob("sources/*/aliases.parquet")):
        for row in iter_rows(table, ["path", "source_sha256"]):
            yield row["path"], row["source_sha256"]


def corpus_faults(results: Path, project: Path, corpus: dict[str, Any]) -> Iterator[str]:
    """Files of a corpus in a folder that are missing or have changed since they were read.

    `corpus` is that section of the run's config. A corpus of tables, or one that this machine does
    not have, is not checked: the run's copies of its programs are, by their digests.
    """
    root = Path(project, corpus["path"])
    if corpus["format"] != "tree" or corpus["dataset"] is not None or not root.is_dir():
        return
    for path, digest in _programs(results):
        file = root / path
        if not file.is_file():
            yield f"corpus: {path}: is missing"
        elif sha256_file(file) != digest:
            yield f"corpus: {path}: has changed since the run read it"
