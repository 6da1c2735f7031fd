"""Compares each checkpoint with its base, and IRCoder with each ablation: `tables/differences.csv`.

Scores are paired by problem. Where checkpoints differ only in the seed of their training, further
rows compare their means, with intervals over problems and seeds.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from scripts.lib.bootstrap import Sample, hierarchical_interval
from scripts.lib.files import read_json
from scripts.lib.job import InputError, job
from scripts.lib.schemas.scores import DIFFERENCES, KEY
from scripts.lib.score_tables import write_rows
from scripts.lib.scores import Row, bases_of, split_checkpoint
from scripts.lib.seeds import seed_for
from scripts.tables import losses

# What identifies a score apart from its checkpoint.
WHAT = [name for name in KEY if name != "checkpoint"]
# Starts that are trained in the same way with different seeds, by the first of them.
Replicates = Mapping[str, Sequence[str]]
# A line of comparison: the names and the checkpoints of both sides.
Side = tuple[str, list[str]]


def problem_values(path: str | Path) -> pd.DataFrame:
    """Read the value of each problem from a score file: the columns of the key, `problem` and `value`.

    Metrics that are not a mean over problems, such as a relative drop, have no such values.
    """
    content = read_json(path)
    parts = [
        {**{name: row[name] for name in KEY}, "problem": problem, "value": float(value)}
        for row in content["rows"]
        for problem, value in (content["per_problem"].get(row["setting"], {}).get(row["metric"]) or {}).items()
    ]
    return pd.DataFrame(parts, columns=[*KEY, "problem", "value"])


def _members(checkpoint: str, replicates: Replicates, checkpoints: Sequence[str]) -> list[str]:
    """The checkpoints that differ from one in the seed of their training alone, and itself."""
    start, step, tuning = split_checkpoint(checkpoint)
    names = ["-".join(filter(None, (other, tuning))) for other in replicates.get(start, ())]
    return [checkpoint] if step else [name for name in names if name in checkpoints] or [checkpoint]


def _side(checkpoint: str, members: list[str]) -> Side:
    """A side with the mean of several trainings, or with one."""
    return (f"{len(members)} seeds of {checkpoint}" if len(members) > 1 else checkpoint), members


def comparisons(checkpoints: Sequence[str], replicates: Replicates) -> list[tuple[Side, Side]]:
    """All comparisons among checkpoints: what is compared, and with what.

    Each checkpoint with those of `bases_of`; then the means of replicates, which the first of them
    stands for.
    """
    single = [((name, [name]), (base, [base])) for name in checkpoints for base in bases_of(name, checkpoints)]
    further = {name for names in replicates.values() for name in names[1:]}
    firsts = [name for name in checkpoints if split_checkpoint(name)[0] not in further]
    means = [
        tuple(_side(each, _members(each, replicates, checkpoints)) for each in (name, base))
        for name in firsts
        for base in bases_of(name, firsts)
    ]
    return [*single, *((one, other) for one, other in means if len(one[1]) > 1 or len(other[1]) > 1)]


def _paired(values: pd.DataFrame, first: list[str], second: list[str], what: str) -> pd.DataFrame:
    """The problems of some checkpoints; `values` has a column for each.

    Raises `InputError` when they were scored on different problems.
    """
    shown = values[[*first, *second]]
    missing = shown[shown.isna().any(axis=1)]
    if len(missing):
        fault = f"{first[0]} and {second[0]} were scored on different problems, {missing.index[0]} in one only"
        raise InputError(f"{what}: {fault}; score both again")
    return shown


def paired_problems(
    values: pd.DataFrame, replicates: Replicates | None = None
) -> Iterator[tuple[Row, list[np.ndarray], list[np.ndarray]]]:
    """All comparisons of the scores in `values`: the key of `tables/differences.csv`, and the values
    of the problems of each training with which is compared, and of each that is compared.

    Arrays have the shape (problems,), in the same order.
    """
    for what, rows in values.groupby(WHAT):
        names, table = list(map(str, what)), rows.pivot(index="problem", columns="checkpoint", values="value")
        for (name, ours), (base, theirs) in comparisons(sorted(table.columns), replicates or {}):
            problems = _paired(table, theirs, ours, ", ".join(names))
            key = {**dict(zip(WHAT, names, strict=True)), "checkpoint": name, "base": base}
            first, second = ([problems[each].to_numpy() for each in side] for side in (theirs, ours))
            yield key, first, second


def score_differences(scores: list[str], seed: int, replicates: Replicates | None = None) -> list[Row]:
    """Differences of all scores that have a counterpart; `scores` are score files."""
    if not scores:
        return []
    rows = []
    for key, *sides in paired_problems(pd.concat(map(problem_values, scores)), replicates):
        first, second = ([Sample.of(values) for values in side] for side in sides)
        task = [key[name] for name in ("benchmark", "language", "setting", "metric")]
        low, high = hierarchical_interval(first, second, seed_for(seed, *task))
        difference = losses.mean_of(second, float) - losses.mean_of(first, float)
        problems = len(first[0].values)
        rows.append({**key, "difference": difference, "ci_low": low, "ci_high": high, "problems": problems})
    return rows


def loss_differences(
    loss_files: Mapping[tuple[str, str], str], seed: int, replicates: Replicates | None = None
) -> list[Row]:
    """Differences of validation losses; `loss_files` maps (model, checkpoint) to a path."""
    rows = []
    for model in sorted({model for model, _ in loss_files}):
        files = {checkpoint: path for (name, checkpoint), path in loss_files.items() if name == model}
        for (name, ours), (base, theirs) in comparisons(sorted(files), replicates or {}):
            first, second = ([files[each] for each in side] for side in (theirs, ours))
            key = {"model": model, "checkpoint": name, "base": base}
            rows += [{**row, **key} for row in losses.difference_rows(first, second, seed)]
    return rows


def compare(
    scores: list[str],
    loss_files: Mapping[tuple[str, str], str],
    seed: int,
    replicates: Replicates | None = None,
) -> pd.DataFrame:
    """All rows of `tables/differences.csv`."""
    rows = score_differences(scores, seed, replicates) + loss_differences(loss_files, seed, replicates)
    return pd.DataFrame(rows, columns=list(DIFFERENCES.names))


if __name__ == "__main__":
    with job() as snakemake:
        params = snakemake.params
        trained = [tuple(names) for names in params.trained]
        paths = dict(zip(trained, snakemake.input.losses, strict=True))
        rows = compare(snakemake.input.scores, paths, params.seed, params.replicates)
        write_rows(snakemake.output[0], rows, DIFFERENCES)
