"""The long tables of scores, of differences from the base, and of the paper's results, as data frames."""

import csv
from pathlib import Path

import pandas as pd

from scripts.lib.csv_files import write_csv
from scripts.lib.job import InputError
from scripts.lib.schemas.scores import DIFFERENCES, KEY, PAPER_RESULTS, SCORES
from scripts.lib.schemas.table import Table
from scripts.lib.scores import Row, number


def write_rows(path: str | Path, rows: pd.DataFrame, table: Table) -> None:
    """Write the columns of `table` as CSV: numbers as `number` formats them, rows sorted by their text."""
    names = list(table.names)
    texts = pd.DataFrame({name: _texts(rows[name]) for name in names}, columns=names).sort_values(names)
    rows_of_text = texts.itertuples(index=False, name=None)
    write_csv(path, names, (dict(zip(names, row, strict=True)) for row in rows_of_text))


def _texts(column: pd.Series) -> pd.Series:
    if not pd.api.types.is_numeric_dtype(column):
        return column
    return column.map(number, na_action="ignore").astype(object).fillna("")


def _value(text: str, cell: str) -> float | None:
    """A cell as a number; None when it is empty; raise `InputError` for anything else."""
    if not text.strip():
        return None
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{cell}: '{text}' is not a number; correct it or leave it empty") from None


def read_rows(path: str | Path, table: Table) -> pd.DataFrame:
    """Read a CSV file with exactly the columns of `table`; numbers as floats, NaN where empty.

    Raises `InputError` that names the file, line and column of what is wrong.
    """
    with Path(path).open(encoding="utf-8", newline="") as stream:
        reader = csv.DictReader(stream)
        if tuple(reader.fieldnames or ()) != table.names:
            raise InputError(
                f"{path}: columns are {reader.fieldnames}, expected {list(table.names)}; correct the header"
            )
        rows: list[Row] = list(reader)
    for line, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise InputError(f"{path}, line {line}: not {len(table.names)} cells; quote cells that contain commas")
        row.update({name: _value(row[name], f"{path}, line {line}, {name}") for name in table.numbers})
    return pd.DataFrame(rows, columns=list(table.names)).astype(dict.fromkeys(table.numbers, float))


def read_scores(path: str | Path) -> pd.DataFrame:
    """Read `tables/scores.csv`."""
    return read_rows(path, SCORES)


def read_differences(path: str | Path) -> pd.DataFrame:
    """Read `tables/differences.csv`: `checkpoint` is one of IRCoder, `base` the one it is compared with."""
    return read_rows(path, DIFFERENCES)


def read_paper(path: str | Path) -> pd.DataFrame:
    """Read the rows of `config/paper_results.csv` that have a value; raise `InputError` if one has no citation."""
    rows = read_rows(path, PAPER_RESULTS).dropna(subset="value")
    uncited = rows[rows["citation"].str.strip() == ""]
    if len(uncited):
        key = ", ".join(uncited.iloc[0][list(KEY)])
        raise InputError(f"{path}: the figure of {key} has no citation; name the table or page it was read from")
    return rows.reset_index(drop=True)
