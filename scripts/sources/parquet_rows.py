"""How rows of a parquet file of unknown origin are unpacked: in bounded memory, texts as bytes."""

from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from scripts.lib.job import InputError
from scripts.lib.parquet import open_table

_BATCH = 64
# Bytes of a column of a row group that are unpacked at once regardless of the number of rows.
_MOST_UNPACKED = 256 << 20


def _bytes_type(kind: pa.DataType) -> pa.DataType:
    """A type with bytes in place of texts, and values in place of references to a dictionary."""
    if pa.types.is_dictionary(kind):
        return _bytes_type(kind.value_type)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return pa.large_list(_bytes_type(kind.value_type))
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    return pa.large_binary() if is_text else kind


def as_bytes(column: pa.Array) -> pa.Array:
    """Texts as bytes, so that invalid UTF-8 can be read; other values unchanged."""
    values = column.dictionary_decode() if isinstance(column, pa.DictionaryArray) else column
    return values.cast(_bytes_type(values.type))


def _rows_at_once(path: Path, group: pq.RowGroupMetaData, allowed: Mapping[str, int]) -> int:
    """Number of rows of a row group to unpack at once, so that they fit in memory however long
    values are.

    `allowed` is the average size in bytes that values of each column may have. Raises `InputError`
    for a row group that is far larger when unpacked, because a page may be as large as the row
    group.
    """
    chunks = [group.column(number) for number in range(group.num_columns)]
    sizes = dict.fromkeys(allowed, 0)
    for chunk in chunks:
        # The path of a column of lists continues with the name of its elements.
        for column in allowed:
            if f"{chunk.path_in_schema}.".startswith(f"{column}."):
                sizes[column] += chunk.total_uncompressed_size
    for column, most in allowed.items():
        if sizes[column] > max(_MOST_UNPACKED, most * group.num_rows):
            held = f"{sizes[column] >> 20} MB in {group.num_rows} rows of column '{column}'"
            raise InputError(f"{path} has {held} in one row group; write fewer rows a group, or raise corpus.max_bytes")
    return max(1, min(_BATCH, _MOST_UNPACKED // max(1, *sizes.values())))


def _stated_bytes(group: pq.RowGroupMetaData) -> int:
    """Unpacked bytes of a row group, as its metadata states."""
    return sum(group.column(number).total_uncompressed_size for number in range(group.num_columns))


def unpacking(path: Path, columns: Mapping[str, int]) -> tuple[int, int]:
    """The number of rows of a file to unpack at once, and how many bytes that may take.

    columns: the average size in bytes that values of each column may have.
    """
    with open_table(path) as file:
        groups = [file.metadata.row_group(number) for number in range(file.num_row_groups)]
    rows = min((_rows_at_once(path, group, columns) for group in groups), default=_BATCH)
    # A page and its rows; a reader may copy them.
    return rows, 3 * max(map(_stated_bytes, groups), default=0) + 4 * _MOST_UNPACKED
