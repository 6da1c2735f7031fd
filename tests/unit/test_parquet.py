"""Parquet tables: the same rows give the same bytes, and damage is named."""

import pyarrow as pa
import pytest

from scripts.lib import parquet
from scripts.lib.job import InputError
from scripts.lib.parquet import ROWS_PER_GROUP, TableWriter, iter_rows, open_table, read_table, write_table

SCHEMA = pa.schema([("id", pa.string()), ("n", pa.int64())])


def rows(count):
    return [{"id": f"{i:05d}", "n": i} for i in range(count)]


def test_bytes_do_not_depend_on_how_rows_arrive(tmp_path):
    count = 2 * ROWS_PER_GROUP + 7
    table = pa.Table.from_pylist(rows(count), schema=SCHEMA)
    write_table(tmp_path / "dicts", iter(rows(count)), SCHEMA)
    write_table(tmp_path / "table", table, SCHEMA)
    write_table(tmp_path / "batches", table.to_batches(max_chunksize=13), SCHEMA)
    contents = {(tmp_path / name).read_bytes() for name in ("dicts", "table", "batches")}
    assert len(contents) == 1
    assert open_table(tmp_path / "dicts").num_row_groups == 3


def test_round_trip_and_empty(tmp_path):
    assert write_table(tmp_path / "t", rows(5), SCHEMA) == 5
    assert list(iter_rows(tmp_path / "t")) == rows(5)
    assert read_table(tmp_path / "t", ["n"]).column_names == ["n"]
    assert write_table(tmp_path / "none", [], SCHEMA) == 0
    assert read_table(tmp_path / "none").schema == SCHEMA


@pytest.mark.parametrize("keep", [0, 3, 60])
def test_truncated_table_is_named(tmp_path, keep):
    path = tmp_path / "t.parquet"
    write_table(path, rows(50), SCHEMA)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError, match=r"t\.parquet"):
        list(iter_rows(path))


def test_long_texts_end_a_row_group(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "BYTES_PER_GROUP", 1000)
    long = [{"id": "x" * size, "n": size} for size in (1, 998, 1, 5000, 400, 400, 400, 3)]
    write_table(tmp_path / "dicts", long, SCHEMA)
    with TableWriter(tmp_path / "pieces", SCHEMA) as writer:
        for row in long:
            writer.write([row])
    groups = open_table(tmp_path / "dicts").metadata
    assert [groups.row_group(i).num_rows for i in range(groups.num_row_groups)] == [3, 1, 3, 1]
    assert (tmp_path / "dicts").read_bytes() == (tmp_path / "pieces").read_bytes()
    assert writer.written == len(long)


def test_failed_writer_leaves_nothing(tmp_path):
    with pytest.raises(KeyError), TableWriter(tmp_path / "t", SCHEMA) as writer:
        writer.write(rows(3))
        raise KeyError("spoiled")
    assert list(tmp_path.iterdir()) == []
