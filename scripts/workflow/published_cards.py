"""Cards of published repositories: those of the results, with names on the hub in place of folders,
scores of the run's benchmarks, and the commit of the workflow.

The cards in the results have none of these, so that they depend on training and data alone.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from posixpath import normpath
from typing import Any

from huggingface_hub import DatasetCard, EvalResult, ModelCard

from scripts.lib.csv_files import read_csv
from scripts.lib.training.usage import FOLDER

# The start of the line of a snippet that names the folder, and what follows the name.
_BEFORE, _, _AFTER = FOLDER.partition("{}")


def scores_of(scores: Path, model: str, checkpoint: str) -> list[EvalResult]:
    """The scores of a checkpoint in the long table, for the hub's index of results."""
    rows = read_csv(scores) if scores.is_file() else []
    return [
        EvalResult(
            task_type="text-generation",
            dataset_type=row["benchmark"],
            dataset_name=f"{row['benchmark']}, {row['language']}",
            metric_type=row["metric"],
            metric_name=f"{row['metric']}, {row['setting']}",
            metric_value=float(row["value"]),
        )
        for row in rows
        if (row["model"], row["checkpoint"]) == (model, checkpoint) and row["value"]
    ]


def _repository(name: str, folder: str, repositories: Mapping[str, str]) -> str | None:
    """The repository for a name in a card: that of a folder relative to the card's, or the name itself
    if it is one; None for a folder that is not published.
    """
    if not name.startswith("."):
        return name
    return repositories.get(normpath(f"{folder}/{name}"))


def _snippets(text: str, repository: str) -> str:
    """The text with the repository as the folder of its snippets."""
    lines = text.splitlines()
    return "\n".join(f'{_BEFORE}"{repository}"' if line.startswith(_BEFORE) else line for line in lines)


def _with_commit(text: str, commit: str | None) -> str:
    """The text with a line on the workflow that made the data or weights."""
    return f"{text}\n\n## Workflow\n\nMade by commit `{commit or 'unknown'}` of the workflow.\n"


def model_card(
    text: str, folder: str, repositories: Mapping[str, str], scores: Sequence[EvalResult], commit: str | None
) -> str:
    """The published card of a model; `repositories` maps folders of the results to names on the hub."""
    card = ModelCard(text, ignore_metadata_errors=False)
    data: Any = card.data
    data.base_model = _repository(data.base_model, folder, repositories) if data.base_model else None
    if data.base_model is None:
        data.base_model_relation = None
    names = [_repository(name, folder, repositories) for name in data.datasets or []]
    data.datasets = [name for name in names if name] or None
    results = [*(data.eval_results or []), *scores]
    data.eval_results = results or None
    if results and not data.model_name:
        data.model_name = repositories[folder]
    return _with_commit(_snippets(str(card), repositories[folder]).rstrip("\n"), commit)


def dataset_card(text: str, folder: str, repositories: Mapping[str, str], commit: str | None) -> str:
    """The published card of the pairs."""
    card = DatasetCard(text, ignore_metadata_errors=False)
    return _with_commit(_snippets(str(card), repositories[folder]).rstrip("\n"), commit)
