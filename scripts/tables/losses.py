"""Validation losses of documents, grouped into what the tables call a setting."""

import math
from collections import defaultdict
from pathlib import Path

import numpy as np

from scripts.lib.bootstrap import Sample, interval, paired_interval
from scripts.lib.job import InputError
from scripts.lib.parquet import iter_rows
from scripts.lib.scores import Row, base_of
from scripts.lib.seeds import seed_for

BENCHMARK = "validation"
COLUMNS = ["id", "language", "variant", "direction", "tokens", "loss"]
ALL = "all"
TRANSFORMS = {"loss": lambda loss: loss, "perplexity": np.exp}

# (language, setting) -> document -> (tokens, mean loss of a token in nats)
Groups = dict[tuple[str, str], dict[str, tuple[int, float]]]


def _places(row: Row) -> list[tuple[str, str]]:
    """The (language, setting) groups that a document belongs to: its own and those of all languages."""
    direction, variant = row["direction"], row["variant"]
    if not variant:
        return [(row["language"], direction), (ALL, direction)]
    setting = f"{direction}.{variant}"
    return [(row["language"], setting), (ALL, setting), (ALL, f"{direction}.{ALL}")]


def read_groups(path: str | Path) -> Groups:
    """Losses of one model and stage by language and setting (`source_to_llvm.perf`, …, or `source`).

    Raises `InputError` for a document without tokens or with a loss that is no finite number.
    """
    groups: Groups = defaultdict(dict)
    for row in iter_rows(path, COLUMNS):
        if row["tokens"] < 1 or not math.isfinite(row["loss"]):
            raise InputError(f"{path}: document {row['id']} has {row['tokens']} tokens and loss {row['loss']}")
        name = f"{row['language']}/{row['id']}/{row['variant'] or ''}"
        for place in _places(row):
            groups[place][name] = (row["tokens"], row["loss"])
    return groups


def _sample(documents: dict[str, tuple[int, float]]) -> Sample:
    """Documents, in the order of their names, as a sample of losses weighted by tokens."""
    pairs = [documents[name] for name in sorted(documents)]
    return Sample.of([loss for _, loss in pairs], [tokens for tokens, _ in pairs])


def score_rows(path: str | Path, model: str, stage: str, seed: int) -> list[Row]:
    """Rows of scores.csv for one file of losses: mean loss of a token and its perplexity, intervals over documents."""
    rows = []
    for (language, setting), documents in sorted(read_groups(path).items()):
        sample = _sample(documents)
        key = {"benchmark": BENCHMARK, "language": language, "model": model, "stage": stage, "setting": setting}
        for metric, transform in TRANSFORMS.items():
            low, high = interval(sample, seed_for(seed, BENCHMARK, language, setting), transform)
            value = float(transform(sample.mean()))
            figures = {"value": value, "ci_low": low, "ci_high": high, "problems": len(documents), "samples": 1}
            rows.append({**key, "metric": metric, **figures})
    return rows


def difference_rows(base: str | Path, ircoder: str | Path, model: str, stage: str, seed: int) -> list[Row]:
    """Rows of differences.csv: IRCoder's loss minus the base's on the same documents.

    Raises `InputError` when the two files do not hold the same documents.
    """
    first, second = read_groups(base), read_groups(ircoder)
    rows = []
    for (language, setting), documents in sorted(second.items()):
        if first.get((language, setting), {}).keys() != documents.keys():
            raise InputError(f"{base} and {ircoder} hold different documents of {language}, {setting}; train both anew")
        pair = _sample(first[language, setting]), _sample(documents)
        key = {"benchmark": BENCHMARK, "language": language, "model": model, "stage": stage, "setting": setting}
        for metric, transform in TRANSFORMS.items():
            low, high = paired_interval(*pair, seed_for(seed, BENCHMARK, language, setting), transform)
            value = float(transform(pair[1].mean()) - transform(pair[0].mean()))
            figures = {"difference": value, "ci_low": low, "ci_high": high, "problems": len(documents)}
            rows.append({**key, "metric": metric, "base": base_of(stage), **figures})
    return rows
