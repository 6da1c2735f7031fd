"""Parquet tables with deterministic bytes."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from scripts.lib.files import atomic_path
from scripts.lib.job import InputError

# Small enough that a reader who streams one row group of 300 kB texts stays within some hundred megabytes.
ROWS_PER_GROUP = 1000


def write_table(path: str | Path, rows: pa.Table | Iterable[dict[str, Any] | pa.RecordBatch], schema: pa.Schema) -> int:
    """Write rows (a table, dictionaries, or record batches) as zstd parquet, atomically; return how many.

    The bytes depend on rows, schema and library version alone: row groups hold `ROWS_PER_GROUP` rows however the rows
    arrive, and no metadata of pandas or of the machine is stored.
    """
    written = 0
    with atomic_path(path) as temporary, pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
        for table in _groups(rows, schema):
            writer.write_table(table, row_group_size=ROWS_PER_GROUP)
            written += table.num_rows
    return written


def _groups(rows: pa.Table | Iterable[dict[str, Any] | pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """Cut rows of any of the accepted forms into tables of `ROWS_PER_GROUP` rows."""
    pending: list[dict[str, Any]] = []
    for row in _records(rows):
        pending.append(row)
        if len(pending) == ROWS_PER_GROUP:
            yield pa.Table.from_pylist(pending, schema=schema)
            pending = []
    if pending:
        yield pa.Table.from_pylist(pending, schema=schema)


def _records(rows: pa.Table | Iterable[dict[str, Any] | pa.RecordBatch]) -> Iterator[dict[str, Any]]:
    """Rows of any of the accepted forms, one dictionary at a time."""
    for part in rows.to_batches() if isinstance(rows, pa.Table) else rows:
        if isinstance(part, dict):
            yield part
        else:
            yield from part.to_pylist()


def open_table(path: str | Path) -> pq.ParquetFile:
    """Open a parquet file; raise `InputError` naming it when it is truncated or no parquet at all."""
    try:
        return pq.ParquetFile(path)
    except pa.ArrowInvalid as error:
        raise InputError(f"{path} is not a whole parquet file ({error}); delete it and run again") from error


def read_table(path: str | Path, columns: list[str] | None = None) -> pa.Table:
    """The whole table, or some of its columns; raise `InputError` when the file is damaged."""
    with open_table(path) as file:
        try:
            return file.read(columns=columns)
        except (pa.ArrowInvalid, OSError) as error:
            raise InputError(f"{path} is damaged ({error}); delete it and run again") from error


def iter_rows(path: str | Path, columns: list[str] | None = None, batch_size: int = 256) -> Iterator[dict[str, Any]]:
    """Rows one by one, a row group's batch in memory at a time; raise `InputError` when the file is damaged."""
    with open_table(path) as file:
        try:
            for batch in file.iter_batches(batch_size=batch_size, columns=columns):
                yield from batch.to_pylist()
        except (pa.ArrowInvalid, OSError) as error:
            raise InputError(f"{path} is damaged ({error}); delete it and run again") from error
