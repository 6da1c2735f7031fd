"""Reads all programs of a language from the corpus, drops exact duplicates and writes the rest in
shards.
"""

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
from scripts.sources.external_sort import ExternalSort, power_of_two
from scripts.sources.shards import unique_rows, write_aliases, write_shards

_PART_BYTES = 32 << 20
_MOST_PARTS = 1024
_TEMPORARY = ".sort-"


@contextmanager
def sort_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder below `folder`, from which the files of an interrupted run are removed
    first.
    """
    for stale in [*folder.glob(f"{_TEMPORARY}*"), *folder.rglob(".fresh-*"), *folder.rglob(".*.tmp")]:
        shutil.rmtree(stale) if stale.is_dir() else stale.unlink()
    path = folder / f"{_TEMPORARY}{uuid.uuid4().hex}"
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@dataclass
class Unsorted:
    """All programs of a language on disk, and the modules that the corpus has for them; `seen`
    counts rows read.
    """

    sources: ExternalSort
    modules: ExternalSort
    seen: int = 0


def read_unsorted(corpus: Corpus, folder: Path) -> Unsorted:
    """Read the whole corpus once into files that are each small enough to sort."""
    parts = min(power_of_two(corpus.total_bytes() / _PART_BYTES), _MOST_PARTS)
    listed = SOURCES.schema.append(pa.field(VARIANT.name, VARIANT.dtype))
    sources = ExternalSort(folder / "sources", parts, listed, texts=("source",))
    modules = ExternalSort(folder / "modules", parts, MODULES.schema, texts=("ir",))
    unsorted = Unsorted(sources, modules)
    for record in progress(corpus.records(), f"reading {corpus.language}"):
        sources.add(record.row(corpus.language))
        if record.ir is not None:
            modules.add(record.module())
        unsorted.seen += 1
    sources.flush()
    modules.flush()
    return unsorted


def write_modules(modules: ExternalSort, folder: Path, index: dict[str, Any]) -> None:
    """Write the modules of each shard, and their SHA-256 into the index."""
    rows = unique_rows(modules, ("source_sha256", "variant"), ("ir_sha256",))
    folder.mkdir(exist_ok=True)
    for name, shard in write_shards(rows, folder, len(index), MODULES.schema).items():
        index[name]["modules"] = shard["sha256"]


def read(corpus: Corpus, shard_size: int, index: Path, aliases: str) -> None:
    """Write the shards, the table of aliases and, last, the `index` of shards.

    The number of shards is the smallest power of two that keeps them at `shard_size` rows or fewer
    on average.
    """
    with sort_folder(index.parent) as temporary:
        unsorted = read_unsorted(corpus, temporary)
        counts = write_aliases(unsorted.sources, aliases)
        rows = unique_rows(unsorted.sources, ("source_sha256",), ("path",))
        shards = write_shards(rows, index.parent, power_of_two(counts["unique"] / shard_size), SOURCES.schema)
        if corpus.has_ir:
            write_modules(unsorted.modules, index.parent / "modules", shards)
    unique = counts.pop("unique")
    sources = unique + counts["duplicates"]
    if unique != sum(shard["rows"] for shard in shards.values()) or not (corpus.has_ir or sources == unsorted.seen):
        raise RuntimeError(f"{corpus.language}: {unsorted.seen} rows became {unique} sources and {counts} in {shards}")
    if not unsorted.seen:
        logging.warning("%s: no programs below %s; see corpus", corpus.language, corpus.root)
    write_json(index, {"language": corpus.language, "sources": sources, **counts, "shards": shards})
    logging.info("%s: %d rows read, %d sources, %s", corpus.language, unsorted.seen, sources, counts)


def corpus_folder(fetched: Sequence[str], path: str) -> Path:
    """The folder of the corpus: next to the record of its download if it was fetched, otherwise
    below the project.
    """
    return Path(fetched[0]).parent / read_json(fetched[0])["commit"] if fetched else SCRIPTS.parent / path


if __name__ == "__main__":
    with job() as snakemake:
        params = snakemake.params
        folder = corpus_folder(snakemake.input.fetched, params.corpus["path"])
        corpus = Corpus(folder, snakemake.wildcards.language, params.corpus, params.suffixes)
        read(corpus, params.shard_size, Path(snakemake.output.shards), snakemake.output.aliases)
