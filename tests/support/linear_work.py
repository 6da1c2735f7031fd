"""Measures whether the time of a function is linear in the length of its text."""

import time
from collections.abc import Callable


def _seconds(function: Callable[[str], object], text: str) -> float:
    start = time.process_time()
    function(text)
    return time.process_time() - start


def assert_linear(function: Callable[[str], object], text: Callable[[int], str], number: int = 8_000) -> None:
    """Fail if a text four times as long takes much more than four times as long.

    text: the text of a size. number: the smaller size; quadratic work on the larger one must take
    more than a second.
    """
    function(text(10))
    assert _seconds(function, text(4 * number)) < 8 * _seconds(function, text(number)) + 0.3
