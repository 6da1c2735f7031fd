"""Model cards: a model's README.md with data, settings, results and the hub's metadata."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from scripts.lib.csv_files import read_csv
from scripts.lib.escape import markdown, markdown_code, one_line
from scripts.lib.hub_license import UNKNOWN, license_metadata
from scripts.lib.markdown_table import markdown_table
from scripts.lib.training.usage import merged_usage

TEMPLATE = Path(__file__).with_name("model_card.md.j2")
ADAPTER, FINETUNE = "adapter", "finetune"
TRAIN_LOSS, VALIDATION_LOSS, VALIDATION_ACCURACY = "train_loss", "validation_loss", "validation_accuracy"
# Column of the learning curve -> type and name of the hub's metric.
_METRICS = {
    VALIDATION_LOSS: ("loss", "cross-entropy in nats per token"),
    VALIDATION_ACCURACY: ("accuracy", "share of tokens predicted correctly"),
}


@dataclass(frozen=True)
class Card:
    """Content of a model card.

    license: name of the model's license; empty if unknown. license_link: address of its text, where
    the hub does not know it.
    base: hub repository of the base model, or its folder relative to the model's; None without one.
    relation: `adapter` or `finetune`, what the model is to its base.
    datasets: hub repositories of the training data, or folders relative to the model's.
    usage: Markdown on how to use the model. data: Markdown lines on the training data.
    settings, facts: plain values by name, nested for settings.
    curve: the learning curve as CSV. step: for a checkpoint saved during the training, the step
    after which it was saved; results are those up to then.
    """

    title: str
    license: str
    base: str | None
    data: Sequence[str]
    settings: Mapping[str, Any]
    facts: Mapping[str, Any]
    curve: str | Path
    usage: str = ""
    license_link: str | None = None
    relation: str | None = None
    datasets: Sequence[str] = ()
    step: int | None = None


def flatten(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested values under names joined by dots."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        nested = isinstance(value, Mapping)
        flat |= flatten(value, f"{prefix}{key}.") if nested else {f"{prefix}{key}": value}
    return flat


def last_measures(path: str | Path, step: int | None = None) -> dict[str, float]:
    """The last losses and accuracy of a learning curve, or of its steps up to `step`; absent ones
    are left out.
    """
    rows = [row for row in read_csv(path) if step is None or int(row["step"]) <= step]
    columns = {
        name: [float(row[name]) for row in rows if row.get(name)]
        for name in (TRAIN_LOSS, VALIDATION_LOSS, VALIDATION_ACCURACY)
    }
    return {name: round(values[-1], 4) for name, values in columns.items() if values}


def _results(measures: Mapping[str, float]) -> list[EvalResult]:
    """Evaluation results for the hub: the measures on the validation split of the training data."""
    return [
        EvalResult(
            task_type="text-generation",
            dataset_type="validation",
            dataset_name="validation split of the training data",
            metric_type=kind,
            metric_name=name,
            metric_value=measures[column],
        )
        for column, (kind, name) in _METRICS.items()
        if column in measures
    ]


def _metadata(card: Card, measures: Mapping[str, float]) -> ModelCardData:
    """The card's YAML header."""
    results = _results(measures)
    return ModelCardData(
        language="code",
        library_name="peft" if card.relation == ADAPTER else "transformers",
        base_model=card.base,
        base_model_relation=card.relation if card.base else None,
        datasets=list(card.datasets) or None,
        pipeline_tag="text-generation",
        tags=["code", "llvm"],
        model_name=one_line(card.title) if results else None,
        eval_results=results or None,
        **license_metadata([card.license or UNKNOWN], card.license_link),
    )


def _table(header: Sequence[str], values: Mapping[str, Any]) -> str:
    """A Markdown table of names and values, sorted by name."""
    return "\n".join(markdown_table(header, [[markdown(name), markdown_code(values[name])] for name in sorted(values)]))


def render(card: Card) -> str:
    """The card's text; the same for the same training on any machine."""
    measures = last_measures(card.curve, card.step)
    rendered = ModelCard.from_template(
        _metadata(card, measures),
        template_path=str(TEMPLATE),
        title=markdown(card.title),
        license=markdown(card.license or "not known"),
        usage=card.usage,
        description="\n".join(card.data),
        settings=_table(("setting", "value"), flatten(card.settings)),
        facts=_table(("fact", "value"), {name: value for name, value in card.facts.items() if name != "seed"}),
        step=card.step,
        measures=_table(("measure", "value"), measures),
    )
    return str(rendered).rstrip("\n") + "\n"


def write_card(folder: str | Path, card: Card) -> None:
    """Write README.md into a model's folder."""
    Path(folder, "README.md").write_text(render(card), encoding="utf-8")


def merged_card(text: str) -> str:
    """The card of the model that an adapter was merged into, from the adapter's card."""
    card = ModelCard(merged_usage(text, "."), ignore_metadata_errors=False)
    card.data["library_name"] = "transformers"
    if card.data.get("base_model_relation"):
        card.data["base_model_relation"] = FINETUNE
    return str(card).rstrip("\n") + "\n"
