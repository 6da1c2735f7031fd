"""Make a base model from scratch: a small network, briefly trained on source code alone."""

from functools import partial
from pathlib import Path
from typing import Any

from scripts.lib.gpu import require_gpus
from scripts.lib.job import Snakemake, job
from scripts.lib.prompts import Example
from scripts.lib.training.job import TrainingJob, run_job
from scripts.lib.training.model_tokenizer import load_tokenizer
from scripts.lib.training.token_shards import write_shards
from scripts.lib.training.usage import code_usage
from scripts.pretrain.draw import draw_sources
from scripts.pretrain.packing import concat
from scripts.pretrain.pair_documents import (
    Document,
    DocumentEncoder,
    batches,
    distinct_sources,
    iter_pairs,
    sample_keys,
)

DATA = ["The sources of the training pairs alone, each once, without their IR."]


def source_documents(sample: str, encoder: DocumentEncoder, split: str, limit: int | None, seed: int) -> list[Document]:
    """At most `limit` sources of the sampled pairs of a split, each once, in the order that seed and
    id determine.
    """
    order = draw_sources((name for _, _, name in sample_keys(sample, split)), limit, seed)
    wanted, documents = frozenset(order), dict[str, Document]()
    pairs = (pair for pair in distinct_sources(iter_pairs(sample, split)) if pair.id in wanted)
    for batch in batches(pairs):
        for document in encoder.source_documents(batch):
            documents.setdefault(document.pair.id, document)
    return [documents[name] for name in order]


def write_data(sample: str, vocabulary: str, settings: dict[str, Any], folder: Path) -> None:
    """Write the shards `train/`, and `validation/` if that split has any source."""
    encoder = DocumentEncoder(load_tokenizer(vocabulary), {})
    for split in ("train", "validation"):
        documents = source_documents(sample, encoder, split, settings[f"{split}_documents"], settings["seed"])
        ids = (document.ids for document in documents)
        if documents:
            write_shards(folder / split, [Example(part.tolist(), 0) for part in concat(ids, settings["context"])])


def make_base(snakemake: Snakemake) -> None:
    """Train and save the model, its facts, card and learning curve."""
    inputs, params, model = snakemake.input, snakemake.params, snakemake.wildcards.model
    training = TrainingJob(
        name="base",
        inputs=[inputs.vocabulary, inputs.sample],
        base=inputs.vocabulary,
        tokenizer=inputs.vocabulary,
        base_name=model,
        data=partial(write_data, inputs.sample, inputs.vocabulary, params.settings),
        title=params.card["title"],
        description=DATA,
        usage=lambda folder: code_usage("."),
        datasets=params.datasets,
    )
    run_job(snakemake, training, snakemake.output.model)


if __name__ == "__main__":
    with job() as snakemake:
        require_gpus(snakemake.resources)
        make_base(snakemake)
