"""What a training minimises and what it reports of a validation: loss and accuracy of the tokens that have a label."""

from typing import Any

import torch
from transformers import EvalPrediction
from transformers.loss.loss_utils import ForCausalLMLoss

IGNORED = -100


def causal_loss(outputs: Any, labels: torch.Tensor, num_items_in_batch: torch.Tensor | None = None) -> torch.Tensor:
    """Cross-entropy in nats of each labelled token given those before it, as transformers computes it.

    labels: of shape (rows, length), `IGNORED` where a token carries no loss. num_items_in_batch: labelled tokens of all
    batches of an optimizer step, by which the sum is divided; None for the mean over this batch. Without any labelled
    token the loss is 0 and so are the gradients; the library's own would be NaN.
    """
    counted = labels[:, 1:].ne(IGNORED).sum() if num_items_in_batch is None else torch.as_tensor(num_items_in_batch)
    logits = outputs["logits"]
    return ForCausalLMLoss(logits, labels, logits.shape[-1], num_items_in_batch=counted.clamp(min=1))


def count_correct(logits: torch.Tensor | tuple[torch.Tensor, ...], labels: torch.Tensor) -> torch.Tensor:
    """Of each row the labelled tokens that are the likeliest ones, and all labelled tokens; int64, shape (rows, 2).

    It stands in for the logits, of shape (rows, length, vocabulary), so that none of them outlives its batch.
    """
    scores = logits[0] if isinstance(logits, tuple) else logits
    wanted = labels[:, 1:]
    counted = wanted.ne(IGNORED)
    correct = scores[:, :-1].argmax(dim=-1).eq(wanted) & counted
    return torch.stack([correct.sum(dim=1), counted.sum(dim=1)], dim=1)


class TokenAccuracy:
    """Share of labelled tokens that are the likeliest ones over a whole validation, summed up batch by batch."""

    def __init__(self) -> None:
        self._correct = self._counted = 0

    def __call__(self, batch: EvalPrediction, compute_result: bool) -> dict[str, float]:
        """Add what `count_correct` counted; with the last batch return the accuracy, if any token was labelled."""
        self._correct += int(batch.predictions[:, 0].sum())
        self._counted += int(batch.predictions[:, 1].sum())
        if not compute_result:
            return {}
        result = {"accuracy": self._correct / self._counted} if self._counted else {}
        self._correct = self._counted = 0
        return result
