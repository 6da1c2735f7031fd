"""Batches of training sequences, and attention inside the documents of packed sequences."""

from typing import Any

import torch
from torch.nn.functional import pad

from scripts.lib.job import InputError
from scripts.lib.prompts import Example
from scripts.lib.training.objective import IGNORED

# Logits that another document changes by more than this share of what it changes in its own are no
# rounding errors. Matrix products in 8 or 4 bits round rows together.
_TOLERANCE = {"none": 1e-4, "int8": 1e-2, "int4": 1e-2}
_PROBE_LENGTH = 8


def document_positions(ids: torch.Tensor, end: int) -> torch.Tensor:
    """Positions of tokens in their documents, each of which ends with the token `end`.

    ids: token ids of one sequence, shape (tokens,). The result has the same shape.
    """
    positions = torch.arange(len(ids))
    starts = torch.zeros_like(positions)
    is_after_end = ids[:-1] == end
    starts[1:][is_after_end] = positions[1:][is_after_end]
    return positions - starts.cummax(dim=0).values


class Collator:
    """Pads examples to tensors of shape (batch, length): `input_ids`, `labels` and `attention_mask`.

    Padding is on the right, so that a causal model never attends to it. It must not shift positions,
    because transformers 5 counts the positions of GPT-BigCode, CodeGen and others from the first
    column, pad tokens included.

    With `end` there are `position_ids` in place of the mask. They start at 0 in each document, from
    which transformers infers that attention stays inside it. Padding is a document of its own. The
    first token of a document carries no loss, since nothing precedes it.
    """

    def __init__(self, pad_id: int, pad_to: int | None, end: int | None = None) -> None:
        """Define how examples are padded.

        pad_to: a fixed length in tokens; None pads to the longest example. end: the token that ends
        each document, to keep attention inside documents; None for attention to all earlier tokens.
        """
        self.pad_id, self.pad_to, self.end = pad_id, pad_to, end

    def _row(self, example: Example, length: int) -> dict[str, torch.Tensor]:
        """The tensors of one example, each of shape (length,)."""
        ids = torch.tensor(example.input_ids)
        labels, room = ids.clone(), (0, length - len(ids))
        labels[: example.masked] = IGNORED
        row = {"input_ids": pad(ids, room, value=self.pad_id)}
        if self.end is None:
            row["attention_mask"] = pad(torch.ones_like(ids), room, value=0)
        else:
            positions = document_positions(ids, self.end)
            labels[positions == 0] = IGNORED
            row["position_ids"] = torch.cat([positions, torch.arange(room[1])])
        return {**row, "labels": pad(labels, room, value=IGNORED)}

    def __call__(self, examples: list[Example]) -> dict[str, torch.Tensor]:
        """One batch; padding and prompts carry no loss."""
        length = self.pad_to or max(len(example.input_ids) for example in examples)
        rows = [self._row(example, length) for example in examples]
        return {name: torch.stack([row[name] for row in rows]) for name in rows[0]}


def _probe_logits(model: Any, first: int, rows: int) -> torch.Tensor:
    """Logits of `rows` equal sequences of two documents, of which `first` begins the first one.

    The shape is (rows, 2 * _PROBE_LENGTH, vocabulary).
    """
    ids = torch.tensor([first, *range(2, _PROBE_LENGTH + 1)] * 2)
    ids[_PROBE_LENGTH] = 0
    positions = torch.arange(_PROBE_LENGTH).repeat(2)
    batch = {"input_ids": ids.expand(rows, -1), "position_ids": positions.expand(rows, -1)}
    device = next(model.parameters()).device
    logits: torch.Tensor = model(**{name: values.to(device) for name, values in batch.items()}, use_cache=False).logits
    return logits.float()


@torch.no_grad()
def check_isolation(model: Any, rows: int, quantization: str, name: str) -> None:
    """Raise `InputError` unless attention of a causal model stays inside documents.

    It compares the logits of a document after two different ones, in batches of `rows` sequences:
    architectures and implementations of attention silently ignore positions that start again.
    name: the model, for the error.
    """
    was_training = model.training
    model.eval()
    try:
        one, other = _probe_logits(model, 0, rows), _probe_logits(model, 1, rows)
    finally:
        model.train(was_training)
    change = (one - other).abs().amax(dim=(0, 2))
    own, following = change[:_PROBE_LENGTH].max(), change[_PROBE_LENGTH:].max()
    if not following <= _TOLERANCE[quantization] * own:
        raise InputError(
            f"attention of {name} crosses the documents of a packed sequence; set pretrain.isolate_documents to false, "
            "or training.attention to sdpa (flash_attention_2 needs batch_size 1)"
        )
