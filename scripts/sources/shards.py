"""Writes unique sources in shards that depend on their content only, and exact duplicates as
aliases.
"""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from scripts.lib.files import sha256_file
from scripts.lib.parquet import write_table
from scripts.lib.schemas.sources import ALIASES
from scripts.sources.external_sort import ExternalSort, leading

_BATCH = 256


def unique_rows(rows: ExternalSort, keys: tuple[str, ...], order: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """One row for each value of `keys`, the first by `order`; all in order of `keys`, which start
    with the hash.
    """
    for part in rows.tables():
        table = part.take(pc.sort_indices(part, sort_keys=[(name, "ascending") for name in (*keys, *order)]))
        for batch in table.filter(_first_of_run(table, keys)).to_batches(_BATCH):
            yield from batch.to_pylist()


def _first_of_run(table: pa.Table, keys: tuple[str, ...]) -> pa.Array:
    """For each row of a sorted table, whether its keys differ from those of the previous row."""
    differ = pa.array([False] * (table.num_rows - 1), pa.bool_())
    for key in keys:
        column = table[key].combine_chunks()
        differ = pc.or_(differ, pc.not_equal(column[1:], column[:-1]))
    return pa.concat_arrays([pa.array([True]), differ])


def _dropped(rows: list[dict[str, str]]) -> Iterator[dict[str, str]]:
    """Alias rows for the rows of one content, in order of path.

    Where a data set has a list of programs for each variant, a program that is once in each list is
    not a duplicate: only the repetitions in one list count, in the list that has most of them.
    """
    lists: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        lists.setdefault(row["variant"], []).append(row)
    kept = {"kept_id": rows[0]["id"], "kept_path": rows[0]["path"]}
    for row in max(lists.values(), key=len)[1:]:
        yield {"path": row["path"], "source_sha256": row["source_sha256"], **kept}


def write_aliases(rows: ExternalSort, path: str | Path) -> dict[str, int]:
    """Write a row for each program dropped because another one has the same bytes, in order of hash
    and path.

    Returns how many rows are `duplicates` of others, how many contents are `unique`, how many of
    these `rejected`.
    """
    counts = {"duplicates": 0, "unique": 0, "rejected": 0}

    def aliases() -> Iterator[dict[str, str]]:
        for part in rows.tables(["source_sha256", "path", "variant", "id", "rejected"]):
            ordered = sorted(part.to_pylist(), key=itemgetter("source_sha256", "path"))
            for _, same in groupby(ordered, key=itemgetter("source_sha256")):
                group = list(same)
                counts["unique"] += 1
                counts["rejected"] += group[0]["rejected"] is not None
                yield from _dropped(group)

    counts["duplicates"] = write_table(path, aliases(), ALIASES.schema)
    return counts


def shard_name(number: int) -> str:
    """The name of a shard in paths: three digits, more where there are more shards."""
    return f"{number:03d}"


class _Shards:
    """Sorted rows, divided into shards with one row of lookahead."""

    def __init__(self, rows: Iterator[dict[str, Any]], shards: int) -> None:
        self.rows, self.shards = rows, shards
        self.next_row = next(rows, None)

    def shard(self, number: int) -> Iterator[dict[str, Any]]:
        """The rows of the next shard; to be called in the order of numbers."""
        while self.next_row is not None and leading(self.next_row["source_sha256"], self.shards) == number:
            yield self.next_row
            self.next_row = next(self.rows, None)


def replace_if_changed(path: Path, rows: Iterator[dict[str, Any]], schema: pa.Schema) -> dict[str, Any]:
    """Write a shard unless the file has the same content; return its number of rows and SHA-256."""
    fresh = path.with_name(f".fresh-{path.name}")
    count = write_table(fresh, rows, schema)
    digest = sha256_file(fresh)
    if path.exists() and sha256_file(path) == digest:
        fresh.unlink()
    else:
        fresh.replace(path)
    return {"rows": count, "sha256": digest}


def write_shards(rows: Iterator[dict[str, Any]], folder: Path, shards: int, schema: pa.Schema) -> dict[str, Any]:
    """Write rows in order of hash to `<folder>/<shard>.parquet` in `shards` shards, and remove any
    others.

    Returns rows and SHA-256 of each shard's file by its name.
    """
    divided = _Shards(rows, shards)
    index = {}
    for number in range(shards):
        name = shard_name(number)
        index[name] = replace_if_changed(folder / f"{name}.parquet", divided.shard(number), schema)
    for stale in folder.glob("[0-9]*.parquet"):
        if stale.stem not in index:
            stale.unlink()
    return index
