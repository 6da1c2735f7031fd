"""Sorts a corpus into runs (`external_sort`), several pieces at a time; a job that was killed keeps
the runs of the pieces that it had read.
"""

import json
import multiprocessing
import os
import shutil
import signal
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from scripts.lib.code_hash import code_hash
from scripts.lib.files import atomic_path, sha256_text
from scripts.lib.job import InputError, progress
from scripts.lib.system_calls import die_with_parent
from scripts.sources.corpus import Corpus, MeasuredCorpus, Piece
from scripts.sources.dataset_card import stated_license
from scripts.sources.external_sort import RunWriter
from scripts.sources.record import Record

_SUFFIX = ".run"
_DIGITS = 16


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


def _write_run(piece: Piece, path: Path, corpus: Corpus, parts: int, kind: Kind) -> Path:
    """Write the run of a piece, unless an earlier job did; return its path."""
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


def _start(parent: int) -> None:
    """Make this process a worker that dies with its parent and leaves interruptions to it."""
    die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def _workers(jobs: int) -> Iterator[ProcessPoolExecutor]:
    """A pool of worker processes; they are killed on an error."""
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("fork"), _start, (os.getpid(),))
    try:
        yield pool
        pool.shutdown()
    except BrokenProcessPool as error:
        raise InputError("a reading process was killed; run again, what was read is kept") from error
    finally:
        for worker in multiprocessing.active_children():
            worker.kill()
        pool.shutdown(wait=False, cancel_futures=True)


def _mapped(write: Callable[[Piece, Path], Path], tasks: Iterator[tuple[Piece, Path]], jobs: int) -> Iterator[Path]:
    """The results of `write`, in the order of its tasks, of which a few more than `jobs` are taken at
    a time.
    """
    if jobs == 1:
        yield from (write(piece, path) for piece, path in tasks)
        return
    with _workers(jobs) as pool:
        waiting: deque[Future[Path]] = deque()
        for piece, path in tasks:
            waiting.append(pool.submit(write, piece, path))
            if len(waiting) == 2 * jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


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
    runs = list(progress(_mapped(write, tasks(), jobs), f"pieces of {corpus.language} read"))
    _remove(path for path in folder.iterdir() if path not in set(runs))
    return runs


def _remove(paths: Iterator[Path]) -> None:
    """Delete files and folders."""
    for path in list(paths):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
