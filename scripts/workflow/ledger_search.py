"""Finds programs in the ledgers of a run, by path or id, whole or in part."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc

from scripts.lib.job import InputError
from scripts.lib.ledger import tables
from scripts.lib.parquet import open_table
from scripts.workflow.command import suggestion

_ID = re.compile(r"[0-9a-f]{6,16}")
# Paths among which a wrong name is compared with all; more are narrowed by their first characters.
_COMPARED = 20_000

Rows = list[dict[str, Any]]
Mask = pa.BooleanArray | pa.ChunkedArray


def ledgers(results: Path) -> dict[str, Path]:
    """The ledger of each language of a run; raise `InputError` when it has none."""
    paths = {path.parent.name: path for path in sorted(results.glob("pairs/*/ledger.parquet"))}
    if not paths:
        raise InputError(f"{results} has no ledger, pairs/*/ledger.parquet; make the pairs first: snakemake pairs")
    return paths


def _matching(table: pa.Table, name: str) -> Mask:
    """Which rows have the name as their path, are in the folder of this name, or have an id that
    begins with it.
    """
    path = table["path"]
    chosen = pc.or_(pc.equal(path, pa.scalar(name)), pc.starts_with(path, name.rstrip("/") + "/"))
    if _ID.fullmatch(name):
        chosen = pc.or_(chosen, pc.starts_with(table["id"], name))
    return chosen


def _chosen(path: Path, columns: list[str], choose: Callable[[pa.Table], Mask]) -> Rows:
    """The rows of a ledger that are chosen by some columns; the others are read for these alone."""
    rows: Rows = []
    with open_table(path) as file:
        for group in range(file.num_row_groups):
            mask = choose(file.read_row_group(group, columns))
            if pc.any(mask).as_py():
                rows += file.read_row_group(group).filter(mask).to_pylist()
    return rows


def programs(results: Path, name: str) -> Rows:
    """All rows of the ledgers for a path, a folder, or an id of at least six digits, in the
    ledgers' order; raise `InputError` with similar paths when there are none.
    """
    name = name.strip().removeprefix("./")
    rows: Rows = []
    for path in ledgers(results).values():
        rows += _chosen(path, ["path", "id"], lambda table: _matching(table, name))
    if not rows:
        close = suggestion(name, _candidates(results, name))
        raise InputError(f"no program '{name}' in the ledgers of {results}; {close or 'name a path of the corpus'}")
    return rows


def by_id(results: Path, language: str, program: str) -> Rows:
    """Rows of a program of a language, without its exact duplicates."""

    def own(table: pa.Table) -> Mask:
        return pc.and_(pc.equal(table["id"], pa.scalar(program)), pc.is_valid(table["shard"]))

    return _chosen(ledgers(results)[language], ["id", "shard"], own)


def _paths(results: Path, prefix: str) -> Iterator[str]:
    """Paths that begin with a prefix, whatever its case, and the folders that contain them."""
    for path in ledgers(results).values():
        for table in tables(str(path), ["path"]):
            begins = pc.starts_with(pc.utf8_lower(table["path"]), prefix.lower())
            for program in cast(list[str], table["path"].filter(begins).unique().to_pylist()):
                yield program
                yield str(PurePosixPath(program).parent)


def _candidates(results: Path, name: str) -> list[str]:
    """Paths that a wrong name is compared with: all of a small corpus, else those that have the
    longest beginning in common with it.
    """
    prefixes = ["", *(name[:length] for length in range(1, len(name) + 1))]
    candidates: list[str] = []
    for prefix in prefixes:
        current = list(
            dict.fromkeys(path for path, _ in zip(_paths(results, prefix), range(4 * _COMPARED), strict=False))
        )
        if not current:
            return candidates
        candidates = current
        if len(candidates) <= _COMPARED:
            return candidates
    return candidates[:_COMPARED]
