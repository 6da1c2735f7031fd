"""External sort: each process writes the rows of its part of the corpus to a file of its own (a run),
grouped by the leading bits of their hash; a range of hashes (a part) of all runs fits in memory.

The same leading bits determine a row's shard. The sorted parts in order are therefore all rows in
order, and the shards are consecutive ranges of them, whatever their number.
"""

import struct
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, cast

import numpy as np
import pyarrow as pa

_PREFIX_DIGITS = 8
_PREFIX_BITS = 4 * _PREFIX_DIGITS
# Rows of a run are written when their texts in memory reach this many bytes.
_BUFFER_BYTES = 128 << 20
# Approximate size of a row without its texts.
_ROW_BYTES = 500
# Rows that become an Arrow table at once, which takes less memory than dictionaries.
_PIECE_ROWS = 256
PART_BYTES = 32 << 20
MOST_PARTS = 1024
# One call for a whole group of rows: Arrow's own compression starts anew for each column.
_CODEC: Final = "zstd"
# At the end of a run: number of entries of the index, number of rows, and a mark.
_TRAILER = struct.Struct("<qq8s")
_MARK = b"SORTED01"
_ENTRY = ("part", "offset", "size", "unpacked")


def leading(sha256: str, count: int) -> int:
    """The index of a hexadecimal hash among `count` equal ranges of hash space."""
    return int(sha256[:_PREFIX_DIGITS], 16) * count >> _PREFIX_BITS


def all_leading(rows: pa.Table, count: int) -> np.ndarray:
    """`leading` of the `source_sha256` of each row, shape (n,) int64."""
    hashes = cast(list[str], rows["source_sha256"].to_pylist())
    return np.array([int(sha256[:_PREFIX_DIGITS], 16) for sha256 in hashes], dtype=np.int64) * count >> _PREFIX_BITS


def part_count(text_bytes: int) -> int:
    """Number of parts, a power of two, for rows with so many bytes of text."""
    count = 1
    while count < min(text_bytes / PART_BYTES, MOST_PARTS):
        count *= 2
    return count


class RunWriter:
    """Writes one run: a context manager around a file that is open for writing.

    schema: has a `source_sha256`. texts: columns with long texts.
    """

    def __init__(self, file: BinaryIO, parts: int, schema: pa.Schema, texts: tuple[str, ...]) -> None:
        self.file, self.parts, self.schema, self.texts = file, parts, schema, texts
        self.rows = 0
        self._codec = pa.Codec(_CODEC)
        self._pending: list[dict[str, Any]] = []
        self._tables: list[pa.Table] = []
        self._bytes = 0
        self._index: list[tuple[int, int, int, int]] = []

    def __enter__(self) -> "RunWriter":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            self._flush()
            index = np.array(sorted(self._index), dtype="<i8").reshape(-1, len(_ENTRY))
            self.file.write(index.tobytes() + _TRAILER.pack(len(index), self.rows, _MARK))

    def add(self, row: dict[str, Any]) -> None:
        """Add a row; write to the file when enough rows are pending."""
        self._pending.append(row)
        self.rows += 1
        self._bytes += _ROW_BYTES + sum(len(row[text] or "") for text in self.texts)
        if len(self._pending) == _PIECE_ROWS:
            self._convert()
        if self._bytes > _BUFFER_BYTES:
            self._flush()

    def _convert(self) -> None:
        self._tables.append(pa.Table.from_pylist(self._pending, schema=self.schema))
        self._pending = []

    def _flush(self) -> None:
        """Write the rows in memory, part by part."""
        self._convert()
        table = pa.concat_tables(self._tables).combine_chunks()
        self._tables, self._bytes = [], 0
        parts = all_leading(table, self.parts)
        order = np.argsort(parts, kind="stable")
        table = table.take(order)
        numbers, starts, counts = np.unique(parts[order], return_index=True, return_counts=True)
        for part, start, count in zip(numbers.tolist(), starts.tolist(), counts.tolist(), strict=True):
            self._write(part, table.slice(start, count))

    def _write(self, part: int, rows: pa.Table) -> None:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self.schema) as stream:
            stream.write_table(rows)
        unpacked = sink.getvalue()
        packed = self._codec.compress(unpacked, asbytes=True)
        self._index.append((part, self.file.tell(), len(packed), unpacked.size))
        self.file.write(packed)


class _Run:
    """A run that is open for reading: number of `rows`, and `index` (n, 4) int64, in order of part."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        size = file.seek(-_TRAILER.size, 2)
        entries, self.rows, mark = _TRAILER.unpack(file.read(_TRAILER.size))
        if mark != _MARK:
            raise ValueError(f"{file.name} is not a whole run of the external sort")
        length = entries * len(_ENTRY) * 8
        file.seek(size - length)
        self.index = np.frombuffer(file.read(length), dtype="<i8").reshape(-1, len(_ENTRY))

    def tables(self, part: int, codec: pa.Codec) -> Iterator[pa.Table]:
        start, stop = np.searchsorted(self.index[:, 0], [part, part + 1])
        for _, offset, size, unpacked in self.index[start:stop].tolist():
            self.file.seek(offset)
            yield pa.ipc.open_stream(codec.decompress(self.file.read(size), unpacked)).read_all()


class SortedRuns:
    """The runs of a corpus, read part by part: a context manager that keeps their files open."""

    def __init__(self, paths: Sequence[Path], parts: int) -> None:
        self.paths, self.parts = paths, parts
        self._stack = ExitStack()

    def __enter__(self) -> "SortedRuns":
        self._runs = [_Run(self._stack.enter_context(path.open("rb"))) for path in self.paths]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    @property
    def rows(self) -> int:
        """Number of rows of all runs."""
        return sum(run.rows for run in self._runs)

    def tables(self, columns: list[str] | None = None, start: int = 0, stop: int | None = None) -> Iterator[pa.Table]:
        """The parts from `start` to before `stop` in order of hash, each a table in memory with rows
        in the order of the runs; empty parts are skipped.
        """
        codec = pa.Codec(_CODEC)
        for part in range(start, self.parts if stop is None else stop):
            tables = [table for run in self._runs for table in run.tables(part, codec)]
            if tables:
                yield pa.concat_tables(tables if columns is None else [table.select(columns) for table in tables])
