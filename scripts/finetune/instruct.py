"""Tune a model on instructions and their outputs."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from scripts.finetune.chat import chat_template, render
from scripts.finetune.conversations import checked_messages
from scripts.finetune.tuning import tune
from scripts.lib.gpu import require_gpus
from scripts.lib.job import InputError, job
from scripts.lib.json_lines import numbered_rows, text_of
from scripts.lib.prompts import fields_of
from scripts.lib.training.model_tokenizer import load_tokenizer
from scripts.lib.training.usage import tuned_usage

Rows = Sequence[tuple[Mapping[str, Any], str]]


def _instruction(row: Mapping[str, Any], fields: Sequence[str], where: str) -> dict[str, Any]:
    """A row with a text in each of these fields, and in `instruction` and `input`.

    An input that is no field of its own follows the instruction after a blank line, as for a data
    set of the hub. Raises `InputError`, which begins with `where`.
    """
    row = {**row, "input": "" if row.get("input") is None else row["input"]}
    texts = {field: text_of(row, field, where) for field in dict.fromkeys(("instruction", "input", *fields))}
    if "input" not in fields:
        texts["instruction"] = "\n\n".join(filter(None, (texts["instruction"], texts["input"])))
    return {**row, **texts}


def read_instructions(path: str, fields: Sequence[str] = ()) -> Rows:
    """Rows of a JSON-lines file: the text `instruction`, with an `input` if there is one, or
    `messages`, and the response `output`.

    fields: the fields of the prompts' template, which must be texts of each row.

    Raises `InputError` if a row lacks one of them or has another format.
    """
    rows = []
    for where, row in numbered_rows(path):
        if row.get("messages") not in (None, []):
            checked_messages(row["messages"], where)
        else:
            row = _instruction(row, fields, where)
        rows.append((row, text_of(row, "output", where)))
    return rows


def rendered(rows: Rows, tokenizer: Any, template: str | None, source: str) -> Rows:
    """Rows with prompts rendered by a chat template; an instruction is a conversation of one
    message.

    template: as in `render`; null does not change instructions. source: the rows' file, for
    messages. Raises `InputError` for conversations without a template, and for a row that it
    refuses, such as two messages of the user in succession.
    """
    if template is None:
        if any(row.get("messages") for row, _ in rows):
            remedy = "set instruct.chat_template to `tokenizer` or a template's text"
            raise InputError(f"the rows of {source} have `messages`; {remedy}")
        return rows
    examples = []
    for number, (row, output) in enumerate(rows, start=1):
        messages = row.get("messages") or [{"role": "user", "content": row["instruction"]}]
        try:
            examples.append((render(tokenizer, messages, template), output))
        except InputError as error:
            raise InputError(f"{source}, row {number}: {error}") from error
    return examples


if __name__ == "__main__":
    with job() as snakemake:
        require_gpus(snakemake.resources)
        settings = snakemake.params.settings
        template, tokenizer = settings.get("chat_template"), load_tokenizer(snakemake.input.model)
        paths = dict(zip(("train", "validation"), snakemake.input.data, strict=True))
        # A chat template has fields of its own.
        fields = fields_of(settings["prompts"]["template"]) if template is None else ()
        read = {split: read_instructions(path, fields) for split, path in paths.items()}
        splits = {split: rendered(rows, tokenizer, template, paths[split]) for split, rows in read.items()}
        chat = chat_template(tokenizer, settings["prompts"]["template"], template)
        usage = partial(tuned_usage, settings["prompts"]["template"], chat=bool(chat or tokenizer.chat_template))
        datasets = snakemake.params.datasets
        tune(snakemake, f"{snakemake.wildcards.start}-instruct", splits, usage, chat, datasets)
