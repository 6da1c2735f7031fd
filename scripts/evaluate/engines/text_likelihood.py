"""Likelihoods of texts after their prompts, with a model of transformers.

A prompt is read once for all its texts. Each text is computed alone, so that its likelihood does not
depend on what else is measured.
"""

import inspect
from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from scripts.evaluate.engines.base import Likelihood

# Token ids.
Ids = tuple[int, ...]


class TextLikelihoods:
    """The likelihoods that a model gives to texts; those that were measured are remembered."""

    def __init__(self, model: Any) -> None:
        self.model = model
        has_option = "logits_to_keep" in inspect.signature(model.forward).parameters
        self._last_logits = {"logits_to_keep": 1} if has_option else {}
        self._known: dict[tuple[Ids, Ids], Likelihood] = {}

    def __call__(self, rows: Sequence[tuple[Ids, Ids]]) -> list[Likelihood]:
        """The likelihood of each text after its prompt; neither may be empty."""
        texts: dict[Ids, list[Ids]] = {}
        for prompt, text in dict.fromkeys(rows):
            if (prompt, text) not in self._known:
                texts.setdefault(prompt, []).append(text)
        for prompt, own in texts.items():
            for text, nats in zip(own, self._measured(prompt, own), strict=True):
                self._known[prompt, text] = Likelihood(nats, len(text))
        return [self._known[row] for row in rows]

    @torch.inference_mode()
    def _measured(self, prompt: Ids, texts: Sequence[Ids]) -> Iterator[float]:
        """Minus the logarithm of each text's probability, in nats."""
        first = self.model(self._row(prompt), use_cache=True, **self._last_logits)
        for text in texts:
            logits = first.logits[0, -1:]
            if len(text) > 1:
                # The cache grows with the text.
                cache = deepcopy(first.past_key_values)
                more = self.model(self._row(text[:-1]), past_key_values=cache, attention_mask=self._mask(prompt, text))
                logits = torch.cat([logits, more.logits[0]])
            losses = cross_entropy(logits.float(), self._row(text)[0], reduction="none")
            yield losses.double().sum().item()

    def _row(self, ids: Ids) -> torch.Tensor:
        """Ids of shape (1, tokens)."""
        return torch.tensor([ids], device=self.model.device)

    def _mask(self, prompt: Ids, text: Ids) -> torch.Tensor:
        """Attention to the whole prompt and all of the text but its last token."""
        return torch.ones(1, len(prompt) + len(text) - 1, dtype=torch.long, device=self.model.device)
