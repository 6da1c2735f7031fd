"""Continued pre-training of a base on pairs in both directions: LoRA adapters and whole embeddings."""

import csv
import shutil
from pathlib import Path
from typing import Any

from scripts.lib.checkpoints import settings_key, workspace
from scripts.lib.files import atomic_directory, write_json
from scripts.lib.job import job
from scripts.lib.seeds import seed_for
from scripts.lib.training.curves import write_curve
from scripts.lib.training.launch import compiled, run_training
from scripts.lib.training.model_card import Card, write_card
from scripts.lib.training.spec import TrainingSettings, TrainingSpec, milestone_folder


def data_sentences(statistics: str | Path) -> list[str]:
    """Which documents were trained on, from the table of useful tokens."""
    with Path(statistics).open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["split"] == "train"]
    return [
        "Pairs of source and LLVM IR in both directions.",
        "",
        "| language | documents | tokens | share of the IR left out |",
        "|---|---|---|---|",
        *(f"| {row['language']} | {row['documents']} | {row['tokens']} | {row['lost_llvm']} |" for row in rows),
    ]


def adapter_card(snakemake: Any, facts: dict[str, Any], step: int | None = None) -> Card:
    """The card of the adapter, which the merged model gets, too; `step` is that of a milestone."""
    card = snakemake.params.card
    return Card(
        step=step,
        title=f"IRCoder: {card['title']}, continued on pairs of source and LLVM IR{f', step {step}' if step else ''}",
        license=card["license"],
        base=card["base"],
        data=data_sentences(Path(snakemake.input.tokens, "statistics.csv")),
        settings=snakemake.params.settings,
        facts=facts,
        curve=snakemake.output.curve,
    )


def write_milestone(snakemake: Any, workspace: Path, step: int, output: str, facts: dict[str, Any]) -> None:
    """Write the adapter that the training saved after a step, with its facts and card, into the folder `output`."""
    with atomic_directory(output) as folder:
        shutil.copytree(milestone_folder(workspace, step), folder, dirs_exist_ok=True)
        write_json(folder / "training.json", {**facts, "saved_at_step": step})
        write_card(folder, adapter_card(snakemake, {**facts, "saved_at_step": step}, step))


def train_adapter(snakemake: Any) -> None:
    """Train, and save the adapter, the facts of the training and its learning curve."""
    inputs, settings, code = snakemake.input, snakemake.params.settings, snakemake.params.code
    milestones = {int(Path(path).name): path for path in snakemake.output.milestones}
    told = [settings, code, *([sorted(milestones)] if milestones else [])]
    key = settings_key(told, [inputs.base, inputs.tokenizer, inputs.tokens])
    with (
        workspace(snakemake.params.checkpoints, "pretrain", key) as folder,
        atomic_directory(snakemake.output.adapter) as output,
    ):
        spec = TrainingSpec(
            base=inputs.base,
            tokenizer=inputs.tokenizer,
            data=inputs.tokens,
            output=str(output),
            checkpoints=str(folder),
            seed=seed_for(settings["seed"], "pretrain", snakemake.wildcards.model),
            settings=TrainingSettings(**settings["training"]),
            gpu=snakemake.params.gpu,
            name=snakemake.params.base_name,
            new_embeddings=settings["new_embeddings"],
            lora=settings["lora"],
            pad_to=settings["pad_to"],
            tensorboard=snakemake.params.tensorboard,
            extensions=compiled(inputs.operators),
            milestones=tuple(sorted(milestones)),
        )
        facts = run_training(spec)
        write_json(output / "training.json", facts)
        write_curve(folder, snakemake.output.curve)
        write_card(output, adapter_card(snakemake, facts))
        for step, path in milestones.items():
            write_milestone(snakemake, folder, step, path, facts)


if __name__ == "__main__":
    with job() as snakemake:
        train_adapter(snakemake)
