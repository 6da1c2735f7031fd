"""What instruction tuning and commit tuning have in common: examples with loss on the response alone, LoRA, merge."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerBase

from scripts.lib.checkpoints import settings_key, workspace
from scripts.lib.files import atomic_directory, write_json
from scripts.lib.job import InputError
from scripts.lib.prompts import Example, PromptSettings, encode_example
from scripts.lib.seeds import seed_for
from scripts.lib.training.curves import write_curve
from scripts.lib.training.launch import compiled, run_training
from scripts.lib.training.model_card import Card, write_card
from scripts.lib.training.models import load_tokenizer
from scripts.lib.training.spec import TrainingSettings, TrainingSpec
from scripts.lib.training.token_shards import write_shards

# Split -> rows, each with the template's fields and the response.
Splits = Mapping[str, Sequence[tuple[Mapping[str, str], str]]]


def encode_splits(
    tokenizer: PreTrainedTokenizerBase, prompts: PromptSettings, splits: Splits, folder: Path
) -> dict[str, int]:
    """Write the shards `train/` and `validation/`; return the number of examples in each split.

    A row whose prompt is too long even without the field that may be shortened is left out and logged, and so is a
    validation row that lost its whole response. Raises `InputError` when no training row has a response left.
    """
    counts = {}
    for split, rows in splits.items():
        examples = list(_encoded(tokenizer, prompts, split, rows))
        labelled = [example for example in examples if example.masked < len(example.input_ids)]
        logging.info("%s: %d of %d rows keep a part of their response", split, len(labelled), len(examples))
        if split == "train" and not labelled:
            raise InputError("no training row keeps its response; raise `length`, or set prompts.overflow to shorten")
        chosen = examples if split == "train" else labelled
        counts[split] = len(chosen)
        if chosen:
            write_shards(folder / split, chosen)
    return counts


def _encoded(
    tokenizer: PreTrainedTokenizerBase,
    prompts: PromptSettings,
    split: str,
    rows: Sequence[tuple[Mapping[str, str], str]],
) -> Iterator[Example]:
    """The examples of a split's rows, those that can be prompts at all."""
    for number, (row, response) in enumerate(rows):
        try:
            yield encode_example(tokenizer, prompts, row, response)
        except ValueError as error:
            logging.warning("%s row %d is left out: %s", split, number, error)


def tune(snakemake: Any, name: str, splits: Splits) -> None:
    """Tune the model in `input.model` and save it whole, merged with what was learned, into `output.model`.

    name: names the training's checkpoints; splits: the rows to learn from.
    """
    inputs, settings, wildcards = snakemake.input, snakemake.params.settings, snakemake.wildcards
    key = settings_key([settings, snakemake.params.code], [inputs.model, *inputs.data])
    tokenizer = load_tokenizer(inputs.model)
    with (
        workspace(snakemake.params.checkpoints, name, key) as folder,
        atomic_directory(snakemake.output.model) as output,
    ):
        data = folder / "data"
        if not data.exists():
            with atomic_directory(data) as part:
                encode_splits(tokenizer, PromptSettings(**settings["prompts"]), splits, part)
        spec = TrainingSpec(
            base=inputs.model,
            tokenizer=inputs.model,
            data=str(data),
            output=str(output),
            checkpoints=str(folder),
            seed=seed_for(settings["seed"], name, wildcards.model),
            settings=TrainingSettings(**settings["training"]),
            gpu=snakemake.params.gpu,
            name=f"{wildcards.model}/{wildcards.start}",
            lora=settings["lora"],
            merged=True,
            tensorboard=snakemake.params.tensorboard,
            extensions=compiled(inputs.operators),
        )
        facts = run_training(spec)
        write_json(output / "training.json", facts)
        write_curve(folder, snakemake.output.curve)
        card = snakemake.params.card
        about = {"title": f"{card['title']}, tuned: {name}", "license": card["license"], "base": card["base"]}
        rows = [f"{len(part)} rows in the {split} split; loss on the response alone." for split, part in splits.items()]
        write_card(output, Card(**about, data=rows, settings=settings, facts=facts, curve=snakemake.output.curve))
