"""Writes unique sources in shards that depend on their content only, and exact duplicates as
aliases.
"""

import hashlib
from collections.abc import Iterator
from itertools import groupby, pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scripts.lib.files import sha256_file
from scripts.lib.parquet import write_table
from scripts.lib.schemas.sources import ALIASES
from scripts.sources.external_sort import SortedRuns, all_leading

_BATCH = 256
# Shards of a corpus that grows are cut again when their number changes. Above this number it changes
# in steps of about a sixteenth.
_STEPS = 16


def shard_count(rows: int, shard_size: int) -> int:
    """Number of shards for so many sources: the smallest that keeps the average at `shard_size` or
    below; where it is large, up to 6 % more, so that it rarely changes.
    """
    count = max(1, -(-rows // shard_size))
    step = 1
    while count > 2 * _STEPS * step:
        step *= 2
    return -(-count // step) * step


def in_order(part: pa.Table, keys: tuple[str, ...], order: tuple[str, ...]) -> pa.Table:
    """One row of a part for each value of `keys`, the first by `order`; in the order of `keys`."""
    table = part.take(pc.sort_indices(part, sort_keys=[(name, "ascending") for name in (*keys, *order)]))
    return table.filter(_first_of_run(table, keys))


def _first_of_run(table: pa.Table, keys: tuple[str, ...]) -> pa.Array:
    """For each row of a sorted table, whether its keys differ from those of the previous row."""
    if not table.num_rows:
        return pa.array([], pa.bool_())
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
    original = {"kept_id": rows[0]["id"], "kept_path": rows[0]["path"]}
    for row in max(lists.values(), key=len)[1:]:
        yield {"path": row["path"], "source_sha256": row["source_sha256"], **original}


def write_aliases(rows: SortedRuns, path: str | Path) -> dict[str, int]:
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


def by_shard(parts: Iterator[pa.Table], shards: int) -> Iterator[tuple[int, pa.Table]]:
    """Tables with sorted rows, cut where a shard ends: the number of the shard, and its next rows."""
    for part in parts:
        numbers = all_leading(part, shards)
        changes = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(numbers)]
        for start, stop in pairwise(changes):
            if stop > start:
                yield int(numbers[start]), part.slice(start, stop - start)


class _Shards:
    """Sorted rows, divided into shards with one piece of lookahead."""

    def __init__(self, pieces: Iterator[tuple[int, pa.Table]]) -> None:
        self.pieces = pieces
        self.next_piece = next(pieces, None)

    def shard(self, number: int) -> Iterator[pa.RecordBatch]:
        """The rows of the next shard; to be called in the order of numbers."""
        while self.next_piece is not None and self.next_piece[0] == number:
            yield from self.next_piece[1].to_batches(_BATCH)
            self.next_piece = next(self.pieces, None)


def replace_if_changed(path: Path, rows: Iterator[pa.RecordBatch], schema: pa.Schema) -> dict[str, Any]:
    """Write a shard unless the file has the same content; return its number of rows and SHA-256."""
    fresh = path.with_name(f".fresh-{path.name}")
    count = write_table(fresh, rows, schema)
    digest = sha256_file(fresh)
    if path.exists() and sha256_file(path) == digest:
        fresh.unlink()
    else:
        fresh.replace(path)
    return {"rows": count, "sha256": digest}


def write_shards(parts: Iterator[pa.Table], folder: Path, shards: int, schema: pa.Schema) -> dict[str, Any]:
    """Write rows in order of hash to `<folder>/<shard>.parquet` in `shards` shards, and remove any
    others.

    Returns rows and SHA-256 of each shard's file by its name.
    """
    divided = _Shards(by_shard(parts, shards))
    index = {}
    for number in range(shards):
        name = shard_name(number)
        index[name] = replace_if_changed(folder / f"{name}.parquet", divided.shard(number), schema)
    for stale in folder.glob("[0-9]*.parquet"):
        if stale.stem not in index:
            stale.unlink()
    return index


def module_digests(rows: SortedRuns, shards: int) -> dict[str, str]:
    """A digest of the modules of each shard, by its name: of the program, variant and hash of each
    module that `in_order` keeps.
    """
    digests = [hashlib.sha256() for _ in range(shards)]
    columns = ("source_sha256", "variant", "ir_sha256")
    parts = (part.filter(pc.is_valid(part["ir_sha256"])) for part in rows.tables(list(columns)))
    for number, part in by_shard((in_order(part, columns[:2], columns[2:]) for part in parts), shards):
        for values in zip(*(part[column].to_pylist() for column in columns), strict=True):
            digests[number].update(" ".join(values).encode() + b"\n")
    return {shard_name(number): digest.hexdigest() for number, digest in enumerate(digests)}
