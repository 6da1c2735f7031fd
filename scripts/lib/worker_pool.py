"""Pools of worker processes, for work in Python, which threads cannot do in parallel."""

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TypeVar

from scripts.lib.job import InputError
from scripts.lib.system_calls import die_with_parent

T = TypeVar("T")
R = TypeVar("R")


def _start(parent: int, prepare: Callable[[], None]) -> None:
    """Make this process a worker that dies with its parent and leaves interruptions to it."""
    die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    prepare()


@contextmanager
def worker_pool(
    processes: int, if_killed: str, prepare: Callable[[], None] = lambda: None
) -> Iterator[ProcessPoolExecutor]:
    """A pool of worker processes, forked from this one; each calls `prepare` first. On an error all
    are killed.

    Raises `InputError(if_killed)` if one of them was killed.
    """
    pool = ProcessPoolExecutor(processes, multiprocessing.get_context("fork"), _start, (os.getpid(), prepare))
    try:
        # All workers are forked at the first task, before readers of tables start threads.
        pool.submit(os.getpid).result()
        yield pool
        pool.shutdown()
    except BrokenProcessPool as error:
        raise InputError(if_killed) from error
    finally:
        for worker in multiprocessing.active_children():
            worker.kill()
            worker.join()
        pool.shutdown(wait=False, cancel_futures=True)


class ParallelMap:
    """Like the builtin `map`, computed by worker processes."""

    def __init__(self, pool: ProcessPoolExecutor | None, ahead: int) -> None:
        """ahead: number of items to submit in advance. Without a pool, this process does the work."""
        self._pool, self._ahead = pool, ahead

    def __call__(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Yield `function(item)` for each item, in order."""
        if self._pool is None:
            yield from map(function, items)
            return
        waiting: deque[Future[R]] = deque()
        for item in items:
            waiting.append(self._pool.submit(function, item))
            if len(waiting) > self._ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


@contextmanager
def parallel_map(processes: int, if_killed: str, prepare: Callable[[], None] = lambda: None) -> Iterator[ParallelMap]:
    """A `ParallelMap` on a `worker_pool`; a single process is this one, without a pool."""
    if processes == 1:
        prepare()
        yield ParallelMap(None, 0)
        return
    with worker_pool(processes, if_killed, prepare) as pool:
        yield ParallelMap(pool, 2 * processes)
