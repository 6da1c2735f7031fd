"""Reads all programs of one language from the corpus: decoded, hashed, exact duplicates dropped, cut into shards."""

import logging
import shutil
import uuid
from collections.abc import Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from scripts.lib.code import SCRIPTS
from scripts.lib.files import write_json
from scripts.lib.job import job, progress
from scripts.sources import tree
from scripts.sources.record import SCHEMA, Record
from scripts.sources.shards import write_aliases, write_shards
from scripts.sources.spill import Spill, power_of_two

_PART_BYTES = 64 << 20
_MOST_PARTS = 1024
_SPILL = ".spill-"


@contextmanager
def spill_folder(folder: Path):
    """A temporary folder below `folder`; what a killed run left there is removed first."""
    for left in [*folder.glob(f"{_SPILL}*"), *folder.glob(".fresh-*"), *folder.glob(".*.tmp")]:
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    path = folder / f"{_SPILL}{uuid.uuid4().hex}"
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def parts_for(total_bytes: int) -> int:
    """Into how many parts the sources are cut for sorting, so that one part fits in memory."""
    return min(power_of_two(total_bytes / _PART_BYTES), _MOST_PARTS)


def fill(spill: Spill, records: Iterable[Record], language: str) -> dict[str, int]:
    """Take all records in; return how many were seen."""
    seen = 0
    for record in progress(records, f"reading {language}"):
        spill.add(record.row(language))
        seen += 1
    spill.close()
    return seen


def read(language: str, settings: dict[str, Any], index: Path, aliases: str) -> None:
    """Write shards, alias table and, last, the `index` of shards; `settings` as in the rule's params.

    The number of shards is the smallest power of two that keeps them at `shard_size` rows or fewer on average.
    """
    corpus = settings["corpus"]
    listed = (SCRIPTS.parent / corpus["path"], language, settings["suffixes"])
    size = sum(min(entry.size, corpus["max_bytes"]) for entry in tree.entries(*listed))
    with spill_folder(index.parent) as temporary:
        spill = Spill(temporary, parts_for(size), SCHEMA, texts=("source",))
        seen = fill(spill, tree.records(*listed, corpus["max_bytes"], corpus["encodings"]), language)
        counts = write_aliases(spill, aliases)
        shards = write_shards(spill, index.parent, power_of_two(counts["unique"] / settings["shard_size"]))
    if seen != counts["unique"] + counts["duplicates"] or counts["unique"] != sum(s["rows"] for s in shards.values()):
        raise RuntimeError(f"{language}: {seen} sources became {counts} in {shards}")
    del counts["unique"]
    write_json(index, {"language": language, "sources": seen, **counts, "shards": shards})
    logging.info("%s: %d sources, %s", language, seen, counts)


if __name__ == "__main__":
    with job(snakemake):
        read(
            snakemake.wildcards.language,
            dict(snakemake.params.items()),
            Path(snakemake.output.shards),
            snakemake.output.aliases,
        )
