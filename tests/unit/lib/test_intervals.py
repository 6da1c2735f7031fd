"""Intervals that overlap become one."""

from scripts.lib.intervals import merged


def test_overlapping_times_are_merged() -> None:
    assert merged([(5, 6), (0, 2), (1, 3)]) == [(0, 3), (5, 6)]
