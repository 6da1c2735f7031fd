"""The long tables of scores, of differences between checkpoints, and of the paper's figures."""

from typing import Any

import pyarrow as pa

from scripts.lib.schemas.table import Column, Table, text

# Checkpoint of the controls `reference`, `ceiling`, `empty` and `random`, which stand in for models.
CONTROL = "control"

_KEY = (
    text("benchmark", "benchmark, or `validation` for validation losses"),
    text("language", "language or task of the benchmark; `all` for validation losses over all languages"),
    text("model", "model of `config/models.yaml`, or a control: `reference`, `ceiling`, `empty` or `random`"),
    text("checkpoint", "trained state of the model, such as `base` or `ircoder`; `control` for a control"),
    text("setting", "how completions were drawn, with the perturbation where there is one; or direction and variant"),
    text("metric", "name of the metric"),
)
# Names of the columns that identify a score.
KEY = tuple(column.name for column in _KEY)
_PERCENT = "0–100; losses in nats per token, bits_per_byte in bits"
_LOW = Column("ci_low", pa.float64(), "lower bound of the 95 % bootstrap interval over problems", _PERCENT)
_HIGH = Column("ci_high", pa.float64(), "upper bound of the 95 % bootstrap interval over problems", _PERCENT)
_PROBLEMS = Column(
    "problems", pa.int64(), "number of problems, or of validation documents, that the value is computed from"
)

SCORES = Table(
    "Scores",
    "tables/scores.csv",
    "One row for each score, sorted by its text columns. Files below `scores/` have rows with the same columns.",
    (
        *_KEY,
        Column("value", pa.float64(), "mean over problems", _PERCENT),
        _LOW,
        _HIGH,
        _PROBLEMS,
        Column("samples", pa.int64(), "completions for each problem, or measurements of a likelihood"),
    ),
)

DIFFERENCES = Table(
    "Differences",
    "tables/differences.csv",
    "One row for each score of IRCoder or an ablation and the same score of the base, and for each of IRCoder and an "
    "ablation, paired by problem, sorted by its text columns. Rows whose checkpoint or base is `N seeds of NAME` "
    "compare means over trainings that differ in their seed; their intervals cover problems and seeds.",
    (
        *_KEY,
        text("base", "checkpoint that is subtracted"),
        Column("difference", pa.float64(), "value of `checkpoint` minus value of `base`", _PERCENT),
        _LOW,
        _HIGH,
        _PROBLEMS,
    ),
)

PAPER_RESULTS = Table(
    "Results of the paper",
    "config/paper_results.csv",
    "Figures of the paper, filled by users: one row for each score. Rows without a value are ignored.",
    (
        *_KEY,
        Column("value", pa.float64(), "the paper's figure", _PERCENT),
        text("citation", "where the figure was read: document, table, row"),
    ),
)


def key_text(row: Any) -> str:
    """The key of a score as text; `row` has a text for each name of `KEY`."""
    return " ".join(row[name] for name in KEY)
