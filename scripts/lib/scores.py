"""Texts in the long tables: the parts of a checkpoint's name, and numbers."""

import re
from typing import Any

# Start, step of an intermediate checkpoint, and tuning.
_CHECKPOINT = re.compile(r"([^-]+)(?:-(\d+))?(?:-(.+))?", re.DOTALL)

Row = dict[str, Any]


def number(value: float | int | None) -> str:
    """Format a number with ten significant digits, as in every table file; empty for None."""
    return "" if value is None else format(value, ".10g")


def base_of(checkpoint: str) -> str | None:
    """The base checkpoint that a checkpoint of IRCoder is compared with; None for other checkpoints.

    It is `base-instruct` for `ircoder-instruct`, and also for `ircoder-400-instruct`, which was
    tuned from the checkpoint of step 400.
    """
    start, _, tuning = split_checkpoint(checkpoint)
    return "-".join(filter(None, ("base", tuning))) if start == "ircoder" else None


def split_checkpoint(checkpoint: str) -> tuple[str, str, str]:
    """The parts of a checkpoint's name: start, step of an intermediate checkpoint, and tuning.

    Absent parts are empty: ("ircoder", "400", "instruct") for `ircoder-400-instruct`, and
    ("base", "", "") for `base`.
    """
    match = _CHECKPOINT.fullmatch(checkpoint)
    if match is None:
        raise ValueError(f"'{checkpoint}' is no name of a checkpoint")
    start, step, tuning = match.groups(default="")
    return start, step, tuning
