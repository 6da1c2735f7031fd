"""Differences between the scores of two runs, paired by problem, with bootstrap intervals."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scripts.lib.bootstrap import Sample, paired_interval
from scripts.lib.files import read_json
from scripts.lib.schemas.scores import CONTROL, KEY
from scripts.lib.seeds import seed_for
from scripts.tables import losses
from scripts.workflow.score_search import VALIDATION, read_scores, score_files

Key = tuple[str, ...]
_GROUPED = ["language", "setting"]


@dataclass(frozen=True)
class Change:
    """A score in two runs.

    first, second: the values; None in a run that lacks the score. difference: second minus first
    over the problems that both have, in the unit of the score. low, high: its 95 % interval; None
    where there is no value of each problem. problems: number of problems that both have. unpaired:
    number of problems that only one of them has.
    """

    key: Key
    first: float | None
    second: float | None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    problems: int = 0
    unpaired: int = 0

    @property
    def is_clear(self) -> bool:
        """Whether the interval excludes zero."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high


Paired = tuple[Sample, Sample, Callable[[Any], Any], int]


def _no_transform(value: Any) -> Any:
    return value


def _problem_values(results: Path, key: Key) -> dict[Key, dict[str, float]]:
    """Values of each problem by the scores' keys, of one checkpoint in a benchmark."""
    benchmark, model, checkpoint = key
    values: dict[Key, dict[str, float]] = {}
    for name in score_files(results, benchmark, model, checkpoint):
        content = read_json(results / name)
        for row in content["rows"]:
            problems = content["per_problem"].get(row["setting"], {}).get(row["metric"])
            if problems:
                values[tuple(row[name] for name in KEY)] = problems
    return values


def _paired_scores(first: Path, second: Path, key: Key) -> Iterator[tuple[Key, Paired]]:
    """The scores of one checkpoint with the values of the problems that both runs have."""
    one, other = _problem_values(first, key), _problem_values(second, key)
    for name in one.keys() & other.keys():
        common = sorted(one[name].keys() & other[name].keys())
        if common:
            before, after = (Sample.of([values[name][problem] for problem in common]) for values in (one, other))
            yield name, (before, after, _no_transform, len(one[name].keys() ^ other[name].keys()))


def _paired_losses(first: Path, second: Path, key: Key) -> Iterator[tuple[Key, Paired]]:
    """The validation losses of one checkpoint over the documents that both runs have."""
    benchmark, model, checkpoint = key
    paths = [run / name for run in (first, second) for name in score_files(run, benchmark, model, checkpoint)]
    if not all(path.is_file() for path in paths):
        return
    tables = [losses.in_groups(losses.read_documents(path)) for path in paths]
    joined = tables[0].merge(
        tables[1], on=[*_GROUPED, "name", "direction"], how="outer", suffixes=("_1", "_2"), indicator=True
    )
    for (language, setting), documents in joined.sort_values([*_GROUPED, "name"]).groupby(_GROUPED):
        both = documents[documents["_merge"] == "both"]
        if both.empty:
            continue
        for (metric, one, transform), (_, other, _) in zip(
            losses.samples(both, "_1"), losses.samples(both, "_2"), strict=True
        ):
            name = (benchmark, str(language), model, checkpoint, str(setting), metric)
            yield name, (one, other, transform, len(documents) - len(both))


def _change(key: Key, values: tuple[float | None, float | None], paired: Paired | None, seed: int) -> Change:
    """The change of a score, of which `values` are those of the two runs."""
    if None in values or paired is None:
        difference = None if values[0] is None or values[1] is None else values[1] - values[0]
        return Change(key, *values, difference=difference)
    one, other, transform, unpaired = paired
    difference = float(transform(other.mean()) - transform(one.mean()))
    if np.array_equal(one.values, other.values):
        low = high = 0.0
    else:
        low, high = paired_interval(one, other, seed_for(seed, *key), transform)
    return Change(key, *values, difference, low, high, len(one.values), unpaired)


def _values(results: Path) -> dict[Key, float]:
    """Values of the scores of a run by key; empty for one that ended before its tables."""
    if not (results / "tables" / "scores.csv").is_file():
        return {}
    return {tuple(row[name] for name in KEY): float(row["value"]) for row in read_scores(results)}


def score_changes(first: Path, second: Path, seed: int) -> list[Change]:
    """All scores of two runs with their differences, second minus first, sorted by key.

    Controls are left out where they are equal. `seed` determines the resamples.
    """
    values = [_values(run) for run in (first, second)]
    named = [dict(zip(KEY, key, strict=True)) for key in values[0].keys() & values[1].keys()]
    groups = sorted({(row["benchmark"], row["model"], row["checkpoint"]) for row in named})
    paired: dict[Key, Paired] = {}
    for group in groups:
        find = _paired_losses if group[0] == VALIDATION else _paired_scores
        paired |= dict(find(first, second, group))
    keys = sorted(values[0].keys() | values[1].keys())
    changes = [_change(key, (values[0].get(key), values[1].get(key)), paired.get(key), seed) for key in keys]
    return [change for change in changes if CONTROL not in change.key or change.difference != 0]


def frame(changes: list[Change]) -> pd.DataFrame:
    """Changes as a table, one row per score."""
    columns = ("first", "second", "difference", "low", "high", "problems", "unpaired")
    rows = [{**dict(zip(KEY, c.key, strict=True)), **{name: getattr(c, name) for name in columns}} for c in changes]
    return pd.DataFrame(rows, columns=[*KEY, *columns])
