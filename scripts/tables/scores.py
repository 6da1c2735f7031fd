"""Collects every score of the run, validation losses included, in one long table: `tables/scores.csv`."""

import math
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from scripts.lib.files import read_json
from scripts.lib.job import InputError, job
from scripts.lib.schemas.scores import KEY, SCORES
from scripts.lib.score_tables import write_rows
from scripts.lib.scores import Row
from scripts.tables import losses


def score_rows(path: str | Path) -> list[Row]:
    """Read the rows of one score file, with exactly the columns of the long table.

    Raises `InputError` for missing or extra columns and for a value that is not a finite number.
    """
    rows: list[Row] = read_json(path)["rows"]
    for row in rows:
        if set(row) != set(SCORES.names):
            raise InputError(
                f"{path}: a row has columns {sorted(row)}, expected {sorted(SCORES.names)}; score it again"
            )
        if not isinstance(row["value"], int | float) or not math.isfinite(row["value"]):
            raise InputError(f"{path}: {row['metric']} is {row['value']}, not a finite number; score it again")
    return rows


def check_unique(rows: pd.DataFrame) -> None:
    """Raise `InputError` when two rows have the same key."""
    repeated = rows[rows.duplicated(list(KEY))]
    if len(repeated):
        key = ", ".join(repeated.iloc[0][list(KEY)])
        raise InputError(f"two scores for {key}; remove the outdated file below scores/")


def collect(scores: list[str], loss_files: Mapping[str, tuple[str, str]], seed: int) -> pd.DataFrame:
    """All rows of score files and of loss files; `loss_files` maps a path to its model and checkpoint."""
    rows = [row for path in scores for row in score_rows(path)]
    for path, (model, checkpoint) in loss_files.items():
        rows.extend(losses.score_rows(path, model, checkpoint, seed))
    table = pd.DataFrame(rows, columns=list(SCORES.names))
    check_unique(table)
    return table


if __name__ == "__main__":
    with job() as snakemake:
        models = dict(zip(snakemake.input.losses, snakemake.params.trained, strict=True))
        write_rows(snakemake.output[0], collect(snakemake.input.scores, models, snakemake.params.seed), SCORES)
