"""The pool of worker processes that compile, and the tasks that they run."""

import contextlib
import multiprocessing
import multiprocessing.util
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from scripts.compile.compiler import Compiler, RowMaker
from scripts.lib.job import InputError
from scripts.lib.sandbox.isolation import close_isolation
from scripts.lib.sandbox.run import close_sandboxes
from scripts.lib.system_calls import die_with_parent

# The compiler of this process, set when the process starts as a worker.
_compiler: RowMaker | None = None


def _start(compiler: RowMaker, parent: int) -> None:
    """Make this process a worker that dies with its parent and leaves interruptions to it."""
    global _compiler
    _compiler = compiler
    die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for close in (close_sandboxes, close_isolation):
        multiprocessing.util.Finalize(None, close, exitpriority=0)


def compile_row(row: dict[str, Any], headers: dict[str, str], variants: list[str]) -> list[dict[str, Any]]:
    """A worker's task: the outcome rows of a source row for some variants."""
    assert _compiler is not None, "not a worker process"
    return _compiler.rows(row, headers, variants)


def make_header(headers: tuple[str, ...], variant: str) -> str | None:
    """A worker's task: precompile a header; return its name, None if that fails."""
    assert isinstance(_compiler, Compiler), "not a worker process with a compiler"
    return _compiler.precompile(headers, variant)


@contextlib.contextmanager
def workers(compiler: RowMaker, jobs: int) -> Iterator[ProcessPoolExecutor]:
    """A pool of `jobs` worker processes; on an error, or if one of them was killed, all are killed."""
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("fork"), _start, (compiler, os.getpid()))
    try:
        # All workers are forked at the first task, before the table's reader starts threads.
        pool.submit(os.getpid).result()
        yield pool
        pool.shutdown()
    except BrokenProcessPool as error:
        raise InputError("a worker process was killed; run again, finished programs are kept") from error
    finally:
        for worker in multiprocessing.active_children():
            worker.kill()
        pool.shutdown(wait=False, cancel_futures=True)
