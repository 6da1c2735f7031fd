"""Texts in the long tables: the parts of a checkpoint's name, and numbers."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

# Start, with the step of an intermediate checkpoint of IRCoder, and tuning. Names of ablations have
# hyphens.
_CHECKPOINT = re.compile(r"(?:(ircoder)(?:-(\d+))?|(.+?))(?:-(instruct|commits(?:-.+)?))?", re.DOTALL)
BASE, IRCODER = "base", "ircoder"
_NOT_ABLATIONS = (BASE, IRCODER, "control")

Row = dict[str, Any]


def number(value: float | int | None) -> str:
    """Format a number with ten significant digits, as in every table file; empty for None."""
    return "" if value is None else format(value, ".10g")


def evaluated_checkpoints(config: Mapping[str, Any]) -> list[str]:
    """The checkpoints that a run evaluates: those that its config lists, and all ablations."""
    return [*config["evaluate"]["checkpoints"], *config.get("ablations", {})]


def bases_of(checkpoint: str, others: Iterable[str]) -> list[str]:
    """The checkpoints that a checkpoint is compared with, of `others` with the same tuning.

    They are the base, for IRCoder and each ablation, and each ablation, for IRCoder. An intermediate
    checkpoint of IRCoder is compared with the base: `ircoder-400-instruct` with `base-instruct`.
    """
    start, step, tuning = split_checkpoint(checkpoint)
    if start in (BASE, "control"):
        return []
    parts = {other: split_checkpoint(other) for other in others}
    starts = {other: names[0] for other, names in parts.items() if not names[1] and names[2] == tuning}
    is_last = start == IRCODER and not step
    return sorted(
        (other for other, name in starts.items() if name == BASE or (is_last and name not in _NOT_ABLATIONS)),
        key=lambda other: (starts[other] != BASE, other),
    )


def in_main_table(checkpoint: str) -> bool:
    """Whether a checkpoint is the base, IRCoder or one of them tuned, not an ablation or a control."""
    return split_checkpoint(checkpoint)[0] in (BASE, IRCODER)


def split_checkpoint(checkpoint: str) -> tuple[str, str, str]:
    """The parts of a checkpoint's name: start, step of an intermediate checkpoint, and tuning.

    Absent parts are empty: ("ircoder", "400", "instruct") for `ircoder-400-instruct`, and
    ("source-only", "", "") for the ablation `source-only`.
    """
    match = _CHECKPOINT.fullmatch(checkpoint)
    if match is None:
        raise ValueError(f"'{checkpoint}' is not the name of a checkpoint; use START, START-TUNING or ircoder-STEP")
    ircoder, step, other, tuning = match.groups(default="")
    return ircoder or other, step, tuning
