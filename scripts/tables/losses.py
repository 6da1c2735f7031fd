"""Validation losses of documents, grouped by language and setting (direction and variant)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from scripts.lib.bootstrap import Sample, interval, paired_interval
from scripts.lib.job import InputError
from scripts.lib.parquet import read_table
from scripts.lib.scores import Row, base_of
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


def paired_documents(base: str | Path, ircoder: str | Path) -> pd.DataFrame:
    """Join the documents of two files of losses: columns of the base end in `_base`, those of IRCoder in `_ircoder`.

    Raises `InputError` when the two files do not have the same documents.
    """
    keys = [*GROUP, "name"]
    first, second = (in_groups(read_documents(path)) for path in (base, ircoder))
    joined = first.merge(second, on=keys, how="outer", suffixes=("_base", "_ircoder"), indicator=True)
    unpaired = joined[joined["_merge"] != "both"]
    if len(unpaired):
        group = ", ".join(unpaired.iloc[0][GROUP])
        raise InputError(f"{base} and {ircoder} have different documents of {group}; train both models again")
    return joined.sort_values(keys)


def difference_rows(base: str | Path, ircoder: str | Path, model: str, checkpoint: str, seed: int) -> list[Row]:
    """Rows of differences.csv: IRCoder's metrics minus the base's, over the same documents."""
    rows = []
    for (language, setting), documents in paired_documents(base, ircoder).groupby(GROUP):
        key = {"benchmark": BENCHMARK, "language": language, "model": model, "checkpoint": checkpoint}
        pairs = zip(samples(documents, "_base"), samples(documents, "_ircoder"), strict=True)
        for (name, first, transform), (_, second, _) in pairs:
            low, high = paired_interval(first, second, seed_for(seed, BENCHMARK, language, setting), transform)
            difference = float(transform(second.mean()) - transform(first.mean()))
            values = {"difference": difference, "ci_low": low, "ci_high": high, "problems": len(documents)}
            rows.append({**key, "setting": setting, "metric": name, "base": base_of(checkpoint), **values})
    return rows
