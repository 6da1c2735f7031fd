"""Loss of a training and accuracy of its validation, over the labelled tokens."""

from typing import Any

import torch
from transformers import EvalPrediction
from transformers.loss.loss_utils import ForCausalLMLoss

IGNORED = -100


def causal_loss(outputs: Any, labels: torch.Tensor, num_items_in_batch: torch.Tensor | None = None) -> torch.Tensor:
    """Cross-entropy in nats of each labelled token given the preceding ones, as transformers
    computes it.

    labels: shape (rows, length), `IGNORED` for tokens without loss. num_items_in_batch: number of
    labelled tokens in all batches of an optimizer step, by which the sum is divided; None for the
    mean over this batch. Without labelled tokens the loss and its gradients are 0, whereas they
    would be NaN by default.
    """
    count = labels[:, 1:].ne(IGNORED).sum() if num_items_in_batch is None else torch.as_tensor(num_items_in_batch)
    logits = outputs["logits"]
    return ForCausalLMLoss(logits, labels, logits.shape[-1], num_items_in_batch=count.clamp(min=1))


def count_correct(logits: torch.Tensor | tuple[torch.Tensor, ...], labels: torch.Tensor) -> torch.Tensor:
    """Per row, the number of labelled tokens predicted correctly and of all labelled tokens.

    Shape (rows, 2), int64. It replaces the logits, of shape (rows, length, vocabulary), so that
    they are freed with their batch.
    """
    scores = logits[0] if isinstance(logits, tuple) else logits
    targets = labels[:, 1:]
    labelled = targets.ne(IGNORED)
    correct = scores[:, :-1].argmax(dim=-1).eq(targets) & labelled
    return torch.stack([correct.sum(dim=1), labelled.sum(dim=1)], dim=1)


class TokenAccuracy:
    """Share of labelled tokens predicted correctly in a whole validation, accumulated batch by
    batch.
    """

    def __init__(self) -> None:
        self._correct = self._labelled = 0

    def __call__(self, batch: EvalPrediction, compute_result: bool = False) -> dict[str, float]:
        """Add a batch's counts from `count_correct`.

        With `compute_result`, at the last batch, return the `accuracy`, or nothing if no token is
        labelled.
        """
        counts: Any = batch.predictions  # a tensor on the model's device
        self._correct += int(counts[:, 0].sum())
        self._labelled += int(counts[:, 1].sum())
        if not compute_result:
            return {}
        result = {"accuracy": self._correct / self._labelled} if self._labelled else {}
        self._correct = self._labelled = 0
        return result
