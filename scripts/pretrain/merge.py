"""Merge an adapter into its base, which gives one model: IRCoder, or a tuned one that is published."""

import shutil
from pathlib import Path

from scripts.lib.files import atomic_directory, write_text
from scripts.lib.job import job
from scripts.lib.training.model_card import merged_card
from scripts.lib.training.models import merge_into


def write_merged(base: str, adapter: str, tokenizer: str, output: str, new_embeddings: str) -> None:
    """Write the merged model with the extended tokenizer, and the adapter's card and facts."""
    with atomic_directory(output) as folder:
        merge_into(base, adapter, tokenizer, new_embeddings, folder)
        shutil.copyfile(Path(adapter, "training.json"), folder / "training.json")
        write_text(folder / "README.md", merged_card(Path(adapter, "README.md").read_text(encoding="utf-8")))


if __name__ == "__main__":
    with job() as snakemake:
        paths = snakemake.input
        write_merged(paths.base, paths.adapter, paths.tokenizer, snakemake.output[0], snakemake.params.new_embeddings)
