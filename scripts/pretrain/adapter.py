"""Continued pre-training of a base on pairs in both directions: LoRA adapters and embeddings."""

from pathlib import Path

from scripts.lib.csv_files import read_csv
from scripts.lib.gpu import require_gpus
from scripts.lib.job import Snakemake, job
from scripts.lib.markdown_table import markdown_table
from scripts.lib.schemas.pairs import Split
from scripts.lib.training.job import TrainingJob, run_job


def data_description(statistics: str | Path) -> list[str]:
    """Markdown lines on the training documents, from the table of token counts."""
    rows = [row for row in read_csv(statistics) if row["split"] == Split.TRAIN]
    columns = ("language", "documents", "tokens", "lost_llvm")
    header = [*columns[:3], "share of the IR left out"]
    return [
        "Pairs of source and LLVM IR in both directions.",
        "",
        *markdown_table(header, [[row[name] for name in columns] for row in rows]),
    ]


def train_adapter(snakemake: Snakemake) -> None:
    """Train and save the adapter and its milestones, each with facts and card, and the learning
    curve.
    """
    inputs, params = snakemake.input, snakemake.params
    training = TrainingJob(
        name="pretrain",
        inputs=[inputs.base, inputs.tokenizer, inputs.tokens],
        base=inputs.base,
        tokenizer=inputs.tokenizer,
        base_name=params.base_name,
        data=inputs.tokens,
        title=f"IRCoder: {params.card['title']}, continued on pairs of source and LLVM IR",
        description=data_description(Path(inputs.tokens, "statistics.csv")),
        milestones={int(Path(path).name): path for path in snakemake.output.milestones},
    )
    run_job(snakemake, training, snakemake.output.adapter)


if __name__ == "__main__":
    with job() as snakemake:
        require_gpus(snakemake.resources)
        train_adapter(snakemake)
