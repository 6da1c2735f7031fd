"""Download rows for instruction tuning from a data set of the Hugging Face hub, at a fixed
revision.

They are written as `train.jsonl` and `validation.jsonl`, in the format of a local folder of
instructions: rows with the texts `instruction` and `output`, or for conversations with `messages`
(the preceding ones) and `output` (the answer).
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from scripts.finetune.conversations import turns
from scripts.lib.files import sha256_text, write_text
from scripts.lib.hub import check_online, dataset_files
from scripts.lib.instructions import NO_INSTRUCTIONS
from scripts.lib.job import InputError, job
from scripts.lib.json_lines import is_text, json_rows, read_jsonl
from scripts.lib.parquet import iter_rows
from scripts.lib.seeds import unit_for

TABLE = "instruct.dataset"
DEFAULTS = {"files": "data/{split}-*.parquet", "split": "train", "validation_split": None, "validation_share": 0.05}
COLUMNS = {"instruction": "instruction", "input": None, "output": "output", "messages": None}
Row = dict[str, Any]


def with_defaults(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """`instruct.dataset` with default values for absent keys."""
    return {**DEFAULTS, **dataset, "columns": {**COLUMNS, **dataset["columns"]}}


def _file_rows(path: str, columns: list[str]) -> Iterable[Row]:
    """The rows of one downloaded file: parquet, JSON lines, or a JSON list."""
    if path.endswith(".parquet"):
        return iter_rows(path, columns)
    return json_rows(path) if path.endswith(".json") else read_jsonl(path)


def _text(row: Row, column: str | None) -> str:
    """The text in a column; empty for no column. Raises `ValueError` if it is missing or not a
    text.
    """
    if column is None:
        return ""
    if column not in row:
        raise ValueError(f"there is no column '{column}'")
    value = row[column]
    if not isinstance(value, str):
        raise ValueError(f"the column '{column}' has the type {type(value).__name__}, not text")
    if not is_text(value):
        raise ValueError(f"the column '{column}' is not valid text (unpaired surrogate)")
    return value


def _input(row: Row, column: str | None) -> str:
    """The input text of an instruction; null for rows without one."""
    return "" if column is not None and row.get(column, "") is None else _text(row, column)


def examples(row: Row, columns: Mapping[str, str | None]) -> list[Row]:
    """The tuning rows of one row of the data set: one, or for a conversation one per answer.

    columns: the data set's names of `instruction`, `input` and `output`, or of `messages`; null for
    absent columns. Raises `ValueError` for another format.
    """
    if not isinstance(row, dict):
        raise ValueError(f"the row is {type(row).__name__}, not an object")
    if columns["messages"]:
        return turns(row.get(columns["messages"]))
    parts = [_text(row, columns["instruction"]), _input(row, columns["input"])]
    return [{"instruction": "\n\n".join(filter(None, parts)), "output": _text(row, columns["output"])}]


def dataset_rows(dataset: Mapping[str, Any], split: str) -> Iterator[list[Row]]:
    """Tuning rows of each row of a split; raises `InputError` for another format."""
    wanted = [name for name in dataset["columns"].values() if name]
    for path in dataset_files(dataset["id"], dataset["revision"], dataset["files"].replace("{split}", split), TABLE):
        for number, row in enumerate(_file_rows(path, wanted), start=1):
            try:
                yield examples(row, dataset["columns"])
            except ValueError as error:
                where = f"{dataset['id']}, {Path(path).name}, row {number}"
                raise InputError(f"{where}: {error}; correct instruct.dataset.columns") from error


def is_validation(rows: list[Row], share: float, seed: int) -> bool:
    """Whether a data set's row is drawn for validation, by the seed and the row's text."""
    return unit_for(seed, "instruct validation", sha256_text(json.dumps(rows, sort_keys=True))) < share


def splits(dataset: Mapping[str, Any], seed: int) -> dict[str, list[Row]]:
    """Training and validation rows: one split each, or a drawn share if `validation_split` is null.

    All rows of a conversation are on the same side. Raises `InputError` if a side has no rows.
    """
    sides: dict[str, list[Row]] = {"train": [], "validation": []}
    for rows in dataset_rows(dataset, dataset["split"]):
        drawn = dataset["validation_split"] is None and is_validation(rows, dataset["validation_share"], seed)
        sides["validation" if drawn else "train"].extend(rows)
    if dataset["validation_split"] is not None:
        sides["validation"] = [row for rows in dataset_rows(dataset, dataset["validation_split"]) for row in rows]
    for name, rows in sides.items():
        if not rows:
            raise InputError(f"{dataset['id']} has no {name} rows; correct instruct.dataset")
    return sides


if __name__ == "__main__":
    with job() as snakemake:
        params = snakemake.params
        if params.dataset is None:
            raise InputError(NO_INSTRUCTIONS)
        check_online(params.dataset["id"], params.offline)
        for side, side_rows in splits(with_defaults(params.dataset), params.seed).items():
            lines = [json.dumps(row, ensure_ascii=False) + "\n" for row in side_rows]
            write_text(snakemake.output[side], "".join(lines))
