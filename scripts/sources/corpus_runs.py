"""Sorts a corpus into runs (`external_sort`), several pieces at a time; a job that was killed keeps
the runs of the pieces that it had read.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from scripts.lib.code_hash import code_hash
from scripts.lib.files import atomic_path, sha256_text
from scripts.lib.job import progress
from scripts.lib.worker_pool import parallel_map
from scripts.sources.corpus import Corpus, MeasuredCorpus, Piece
from scripts.sources.dataset_card import stated_license
from scripts.sources.external_sort import RunWriter
from scripts.sources.record import Record

_SUFFIX = ".run"
_DIGITS = 16
_KILLED = "a reading process was killed; run again, what was read is kept"


@dataclass(frozen=True)
class Kind:
    """What is sorted of each program: the row that `row_of` makes of it, None for nothing.

    schema: that of the rows. text: their column with long texts. with_modules: whether `row_of`
    needs the text of modules.
    """

    schema: pa.Schema
    text: str
    row_of: Callable[[Record], dict[str, Any] | None]
    with_modules: bool = False


def _settings_key(corpus: Corpus, parts: int, kind: Kind) -> str:
    """A name for all that determines the rows of a run, except its piece of the corpus."""
    settings = [corpus.language, corpus.settings, corpus.suffixes, parts, kind.text, stated_license(corpus.root)]
    return sha256_text(json.dumps([settings, code_hash("sources/corpus_runs.py")], sort_keys=True))[:_DIGITS]


def _write_run(task: tuple[Piece, Path], corpus: Corpus, parts: int, kind: Kind) -> Path:
    """Write the run of a piece, unless an earlier job did; return its path."""
    piece, path = task
    if not path.exists():
        with (
            atomic_path(path) as temporary,
            temporary.open("wb") as file,
            RunWriter(file, parts, kind.schema, (kind.text,)) as run,
        ):
            for record in corpus.records(piece, kind.with_modules):
                row = kind.row_of(record)
                if row is not None:
                    run.add(row)
    return path


def sort_corpus(measured: MeasuredCorpus, folder: Path, parts: int, kind: Kind, jobs: int) -> list[Path]:
    """Sort the rows of a corpus into runs in a folder, by `jobs` processes; return the runs in the
    order of the pieces.

    Runs that are in the folder already are used again if neither their files of the corpus, nor the
    settings, nor the code have changed. Other files of the folder are removed.
    """
    corpus = measured.corpus
    prefix = _settings_key(corpus, parts, kind)
    folder.mkdir(parents=True, exist_ok=True)
    _remove(path for path in folder.iterdir() if not path.name.startswith(prefix))

    def tasks() -> Iterator[tuple[Piece, Path]]:
        for piece in measured.pieces():
            key = sha256_text(piece.key(corpus.root))[:_DIGITS]
            yield piece, folder / f"{prefix}-{key}{_SUFFIX}"

    write = partial(_write_run, corpus=corpus, parts=parts, kind=kind)
    with parallel_map(jobs, _KILLED) as mapped:
        runs = list(progress(mapped(write, tasks()), f"pieces of {corpus.language} read"))
    _remove(path for path in folder.iterdir() if path not in set(runs))
    return runs


def _remove(paths: Iterator[Path]) -> None:
    """Delete files and folders."""
    for path in list(paths):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
