"""Validation losses of documents, grouped by language and setting (direction and variant)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scripts.lib.bootstrap import Sample, hierarchical_interval, interval
from scripts.lib.job import InputError
from scripts.lib.parquet import read_table
from scripts.lib.scores import Row
from scripts.lib.seeds import seed_for

BENCHMARK = "validation"
COLUMNS = ["id", "language", "variant", "direction", "tokens", "loss", "document_tokens", "document_loss"]
ALL = "all"
# The direction of source code alone, which belongs to no variant.
SOURCE = "source"
GROUP = ["language", "setting"]


@dataclass(frozen=True)
class Metric:
    """A metric over documents: a transformation of the mean of one column, weighted by another."""

    losses: str
    weights: str
    transform: Callable[[Any], Any]


METRICS = {
    "loss": Metric("loss", "tokens", lambda mean: mean),
    "perplexity": Metric("loss", "tokens", np.exp),
    "document_loss": Metric("document_loss", "document_tokens", lambda mean: mean),
}


def read_documents(path: str | Path) -> pd.DataFrame:
    """Read the losses of one checkpoint, sorted by the documents' `name`s.

    Raises `InputError` for a document without tokens or with a loss that is not a finite number.
    """
    rows = read_table(path, COLUMNS).to_pandas()
    invalid = rows[(rows["tokens"] < 1) | ~np.isfinite(rows["loss"].astype(float))]
    if len(invalid):
        row = invalid.iloc[0]
        raise InputError(
            f"{path}: document {row['id']} has {row['tokens']} tokens and loss {row['loss']}; train the model again"
        )
    rows["name"] = rows["language"] + "/" + rows["id"] + "/" + rows["variant"].fillna("")
    return rows.sort_values("name", kind="stable")


def in_groups(documents: pd.DataFrame) -> pd.DataFrame:
    """Repeat each document in every group (`language`, `setting`) that it belongs to.

    The groups are its own, that of all languages, and that of all languages and variants.
    """
    alone = documents["direction"] == SOURCE
    setting = documents["direction"].where(alone, documents["direction"] + "." + documents["variant"].fillna(""))
    own = documents.assign(setting=setting)
    languages = own.assign(language=ALL)
    variants = languages[~alone].assign(setting=lambda rows: rows["direction"] + f".{ALL}")
    return pd.concat([own, languages, variants])


def samples(documents: pd.DataFrame, suffix: str = "") -> Iterator[tuple[str, Sample, Callable[[Any], Any]]]:
    """Each metric with its sample of losses weighted by tokens, and the transformation of the mean."""
    for name, metric in METRICS.items():
        sample = Sample.of(documents[metric.losses + suffix], documents[metric.weights + suffix])
        yield name, sample, metric.transform


def score_rows(path: str | Path, model: str, checkpoint: str, seed: int) -> list[Row]:
    """Rows of scores.csv for one file of losses: each metric, with its interval over documents."""
    rows = []
    for (language, setting), documents in in_groups(read_documents(path)).groupby(GROUP):
        key = {"benchmark": BENCHMARK, "language": language, "model": model, "checkpoint": checkpoint}
        for name, sample, transform in samples(documents):
            low, high = interval(sample, seed_for(seed, BENCHMARK, language, setting), transform)
            value = float(transform(sample.mean()))
            values = {"value": value, "ci_low": low, "ci_high": high, "problems": len(documents), "samples": 1}
            rows.append({**key, "setting": setting, "metric": name, **values})
    return rows


def paired_documents(paths: Sequence[str | Path]) -> pd.DataFrame:
    """Join the documents of files of losses: columns of the file of index i end in `_i`.

    Raises `InputError` when the files do not have the same documents.
    """
    keys = [*GROUP, "name"]
    columns = sorted({name for metric in METRICS.values() for name in (metric.losses, metric.weights)})
    parts: list[pd.DataFrame] = []
    for number, path in enumerate(paths):
        part = in_groups(read_documents(path)).set_index(keys)[columns].add_suffix(f"_{number}")
        if number and not part.index.sort_values().equals(parts[0].index.sort_values()):
            group = ", ".join(part.index.symmetric_difference(parts[0].index)[0][: len(GROUP)])
            raise InputError(f"{paths[0]} and {path} have different documents of {group}; train both models again")
        parts.append(part)
    return pd.concat(parts, axis=1).reset_index().sort_values(keys)


def difference_rows(first: Sequence[str | Path], second: Sequence[str | Path], seed: int) -> list[Row]:
    """Metrics of the files `second` minus those of `first`, over the same documents, by group.

    A side has the files of one training, or of several with other seeds.
    """
    rows = []
    for (language, setting), documents in paired_documents([*first, *second]).groupby(GROUP):
        key = {"benchmark": BENCHMARK, "language": language, "setting": setting}
        columns = zip(*(samples(documents, f"_{i}") for i in range(len(first) + len(second))), strict=True)
        for of_metric in columns:
            name, _, transform = of_metric[0]
            both = [sample for _, sample, _ in of_metric]
            before, after = both[: len(first)], both[len(first) :]
            low, high = hierarchical_interval(before, after, seed_for(seed, BENCHMARK, language, setting), transform)
            difference = mean_of(after, transform) - mean_of(before, transform)
            values = {"difference": difference, "ci_low": low, "ci_high": high, "problems": len(documents)}
            rows.append({**key, "metric": name, **values})
    return rows


def mean_of(trainings: Sequence[Sample], transform: Callable[[Any], Any]) -> float:
    """The mean over trainings of the transformed mean over documents."""
    return float(np.mean([transform(sample.mean()) for sample in trainings]))
