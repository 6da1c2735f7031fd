"""Tune a model on instructions and their outputs."""

from collections.abc import Mapping

from scripts.finetune.tuning import tune
from scripts.lib.commits import read_jsonl
from scripts.lib.job import InputError, job


def read_instructions(path: str) -> list[tuple[Mapping[str, str], str]]:
    """Rows of a JSON-lines file with the texts `instruction` and `output`, the latter as the response.

    Raises `InputError` when a row lacks one of them.
    """
    rows = list(read_jsonl(path))
    for number, row in enumerate(rows, start=1):
        if not isinstance(row.get("instruction"), str) or not isinstance(row.get("output"), str):
            raise InputError(f"{path}, line {number} lacks the text `instruction` or `output`; mend or remove it")
    return [(row, row["output"]) for row in rows]


if __name__ == "__main__":
    with job(snakemake):
        train, validation = snakemake.input.data
        splits = {"train": read_instructions(train), "validation": read_instructions(validation)}
        tune(snakemake, f"{snakemake.wildcards.start}-instruct", splits)
