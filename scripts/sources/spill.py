"""Sorting more rows than memory holds: rows go to files by the leading bits of their hash, each file is then small.

A row's shard is given by the same leading bits, so the parts in order, each sorted, are all rows in order, and shards
of any number are consecutive stretches of them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from scripts.lib.parquet import read_table

_PREFIX_DIGITS = 8
_PREFIX_BITS = 4 * _PREFIX_DIGITS
# Rows wait in memory until their texts reach this many bytes, over all parts.
_BUFFER_BYTES = 32 << 20


def leading(sha256: str, count: int) -> int:
    """Which of `count` (a power of two) equal stretches of hash space a hexadecimal hash lies in."""
    return int(sha256[:_PREFIX_DIGITS], 16) * count >> _PREFIX_BITS


def power_of_two(least: float) -> int:
    """The smallest power of two that is at least `least`, and at least one."""
    count = 1
    while count < least:
        count *= 2
    return count


class Spill:
    """Rows of one schema, with a `source_sha256` and optional long texts, in `parts` temporary parquet files."""

    def __init__(self, folder: Path, parts: int, schema: pa.Schema, texts: tuple[str, ...]) -> None:
        self.folder, self.parts, self.schema, self.texts = folder, parts, schema, texts
        self.writers: dict[int, pq.ParquetWriter] = {}
        self.waiting: dict[int, list[dict[str, Any]]] = {}
        self.size = 0
        folder.mkdir(parents=True)

    def _path(self, part: int) -> Path:
        return self.folder / f"{part}.parquet"

    def add(self, row: dict[str, Any]) -> None:
        """Take one row in; writes to disk whenever enough is waiting."""
        self.waiting.setdefault(leading(row["source_sha256"], self.parts), []).append(row)
        self.size += 200 + sum(len(row[text] or "") for text in self.texts)
        if self.size > _BUFFER_BYTES:
            self._flush()

    def _flush(self) -> None:
        for part, rows in self.waiting.items():
            if part not in self.writers:
                self.writers[part] = pq.ParquetWriter(self._path(part), self.schema, compression="zstd")
            self.writers[part].write_table(pa.Table.from_pylist(rows, schema=self.schema))
        self.waiting, self.size = {}, 0

    def close(self) -> None:
        """Write what is waiting; rows can be read from then on."""
        self._flush()
        for writer in self.writers.values():
            writer.close()
        self.writers = {}

    def tables(self, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """The parts in order of hash, each a table in memory, rows unsorted; empty parts are left out."""
        for part in range(self.parts):
            if self._path(part).exists():
                yield read_table(self._path(part), columns)
