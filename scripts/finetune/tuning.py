"""Instruction tuning and commit tuning: examples with loss on the response alone, LoRA adapters."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from transformers import PreTrainedTokenizerBase

from scripts.lib.job import InputError, Snakemake
from scripts.lib.prompts import Example, PromptSettings, encode_example
from scripts.lib.training.job import TrainingJob, run_job
from scripts.lib.training.model_card import ADAPTER
from scripts.lib.training.model_tokenizer import load_tokenizer
from scripts.lib.training.token_shards import write_shards

# Split -> rows, each with the template's fields and the response.
Splits = Mapping[str, Sequence[tuple[Mapping[str, str], str]]]


def encode_splits(
    tokenizer: PreTrainedTokenizerBase, prompts: PromptSettings, splits: Splits, folder: Path
) -> dict[str, int]:
    """Write the shards `train/` and `validation/`; return the number of examples in each split.

    A row whose prompt is too long even without the field that may be shortened is skipped with a
    warning; a validation row whose response was cut off completely is skipped, too. Raises
    `InputError` when no training row has any of its response left.
    """
    counts = {}
    for split, rows in splits.items():
        if split == "train" and not rows:
            raise InputError("there are no training rows; add some to the data")
        examples = list(_encoded(tokenizer, prompts, split, rows))
        labelled = [example for example in examples if example.masked < len(example.input_ids)]
        logging.info("%s: %d of %d rows retain part of their response", split, len(labelled), len(examples))
        if split == "train" and not labelled:
            raise InputError("no training row retains its response; raise `length` or set prompts.overflow to shorten")
        written = examples if split == "train" else labelled
        counts[split] = len(written)
        if written:
            write_shards(folder / split, written)
    return counts


def _encoded(
    tokenizer: PreTrainedTokenizerBase,
    prompts: PromptSettings,
    split: str,
    rows: Sequence[tuple[Mapping[str, str], str]],
) -> Iterator[Example]:
    """The examples of a split's rows, without those whose prompt does not fit."""
    for number, (row, response) in enumerate(rows):
        try:
            yield encode_example(tokenizer, prompts, row, response)
        except ValueError as error:
            logging.warning("%s row %d skipped: %s", split, number, error)


def tune(
    snakemake: Snakemake,
    name: str,
    splits: Splits,
    usage: Callable[[str], str],
    chat_template: str | None = None,
    datasets: Sequence[str] = (),
) -> None:
    """Tune the model in `input.model` and save the adapter into `output.model`.

    name: name of the training; splits: the rows to learn from; usage: Markdown on how to use the
    adapter, by the folder that it names; chat_template: of the saved tokenizer, None to leave the
    tokenizer's; datasets: hub repositories of the rows.
    """
    inputs, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards
    tokenizer = load_tokenizer(inputs.model)
    prompts = PromptSettings(**params.settings["prompts"])
    training = TrainingJob(
        name=name,
        inputs=[inputs.model, *inputs.data],
        base=inputs.model,
        tokenizer=inputs.model,
        base_name=params.base["name"],
        base_revision=params.base["revision"],
        data=partial(encode_splits, tokenizer, prompts, splits),
        title=f"{params.card['title']}, tuned: {name}",
        description=[
            f"{len(rows)} rows in the {split} split; loss on the response alone." for split, rows in splits.items()
        ],
        new_tokens=False,
        chat_template=chat_template,
        # PEFT looks for a local base from the working folder, so the snippet names both from there.
        usage=lambda folder: usage(folder if params.base["revision"] is None else "."),
        card_base=params.card["base"] if wildcards.start == "base" and params.card["base"] else f"../{wildcards.start}",
        relation=ADAPTER,
        datasets=datasets,
    )
    run_job(snakemake, training, snakemake.output.model)
