"""Lines of a training's output have the level that they name."""

import logging

import pytest

from scripts.lib.training.launch import _level_and_text


@pytest.mark.parametrize(
    ("line", "level", "text"),
    [
        ('INFO {"steps": 3}', logging.INFO, '{"steps": 3}'),
        ("WARNING a.py:3: FutureWarning: old", logging.WARNING, "a.py:3: FutureWarning: old"),
        ("W1126 01:02:03.5 7 run.py:12] slow", logging.WARNING, "W1126 01:02:03.5 7 run.py:12] slow"),
        ('progress {"step": 1}', logging.INFO, 'progress {"step": 1}'),
        ("WARNINGS are few", logging.INFO, "WARNINGS are few"),
    ],
)
def test_the_level_of_a_line_is_kept(line, level, text):
    assert _level_and_text(line) == (level, "%s", text)
