"""Continued pre-training of a base on pairs in both directions: LoRA adapters and embeddings."""

from pathlib import Path

from scripts.lib.csv_files import read_csv
from scripts.lib.gpu import require_gpus
from scripts.lib.job import Snakemake, job
from scripts.lib.markdown_table import markdown_table
from scripts.lib.schemas.pairs import Split
from scripts.lib.training.job import TrainingJob, run_job
from scripts.lib.training.model_card import ADAPTER
from scripts.lib.training.usage import pair_usage


def data_description(statistics: str | Path) -> list[str]:
    """Markdown lines on the training documents, from the table of token counts."""
    rows = [row for row in read_csv(statistics) if row["split"] == Split.TRAIN]
    columns = ("language", "documents", "tokens")
    header = [*columns, "share of the IR left out"]
    cells = [[*(row[name] for name in columns), f"{float(row['lost_llvm']):.1%}"] for row in rows]
    return [
        "Pairs of source and LLVM IR in both directions.",
        "",
        *markdown_table(header, cells, right=(1, 2, 3)),
    ]


def train_adapter(snakemake: Snakemake) -> None:
    """Train and save the adapter and its milestones, each with facts and card, and the learning
    curve.
    """
    inputs, params = snakemake.input, snakemake.params
    base, is_local = params.base["name"], params.base["revision"] is None
    training = TrainingJob(
        name="pretrain",
        inputs=[inputs.base, inputs.tokenizer, inputs.tokens],
        base=inputs.base,
        tokenizer=inputs.tokenizer,
        base_name=base,
        base_revision=params.base["revision"],
        data=inputs.tokens,
        title=f"IRCoder: {params.card['title']}, continued on pairs of source and LLVM IR",
        description=data_description(Path(inputs.tokens, "statistics.csv")),
        # PEFT looks for a local base from the working folder, so the snippet names both from there.
        usage=lambda folder: pair_usage(params.templates, folder if is_local else "."),
        card_base="../base" if is_local else base,
        relation=ADAPTER,
        datasets=params.datasets,
        milestones={int(Path(path).name): path for path in snakemake.output.milestones},
    )
    run_job(snakemake, training, snakemake.output.adapter)


if __name__ == "__main__":
    with job() as snakemake:
        require_gpus(snakemake.resources)
        train_adapter(snakemake)
