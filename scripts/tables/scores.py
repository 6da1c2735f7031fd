"""Every score of the run, validation losses included, in one long table: `tables/scores.csv`."""

import math
from collections.abc import Iterable
from pathlib import Path

from scripts.lib.files import read_json
from scripts.lib.job import InputError, job
from scripts.lib.schemas.scores import KEY, SCORES
from scripts.lib.scores import Row, write_rows
from scripts.tables import losses


def score_rows(path: str | Path) -> list[Row]:
    """Rows of one score file, with exactly the columns of the long table.

    Raises `InputError` for missing or surplus columns and for a value that is no finite number.
    """
    rows = read_json(path)["rows"]
    for row in rows:
        if set(row) != set(SCORES.names):
            raise InputError(
                f"{path}: a row has columns {sorted(row)}, expected {sorted(SCORES.names)}; score it again"
            )
        if not isinstance(row["value"], int | float) or not math.isfinite(row["value"]):
            raise InputError(f"{path}: {row['metric']} is {row['value']}, no finite number; score it again")
    return rows


def check_unique(rows: Iterable[Row]) -> None:
    """Raise `InputError` when two rows have the same benchmark, language, model, checkpoint, setting and metric."""
    seen = set()
    for row in rows:
        key = tuple(row[name] for name in KEY)
        if key in seen:
            raise InputError(f"two scores for {', '.join(key)}; remove the stale file below scores/")
        seen.add(key)


def collect(scores: list[str], loss_files: dict[str, tuple[str, str]], seed: int) -> list[Row]:
    """Rows of all score files and of all loss files, given as path -> (model, checkpoint)."""
    rows = [row for path in scores for row in score_rows(path)]
    for path, (model, checkpoint) in loss_files.items():
        rows.extend(losses.score_rows(path, model, checkpoint, seed))
    check_unique(rows)
    return rows


if __name__ == "__main__":
    with job() as snakemake:
        named = dict(zip(snakemake.input.losses, snakemake.params.trained, strict=True))
        write_rows(snakemake.output[0], collect(snakemake.input.scores, named, snakemake.params.seed), SCORES)
