"""CSV files: a header, one record per line, line feeds at the ends of lines."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.lib.files import write_text


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
    """Rows of a CSV file with a header, all cells as text."""
    with Path(path).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
