"""Compares each score of IRCoder with that of the base, paired by problem: `tables/differences.csv`."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from scripts.lib.bootstrap import Sample, paired_interval
from scripts.lib.files import read_json
from scripts.lib.job import InputError, job
from scripts.lib.schemas.scores import DIFFERENCES, KEY
from scripts.lib.score_tables import write_rows
from scripts.lib.scores import Row, base_of
from scripts.lib.seeds import seed_for
from scripts.tables import losses

# What identifies the pair of a score of IRCoder and one of the base.
PAIR = [*KEY, "base"]


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


def paired_problems(values: pd.DataFrame) -> pd.DataFrame:
    """Join the problems of each checkpoint of IRCoder with those of its base: `value_base`, `value_ircoder`.

    Scores without a counterpart are left out. Raises `InputError` when the two were scored on
    different problems.
    """
    ircoder = values.assign(base=values["checkpoint"].map(base_of)).dropna(subset="base")
    base = values.rename(columns={"checkpoint": "base"})
    on = [name for name in PAIR if name != "checkpoint"]
    pairs = ircoder[PAIR].drop_duplicates().merge(base[on].drop_duplicates(), on=on)
    joined = (
        pairs.merge(ircoder, on=PAIR)
        .merge(pairs.merge(base, on=on), on=[*PAIR, "problem"], how="outer", suffixes=("_ircoder", "_base"))
        .sort_values([*PAIR, "problem"])
    )
    unpaired = joined[joined[["value_base", "value_ircoder"]].isna().any(axis=1)]
    if len(unpaired):
        first = unpaired.iloc[0]
        key = ", ".join(first[list(KEY)])
        raise InputError(
            f"{key}: base and IRCoder were scored on different problems, {first['problem']} in one only; "
            "score both again"
        )
    return joined


def score_differences(scores: list[str], seed: int) -> list[Row]:
    """Differences for every score of IRCoder whose base was scored too; `scores` are score files."""
    if not scores:
        return []
    rows = []
    for names, problems in paired_problems(pd.concat(map(problem_values, scores))).groupby(PAIR):
        row: Row = dict(zip(PAIR, names, strict=True))
        base, ircoder = (Sample.of(problems[name]) for name in ("value_base", "value_ircoder"))
        task = [row[name] for name in ("benchmark", "language", "setting", "metric")]
        low, high = paired_interval(base, ircoder, seed_for(seed, *task))
        difference = ircoder.mean() - base.mean()
        rows.append({**row, "difference": difference, "ci_low": low, "ci_high": high, "problems": len(problems)})
    return rows


def loss_differences(loss_files: Mapping[tuple[str, str], str], seed: int) -> list[Row]:
    """Differences of validation losses; `loss_files` maps (model, checkpoint) to a path."""
    rows = []
    for (model, checkpoint), path in loss_files.items():
        base = loss_files.get((model, base_of(checkpoint) or ""))
        if base is not None:
            rows.extend(losses.difference_rows(base, path, model, checkpoint, seed))
    return rows


def compare(scores: list[str], loss_files: Mapping[tuple[str, str], str], seed: int) -> pd.DataFrame:
    """All rows of `tables/differences.csv`."""
    rows = score_differences(scores, seed) + loss_differences(loss_files, seed)
    return pd.DataFrame(rows, columns=list(DIFFERENCES.names))


if __name__ == "__main__":
    with job() as snakemake:
        trained = [tuple(names) for names in snakemake.params.trained]
        paths = dict(zip(trained, snakemake.input.losses, strict=True))
        write_rows(snakemake.output[0], compare(snakemake.input.scores, paths, snakemake.params.seed), DIFFERENCES)
