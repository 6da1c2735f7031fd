"""Sorting more rows than memory holds: rows go to files by the leading bits of their hash, each file is then small.

A row's shard is given by the same leading bits, so the parts in order, each sorted, are all rows in order, and shards
of any number are consecutive stretches of them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

_PREFIX_DIGITS = 8
_PREFIX_BITS = 4 * _PREFIX_DIGITS
# Rows wait in memory until their texts reach this many bytes, over all parts.
_BUFFER_BYTES = 32 << 20
# What a row takes beside its texts, roughly.
_ROW_BYTES = 500
_OPTIONS = pa.ipc.IpcWriteOptions(compression="zstd")


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
    """Rows of one schema, with a `source_sha256` and long `texts` among their columns, in `parts` temporary files.

    A part is a file of Arrow streams one after the other: no handle stays open and no index grows, however many rows
    there are.
    """

    def __init__(self, folder: Path, parts: int, schema: pa.Schema, texts: tuple[str, ...]) -> None:
        self.folder, self.parts, self.schema, self.texts = folder, parts, schema, texts
        self.waiting: dict[int, list[dict[str, Any]]] = {}
        self.size = 0
        folder.mkdir(parents=True)

    def _path(self, part: int) -> Path:
        return self.folder / f"{part}.arrows"

    def add(self, row: dict[str, Any]) -> None:
        """Take one row in; writes to disk whenever enough is waiting."""
        self.waiting.setdefault(leading(row["source_sha256"], self.parts), []).append(row)
        self.size += _ROW_BYTES + sum(len(row[text] or "") for text in self.texts)
        if self.size > _BUFFER_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what is waiting; all rows taken in so far can then be read."""
        for part, rows in self.waiting.items():
            with self._path(part).open("ab") as file, pa.ipc.new_stream(file, self.schema, options=_OPTIONS) as stream:
                stream.write_table(pa.Table.from_pylist(rows, schema=self.schema))
        self.waiting, self.size = {}, 0

    def tables(self, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """The parts in order of hash, each a table in memory, rows unsorted; empty parts are left out."""
        for part in range(self.parts):
            if self._path(part).exists():
                yield pa.concat_tables(self._streams(part, columns or self.schema.names))

    def _streams(self, part: int, columns: list[str]) -> Iterator[pa.Table]:
        size = self._path(part).stat().st_size
        with pa.OSFile(str(self._path(part))) as file:
            while file.tell() < size:
                yield pa.ipc.open_stream(file).read_all().select(columns)
