"""The pool of worker processes that compile, and the tasks that they run."""

import multiprocessing.util
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from scripts.compile.compiler import Compiler, RowMaker
from scripts.lib.sandbox.isolation import close_isolation
from scripts.lib.sandbox.run import close_sandboxes
from scripts.lib.worker_pool import worker_pool

# The compiler of this process, set when the process starts as a worker.
_compiler: RowMaker | None = None


def _prepare(compiler: RowMaker) -> None:
    """Set the compiler of this process, and close its sandboxes at its end."""
    global _compiler
    _compiler = compiler
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


def workers(compiler: RowMaker, jobs: int) -> AbstractContextManager[ProcessPoolExecutor]:
    """A pool of `jobs` worker processes; on an error, or if one of them was killed, all are killed."""
    return worker_pool(
        jobs, "a worker process was killed; run again, finished programs are kept", partial(_prepare, compiler)
    )
