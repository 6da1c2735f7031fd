"""Tune a model to write commit messages of one language."""

from collections.abc import Mapping
from functools import partial

from scripts.finetune.tuning import Splits, tune
from scripts.lib.commits import read_commits
from scripts.lib.gpu import require_gpus
from scripts.lib.job import job
from scripts.lib.training.usage import tuned_usage


def commit_splits(path: str, sizes: Mapping[str, int]) -> Splits:
    """Training and validation commits of a file, with their messages as responses."""
    return {
        split: [(commit, commit["message"]) for commit in read_commits(path, split, sizes)]
        for split in ("train", "validation")
    }


if __name__ == "__main__":
    with job() as snakemake:
        require_gpus(snakemake.resources)
        wildcards = snakemake.wildcards
        settings = snakemake.params.settings
        splits = commit_splits(snakemake.input.data[0], settings["sizes"])
        usage = partial(tuned_usage, settings["prompts"]["template"], chat=False)
        tune(snakemake, f"{wildcards.start}-commits-{wildcards.language}", splits, usage)
