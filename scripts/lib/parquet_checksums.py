"""Checksums of a parquet file, stored in the file where no reader looks: between row groups and
footer.

Parquet's own checksums cover the data of pages, but neither the headers of pages nor the footer,
where most bit flips change what is read. Here each column of each row group has a CRC-32 of all its
bytes, so that reading some columns requires no others, and a SHA-256 covers these CRCs and the
footer. Other parquet readers ignore them.

    row groups | CRCs as JSON | length of the JSON | SHA-256 | mark | footer | length of the footer | PAR1
"""

import hashlib
import io
import json
import os
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

import pyarrow.parquet as pq

_MARK = b"column checksum\n"
_END = struct.Struct("<I4s")  # length of the footer, and parquet's own mark
_LENGTH = struct.Struct("<I")
_BLOCK = 1 << 20


def _column_bytes(column: pq.ColumnChunkMetaData) -> tuple[int, int]:
    """Offset and length in bytes of a column of a row group."""
    dictionary = column.dictionary_page_offset if column.has_dictionary_page else None
    first = column.data_page_offset if dictionary is None else min(dictionary, column.data_page_offset)
    return first, column.total_compressed_size


def _column_sum(file: BinaryIO, column: pq.ColumnChunkMetaData) -> int:
    """CRC-32 of a column of a row group."""
    start, left = _column_bytes(column)
    file.seek(start)
    total = 0
    while left and (block := file.read(min(left, _BLOCK))):
        total = zlib.crc32(block, total)
        left -= len(block)
    return total


def _sums(file: BinaryIO, about: pq.FileMetaData) -> list[list[int]]:
    """CRC-32 of each column of each row group."""
    groups = [about.row_group(number) for number in range(about.num_row_groups)]
    return [[_column_sum(file, group.column(column)) for column in range(group.num_columns)] for group in groups]


def _footer_start(file: BinaryIO) -> int:
    """Offset of the footer of a parquet file; negative when the file is too short."""
    size = file.seek(0, os.SEEK_END)
    if size < _END.size:
        return -1
    file.seek(size - _END.size)
    length, _ = _END.unpack(file.read(_END.size))
    return size - _END.size - length


def add_checksums(path: str | Path) -> None:
    """Add checksums to a parquet file without any."""
    with Path(path).open("r+b") as file:
        start = _footer_start(file)
        file.seek(start)
        footer = file.read()
        sums = json.dumps(_sums(file, pq.read_metadata(path)), separators=(",", ":")).encode()
        record = sums + _LENGTH.pack(len(sums))
        file.seek(start)
        file.write(record + hashlib.sha256(record + footer).digest() + _MARK + footer)


def read_checksums(path: str | Path) -> list[list[int]] | None:
    """CRC-32 of each column of each row group; None for a file without checksums.

    Raises `ValueError` when the footer has changed since the file was written.
    """
    with Path(path).open("rb") as file:
        start = _footer_start(file)
        end = start - len(_MARK) - hashlib.sha256().digest_size - _LENGTH.size
        if end < 0:
            return None
        file.seek(end)
        content = file.read()
    stream = io.BytesIO(content)
    length, digest, mark = stream.read(_LENGTH.size), stream.read(hashlib.sha256().digest_size), stream.read(len(_MARK))
    if mark != _MARK:
        return None
    return _checked_sums(path, end, length, digest, stream.read())


def _checked_sums(path: str | Path, end: int, length: bytes, digest: bytes, footer: bytes) -> list[list[int]]:
    """The checksums that end at offset `end`, verified by their digest; see the format above."""
    (size,) = _LENGTH.unpack(length)
    with Path(path).open("rb") as file:
        file.seek(max(0, end - size))
        sums = file.read(min(size, end))
    if hashlib.sha256(sums + length + footer).digest() != digest:
        raise ValueError("its footer has changed since it was written")
    return json.loads(sums)


def check_group(
    path: str | Path, group: pq.RowGroupMetaData, sums: Sequence[int], columns: Sequence[str] | None
) -> None:
    """Raise `ValueError` when a column of a row group has changed since it was written; `columns`
    None means all.
    """
    with Path(path).open("rb") as file:
        for number, expected in enumerate(sums):
            column = group.column(number)
            name = column.path_in_schema.partition(".")[0]
            if (columns is None or name in columns) and _column_sum(file, column) != expected:
                raise ValueError(f"column {name} has changed since it was written")
