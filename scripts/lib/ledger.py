"""Reads ledgers: what became of the sources of a language, counted by variant."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from scripts.lib.parquet import iter_batches
from scripts.lib.schemas.ir import CompileStatus
from scripts.lib.schemas.ledger import LEDGER, Outcome
from scripts.lib.schemas.pairs import LENGTHS, SourceOutcome, Split

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
# Rows in memory at a time.
_ROWS = 1 << 16
_COUNTED = ["variant", "outcome", "split", "license", "compiler", "llvm"]
NOT_STATED = "not stated"


def tables(path: str, columns: list[str]) -> Iterator[pa.Table]:
    """Some columns of a ledger, in tables of a bounded number of rows."""
    schema = pa.schema([LEDGER.schema.field(name) for name in columns])
    waiting: list[pa.RecordBatch] = []
    for batch in iter_batches(path, columns, batch_size=_ROWS):
        waiting.append(batch.select(columns))
        if sum(part.num_rows for part in waiting) >= _ROWS:
            yield pa.Table.from_batches(waiting, schema)
            waiting = []
    if waiting:
        yield pa.Table.from_batches(waiting, schema)


def counted(path: str, columns: list[str]) -> Counter[tuple[Any, ...]]:
    """Number of rows of a ledger by the values of some columns."""
    counts: Counter[tuple[Any, ...]] = Counter()
    for table in tables(path, columns):
        groups = table.group_by(columns).aggregate([([], "count_all")])
        for *key, count in zip(*(groups[name].to_pylist() for name in [*columns, "count_all"]), strict=True):
            counts[tuple(key)] += count
    return counts


def _lengths(path: str, outcome: Outcome) -> dict[str, np.ndarray]:
    """Lengths of the programs with an outcome by variant, each of shape (rows, lengths) int64."""
    parts: dict[str, list[np.ndarray]] = {}
    for table in tables(path, ["variant", "outcome", *LENGTHS]):
        chosen = table.filter(pc.equal(table["outcome"], pa.scalar(str(outcome))))
        for variant in cast(list[str], chosen["variant"].unique().to_pylist()):
            rows = chosen.filter(pc.equal(chosen["variant"], pa.scalar(variant)))
            parts.setdefault(variant, []).append(np.column_stack([rows[name].to_numpy() for name in LENGTHS]))
    return {variant: np.concatenate(arrays) for variant, arrays in parts.items()}


def summary(values: np.ndarray) -> dict[str, Any]:
    """Total, mean, largest value and quantiles of lengths, shape (n,) with n > 0."""
    cuts = np.quantile(values, QUANTILES, method="lower")
    return {
        "total": int(values.sum()),
        "mean": round(float(values.mean()), 1),
        "max": int(values.max()),
        **{f"p{round(100 * share)}": int(cut) for share, cut in zip(QUANTILES, cuts, strict=True)},
    }


def summarise(path: str, language: str, variants: list[str]) -> dict[str, Any]:
    """Everything that is counted of a language's ledger.

    `variants` has for each variant: `funnel`, number of source files by `SourceOutcome`, and
    `sources`, all of them; `splits`; `statuses` of compilation; `filtered`, by the length that is
    too long; `lengths` of the pairs, empty without any. `tools` are the compilers of all modules,
    `licenses` those of all pairs.
    """
    counts, lengths = counted(path, _COUNTED), _lengths(path, Outcome.PAIR)
    too_long = counted(path, ["variant", "exceeded"])
    funnel: Counter[tuple[str, str]] = Counter()
    splits: Counter[tuple[str, str]] = Counter()
    statuses: Counter[tuple[str, str]] = Counter()
    licenses: Counter[str] = Counter()
    tools = set()
    for (variant, word, split, license_name, compiler, llvm), count in counts.items():
        outcome = Outcome(word)
        funnel[variant, outcome.summary] += count
        if outcome.status is not None:
            statuses[variant, outcome.status] += count
        if outcome is Outcome.PAIR:
            splits[variant, split] += count
            licenses[license_name or NOT_STATED] += count
        if outcome.status is CompileStatus.OK:
            tools.add((compiler or "", llvm or ""))
    return {
        "language": language,
        "variants": {
            variant: {
                "funnel": {
                    "sources": sum(funnel[variant, outcome] for outcome in SourceOutcome),
                    **{str(outcome): funnel[variant, outcome] for outcome in SourceOutcome},
                },
                "splits": {str(split): splits[variant, split] for split in Split},
                "statuses": {str(s): statuses[variant, s] for s in sorted(CompileStatus) if statuses[variant, s]},
                "filtered": {name: too_long[variant, name] for name in LENGTHS if too_long[variant, name]},
                "lengths": {
                    name: summary(lengths[variant][:, column])
                    for column, name in enumerate(LENGTHS)
                    if variant in lengths
                },
            }
            for variant in variants
        },
        "tools": [{"compiler": compiler, "llvm": llvm} for compiler, llvm in sorted(tools)],
        "licenses": dict(sorted(licenses.items())),
    }
