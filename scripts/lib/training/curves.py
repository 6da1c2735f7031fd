"""Learning curves: what a training reported step by step, as a table."""

import csv
import io
from pathlib import Path
from typing import Any

from scripts.lib.files import read_json, write_text

COLUMNS = ("step", "learning_rate", "train_loss", "validation_loss", "validation_accuracy")
_NAMES = {
    "loss": "train_loss",
    "eval_loss": "validation_loss",
    "eval_accuracy": "validation_accuracy",
    "learning_rate": "learning_rate",
}


def curve_rows(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row a step from the Trainer's reports, without its timings; losses in nats a token,
    the accuracy as a share of the validation tokens that carry loss.
    """
    rows: dict[int, dict[str, Any]] = {}
    for report in history:
        row = rows.setdefault(report["step"], {"step": report["step"]})
        row |= {_NAMES[key]: value for key, value in report.items() if key in _NAMES}
    return [rows[step] for step in sorted(rows) if len(rows[step]) > 1]


def write_curve(checkpoints: Path, output: str | Path) -> None:
    """Write the curve of the training whose checkpoint folder this is as csv."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(curve_rows(read_json(checkpoints / "history.json")))
    write_text(output, text.getvalue())
