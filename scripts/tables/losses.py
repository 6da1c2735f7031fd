"""Validation losses of documents, grouped into what the tables call a setting."""

import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scripts.lib.bootstrap import Sample, interval, paired_interval
from scripts.lib.job import InputError
from scripts.lib.parquet import iter_rows
from scripts.lib.scores import Row, base_of
from scripts.lib.seeds import seed_for

BENCHMARK = "validation"
COLUMNS = ["id", "language", "variant", "direction", "tokens", "loss", "document_tokens", "document_loss"]
ALL = "all"
# Plain source belongs to no variant.
SOURCE = "source"


@dataclass(frozen=True)
class Metric:
    """A metric over documents: the column of losses, the column of weights, and what is done to their mean."""

    losses: str
    weights: str
    transform: Callable[[Any], Any]


METRICS = {
    "loss": Metric("loss", "tokens", lambda mean: mean),
    "perplexity": Metric("loss", "tokens", np.exp),
    "document_loss": Metric("document_loss", "document_tokens", lambda mean: mean),
}

# (language, setting) -> document -> its row
Groups = dict[tuple[str, str], dict[str, Row]]


def _places(row: Row) -> list[tuple[str, str]]:
    """The (language, setting) groups that a document belongs to: its own and those of all languages."""
    direction, variant = row["direction"], row["variant"]
    if direction == SOURCE:
        return [(row["language"], direction), (ALL, direction)]
    setting = f"{direction}.{variant}"
    return [(row["language"], setting), (ALL, setting), (ALL, f"{direction}.{ALL}")]


def read_groups(path: str | Path) -> Groups:
    """Losses of one model and checkpoint by language and setting (`source_to_llvm.perf`, …, or `source`).

    Raises `InputError` for a document without tokens or with a loss that is no finite number.
    """
    groups: Groups = defaultdict(dict)
    for row in iter_rows(path, COLUMNS):
        if row["tokens"] < 1 or not math.isfinite(row["loss"]):
            raise InputError(f"{path}: document {row['id']} has {row['tokens']} tokens and loss {row['loss']}")
        name = "/".join((row["language"], row["id"], row["variant"] or ""))
        for place in _places(row):
            groups[place][name] = row
    return groups


def _sample(documents: dict[str, Row], metric: Metric) -> Sample:
    """Documents, in the order of their names, as a sample of losses weighted by tokens."""
    rows = [documents[name] for name in sorted(documents)]
    return Sample.of([row[metric.losses] for row in rows], [row[metric.weights] for row in rows])


def score_rows(path: str | Path, model: str, checkpoint: str, seed: int) -> list[Row]:
    """Rows of scores.csv for one file of losses: mean loss of a token and its perplexity, intervals over documents."""
    rows = []
    for (language, setting), documents in sorted(read_groups(path).items()):
        key = {
            "benchmark": BENCHMARK,
            "language": language,
            "model": model,
            "checkpoint": checkpoint,
            "setting": setting,
        }
        for name, metric in METRICS.items():
            sample = _sample(documents, metric)
            low, high = interval(sample, seed_for(seed, BENCHMARK, language, setting), metric.transform)
            value = float(metric.transform(sample.mean()))
            figures = {"value": value, "ci_low": low, "ci_high": high, "problems": len(documents), "samples": 1}
            rows.append({**key, "metric": name, **figures})
    return rows


def difference_rows(base: str | Path, ircoder: str | Path, model: str, checkpoint: str, seed: int) -> list[Row]:
    """Rows of differences.csv: IRCoder's loss minus the base's on the same documents.

    Raises `InputError` when the two files do not hold the same documents.
    """
    first, second = read_groups(base), read_groups(ircoder)
    rows = []
    for (language, setting), documents in sorted(second.items()):
        if first.get((language, setting), {}).keys() != documents.keys():
            raise InputError(f"{base} and {ircoder} hold different documents of {language}, {setting}; train both anew")
        key = {
            "benchmark": BENCHMARK,
            "language": language,
            "model": model,
            "checkpoint": checkpoint,
            "setting": setting,
        }
        for name, metric in METRICS.items():
            pair = [_sample(group, metric) for group in (first[language, setting], documents)]
            low, high = paired_interval(*pair, seed_for(seed, BENCHMARK, language, setting), metric.transform)
            value = float(metric.transform(pair[1].mean()) - metric.transform(pair[0].mean()))
            figures = {"difference": value, "ci_low": low, "ci_high": high, "problems": len(documents)}
            rows.append({**key, "metric": name, "base": base_of(checkpoint), **figures})
    return rows
