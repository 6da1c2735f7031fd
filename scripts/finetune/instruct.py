"""Tune a model on instructions and their outputs."""

from collections.abc import Mapping
from typing import Any

from scripts.finetune.chat import render
from scripts.finetune.conversations import checked_messages
from scripts.finetune.tuning import tune
from scripts.lib.job import InputError, job
from scripts.lib.json_lines import numbered_rows, text_of
from scripts.lib.training.models import load_tokenizer

Rows = list[tuple[Mapping[str, Any], str]]


def read_instructions(path: str) -> Rows:
    """Rows of a JSON-lines file with the text `instruction`, or with `messages`, and the text `output`, the response.

    Raises `InputError` when a row lacks one of them or holds something else.
    """
    rows = []
    for where, row in numbered_rows(path):
        if row.get("messages"):
            checked_messages(row["messages"], where)
        else:
            text_of(row, "instruction", where)
        rows.append((row, text_of(row, "output", where)))
    return rows


def rendered(rows: Rows, tokenizer: Any, template: str | None) -> Rows:
    """Rows whose prompts a chat template writes; an instruction is a conversation of one message.

    template: as in `render`; null leaves instructions as they are. Raises `InputError` for conversations without one.
    """
    if template is None:
        if any(row.get("messages") for row, _ in rows):
            raise InputError("the rows have `messages`; set instruct.chat_template to `tokenizer` or a template's text")
        return rows
    asked = [(row.get("messages") or [{"role": "user", "content": row["instruction"]}], output) for row, output in rows]
    return [(render(tokenizer, messages, template), output) for messages, output in asked]


if __name__ == "__main__":
    with job() as snakemake:
        chat = snakemake.params.settings.get("chat_template")
        own = load_tokenizer(snakemake.input.model) if chat else None
        paths = dict(zip(("train", "validation"), snakemake.input.data, strict=True))
        splits = {split: rendered(read_instructions(path), own, chat) for split, path in paths.items()}
        tune(snakemake, f"{snakemake.wildcards.start}-instruct", splits)
