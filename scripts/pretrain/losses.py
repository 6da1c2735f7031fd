"""Loss of a model on each validation document: pairs in both directions, and source alone.

A document longer than the context is read in consecutive windows; every token is predicted exactly
once, from the preceding tokens of its window, the first one from the end-of-text token. `loss` is
the mean over the translated half of a pair (the tokens after the direction's token), or over a
plain source; `document_loss` is the mean over all tokens of the document, which training minimises.

Rows are stored as they are computed, so that an interrupted job resumes after the last of them.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

from scripts.lib.checked_lines import checked_line, checked_row
from scripts.lib.checkpoints import settings_key, workspace
from scripts.lib.gpu import require_gpus
from scripts.lib.job import job, progress
from scripts.lib.parquet import write_table
from scripts.lib.schemas.pairs import Split
from scripts.lib.schemas.training import LOSSES, PLAIN_SOURCE
from scripts.lib.training.model_tokenizer import load_tokenizer
from scripts.lib.training.models import load_for_tokenizer
from scripts.lib.training.precision import use_tf32, weight_dtype
from scripts.pretrain.draw import draw_losses
from scripts.pretrain.pair_documents import (
    Document,
    DocumentEncoder,
    PairText,
    batches,
    distinct_sources,
    iter_pairs,
    sample_keys,
)
from scripts.pretrain.pieces import use_threads

SPLIT = Split.VALIDATION
# Language, variant (None for a source alone), id and direction of a document.
Key = tuple[str, str | None, str, str]
_KEY = ("language", "variant", "id", "direction")


def _plain_sources(sample: str, limit: int | None, seed: int) -> Iterator[PairText]:
    """Each language's sources that are scored alone, without modules."""
    ids: dict[str, list[str]] = defaultdict(list)
    for language, _, name in sample_keys(sample, SPLIT):
        ids[language].append(name)
    wanted = {language: draw_losses(language, names, limit, seed) for language, names in ids.items()}
    pairs = (pair for pair in iter_pairs(sample, SPLIT) if pair.id in wanted[pair.language])
    return (replace(pair, llvm="") for pair in distinct_sources(pairs))


def validation_documents(
    sample: str, encoder: DocumentEncoder, settings: dict[str, Any], known: Iterable[Key] = ()
) -> Iterator[Document]:
    """Documents of every sampled pair in both directions, and of each language's sources alone,
    except those that are known.

    `settings` has seed, loss_documents, and the largest number of windows of a document
    (`loss_windows`, None for all) of `context` tokens.
    """
    windows, done = settings["loss_windows"], set(known)

    def shortened(pairs: list[PairText]) -> list[PairText]:
        return pairs if windows is None else encoder.shortened(pairs, windows * settings["context"])

    for batch in batches(iter_pairs(sample, SPLIT)):
        requests = [(pair, direction) for pair in shortened(batch) for direction in encoder.directions]
        yield from encoder.pair_documents([each for each in requests if _pair_key(*each) not in done])
    sources = _plain_sources(sample, settings["loss_documents"], settings["seed"])
    for batch in batches(pair for pair in sources if (pair.language, None, pair.id, PLAIN_SOURCE) not in done):
        yield from encoder.source_documents(shortened(batch))


def _pair_key(pair: PairText, direction: str) -> Key:
    return pair.language, pair.variant, pair.id, direction


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

        Padding follows the scored tokens, so causal attention never reads it. Documents do not share
        a batch, so that a document's loss does not depend on which documents were scored before.
        """
        sequence = [self.start, *ids]
        windows = [sequence[at : at + self.context + 1] for at in range(0, len(ids), self.context)]
        groups = [windows[at : at + self.batch_size] for at in range(0, len(windows), self.batch_size)]
        return torch.cat([row for group in groups for row in self._batch_losses(group)])


def loss_row(document: Document, scorer: DocumentScorer, prefix: int) -> dict[str, Any]:
    """The row of one document; its first `prefix` tokens precede every text and are not scored."""
    losses = scorer.losses(document.ids.tolist())
    target, losses = losses[document.target :], losses[prefix:]
    plain = document.direction == PLAIN_SOURCE
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


def stored_rows(path: Path) -> list[dict[str, Any]]:
    """Rows that an interrupted job stored, one JSON object in each line; the file is cut after the
    last line that is whole and has not changed.
    """
    rows: list[dict[str, Any]] = []
    if not path.exists():
        return rows
    end = 0
    with path.open("r+b") as stream:
        for line in stream:
            try:
                row = checked_row(line)
            except ValueError:
                break
            if not line.endswith(b"\n"):
                break
            rows.append(row)
            end += len(line)
        stream.truncate(end)
    return rows


def all_rows(path: Path, documents: Iterable[Document], scorer: DocumentScorer, prefix: int) -> None:
    """Score documents, and store a row of each as soon as it is known."""
    with path.open("a", encoding="utf-8") as stream:
        for document in documents:
            stream.write(checked_line(loss_row(document, scorer, prefix)))
            stream.flush()


def write_losses(inputs: Any, output: str, settings: dict[str, Any], folder: Path) -> None:
    """Score every validation document; `folder` stores the rows until the job is done."""
    gpu, path = settings["gpu"], folder / "rows.jsonl"
    tokenizer = load_tokenizer(inputs.tokenizer)
    encoder = DocumentEncoder(tokenizer, settings["templates"], settings["llvm_tokens"])
    known = [tuple(row[name] for name in _KEY) for row in stored_rows(path)]
    torch.manual_seed(settings["seed"])
    use_tf32(settings["tf32"], gpu)
    dtype = weight_dtype(settings["precision"], gpu)
    model = load_for_tokenizer(inputs.model, tokenizer, settings["new_embeddings"], dtype=dtype)
    model.to(torch.device("cuda" if gpu else "cpu"))  # type: ignore[arg-type]
    scorer = DocumentScorer(model, tokenizer.eos_token_id, settings["context"], settings["batch_size"])
    documents = validation_documents(inputs.sample, encoder, settings, known)
    all_rows(path, progress(documents, "losses"), scorer, len(encoder.start))
    rows = stored_rows(path)
    rows.sort(key=lambda row: (row["direction"], row["language"], row["variant"] or "", row["id"]))
    write_table(output, rows, LOSSES.schema)


if __name__ == "__main__":
    with job() as snakemake:
        require_gpus(snakemake.resources)
        use_threads(snakemake.threads)
        files, params = snakemake.input, snakemake.params
        key = settings_key(params.settings, [files.sample, files.tokenizer, files.model])
        with workspace(params.checkpoints, f"losses_{snakemake.wildcards.start}", key) as folder:
            write_losses(files, snakemake.output[0], params.settings, folder)
