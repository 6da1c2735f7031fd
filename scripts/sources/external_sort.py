"""External sort: each process writes the rows of its part of the corpus to a file of its own (a run),
grouped by the leading bits of their hash; a range of hashes (a part) of all runs fits in memory.

The same leading bits determine a row's shard. The sorted parts in order are therefore all rows in
order, and the shards are consecutive ranges of them, whatever their number.
"""

import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, cast

import numpy as np
import pyarrow as pa

from scripts.lib.job import InputError

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
# One call for a whole group of rows: Arrow's own compression starts again for each column.
_CODEC: Final = "zstd"
# Rows of consecutive parts are packed together until they have this many bytes, so that many parts
# cost little more than few.
_STREAM_BYTES = 64 << 10
# Parts are read together until they have this many bytes.
_WINDOW_BYTES = PART_BYTES // 4
# At the end of a run: number of entries of the index, number of rows, CRC-32 of the index and of
# these numbers, and a mark.
_TRAILER = struct.Struct("<qqq8s")
_MARK = b"SORTED02"
# An entry for each stream of rows: in which sorted sequence it is, its first and last part, where it
# is in the file, its packed and its unpacked size, and the CRC-32 of the packed bytes.
_ENTRY = ("sequence", "first", "last", "offset", "size", "unpacked", "checksum")


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
        self._index: list[tuple[int, ...]] = []
        self._sequences = 0

    def __enter__(self) -> "RunWriter":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            self._flush()
            index = np.array(self._index, dtype="<i8").reshape(-1, len(_ENTRY)).tobytes()
            count = len(self._index)
            self.file.write(index + _TRAILER.pack(count, self.rows, _index_sum(index, count, self.rows), _MARK))

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
        parts = parts[order]
        starts = [0, *(np.flatnonzero(np.diff(parts)) + 1).tolist(), len(parts)]
        row_bytes = table.nbytes / max(1, table.num_rows)
        first = 0
        for start in starts[1:]:
            if (start - first) * row_bytes >= _STREAM_BYTES or start == len(parts):
                if start > first:
                    self._write(int(parts[first]), int(parts[start - 1]), table.slice(first, start - first))
                first = start
        self._sequences += 1

    def _write(self, first: int, last: int, rows: pa.Table) -> None:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self.schema) as stream:
            stream.write_table(rows)
        unpacked = sink.getvalue()
        packed = self._codec.compress(unpacked, asbytes=True)
        sizes = self.file.tell(), len(packed), unpacked.size
        self._index.append((self._sequences, first, last, *sizes, zlib.crc32(packed)))
        self.file.write(packed)


class _Sequence:
    """The streams of one sorted sequence of a run, read in the order of their parts."""

    def __init__(self, file: BinaryIO, entries: np.ndarray, parts: int) -> None:
        self.file, self.entries, self.parts = file, entries, parts
        self._next = 0
        self._rest: pa.Table | None = None
        self._codec = pa.Codec(_CODEC)

    def skip_to(self, part: int) -> None:
        """Leave out the rows of the parts before one."""
        self._next = int(np.searchsorted(self.entries[:, 2], part))
        for _ in self.up_to(part):
            pass

    def up_to(self, part: int) -> Iterator[pa.Table]:
        """The rows that were not read yet of the parts before one."""
        if self._rest is not None:
            rest, self._rest = self._rest, None
            yield self._cut(rest, part)
        while self._next < len(self.entries) and self.entries[self._next, 1] < part:
            _, _, last, offset, size, unpacked, checksum = self.entries[self._next].tolist()
            self._next += 1
            self.file.seek(offset)
            packed = self.file.read(size)
            if zlib.crc32(packed) != checksum:
                raise _damaged(self.file)
            table = pa.ipc.open_stream(self._codec.decompress(packed, unpacked)).read_all()
            yield table if last < part else self._cut(table, part)

    def _cut(self, table: pa.Table, part: int) -> pa.Table:
        """The rows of a stream before a part; the others are kept."""
        stop = int(np.searchsorted(all_leading(table, self.parts), part))
        if stop < table.num_rows:
            self._rest = table.slice(stop)
        return table.slice(0, stop)


def _damaged(file: BinaryIO) -> InputError:
    """The error for a run that has changed since it was written."""
    return InputError(f"{file.name} is damaged: it has changed since it was written; delete it and run again")


def _index_sum(index: bytes, entries: int, rows: int) -> int:
    """Checksum of an index and of the numbers after it."""
    return zlib.crc32(struct.pack("<qq", entries, rows), zlib.crc32(index))


def _index_of(file: BinaryIO) -> tuple[np.ndarray, int]:
    """The index of a run, shape (n, 7) int64, and its number of rows; raise `InputError` if it has
    changed since it was written.
    """
    size = file.seek(0, 2) - _TRAILER.size
    if size < 0:
        raise _damaged(file)
    file.seek(size)
    entries, rows, checksum, mark = _TRAILER.unpack(file.read(_TRAILER.size))
    length = entries * len(_ENTRY) * 8
    if mark != _MARK or not 0 <= length <= size:
        raise _damaged(file)
    file.seek(size - length)
    index = file.read(length)
    if _index_sum(index, entries, rows) != checksum:
        raise _damaged(file)
    return np.frombuffer(index, dtype="<i8").reshape(-1, len(_ENTRY)), rows


class SortedRuns:
    """The runs of a corpus, read part by part: a context manager that keeps their files open."""

    def __init__(self, paths: Sequence[Path], parts: int) -> None:
        self.paths, self.parts, self.rows = paths, parts, 0
        self._stack = ExitStack()

    def __enter__(self) -> "SortedRuns":
        self._files = []
        for path in self.paths:
            file = self._stack.enter_context(path.open("rb"))
            index, rows = _index_of(file)
            self._files.append((file, index))
            self.rows += rows
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def _windows(self, start: int, stop: int) -> Iterator[int]:
        """Where to stop each time when parts are read together as long as they are small."""
        sizes = np.zeros(self.parts, dtype=np.int64)
        for _, index in self._files:
            np.add.at(sizes, index[:, 1], index[:, 5])
        total = 0
        for part in range(start, stop):
            if total and total + sizes[part] > _WINDOW_BYTES:
                yield part
                total = 0
            total += int(sizes[part])
        yield stop

    def tables(self, columns: list[str] | None = None, start: int = 0, stop: int | None = None) -> Iterator[pa.Table]:
        """The parts from `start` to before `stop` in order of hash: tables in memory, each with the
        rows of one or more parts, in the order of the runs.
        """
        sequences = [
            _Sequence(file, index[index[:, 0] == number], self.parts)
            for file, index in self._files
            for number in np.unique(index[:, 0])
        ]
        for sequence in sequences if start else []:
            sequence.skip_to(start)
        for end in self._windows(start, self.parts if stop is None else stop):
            tables = [table for sequence in sequences for table in sequence.up_to(end) if table.num_rows]
            if tables:
                yield pa.concat_tables(tables if columns is None else [table.select(columns) for table in tables])
