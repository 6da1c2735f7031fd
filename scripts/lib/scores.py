"""The long tables of scores and of differences between base and IRCoder: their columns, reading and writing."""

import csv
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from scripts.lib.csv_files import write_csv
from scripts.lib.job import InputError
from scripts.lib.schemas.scores import DIFFERENCES, KEY, PAPER_RESULTS, SCORES
from scripts.lib.schemas.table import Table

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


def write_rows(path: str | Path, rows: Iterable[Row], table: Table) -> None:
    """Write rows as CSV, sorted by their text columns; numbers as `number` writes them."""
    names = table.names
    lines = [[row[name] if isinstance(row[name], str) else number(row[name]) for name in names] for row in rows]
    write_csv(path, names, (dict(zip(names, line, strict=True)) for line in sorted(lines)))


def _value(text: str, where: str) -> float | None:
    """A cell as a number; None when it is empty; raise `InputError` for anything else."""
    if not text.strip():
        return None
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{where}: '{text}' is not a number") from None


def read_rows(path: str | Path, table: Table) -> list[Row]:
    """Rows of a CSV file with exactly the columns of `table`, numbers as float or None.

    Raises `InputError` that names the file, line and column of what is wrong.
    """
    with Path(path).open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        if tuple(reader.fieldnames or ()) != table.names:
            raise InputError(f"{path}: columns are {reader.fieldnames}, expected {list(table.names)}")
        rows: list[Row] = list(reader)
    for line, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise InputError(f"{path}, line {line}: not {len(table.names)} cells; quote cells that hold commas")
        row.update({name: _value(row[name], f"{path}, line {line}, {name}") for name in table.numbers})
    return rows


def read_scores(path: str | Path) -> list[Row]:
    """Rows of `tables/scores.csv`."""
    return read_rows(path, SCORES)


def read_differences(path: str | Path) -> list[Row]:
    """Rows of `tables/differences.csv`: `checkpoint` is one of IRCoder, `base` the one it is compared with."""
    return read_rows(path, DIFFERENCES)


def read_paper(path: str | Path) -> list[Row]:
    """The filled rows of `config/paper_results.csv`; raise `InputError` for a figure without a citation."""
    rows = [row for row in read_rows(path, PAPER_RESULTS) if row["value"] is not None]
    for row in rows:
        if not row["citation"].strip():
            key = ", ".join(row[name] for name in KEY)
            raise InputError(f"{path}: the figure of {key} has no citation; name where it was read")
    return rows
