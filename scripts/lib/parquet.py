"""Parquet tables with deterministic bytes: a file, or a folder of parts that is read like one."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from scripts.lib.files import atomic_directory, atomic_path
from scripts.lib.job import InputError
from scripts.lib.parquet_checksums import add_checksums, check_group, read_checksums

# A row group ends after this many rows or bytes of text, which bounds the memory that streaming
# needs.
ROWS_PER_GROUP = 1000
BYTES_PER_GROUP = 64 << 20
_PIECE = 64
_REMEDY = "delete it and run again, or replace it where it is a file of the corpus"

Rows = pa.Table | Iterable[dict[str, Any] | pa.RecordBatch]


def _pieces(rows: Rows, schema: pa.Schema) -> Iterator[pa.Table]:
    """Rows in any accepted form as small tables of the schema."""
    pending: list[dict[str, Any]] = []
    for part in [rows] if isinstance(rows, pa.Table) else rows:
        if isinstance(part, dict):
            pending.append(part)
        if pending and (len(pending) == _PIECE or not isinstance(part, dict)):
            yield pa.Table.from_pylist(pending, schema=schema)
            pending = []
        if not isinstance(part, dict):
            yield (part if isinstance(part, pa.Table) else pa.Table.from_batches([part])).cast(schema)
    if pending:
        yield pa.Table.from_pylist(pending, schema=schema)


def _text_bytes(table: pa.Table) -> np.ndarray:
    """Bytes of text in each row, shape (rows,)."""
    total = np.zeros(table.num_rows, dtype=np.int64)
    for column in table.columns:
        if pa.types.is_string(column.type) or pa.types.is_binary(column.type):
            total += pc.fill_null(pc.binary_length(column), 0).to_numpy()
    return total


@contextmanager
def _with_checksums(path: Path) -> Iterator[None]:
    """Add checksums to the parquet file that the body writes, unless the body fails."""
    yield
    add_checksums(path)


class TableWriter:
    """A zstd parquet table that is written in pieces: a context manager whose file is there,
    complete, at a clean exit.

    The bytes depend on rows, schema and library version only. Row groups do not depend on the
    pieces in which rows arrive, and no metadata of pandas or of the machine is stored. The file
    contains checksums (`scripts.lib.parquet_checksums`).

    With `part_bytes`, the path is a folder of consecutive parts, `00000.parquet` and so on, each a
    file that ends with the row group that makes it so large.
    """

    def __init__(self, path: str | Path, schema: pa.Schema, part_bytes: int | None = None) -> None:
        self.schema, self.written, self.part_bytes = schema, 0, part_bytes
        self._stack = ExitStack()
        self._waiting: list[pa.Table] = []
        self._rows = self._bytes = 0
        self._path = Path(path)
        self._parts = 0
        self._file: pq.ParquetWriter | None = None

    def __enter__(self) -> "TableWriter":
        if self.part_bytes is not None:
            self._path = self._stack.enter_context(atomic_directory(self._path))
        self._part = self._stack.enter_context(ExitStack())
        return self

    def __exit__(self, kind: type | None, *details: Any) -> None:
        if kind is None:
            self._flush()
            if not self._parts:
                self._open()
        self._stack.__exit__(kind, *details)

    def write(self, rows: Rows) -> None:
        """Add rows: a table, dictionaries, or record batches."""
        for piece in _pieces(rows, self.schema):
            self._add(piece)

    def _add(self, piece: pa.Table) -> None:
        """Add a piece, cut where a row group ends: after the row that fills it."""
        sizes = _text_bytes(piece)
        start = 0
        while start < piece.num_rows:
            reached = np.cumsum(sizes[start : start + ROWS_PER_GROUP - self._rows])
            stop = min(int(np.searchsorted(reached, BYTES_PER_GROUP - self._bytes)) + 1, len(reached))
            self._waiting.append(piece.slice(start, stop))
            self._rows, self._bytes = self._rows + stop, self._bytes + int(reached[stop - 1])
            if self._rows == ROWS_PER_GROUP or self._bytes >= BYTES_PER_GROUP:
                self._flush()
            start += stop

    def _open(self) -> pq.ParquetWriter:
        """Start the file, or the next part."""
        path = self._path if self.part_bytes is None else self._path / f"{self._parts:05}.parquet"
        temporary = self._part.enter_context(atomic_path(path))
        self._part.enter_context(_with_checksums(temporary))
        self._sink = self._part.enter_context(pa.OSFile(str(temporary), "wb"))
        self._parts += 1
        return self._part.enter_context(pq.ParquetWriter(self._sink, self.schema, compression="zstd"))

    def _flush(self) -> None:
        if self._waiting:
            self._file = self._file or self._open()
            # One chunk, because the writer ends a page at the end of a chunk.
            group = pa.concat_tables(self._waiting).combine_chunks()
            self._file.write_table(group, row_group_size=ROWS_PER_GROUP)
            if self.part_bytes is not None and self._sink.tell() >= self.part_bytes:
                self._part.close()
                self._file = None
        self.written += self._rows
        self._waiting, self._rows, self._bytes = [], 0, 0


def write_table(path: str | Path, rows: Rows, schema: pa.Schema) -> int:
    """Write rows (a table, dictionaries, or record batches) as a parquet file, atomically; return
    their number.
    """
    with TableWriter(path, schema) as writer:
        writer.write(rows)
    return writer.written


@contextmanager
def _naming(path: str | Path, fault: str) -> Iterator[None]:
    """Turn errors of pyarrow about damaged content into an `InputError` that names the file."""
    try:
        yield
    except (pa.ArrowException, TypeError, ValueError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise InputError(f"{path} {fault} ({' '.join(str(error).split())}); {_REMEDY}") from error


class CheckedFile:
    """A parquet file whose bytes are compared with its checksums, if it has any, before they are
    decoded.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = path
        with _naming(path, "is not a whole parquet file"):
            self.checksums = read_checksums(path)
            self._file = pq.ParquetFile(path)

    def __enter__(self) -> "CheckedFile":
        return self

    def __exit__(self, *details: object) -> None:
        self._file.close()

    @property
    def metadata(self) -> pq.FileMetaData:
        """The footer's metadata."""
        return self._file.metadata

    @property
    def num_row_groups(self) -> int:
        """Number of row groups."""
        return self._file.num_row_groups

    @property
    def schema_arrow(self) -> pa.Schema:
        """The schema of the table."""
        return self._file.schema_arrow

    def _check(self, groups: Iterable[int], columns: Sequence[str] | None) -> None:
        """Raise `ValueError` when a column of one of the row groups has changed since it was
        written.
        """
        if self.checksums is not None:
            for group in groups:
                check_group(self.path, self.metadata.row_group(group), self.checksums[group], columns)

    def check(self) -> None:
        """Compare all bytes of the table with its checksums, where it has any."""
        with _naming(self.path, "is damaged"):
            self._check(range(self.num_row_groups), None)

    def read(self, columns: list[str] | None = None) -> pa.Table:
        """The whole table, or some of its columns."""
        with _naming(self.path, "is damaged"):
            self._check(range(self.num_row_groups), columns)
            return self._file.read(columns=columns)

    def read_row_group(self, group: int, columns: list[str] | None = None) -> pa.Table:
        """One row group, or some of its columns."""
        with _naming(self.path, "is damaged"):
            self._check([group], columns)
            return self._file.read_row_group(group, columns=columns)

    def iter_batches(
        self, batch_size: int = 256, columns: list[str] | None = None, groups: Iterable[int] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """Batches of consecutive rows of one row group, at most `batch_size` each; of all row groups,
        or of `groups`.
        """
        for group in range(self.num_row_groups) if groups is None else groups:
            with _naming(self.path, "is damaged"):
                self._check([group], columns)
                batches = self._file.iter_batches(batch_size=batch_size, columns=columns, row_groups=[group])
            while (batch := self._next(batches)) is not None:
                yield batch

    def _next(self, batches: Iterator[pa.RecordBatch]) -> pa.RecordBatch | None:
        with _naming(self.path, "is damaged"):
            return next(batches, None)


def open_table(path: str | Path) -> CheckedFile:
    """Open a parquet file; raise `InputError` when it is damaged, truncated, or not a parquet file."""
    return CheckedFile(path)


def parts_of(path: str | Path) -> list[Path]:
    """The files of a table in the order of its rows: the file itself, or the parts of a folder."""
    path = Path(path)
    return sorted(path.glob("*.parquet")) if path.is_dir() else [path]


def check_table(path: str | Path) -> None:
    """Raise `InputError` when a byte of a parquet table with checksums has changed; other files
    pass.
    """
    if Path(path).suffix == ".parquet":
        with open_table(path) as file:
            file.check()


def read_table(path: str | Path, columns: list[str] | None = None) -> pa.Table:
    """The whole table, or some of its columns; raise `InputError` when a file is damaged."""
    tables = []
    for part in parts_of(path):
        with open_table(part) as file:
            tables.append(file.read(columns=columns))
    return pa.concat_tables(tables)


def iter_batches(path: str | Path, columns: list[str] | None = None, batch_size: int = 256) -> Iterator[pa.RecordBatch]:
    """Batches of rows, one in memory at a time; raise `InputError` when a file is damaged."""
    for part in parts_of(path):
        with open_table(part) as file:
            yield from file.iter_batches(batch_size=batch_size, columns=columns)


def iter_rows(path: str | Path, columns: list[str] | None = None, batch_size: int = 256) -> Iterator[dict[str, Any]]:
    """Rows one at a time; raise `InputError` when a file is damaged."""
    for batch in iter_batches(path, columns, batch_size):
        with _naming(path, "is damaged"):
            rows = batch.to_pylist()
        yield from rows
