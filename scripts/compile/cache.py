"""Outcomes of earlier compilations, so that an interrupted job resumes and unchanged programs cost
nothing.

There is one SQLite file for each sixteenth of a language's programs. Shards are cut by the same
hash, so that jobs that run at the same time rarely use the same file. It is a cache: damaged files
are deleted, their outcomes computed again.
"""

import contextlib
import json
import logging
import sqlite3
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from scripts.compile.compile_program import Result
from scripts.lib.schemas.ir import CompileStatus

_TABLE = "CREATE TABLE IF NOT EXISTS outcomes (key TEXT PRIMARY KEY, content BLOB NOT NULL) WITHOUT ROWID"
_BUSY_SECONDS = 60


class Cache:
    """Outcomes by key, a SHA-256 in hexadecimal digits; without a `folder` nothing is stored."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.connections: dict[str, sqlite3.Connection] = {}

    def _connection(self, folder: Path, part: str) -> sqlite3.Connection:
        """The open file of a part."""
        if part not in self.connections:
            folder.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(folder / f"{part}.sqlite", timeout=_BUSY_SECONDS, isolation_level=None)
            # A crash of the machine may damage the file; that costs time, but never gives a wrong
            # outcome.
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute(_TABLE)
            self.connections[part] = connection
        return self.connections[part]

    @contextlib.contextmanager
    def _usable(self, folder: Path, part: str) -> Iterator[None]:
        """Delete a damaged file, and continue without the cache if it cannot be used."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            logging.warning("cache %s/%s.sqlite: %s", folder, part, error)
            connection = self.connections.pop(part, None)
            if connection is not None:
                connection.close()
            if not isinstance(error, sqlite3.OperationalError):
                Path(folder, f"{part}.sqlite").unlink(missing_ok=True)

    def get(self, part: str, key: str) -> Result | None:
        """The outcome stored under `key` in the file `part`; None if there is none or it is
        damaged.
        """
        values = self.get_values(part, key)
        if values is None:
            return None
        try:
            return Result(**{**values, "status": CompileStatus(values["status"])})
        except (TypeError, ValueError, KeyError):
            return None

    def put(self, part: str, key: str, result: Result) -> None:
        """Store an outcome under `key` in the file `part`."""
        self.put_values(part, key, asdict(result))

    def get_values(self, part: str, key: str) -> dict[str, Any] | None:
        """The JSON values by name under `key` in the file `part`; None if there are none or they
        are damaged.
        """
        row = None
        if self.folder is not None:
            with self._usable(self.folder, part):
                connection = self._connection(self.folder, part)
                row = connection.execute("SELECT content FROM outcomes WHERE key = ?", (key,)).fetchone()
        return _unpacked(row[0]) if row else None

    def put_values(self, part: str, key: str, values: Mapping[str, Any]) -> None:
        """Store JSON values by name under `key` in the file `part`."""
        if self.folder is None:
            return
        with self._usable(self.folder, part):
            content = (key, _packed(values))
            self._connection(self.folder, part).execute("INSERT OR REPLACE INTO outcomes VALUES (?, ?)", content)


def _packed(values: Mapping[str, Any]) -> bytes:
    """Values as compressed bytes, which contain a checksum (zlib's)."""
    return zlib.compress(json.dumps(values).encode(), 6)


def _unpacked(content: bytes) -> dict[str, Any] | None:
    """The values that `_packed` wrote; None if the bytes are damaged."""
    try:
        values = json.loads(zlib.decompress(content))
    except (zlib.error, ValueError, TypeError):
        return None
    return values if isinstance(values, dict) else None
