"""Continued pre-training of a base on pairs in both directions: LoRA adapters and whole embeddings."""

from typing import Any

from scripts.lib.curves import write_curve
from scripts.lib.files import atomic_directory, write_json
from scripts.lib.job import job
from scripts.lib.launch import compiled, run_training
from scripts.lib.seeds import seed_for
from scripts.lib.training_spec import TrainingSettings, TrainingSpec
from scripts.lib.workspace import settings_key, workspace


def train_adapter(snakemake: Any) -> None:
    """Train, and save the adapter, the facts of the training and its learning curve."""
    inputs, settings, code = snakemake.input, snakemake.params.settings, snakemake.params.code
    key = settings_key([settings, code], [inputs.base, inputs.tokenizer, inputs.tokens])
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
        )
        write_json(output / "training.json", run_training(spec))
        write_curve(folder, snakemake.output.curve)


if __name__ == "__main__":
    with job(snakemake):
        train_adapter(snakemake)
