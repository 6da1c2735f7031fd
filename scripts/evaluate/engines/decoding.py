"""Decodes a batch of prompts with a model of transformers.

Equal prompts, such as the samples of one problem, are read once, and rows that have ended leave the
batch, so that a long completion does not keep the others computing.
"""

from collections.abc import Sequence
from typing import Any

import torch

from scripts.evaluate.benchmarks.stop_sequences import Stop
from scripts.evaluate.generations import Sampling
from scripts.lib.token_text import ContinuationDecoder

# The batch is made smaller once this share of its rows has ended, because that copies its cache.
_ENDED = 1 / 8
# Tokens among which the nucleus is sought first.
_NUCLEUS = 256


class SeededDraw:
    """Draws the next token of each row from its tempered, nucleus-filtered distribution.

    It uses the Gumbel-max trick: the arg-max of logits plus Gumbel noise is a sample from their
    softmax (Gumbel 1954). Each row's noise comes from a generator with the row's seed, so a row's
    text does not depend on the other rows of the batch.
    """

    def __init__(self, seeds: Sequence[int], sampling: Sampling) -> None:
        self.sampling = sampling
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]

    def __call__(self, rows: Sequence[int], logits: torch.Tensor) -> torch.Tensor:
        """The next token id of each row in `rows`, shape (rows,); `logits` has shape (rows,
        vocabulary).
        """
        if not self.sampling.temperature:
            return logits.argmax(dim=-1)
        # One number for every token of the vocabulary, so that a token's noise does not depend on
        # its rank.
        noise = torch.stack([torch.rand(logits.shape[1], generator=self.generators[row]) for row in rows])
        values, tokens = nucleus(logits.float() / self.sampling.temperature, self.sampling.top_p)
        noise = noise.to(logits.device).gather(-1, tokens)
        gumbel = -torch.log(-torch.log(noise.clamp_min(torch.finfo(noise.dtype).tiny)))
        best = (values + gumbel).argmax(dim=-1, keepdim=True)
        return tokens.gather(-1, best).squeeze(-1)


def nucleus(logits: torch.Tensor, top_p: float) -> tuple[torch.Tensor, torch.Tensor]:
    """The logits and the ids of at least the most likely tokens that together reach `top_p`, both of
    shape (rows, tokens), the likeliest first; tokens beyond have minus infinity as logit.

    Logits have shape (rows, vocabulary). Nucleus sampling: Holtzman et al. 2020, arXiv 1904.09751.
    """
    chances = logits.softmax(dim=-1)
    size = logits.shape[-1] if top_p >= 1 else min(_NUCLEUS, logits.shape[-1])
    while True:
        # Sorting the whole vocabulary would take as long as a small model does.
        values, tokens = logits.topk(size, dim=-1)
        shares = chances.gather(-1, tokens)
        beyond = shares.cumsum(dim=-1) - shares >= top_p
        if size == logits.shape[-1] or beyond[:, -1].all():
            return values.masked_fill(beyond, -torch.inf), tokens
        size = min(16 * size, logits.shape[-1])


class Ends:
    """Determines whether a row has ended, so that no further token is generated.

    decode: token ids to text. ends: ids that end a completion. stops: what else ends each row, of
    shape (rows,).
    """

    def __init__(self, decode: ContinuationDecoder, ends: Sequence[int], stops: Sequence[Stop]) -> None:
        self.decode, self.ends, self.stops = decode, set(ends), stops
        # A token has at least one byte, so a sequence that the last token completes lies within
        # this number of tokens.
        self.tails = [max(len(sequence.encode()) for sequence in stop.sequences) for stop in stops]

    def __call__(self, row: int, tokens: list[int]) -> bool:
        """Whether a row with these new tokens has ended with the last of them."""
        if tokens[-1] in self.ends:
            return True
        stop = self.stops[row]
        if not stop.may_end_within(self.decode(tokens[-self.tails[row] :])):
            return False
        # The tail alone may decode differently than within the text, and braces are counted from
        # the start.
        return stop.position(self.decode(tokens)) is not None


class Decoding:
    """The loop that `generate` of transformers calls instead of its own, as `custom_generate`.

    rows: for each completion, the row of the prompt that it completes. draw: next tokens of rows.
    ends: whether a row has ended. new_tokens: the most tokens of a completion.
    """

    def __init__(self, rows: Sequence[int], draw: SeededDraw, ends: Ends, new_tokens: int) -> None:
        self.prompts, self.draw, self.ends, self.new_tokens = list(rows), draw, ends, new_tokens
        self.tokens: list[list[int]] = [[] for _ in rows]

    def __call__(self, model: Any, input_ids: torch.Tensor, **kwargs: Any) -> torch.Tensor:
        """Fill `tokens`; returns `input_ids`.

        input_ids: different prompts, padded on the left, of shape (prompts, tokens). kwargs: what
        `generate` has prepared for the model, with objects of its own loop, which are not used.
        """
        for unused in ("logits_processor", "stopping_criteria", "generation_config", "synced_gpus", "streamer"):
            kwargs.pop(unused, None)
        outputs = model(**model.prepare_inputs_for_generation(input_ids, is_first_iteration=True, **kwargs))
        kwargs = model._update_model_kwargs_for_generation(outputs, kwargs)
        logits, kwargs = _selected(self.prompts, outputs.logits[:, -1], kwargs)
        active, ended = list(range(len(self.prompts))), set[int]()
        while True:
            drawn = self.draw(active, logits)
            ended |= self._append(active, drawn.tolist(), ended)
            if len(ended) == len(active):
                return input_ids
            if len(ended) >= _ENDED * len(active):
                active_indices = [index for index, row in enumerate(active) if row not in ended]
                drawn, kwargs = _selected(active_indices, drawn, kwargs)
                active, ended = [active[index] for index in active_indices], set()
            inputs = model.prepare_inputs_for_generation(drawn[:, None], next_sequence_length=1, **kwargs)
            outputs = model(**inputs)
            kwargs = model._update_model_kwargs_for_generation(outputs, kwargs)
            logits = outputs.logits[:, -1]

    def _append(self, active: Sequence[int], drawn: Sequence[int], ended: set[int]) -> set[int]:
        """Add the drawn tokens to the rows that go on; returns those that end with them."""
        new = set()
        for row, token in zip(active, drawn, strict=True):
            if row in ended:
                continue
            tokens = self.tokens[row]
            tokens.append(token)
            if len(tokens) == self.new_tokens or self.ends(row, tokens):
                new.add(row)
        return new


def _selected(rows: Sequence[int], tensor: torch.Tensor, kwargs: dict[str, Any]) -> tuple[torch.Tensor, dict[str, Any]]:
    """A tensor, and the model's inputs with its cache, with these rows of the batch alone."""
    indices = torch.tensor(rows, device=tensor.device)
    kwargs["past_key_values"].batch_select_indices(indices)
    masks = ("attention_mask", "position_ids", "token_type_ids")
    return tensor[indices], kwargs | {name: kwargs[name][indices] for name in masks if kwargs.get(name) is not None}
