"""Model cards: what a model was made from, how, and how well it fits, as README.md with the hub's metadata."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from scripts.lib.escape import markdown, markdown_code, one_line


@dataclass(frozen=True)
class Card:
    """What a card says; `data` are sentences on the data, `settings` and `facts` tables of plain values.

    `step`: for a checkpoint that was saved during the training, after which step; losses are those up to then.
    """

    title: str
    license: str
    base: str | None
    data: Sequence[str]
    settings: Mapping[str, Any]
    facts: Mapping[str, Any]
    curve: str | Path
    step: int | None = None


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values under names joined by dots."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        nested = isinstance(value, Mapping)
        flat |= flatten(value, f"{prefix}{key}.") if nested else {f"{prefix}{key}": value}
    return flat


def _table(heads: tuple[str, str], values: Mapping[str, Any]) -> list[str]:
    """A Markdown table of names and values."""
    rows = [f"| {markdown(key)} | {markdown_code(value)} |" for key, value in sorted(values.items())]
    return [f"| {heads[0]} | {heads[1]} |", "|---|---|", *rows]


def last_losses(path: str | Path, step: int | None = None) -> dict[str, float]:
    """The last training and validation loss of a learning curve, or of its steps up to `step`; those that it has."""
    with Path(path).open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if step is None or int(row["step"]) <= step]
    columns = ("train_loss", "validation_loss")
    found = {name: [float(row[name]) for row in rows if row[name]] for name in columns}
    return {name: round(values[-1], 4) for name, values in found.items() if values}


def render(card: Card) -> str:
    """The card's text; the same for the same training, whatever the machine."""
    metadata = {"license": "other", "license_name": one_line(card.license), "tags": ["code", "llvm"]}
    if card.base:
        metadata["base_model"] = card.base
    front = yaml.safe_dump(metadata, sort_keys=True, allow_unicode=True).rstrip()
    losses = {name: f"{value} nats a token" for name, value in last_losses(card.curve, card.step).items()}
    heading = "Losses at the end" if card.step is None else f"Losses up to step {card.step}"
    sections = {
        "Data": list(card.data),
        "Training": [*_table(("setting", "value"), flatten(card.settings)), "", *_table(("fact", "value"), card.facts)],
        heading: _table(("loss", "value"), losses),
    }
    body = "\n".join(line for name, lines in sections.items() for line in ("", f"## {name}", "", *lines))
    return f"---\n{front}\n---\n\n# {markdown(card.title)}\n{body}\n"


def write_card(folder: str | Path, card: Card) -> None:
    """Write README.md into a model's folder."""
    Path(folder, "README.md").write_text(render(card), encoding="utf-8")
