"""Continued pre-training of a base on pairs in both directions: LoRA adapters and embeddings.

Ablations differ in the settings that the config gives them.
"""

import json
from collections.abc import Mapping
from math import ceil
from pathlib import Path
from statistics import mean
from typing import Any

from scripts.lib.csv_files import read_csv
from scripts.lib.gpu import require_gpus
from scripts.lib.job import Snakemake, job
from scripts.lib.markdown_table import markdown_table
from scripts.lib.schemas.pairs import Split
from scripts.lib.training.job import TrainingJob, run_job
from scripts.lib.training.model_card import ADAPTER
from scripts.lib.training.spec import TrainingSettings
from scripts.lib.training.token_shards import TokenShards
from scripts.lib.training.usage import pair_usage, source_usage


def data_description(statistics: str | Path, overlay: Mapping[str, Any] | None = None) -> list[str]:
    """Markdown lines on the training documents, from the table of token counts.

    overlay: the settings in which an ablation differs from IRCoder.
    """
    rows = [row for row in read_csv(statistics) if row["split"] == Split.TRAIN]
    columns = ("language", "documents", "tokens")
    header = [*columns, "share of the IR left out"]
    cells = [[*(row[name] for name in columns), f"{float(row['lost_llvm']):.1%}"] for row in rows]
    differences = "; ".join(f"`{key}: {json.dumps(value)}`" for key, value in (overlay or {}).items())
    ablation = [f"An ablation of IRCoder's pairs of source and LLVM IR in both directions, with {differences}."]
    return [
        *(ablation if overlay is not None else ["Pairs of source and LLVM IR in both directions."]),
        "",
        *markdown_table(header, cells, right=(1, 2, 3)),
    ]


def equal_steps(own: TokenShards, ours: TrainingSettings, other: TokenShards, theirs: TrainingSettings) -> int:
    """Steps of a training after which it has seen as many tokens as another one at its end.

    own, other: the training sequences of both.
    """
    tokens = theirs.steps(len(other)) * theirs.effective_batch * mean(other.lengths())
    return max(1, round(tokens / (ours.effective_batch * mean(own.lengths()))))


def training_length(snakemake: Snakemake) -> dict[str, Any]:
    """Number of steps and epochs of an ablation with as many tokens as IRCoder; empty for others."""
    reference, params = snakemake.input.get("reference"), snakemake.params
    if not reference:
        return {}
    own, other = (TokenShards(Path(folder, "train")) for folder in (snakemake.input.tokens, *reference))
    ours, theirs = (TrainingSettings(**values) for values in (params.settings["training"], params.reference))
    steps = equal_steps(own, ours, other, theirs)
    # More epochs than needed, so that the number of steps ends the training.
    return {"max_steps": steps, "epochs": ceil(steps * ours.effective_batch / len(own)) + 1}


def usage_of(params: Any, folder: str) -> str:
    """How to use the adapter in a folder: of pairs, or of an ablation on source alone."""
    is_source = (params.get("overlay") or {}).get("documents") == "source"
    return source_usage(folder) if is_source else pair_usage(params.templates, folder)


def train_adapter(snakemake: Snakemake) -> None:
    """Train and save the adapter of IRCoder with its milestones, or of an ablation; each with facts
    and card, and the learning curve.
    """
    inputs, params = snakemake.input, snakemake.params
    base, is_local = params.base["name"], params.base["revision"] is None
    ablation, overlay = snakemake.wildcards.get("ablation"), params.get("overlay")
    name = f"Ablation {ablation} of IRCoder" if ablation else "IRCoder"
    training = TrainingJob(
        name=f"pretrain-{ablation}" if ablation else "pretrain",
        random_name="pretrain",
        changes=training_length(snakemake),
        inputs=[inputs.base, inputs.tokenizer, inputs.tokens],
        base=inputs.base,
        tokenizer=inputs.tokenizer,
        base_name=base,
        base_revision=params.base["revision"],
        data=inputs.tokens,
        title=f"{name}: {params.card['title']}{'' if ablation else ', continued on pairs of source and LLVM IR'}",
        description=data_description(Path(inputs.tokens, "statistics.csv"), overlay),
        # PEFT looks for a local base from the working folder, so the snippet names both from there.
        usage=lambda folder: usage_of(params, folder if is_local else "."),
        card_base="../base" if is_local else base,
        relation=ADAPTER,
        datasets=params.datasets,
        milestones={int(Path(path).name): path for path in snakemake.output.get("milestones", [])},
    )
    run_job(snakemake, training, snakemake.output.adapter)


if __name__ == "__main__":
    with job() as snakemake:
        require_gpus(snakemake.resources)
        train_adapter(snakemake)
