"""Bounds on CPU time that hold on a machine whose cores other work shares."""

import resource
import time
from collections.abc import Callable


def holds_in_one_of(attempts: int, within_bound: Callable[[], bool]) -> bool:
    """Whether a measurement is within its bound in one of some attempts.

    The same work takes up to twice the CPU time while another process runs on the same physical core
    or fills its cache. One measurement above a bound therefore shows nothing; work that is too slow
    is so each time.
    """
    return any(within_bound() for _ in range(attempts))


def seconds_of_children() -> float:
    """CPU seconds of all processes that this one has started and waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def seconds_of(function: Callable[[str], object], text: str) -> float:
    """CPU seconds of this process in which `function` reads `text`."""
    start = time.process_time()
    function(text)
    return time.process_time() - start


def assert_linear(function: Callable[[str], object], text: Callable[[int], str], number: int = 8_000) -> None:
    """Fail if a text four times as long takes much more than four times as long.

    text: the text of a size. number: the smaller size; quadratic work on the larger one must take
    more than a second.
    """
    function(text(10))
    small, large = text(number), text(4 * number)
    # Quadratic work would take sixteen times as long.
    assert holds_in_one_of(3, lambda: seconds_of(function, large) < 8 * seconds_of(function, small) + 0.3)
