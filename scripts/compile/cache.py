"""Outcomes of earlier compilations, so that a broken-off job resumes and unchanged programs cost nothing.

One SQLite file for each sixteenth of a language's programs. Shards are cut by the same hash, so jobs that run at once
hardly ever meet in a file. It is a cache: what is damaged is thrown away and worked out again.
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
    """Outcomes by key, a SHA-256 in hexadecimal digits; `folder` None keeps nothing."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.connections: dict[str, sqlite3.Connection] = {}

    def _connection(self, part: str) -> sqlite3.Connection:
        """The open file of a part."""
        if part not in self.connections:
            self.folder.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self.folder / f"{part}.sqlite", timeout=_BUSY_SECONDS, isolation_level=None)
            # A crash of the machine may damage the file; that costs time, never a wrong outcome.
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute(_TABLE)
            self.connections[part] = connection
        return self.connections[part]

    @contextlib.contextmanager
    def _usable(self, part: str) -> Iterator[None]:
        """Throw a damaged file away, and go on without the cache where it cannot be used."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            broken = isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)
            logging.warning("cache %s/%s.sqlite: %s", self.folder, part, error)
            connection = self.connections.pop(part, None)
            if connection is not None:
                connection.close()
            if broken:
                Path(self.folder, f"{part}.sqlite").unlink(missing_ok=True)

    def get(self, part: str, key: str) -> Result | None:
        """The outcome kept under `key` in the file `part`; None when there is none, or a damaged one."""
        values = self.get_values(part, key)
        if values is None:
            return None
        try:
            return Result(**{**values, "status": CompileStatus(values["status"])})
        except (TypeError, ValueError, KeyError):
            return None

    def put(self, part: str, key: str, result: Result) -> None:
        """Keep an outcome."""
        self.put_values(part, key, asdict(result))

    def get_values(self, part: str, key: str) -> dict[str, Any] | None:
        """JSON values by name kept under `key` in the file `part`; None when there are none, or damaged ones."""
        if self.folder is None:
            return None
        with self._usable(part):
            row = self._connection(part).execute("SELECT content FROM outcomes WHERE key = ?", (key,)).fetchone()
            return _unpacked(row[0]) if row else None
        return None

    def put_values(self, part: str, key: str, values: Mapping[str, Any]) -> None:
        """Keep JSON values by name."""
        if self.folder is None:
            return
        with self._usable(part):
            content = (key, _packed(values))
            self._connection(part).execute("INSERT OR REPLACE INTO outcomes VALUES (?, ?)", content)


def _packed(values: Mapping[str, Any]) -> bytes:
    """Values as bytes, with a checksum inside (zlib's)."""
    return zlib.compress(json.dumps(values).encode(), 6)


def _unpacked(content: bytes) -> dict[str, Any] | None:
    """The values that `_packed` wrote; None when the bytes are damaged."""
    try:
        return json.loads(zlib.decompress(content))
    except (zlib.error, ValueError, TypeError):
        return None
