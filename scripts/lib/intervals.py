"""Intervals of time."""

from collections.abc import Iterable


def merged(spans: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Intervals (start, end) without overlaps, sorted."""
    result: list[tuple[float, float]] = []
    for start, end in sorted(spans):
        if result and start <= result[-1][1]:
            result[-1] = result[-1][0], max(end, result[-1][1])
        else:
            result.append((start, end))
    return result
