"""Learning curves: the reports of a training as a table by step."""

from pathlib import Path
from typing import Any

from scripts.lib.csv_files import write_csv
from scripts.lib.files import read_json
from scripts.lib.schemas.training import CURVE

_NAMES = {
    "loss": "train_loss",
    "eval_loss": "validation_loss",
    "eval_accuracy": "validation_accuracy",
    "learning_rate": "learning_rate",
}


def curve_rows(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row per step from the Trainer's reports, without timings.

    Losses are in nats per token; the accuracy is a share of the labelled validation tokens.
    """
    rows: dict[int, dict[str, Any]] = {}
    for report in history:
        row = rows.setdefault(report["step"], {"step": report["step"]})
        row |= {_NAMES[key]: value for key, value in report.items() if key in _NAMES}
    return [rows[step] for step in sorted(rows) if len(rows[step]) > 1]


def write_curve(checkpoints: Path, output: str | Path) -> None:
    """Write the learning curve of the training in the folder `checkpoints` as CSV."""
    write_csv(output, CURVE.names, curve_rows(read_json(checkpoints / "history.json")))
