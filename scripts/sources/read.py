"""Reads all programs of a language from the corpus, drops exact duplicates and writes the rest in
shards.
"""

import logging
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pyarrow as pa

from scripts.lib.code_hash import SCRIPTS
from scripts.lib.files import read_json, write_json
from scripts.lib.job import job
from scripts.lib.schemas.sources import SOURCES, VARIANT
from scripts.sources.corpus import Corpus
from scripts.sources.corpus_runs import Kind, sort_corpus
from scripts.sources.external_sort import SortedRuns, part_count
from scripts.sources.record import Record
from scripts.sources.shards import in_order, module_digests, shard_count, write_aliases, write_shards

_TEMPORARY = ".sort"
_LISTED = SOURCES.schema.append(pa.field(VARIANT.name, VARIANT.dtype)).append(pa.field("ir_sha256", pa.string()))


@contextmanager
def sort_folder(folder: Path) -> Iterator[Path]:
    """A temporary folder below `folder`, which the job that follows an interrupted one finds again;
    other temporary files are removed.
    """
    for stale in [*folder.rglob(".fresh-*"), *folder.glob(".*.tmp")]:
        stale.unlink()
    path = folder / _TEMPORARY
    yield path
    shutil.rmtree(path)


def read(
    corpus: Corpus, shard_size: int, index: Path, aliases: str | Path, jobs: int = 1, parts: int | None = None
) -> None:
    """Write the shards, the table of aliases and, last, the `index` of shards.

    `jobs` is the number of processes that read. `parts` is the number of ranges in which rows are
    sorted, by default as many as memory needs; results do not depend on either.
    """
    measured = corpus.measured()
    parts = parts or part_count(measured.source_bytes)
    with sort_folder(index.parent) as temporary:
        kind = Kind(_LISTED, "source", partial(Record.row, language=corpus.language))
        with SortedRuns(sort_corpus(measured, temporary, parts, kind, jobs), parts) as rows:
            counts = write_aliases(rows, aliases)
            count = shard_count(counts["unique"], shard_size)
            distinct = (in_order(part, ("source_sha256",), ("path",)) for part in rows.tables(SOURCES.schema.names))
            shards = write_shards(distinct, index.parent, count, SOURCES.schema)
            if corpus.has_ir:
                for name, digest in module_digests(rows, count).items():
                    shards[name]["modules"] = digest
            seen = rows.rows
    unique = counts.pop("unique")
    sources = unique + counts["duplicates"]
    if unique != sum(shard["rows"] for shard in shards.values()) or not (corpus.has_ir or sources == seen):
        raise RuntimeError(f"{corpus.language}: {seen} rows became {unique} sources and {counts} in {shards}")
    if not seen:
        logging.warning("%s: no programs below %s; see corpus", corpus.language, corpus.root)
    write_json(index, {"language": corpus.language, "sources": sources, **counts, "shards": shards})
    logging.info("%s: %d rows read, %d sources, %s", corpus.language, seen, sources, counts)


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
        output = snakemake.output
        read(corpus, params.shard_size, Path(output.shards), output.aliases, snakemake.threads)
