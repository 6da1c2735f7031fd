"""Reads all programs of one language from the corpus: decoded, hashed, exact duplicates dropped, cut into shards."""

import logging
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from scripts.lib.code_hash import SCRIPTS
from scripts.lib.files import read_json, write_json
from scripts.lib.job import job, progress
from scripts.lib.schemas.sources import MODULES, SOURCES, VARIANT
from scripts.sources.corpus import Corpus
from scripts.sources.external_sort import Spill, power_of_two
from scripts.sources.shards import unique_rows, write_aliases, write_shards

_PART_BYTES = 32 << 20
_MOST_PARTS = 1024
_SPILL = ".spill-"


@contextmanager
def spill_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder below `folder`; what a killed run left there is removed first."""
    for left in [*folder.glob(f"{_SPILL}*"), *folder.rglob(".fresh-*"), *folder.rglob(".*.tmp")]:
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    path = folder / f"{_SPILL}{uuid.uuid4().hex}"
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@dataclass
class Spilled:
    """All programs of a language on disk, and the modules that came with them, if any; `seen` counts rows read."""

    sources: Spill
    modules: Spill
    seen: int = 0


def spill(corpus: Corpus, folder: Path) -> Spilled:
    """Read the whole corpus once, to files that are each small enough to sort."""
    parts = min(power_of_two(corpus.total_bytes() / _PART_BYTES), _MOST_PARTS)
    listed = SOURCES.schema.append(pa.field(VARIANT.name, VARIANT.dtype))
    sources = Spill(folder / "sources", parts, listed, texts=("source",))
    modules = Spill(folder / "modules", parts, MODULES.schema, texts=("ir",))
    spilled = Spilled(sources, modules)
    for record in progress(corpus.records(), f"reading {corpus.language}"):
        sources.add(record.row(corpus.language))
        if record.ir is not None:
            modules.add(record.module())
        spilled.seen += 1
    sources.flush()
    modules.flush()
    return spilled


def write_modules(modules: Spill, folder: Path, index: dict[str, Any]) -> None:
    """Write the modules of each shard beside its sources, and their SHA-256 into the index."""
    rows = unique_rows(modules, ("source_sha256", "variant"), ("ir_sha256",))
    folder.mkdir(exist_ok=True)
    for name, shard in write_shards(rows, folder, len(index), MODULES.schema).items():
        index[name]["modules"] = shard["sha256"]


def read(corpus: Corpus, shard_size: int, index: Path, aliases: str) -> None:
    """Write shards, alias table and, last, the `index` of shards.

    The number of shards is the smallest power of two that keeps them at `shard_size` rows or fewer on average.
    """
    with spill_folder(index.parent) as temporary:
        spilled = spill(corpus, temporary)
        counts = write_aliases(spilled.sources, aliases)
        rows = unique_rows(spilled.sources, ("source_sha256",), ("path",))
        shards = write_shards(rows, index.parent, power_of_two(counts["unique"] / shard_size), SOURCES.schema)
        if corpus.has_ir:
            write_modules(spilled.modules, index.parent / "modules", shards)
    unique = counts.pop("unique")
    sources = unique + counts["duplicates"]
    if unique != sum(shard["rows"] for shard in shards.values()) or not (corpus.has_ir or sources == spilled.seen):
        raise RuntimeError(f"{corpus.language}: {spilled.seen} rows became {unique} sources and {counts} in {shards}")
    if not spilled.seen:
        logging.warning("%s: no programs below %s; see corpus", corpus.language, corpus.root)
    write_json(index, {"language": corpus.language, "sources": sources, **counts, "shards": shards})
    logging.info("%s: %d rows read, %d sources, %s", corpus.language, spilled.seen, sources, counts)


def corpus_folder(fetched: Sequence[str], path: str) -> Path:
    """Where the corpus lies: beside the one record of its fetching, or below the project where it was not fetched."""
    return Path(fetched[0]).parent / read_json(fetched[0])["commit"] if fetched else SCRIPTS.parent / path


if __name__ == "__main__":
    with job() as snakemake:
        given, params = snakemake.input, snakemake.params
        place = corpus_folder(given.fetched, params.corpus["path"])
        found = Corpus(place, snakemake.wildcards.language, params.corpus, params.suffixes)
        read(found, params.shard_size, Path(snakemake.output.shards), snakemake.output.aliases)
