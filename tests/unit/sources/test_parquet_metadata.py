"""Parquet files whose metadata does not tell the truth end in one line, in bounded memory."""

import os
import random
import resource
import struct

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scripts.lib.job import InputError
from scripts.sources import parquet_rows, tables
from scripts.sources.reader_process import items_of

MB = 1 << 20
COLUMNS = {"source": "source", "license": "license"}


def read(path, columns=COLUMNS):
    return list(tables.rows_of(path, columns, MB))


def as_varint(number: int, width: int = 0) -> bytes:
    """A number as thrift writes it, in at least `width` bytes."""
    rest, out = number * 2, bytearray()
    while rest > 127 or len(out) < width - 1:
        out.append(rest & 127 | 128)
        rest >>= 7
    return bytes([*out, rest])


def with_number(path, number: int, lie: int) -> None:
    """Replace a number in a file's metadata."""
    data = path.read_bytes()
    start = len(data) - 8 - struct.unpack("<I", data[-8:-4])[0]
    true = as_varint(number)
    assert true in data[start:]
    path.write_bytes(data[:start] + data[start:].replace(true, as_varint(lie, len(true))))


@pytest.fixture
def honest(tmp_path):
    path = tmp_path / "c.parquet"
    rows = {"source": [f"int main(){{return {n};}}" for n in range(333)], "license": ["mit"] * 333}
    pq.write_table(pa.table(rows), path, row_group_size=111)
    return path


def test_an_honest_file_is_read_whole(honest):
    assert [row["source"] for row in read(honest)][-1] == b"int main(){return 332;}"


def test_a_row_group_that_states_a_small_size_does_not_fill_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet_rows, "_MOST_UNPACKED", 8 * MB)
    path = tmp_path / "bomb.parquet"
    pq.write_table(pa.table({"source": ["a" * (4 * MB)] * 32}), path, compression="zstd", use_dictionary=False)
    stated = pq.read_metadata(path).row_group(0).column(0).total_uncompressed_size
    with_number(path, stated, 1000)
    assert pq.read_metadata(path).row_group(0).column(0).total_uncompressed_size == 1000
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InputError, match=f"^{path} needs far more memory for a few rows than its metadata states"):
        read(path, {"source": "source"})
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 32 * 1024


@pytest.mark.parametrize("lie", [1, 8000])
def test_wrong_numbers_of_rows_are_one_line_or_rows(honest, lie):
    with_number(honest, 111, lie)
    try:
        assert 0 < len(read(honest)) <= 3 * 8000
    except InputError as error:
        assert str(error).startswith(f"{honest} ")


def test_damaged_metadata_never_ends_the_job(honest):
    """About one change in two is noticed; some let Arrow abort."""
    data = honest.read_bytes()
    start, random_ = len(data) - 8 - struct.unpack("<I", data[-8:-4])[0], random.Random(3)
    refused = 0
    for _ in range(40):
        changed = bytearray(data)
        changed[random_.randrange(start, len(data) - 8)] = random_.choice([0, 1, 127, 128, 255])
        honest.write_bytes(changed)
        try:
            read(honest)
        except InputError as error:
            refused += 1
            assert str(error).startswith(f"{honest} ") or f"{honest}: " in str(error)
            assert "\n" not in str(error)
    assert refused > 10


def test_an_abort_of_the_reader_is_one_line(tmp_path):
    def aborts():
        yield 1
        os.abort()

    path = tmp_path / "c.parquet"
    items = items_of(path, aborts)
    assert next(items) == 1
    with pytest.raises(InputError, match=rf"^{path} cannot be read: its content ended the reader \(SIGABRT\)"):
        next(items)


def test_the_size_of_a_corpus_is_read_in_a_process_of_its_own(honest):
    corpus = {"columns": {"source": "source", "ir": None}, "names": {}, "files": "{language}.parquet"}
    [rows] = tables.all_rows(honest.parent, "c", corpus).values()
    assert [each.first for each in rows] == [0, 111, 222]
    assert sum(each.source_bytes for each in rows) > 3 * 111 * 10
    honest.write_bytes(b"PAR1" + b"\0" * 20 + b"PAR1")
    with pytest.raises(InputError, match="is not a whole parquet file"):
        tables.all_rows(honest.parent, "c", corpus)
