"""Functions of many items in worker processes: their order, their errors, and their end."""

import multiprocessing
import os
import signal
from functools import partial
from pathlib import Path

import pytest

from scripts.lib.job import InputError
from scripts.lib.worker_pool import parallel_map

_prepared = ""


def prepare(text: str) -> None:
    """Remember a text in this process."""
    global _prepared
    _prepared = text


def described(number: int) -> tuple[int, str, int]:
    """A number with what this process remembers and is."""
    return number, _prepared, os.getpid()


def broken(number: int) -> int:
    """An error of a worker for one number."""
    if number == 3:
        raise ValueError("three")
    return number


def kill_own_process(number: int) -> int:
    """End a worker in the middle of its work."""
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def children_left() -> list[int]:
    """Ids of this process's children that exist, zombies included. `active_children` alone may name, for a
    moment, one that the pool's own thread has just waited for."""
    ids = [child.pid for child in multiprocessing.active_children() if child.pid]
    return [process for process in ids if Path(f"/proc/{process}").exists()]


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_results_are_in_the_order_of_the_items(processes: int) -> None:
    with parallel_map(processes, "killed", partial(prepare, "ready")) as mapped:
        results = list(mapped(described, range(50)))
    assert [number for number, *_ in results] == list(range(50))
    assert {text for _, text, _ in results} == {"ready"}
    assert (os.getpid() in {process for *_, process in results}) == (processes == 1)


def test_few_items_are_taken_in_advance() -> None:
    taken = []
    with parallel_map(2, "killed") as mapped:
        results = mapped(abs, (taken.append(number) or number for number in range(100)))
        assert next(results) == 0
        assert len(taken) == 5
        assert list(results) == list(range(1, 100))


@pytest.mark.parametrize("processes", [1, 2])
def test_an_error_of_a_worker_is_raised_and_no_process_is_left(processes: int) -> None:
    with pytest.raises(ValueError, match="three"), parallel_map(processes, "killed") as mapped:
        list(mapped(broken, range(9)))
    assert not children_left()


def test_a_killed_worker_is_an_error_in_one_line() -> None:
    remedy = "a worker was killed; run again"
    with pytest.raises(InputError, match=remedy), parallel_map(2, remedy) as mapped:
        list(mapped(kill_own_process, range(9)))
    assert not children_left()
