"""Loss of a model on each validation document: pairs in both directions, and source alone.

A document longer than the context is read in consecutive windows; every token is predicted exactly
once, from the preceding tokens of its window, the first one from the end-of-text token. `loss` is
the mean over the translated half of a pair (the tokens after the direction's token), or over a
plain source; `document_loss` is the mean over all tokens of the document, which training minimises.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

from scripts.lib.gpu import require_gpus
from scripts.lib.job import InputError, job, progress
from scripts.lib.parquet import write_table
from scripts.lib.schemas.pairs import Split
from scripts.lib.schemas.training import LOSSES
from scripts.lib.seeds import seed_for
from scripts.lib.training.models import load_for_tokenizer, load_tokenizer
from scripts.pretrain.pair_documents import (
    SOURCE,
    Document,
    DocumentEncoder,
    batches,
    distinct_sources,
    iter_ids,
    iter_pairs,
    table_name,
)

SPLIT = Split.VALIDATION


def sample_ids(language: str, ids: Iterable[str], limit: int | None, seed: int) -> frozenset[str]:
    """At most `limit` of a language's ids, the first in the order that seed and id determine."""
    ranked = sorted(set(ids), key=lambda name: seed_for(seed, "losses", language, name))
    return frozenset(ranked[:limit])


def validation_documents(
    paths: Sequence[str], encoder: DocumentEncoder, limit: int | None, seed: int
) -> Iterator[Document]:
    """Documents of every table in both directions, and of each language's sources alone."""
    languages: dict[str, list[str]] = defaultdict(list)
    for path in sorted(paths):
        language, _ = table_name(path)
        languages[language].append(path)
        wanted = sample_ids(language, iter_ids(path, SPLIT), limit, seed)
        for batch in batches(iter_pairs(path, SPLIT, wanted)):
            yield from encoder.pair_documents(batch)
    for language, tables in languages.items():
        wanted = sample_ids(language, chain.from_iterable(iter_ids(path, SPLIT) for path in tables), limit, seed)
        for batch in batches(distinct_sources(tables, SPLIT, wanted)):
            yield from encoder.source_documents(batch)


class DocumentScorer:
    """Token losses of documents under one model."""

    def __init__(self, model: PreTrainedModel, start: int, context: int, batch_size: int) -> None:
        """`start` is the id of the token before every document; `context` is a window's length in
        tokens.
        """
        self.model, self.start, self.context, self.batch_size = model.eval(), start, context, batch_size

    @torch.inference_mode()
    def _batch_losses(self, windows: list[list[int]]) -> list[torch.Tensor]:
        """Losses in nats of all but the first token of each window, each of shape (tokens - 1,)."""
        longest = max(len(window) for window in windows)
        padded = [window + [self.start] * (longest - len(window)) for window in windows]
        ids = torch.tensor(padded, device=self.model.device)
        logits = self.model(input_ids=ids[:, :-1]).logits.float()
        losses = cross_entropy(logits.transpose(1, 2), ids[:, 1:], reduction="none").double().cpu()
        return [row[: len(window) - 1] for row, window in zip(losses, windows, strict=True)]

    def losses(self, ids: Sequence[int]) -> torch.Tensor:
        """Loss in nats of every token of a document, shape (tokens,).

        Padding follows the scored tokens, so causal attention never reads it.
        """
        sequence = [self.start, *ids]
        windows = [sequence[at : at + self.context + 1] for at in range(0, len(ids), self.context)]
        groups = [windows[at : at + self.batch_size] for at in range(0, len(windows), self.batch_size)]
        return torch.cat([row for group in groups for row in self._batch_losses(group)])


def loss_row(document: Document, scorer: DocumentScorer, prefix: int) -> dict[str, Any]:
    """The row of one document; its first `prefix` tokens precede every text and are not scored."""
    losses = scorer.losses(document.ids)
    target, losses = losses[document.target :], losses[prefix:]
    plain = document.direction == SOURCE
    return {
        "id": document.pair.id,
        "language": document.pair.language,
        "variant": None if plain else document.pair.variant,
        "direction": document.direction,
        "tokens": len(target),
        "loss": target.mean().item(),
        "document_tokens": len(losses),
        "document_loss": losses.mean().item(),
    }


def write_losses(inputs: Any, output: str, settings: dict[str, Any], gpu: bool) -> None:
    """Score every validation document; raises `InputError` if there is none."""
    tokenizer = load_tokenizer(inputs.tokenizer)
    encoder = DocumentEncoder(tokenizer, settings["templates"], settings["llvm_tokens"])
    documents = validation_documents(inputs.pairs, encoder, settings["loss_documents"], settings["seed"])
    torch.manual_seed(settings["seed"])
    dtype = "auto" if gpu else torch.float32
    model = load_for_tokenizer(inputs.model, tokenizer, settings["new_embeddings"], dtype=dtype)
    model.to(torch.device("cuda" if gpu else "cpu"))  # type: ignore[arg-type]
    scorer = DocumentScorer(model, tokenizer.eos_token_id, settings["context"], settings["batch_size"])
    prefix = len(encoder.start)
    rows = [loss_row(document, scorer, prefix) for document in progress(documents, "losses")]
    if not rows:
        raise InputError("no pair in the validation split; raise `pairs.validation_share` or add programs")
    rows.sort(key=lambda row: (row["direction"], row["language"], row["variant"] or "", row["id"]))
    write_table(output, rows, LOSSES.schema)


if __name__ == "__main__":
    with job() as snakemake:
        require_gpus(snakemake.resources)
        write_losses(snakemake.input, snakemake.output[0], snakemake.params.settings, snakemake.params.gpu)
