"""Parquet tables: the same rows give the same bytes, and damage is named."""

import random

import pyarrow as pa
import pyarrow.parquet as pq
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


MIXED = pa.schema(
    [("id", pa.string()), ("ir", pa.string()), ("seconds", pa.float64()), ("rewrites", pa.list_(pa.string()))]
)


def mixed_rows(count):
    return [
        {"id": f"{i:04d}", "ir": None if i % 3 == 0 else f"define void @f{i}()\n" * (i % 7), "seconds": i / 4}
        | {"rewrites": ["a", "b"][: i % 3]}
        for i in range(count)
    ]


@pytest.mark.parametrize("count", [1, 2500])
@pytest.mark.parametrize("where", ["anywhere", "near the end"])
def test_no_flipped_bit_is_read_as_other_rows(tmp_path, count, where):
    path, broken, chosen = tmp_path / "t.parquet", tmp_path / "broken.parquet", random.Random(count)
    write_table(path, mixed_rows(count), MIXED)
    data, expected = path.read_bytes(), list(iter_rows(path))
    assert expected == mixed_rows(count)
    named = 0
    for _ in range(60):
        changed = bytearray(data)
        first = 0 if where == "anywhere" else max(0, len(data) - 2500)
        changed[chosen.randrange(first, len(data))] ^= 1 << chosen.randrange(8)
        broken.write_bytes(changed)
        try:
            assert list(iter_rows(broken)) == expected
        except InputError as error:
            named += 1
            assert str(broken) in str(error)
            assert "\n" not in str(error)
    assert named > 50


def test_a_flip_in_another_column_is_no_matter(tmp_path):
    path = tmp_path / "t.parquet"
    write_table(path, mixed_rows(50), MIXED)
    with open_table(path) as file:
        column = file.metadata.row_group(0).column(1)
    data = bytearray(path.read_bytes())
    data[column.dictionary_page_offset + column.total_compressed_size // 2] ^= 1
    path.write_bytes(data)
    assert read_table(path, ["id", "rewrites"]).num_rows == 50
    for columns in (["ir"], None):
        with pytest.raises(InputError, match=r"t\.parquet is damaged \(column ir has changed since it was written"):
            read_table(path, columns)


def test_other_readers_read_our_tables_and_we_read_theirs(tmp_path):
    table = pa.Table.from_pylist(mixed_rows(20), schema=MIXED)
    write_table(tmp_path / "ours", table, MIXED)
    assert pq.read_table(tmp_path / "ours").equals(table)
    pq.write_table(table, tmp_path / "theirs")
    assert read_table(tmp_path / "theirs").equals(table)
    assert list(iter_rows(tmp_path / "theirs")) == mixed_rows(20)


def test_a_text_that_is_not_utf8_is_reported_with_the_file(tmp_path):
    damaged = pa.array([b"a", b"\xff"]).view(pa.string())
    pq.write_table(pa.table({"id": damaged}), tmp_path / "t.parquet")
    with pytest.raises(InputError, match=r"t.parquet is damaged \('utf-8' codec"):
        list(iter_rows(tmp_path / "t.parquet"))


def test_a_missing_table_is_reported_as_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_table(tmp_path / "none")


def test_a_table_in_parts_is_read_like_one_file(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "ROWS_PER_GROUP", 10)
    schema = pa.schema([("id", pa.int64()), ("text", pa.string())])
    rows = [{"id": number, "text": f"{number:0500}"} for number in range(95)]
    write_table(tmp_path / "one.parquet", rows, schema)
    for name, pieces in (("whole.parquet", [rows]), ("pieces.parquet", [[row] for row in rows])):
        with TableWriter(tmp_path / name, schema, part_bytes=2000) as writer:
            for piece in pieces:
                writer.write(piece)
        assert writer.written == 95
    parts = parquet.parts_of(tmp_path / "whole.parquet")
    assert [part.name for part in parts] == [f"{number:05}.parquet" for number in range(len(parts))]
    assert 1 < len(parts) < 10
    sizes = [part.stat().st_size for part in parts[:-1]]
    assert all(2000 <= size < 6000 for size in sizes), sizes
    others = parquet.parts_of(tmp_path / "pieces.parquet")
    assert [part.read_bytes() for part in parts] == [part.read_bytes() for part in others]
    assert read_table(tmp_path / "whole.parquet") == read_table(tmp_path / "one.parquet")
    assert list(iter_rows(tmp_path / "whole.parquet", ["id"])) == [{"id": row["id"]} for row in rows]
    assert pq.read_table(tmp_path / "whole.parquet").num_rows == 95


def test_a_table_in_parts_without_rows_is_one_part(tmp_path):
    schema = pa.schema([("id", pa.int64())])
    with TableWriter(tmp_path / "t.parquet", schema, part_bytes=1000):
        pass
    assert [part.name for part in parquet.parts_of(tmp_path / "t.parquet")] == ["00000.parquet"]
    assert read_table(tmp_path / "t.parquet").schema == schema


def test_a_table_in_parts_is_whole_or_absent(tmp_path):
    with (
        pytest.raises(KeyboardInterrupt),
        TableWriter(tmp_path / "t.parquet", pa.schema([("id", pa.int64())]), part_bytes=1) as writer,
    ):
        writer.write([{"id": number} for number in range(ROWS_PER_GROUP + 1)])
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())
