"""Unique sources cut into shards by their content alone, exact duplicates into the alias table."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from scripts.lib.files import sha256_file
from scripts.lib.parquet import write_table
from scripts.sources.record import ALIAS_SCHEMA, SCHEMA
from scripts.sources.spill import Spill, leading

_BATCH = 256


def sorted_part(part: pa.Table) -> tuple[pa.Table, pa.ChunkedArray]:
    """A part in order of hash, then path, and for each row whether it is the first of its hash."""
    table = part.take(pc.sort_indices(part, sort_keys=[("source_sha256", "ascending"), ("path", "ascending")]))
    hashes = table["source_sha256"].combine_chunks()
    return table, pa.concat_arrays([pa.array([True]), pc.not_equal(hashes[1:], hashes[:-1])])


def unique_rows(spill: Spill) -> Iterator[dict[str, Any]]:
    """One row for each content, that of the smallest path, in order of hash."""
    for part in spill.tables():
        table, first = sorted_part(part)
        for batch in table.filter(first).to_batches(_BATCH):
            yield from batch.to_pylist()


def _dropped(table: pa.Table, first: pa.ChunkedArray) -> Iterator[dict[str, str]]:
    """Alias rows of one sorted part."""
    kept: dict[str, str] = {}
    for row, is_first in zip(table.to_pylist(), first.to_pylist(), strict=True):
        if is_first:
            kept = {"kept_id": row["id"], "kept_path": row["path"]}
        else:
            yield {"path": row["path"], "source_sha256": row["source_sha256"], **kept}


def write_aliases(spill: Spill, path: str | Path) -> dict[str, int]:
    """Write a row for each file dropped because another one has the same bytes, in order of hash and path.

    Returns how many rows are `duplicates` of others, how many contents are `unique`, how many of these `rejected`.
    """
    counts = {"duplicates": 0, "unique": 0, "rejected": 0}

    def rows() -> Iterator[dict[str, str]]:
        for part in spill.tables(["source_sha256", "path", "id", "rejected"]):
            table, first = sorted_part(part)
            unique = table.filter(first)
            counts["unique"] += unique.num_rows
            counts["rejected"] += unique.num_rows - unique["rejected"].null_count
            yield from _dropped(table, first)

    counts["duplicates"] = write_table(path, rows(), ALIAS_SCHEMA)
    return counts


def shard_name(number: int) -> str:
    """The name of a shard in paths: three digits, more where there are more shards."""
    return f"{number:03d}"


class _Cut:
    """Sorted rows, given out shard by shard without holding more than one row back."""

    def __init__(self, rows: Iterator[dict[str, Any]], shards: int) -> None:
        self.rows, self.shards = rows, shards
        self.ahead = next(rows, None)

    def shard(self, number: int) -> Iterator[dict[str, Any]]:
        """The rows of the next shard; call in order of number."""
        while self.ahead is not None and leading(self.ahead["source_sha256"], self.shards) == number:
            yield self.ahead
            self.ahead = next(self.rows, None)


def replace_if_changed(path: Path, rows: Iterator[dict[str, Any]], schema: pa.Schema) -> dict[str, Any]:
    """Write a shard, leaving an equal file untouched; return its number of rows and SHA-256."""
    fresh = path.with_name(f".fresh-{path.name}")
    count = write_table(fresh, rows, schema)
    digest = sha256_file(fresh)
    if path.exists() and sha256_file(path) == digest:
        fresh.unlink()
    else:
        fresh.replace(path)
    return {"rows": count, "sha256": digest}


def write_shards(spill: Spill, folder: Path, shards: int) -> dict[str, dict[str, Any]]:
    """Write all unique rows to `<folder>/<shard>.parquet`, in `shards` shards; remove those of an earlier division.

    Returns rows and SHA-256 of each shard's file by its name.
    """
    cut = _Cut(unique_rows(spill), shards)
    names = [shard_name(number) for number in range(shards)]
    index = {
        name: replace_if_changed(folder / f"{name}.parquet", cut.shard(number), SCHEMA)
        for number, name in enumerate(names)
    }
    for stale in folder.glob("[0-9]*.parquet"):
        if stale.stem not in index:
            stale.unlink()
    return index
