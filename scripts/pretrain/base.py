"""Make a base model from scratch: a small network, briefly trained on source alone."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scripts.lib.checkpoints import settings_key, workspace
from scripts.lib.files import atomic_directory, write_json
from scripts.lib.job import job
from scripts.lib.prompts import Example
from scripts.lib.seeds import seed_for
from scripts.lib.training.curves import write_curve
from scripts.lib.training.launch import run_training
from scripts.lib.training.model_card import Card, write_card
from scripts.lib.training.models import load_tokenizer
from scripts.lib.training.spec import TrainingSettings, TrainingSpec
from scripts.lib.training.token_shards import write_shards
from scripts.pretrain.packing import concat
from scripts.pretrain.pair_documents import Document, DocumentEncoder, batches, distinct_sources, iter_ids


def source_documents(
    paths: Sequence[str], encoder: DocumentEncoder, split: str, limit: int | None, seed: int
) -> list[Document]:
    """At most `limit` sources of a split, each once, in the order that seed and id give."""
    ids = {name for path in paths for name in iter_ids(path, split)}
    order = sorted(ids, key=lambda name: seed_for(seed, "sources", name))[:limit]
    places = {name: place for place, name in enumerate(order)}
    found = distinct_sources(paths, split, places)
    documents = (document for batch in batches(found) for document in encoder.source_documents(batch))
    return sorted(documents, key=lambda document: places[document.pair.id])


def write_data(paths: Sequence[str], vocabulary: str, folder: Path, settings: dict[str, Any]) -> None:
    """Write the shards `train/` and, where there is any source in it, `validation/`."""
    encoder = DocumentEncoder(load_tokenizer(vocabulary), {})
    for split in ("train", "validation"):
        documents = source_documents(paths, encoder, split, settings[f"{split}_documents"], settings["seed"])
        ids = (document.ids for document in documents)
        if documents:
            write_shards(folder / split, [Example(part, 0) for part in concat(ids, settings["context"])])


def make_base(snakemake: Any) -> None:
    """Train and save the model, with its learning curve's raw reports."""
    params, inputs = snakemake.params, snakemake.input
    key = settings_key([params.settings, params.code], [inputs.vocabulary, *inputs.pairs])
    with (
        workspace(params.checkpoints, "base", key) as folder,
        atomic_directory(snakemake.output.model) as output,
    ):
        data = folder / "data"
        if not data.exists():
            with atomic_directory(data) as part:
                write_data(inputs.pairs, inputs.vocabulary, part, params.settings)
        spec = TrainingSpec(
            base=inputs.vocabulary,
            tokenizer=inputs.vocabulary,
            data=str(data),
            output=str(output),
            checkpoints=str(folder),
            seed=seed_for(params.settings["seed"], "base", snakemake.wildcards.model),
            settings=TrainingSettings(**params.settings["training"]),
            gpu=params.gpu,
            name=snakemake.wildcards.model,
            architecture=params.settings["architecture"],
            tensorboard=params.tensorboard,
        )
        facts = run_training(spec)
        write_json(output / "training.json", facts)
        write_curve(folder, snakemake.output.curve)
        data = ["The sources of the training pairs alone, each once, without their IR."]
        about = {"title": params.card["title"], "license": params.card["license"], "base": None, "data": data}
        write_card(output, Card(**about, settings=params.settings, facts=facts, curve=snakemake.output.curve))


if __name__ == "__main__":
    with job() as snakemake:
        make_base(snakemake)
