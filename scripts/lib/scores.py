"""The long tables of scores and of differences between base and IRCoder: their columns, reading and writing."""

import csv
import io
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from scripts.lib.files import write_text
from scripts.lib.job import InputError

KEY = ("benchmark", "language", "model", "checkpoint", "setting", "metric")
SCORES = (*KEY, "value", "ci_low", "ci_high", "problems", "samples")
DIFFERENCES = (*KEY, "base", "difference", "ci_low", "ci_high", "problems")
PAPER = (*KEY, "value", "citation")

# Start, step of an intermediate checkpoint, and tuning.
_CHECKPOINT = re.compile(r"([^-]+)(?:-(\d+))?(?:-(.+))?", re.DOTALL)

Row = dict[str, Any]


def number(value: float | int | None) -> str:
    """A number with ten significant digits, as every table file stores it; empty for None."""
    return "" if value is None else format(value, ".10g")


def base_of(checkpoint: str) -> str | None:
    """The base checkpoint that a checkpoint of IRCoder is compared with; None for other checkpoints.

    It is `base-instruct` for `ircoder-instruct` and for `ircoder-400-instruct`, tuned from the checkpoint of step 400.
    """
    start, _, tuning = split_checkpoint(checkpoint)
    return "-".join(filter(None, ("base", tuning))) if start == "ircoder" else None


def split_checkpoint(checkpoint: str) -> tuple[str, str, str]:
    """The parts of a checkpoint's name: start, step of an intermediate checkpoint, and tuning; empty where absent.

    ("ircoder", "400", "instruct") for `ircoder-400-instruct`, ("base", "", "") for `base`.
    """
    start, step, tuning = _CHECKPOINT.fullmatch(checkpoint).groups(default="")
    return start, step, tuning


def write_rows(path: str | Path, rows: Iterable[Row], columns: tuple[str, ...]) -> None:
    """Write rows as CSV, sorted by their text columns; numbers as `number` writes them."""
    lines = [[row[name] if isinstance(row[name], str) else number(row[name]) for name in columns] for row in rows]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(sorted(lines))
    write_text(path, stream.getvalue())


def _value(text: str, where: str) -> float | None:
    """A cell as a number; None when it is empty; raise `InputError` for anything else."""
    if not text.strip():
        return None
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{where}: '{text}' is not a number") from None


def read_rows(path: str | Path, columns: tuple[str, ...], numbers: tuple[str, ...]) -> list[Row]:
    """Rows of a CSV file with exactly these columns, those in `numbers` as float or None.

    Raises `InputError` that names the file, line and column of what is wrong.
    """
    with Path(path).open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        if tuple(reader.fieldnames or ()) != columns:
            raise InputError(f"{path}: columns are {reader.fieldnames}, expected {list(columns)}")
        rows: list[Row] = list(reader)
    for line, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise InputError(f"{path}, line {line}: not {len(columns)} cells; quote cells that hold commas")
        row.update({name: _value(row[name], f"{path}, line {line}, {name}") for name in numbers})
    return rows


def read_scores(path: str | Path) -> list[Row]:
    """Rows of `tables/scores.csv`."""
    return read_rows(path, SCORES, SCORES[6:])


def read_differences(path: str | Path) -> list[Row]:
    """Rows of `tables/differences.csv`: `checkpoint` is one of IRCoder, `base` the one it is compared with."""
    return read_rows(path, DIFFERENCES, DIFFERENCES[7:])


def read_paper(path: str | Path) -> list[Row]:
    """The filled rows of `config/paper_results.csv`; raise `InputError` for a figure without a citation."""
    rows = [row for row in read_rows(path, PAPER, ("value",)) if row["value"] is not None]
    for row in rows:
        if not row["citation"].strip():
            key = ", ".join(row[name] for name in KEY)
            raise InputError(f"{path}: the figure of {key} has no citation; name where it was read")
    return rows
