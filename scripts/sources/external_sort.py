"""External sort: rows are distributed to files by the leading bits of their hash, so that each file
fits in memory.

The same leading bits determine a row's shard. The sorted parts in order are therefore all rows in
order, and the shards are consecutive ranges of them, whatever their number.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

_PREFIX_DIGITS = 8
_PREFIX_BITS = 4 * _PREFIX_DIGITS
# Rows are written when their texts in memory reach this many bytes, over all parts.
_BUFFER_BYTES = 32 << 20
# Approximate size of a row without its texts.
_ROW_BYTES = 500
_OPTIONS = pa.ipc.IpcWriteOptions(compression="zstd")


def leading(sha256: str, count: int) -> int:
    """The index of a hexadecimal hash among `count` (a power of two) equal ranges of hash space."""
    return int(sha256[:_PREFIX_DIGITS], 16) * count >> _PREFIX_BITS


def power_of_two(least: float) -> int:
    """The smallest power of two that is at least `least`, and at least one."""
    count = 1
    while count < least:
        count *= 2
    return count


class ExternalSort:
    """Rows of one schema, with a `source_sha256` and long `texts` among their columns, in `parts`
    temporary files.

    A part is a file of consecutive Arrow streams, so that no file stays open and memory does not
    grow with the number of rows.
    """

    def __init__(self, folder: Path, parts: int, schema: pa.Schema, texts: tuple[str, ...]) -> None:
        self.folder, self.parts, self.schema, self.texts = folder, parts, schema, texts
        self.pending: dict[int, list[dict[str, Any]]] = {}
        self.size = 0
        folder.mkdir(parents=True)

    def _path(self, part: int) -> Path:
        return self.folder / f"{part}.arrows"

    def add(self, row: dict[str, Any]) -> None:
        """Add a row; write to disk when enough rows are pending."""
        self.pending.setdefault(leading(row["source_sha256"], self.parts), []).append(row)
        self.size += _ROW_BYTES + sum(len(row[text] or "") for text in self.texts)
        if self.size > _BUFFER_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write the pending rows; all rows added so far can then be read."""
        for part, rows in self.pending.items():
            with self._path(part).open("ab") as file, pa.ipc.new_stream(file, self.schema, options=_OPTIONS) as stream:
                stream.write_table(pa.Table.from_pylist(rows, schema=self.schema))
        self.pending, self.size = {}, 0

    def tables(self, columns: list[str] | None = None) -> Iterator[pa.Table]:
        """The parts in order of hash, each a table in memory with unsorted rows; empty parts are
        skipped.
        """
        for part in range(self.parts):
            if self._path(part).exists():
                yield pa.concat_tables(self._streams(part, columns or self.schema.names))

    def _streams(self, part: int, columns: list[str]) -> Iterator[pa.Table]:
        size = self._path(part).stat().st_size
        with pa.OSFile(str(self._path(part)), "rb") as file:
            while file.tell() < size:
                yield pa.ipc.open_stream(file).read_all().select(columns)
