"""Sorts the modules that a corpus has for its programs by the programs' hashes, so that the jobs
that verify them read each module once.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from scripts.lib.files import read_json, write_json
from scripts.lib.job import job
from scripts.lib.schemas.sources import MODULES
from scripts.sources.corpus import Corpus
from scripts.sources.corpus_runs import Kind, sort_corpus
from scripts.sources.external_sort import SortedRuns, leading, part_count
from scripts.sources.read import corpus_folder
from scripts.sources.record import Record
from scripts.sources.shards import in_order

_INDEX = "runs.json"


def write_modules(corpus: Corpus, folder: Path, jobs: int = 1, parts: int | None = None) -> None:
    """Write the modules of a language to a folder of runs, read by `jobs` processes.

    The folder of an interrupted job, next to it, is found again by the job that follows.
    """
    measured = corpus.measured()
    parts = parts or part_count(measured.ir_bytes)
    kind = Kind(MODULES, "ir", Record.module_row, with_modules=True)
    temporary = folder.with_name(f".{folder.name}")
    runs = sort_corpus(measured, temporary, parts, kind, jobs)
    write_json(temporary / _INDEX, {"parts": parts, "runs": [run.name for run in runs]})
    if folder.exists():
        shutil.rmtree(folder)
    temporary.replace(folder)


@contextmanager
def open_modules(folder: Path) -> Iterator[SortedRuns]:
    """The modules in a folder that `write_modules` wrote."""
    index = read_json(folder / _INDEX)
    with SortedRuns([folder / name for name in index["runs"]], index["parts"]) as runs:
        yield runs


def module_tables(runs: SortedRuns, first: str, last: str) -> Iterator[pa.Table]:
    """One module for each program and variant, in their order: those of the programs from `first` to
    `last`, which are hashes, and of some others.
    """
    start, stop = (leading(sha256, runs.parts) for sha256 in (first, last))
    for part in runs.tables(start=start, stop=stop + 1):
        yield in_order(part, ("source_sha256", "variant"), ("ir_sha256",))


if __name__ == "__main__":
    with job() as snakemake:
        params = snakemake.params
        root = corpus_folder(snakemake.input.fetched, params.corpus["path"])
        corpus = Corpus(root, snakemake.wildcards.language, params.corpus, params.suffixes)
        write_modules(corpus, Path(snakemake.output[0]), snakemake.threads)
