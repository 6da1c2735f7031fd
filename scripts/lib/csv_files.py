"""CSV files: a header, one record per line, line feeds at the ends of lines."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.lib.files import write_text
from scripts.lib.job import InputError


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows as CSV with a header, also where there are no rows.

    A column that a row lacks, and None, is an empty cell. Raises `ValueError` for a row with other
    columns.
    """
    stream = io.StringIO()
    writer = csv.DictWriter(stream, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def write_csv(path: str | Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as a CSV file, atomically; see `csv_text`."""
    write_text(path, csv_text(columns, rows))


def read_csv(path: str | Path) -> list[dict[str, str]]:
    """Rows of a CSV file with a header, all cells as text.

    Raises `InputError` naming the file if it is not UTF-8, or a row has more or fewer cells than
    the header.
    """
    try:
        with Path(path).open(encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream, strict=True))
    except (ValueError, csv.Error) as error:
        raise InputError(f"{path} is damaged ({error}); delete it and run again") from error
    for number, row in enumerate(rows, start=1):
        if None in row or None in row.values():
            raise InputError(f"{path} is damaged: row {number} does not fit its header; delete it and run again")
    return rows
