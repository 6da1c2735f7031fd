"""Generation with transformers: padded batches, and random draws from each request's seed."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
import transformers
from transformers import AutoTokenizer, GenerationConfig

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.benchmarks.stop_sequences import Stop
from scripts.evaluate.engines.base import (
    Completion,
    Likelihood,
    OneGroup,
    Request,
    RequestGroup,
    TeacherForced,
    decode_plain,
    end_ids,
    finish,
    longest_first,
    room_for,
    scored_ids,
    until_end,
    usable_context,
)
from scripts.evaluate.engines.decoding import Decoding, Ends, SeededDraw
from scripts.evaluate.engines.text_likelihood import TextLikelihoods
from scripts.evaluate.generations import Sampling
from scripts.lib.custom_code import is_trusted
from scripts.lib.job import InputError
from scripts.lib.prompts import Example, PromptSettings, encode_example, prompt_ids
from scripts.lib.schemas.evaluation import FinishReason
from scripts.lib.token_text import ContinuationDecoder
from scripts.lib.training.loading import load_model

# Prompts of up to this number of tokens may share a batch, whatever their lengths.
_SHORT = 64


def _padding(model: Any, tokenizer: Any) -> str:
    """The token for padding: that of the tokenizer, its end of text, or the first token.

    Attention to padding is masked, so any token with an embedding will do; tokens that were added to
    the tokenizer alone have none.
    """
    rows = model.get_input_embeddings().weight.shape[0]
    candidates = (tokenizer.pad_token_id, tokenizer.eos_token_id, 0)
    first = next(number for number in candidates if number is not None and number < rows)
    token: str = tokenizer.convert_ids_to_tokens(first)
    return token


@torch.inference_mode()
def _check_cache(model: Any, folder: str) -> None:
    """Raise `InputError` if the model has no cache from which rows of a batch can be selected, as
    state-space models (Mamba) and some old ones.
    """
    row = torch.zeros(1, 1, dtype=torch.long, device=model.device)
    try:
        model(row, use_cache=True).past_key_values.batch_select_indices(row[0])
    except (AttributeError, TypeError, ValueError) as error:
        problem = f"{folder}: the engine transformers cannot generate with models of type {model.config.model_type}"
        raise InputError(
            f"{problem}, which lack a cache of keys and values in some layers; set evaluate.engine to vllm"
        ) from error


class TransformersEngine(OneGroup):
    """A model loaded by transformers, on the GPU if there is one; see `engines.base.Engine`."""

    name = "transformers"

    def __init__(self, folder: str, dtype: str, batch_size: int, threads: int, context: int | None = None) -> None:
        """Load the model of a folder.

        batch_size: number of prompts in a batch.
        threads: number of threads of torch on the CPU.
        context: the longest text, in tokens, for a model whose configuration has no limit.

        Raises `InputError` for damaged weights, an unknown context, or a model without a cache.
        """
        torch.set_num_threads(threads)
        self.version = f"{transformers.__version__}, torch {torch.__version__}, {dtype}"
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.tokenizer: Any = AutoTokenizer.from_pretrained(
            folder, padding_side="left", trust_remote_code=is_trusted(folder)
        )
        model: Any = load_model(folder, dtype)
        self.model = model.to(self.device).eval()
        _check_cache(self.model, folder)
        self.text_likelihoods = TextLikelihoods(self.model)
        self.batch_size = batch_size
        self.context = usable_context(self.model.config.to_dict(), context, folder)
        self.tokenizer.pad_token = _padding(self.model, self.tokenizer)
        self.decode, self.ends = ContinuationDecoder(self.tokenizer), end_ids(folder, self.tokenizer)
        # It replaces the settings of the model's folder, whose penalties, beams and lengths would
        # change the completions.
        self.model.generation_config = GenerationConfig(
            eos_token_id=self.ends, pad_token_id=self.tokenizer.pad_token_id, do_sample=False, num_beams=1
        )

    def complete_groups(self, groups: Sequence[RequestGroup]) -> Iterator[tuple[int, list[Completion]]]:
        """See `engines.base.Engine`."""
        tokens = [[prompt_ids(self.tokenizer, request.prompt) for request in group.requests] for group in groups]
        for index in longest_first(tokens):
            yield index, self._complete_group(groups[index], tokens[index])

    def _complete_group(self, group: RequestGroup, tokens: list[list[int]]) -> list[Completion]:
        """Completions of a group. Its batches do not depend on other groups, so that the padding of a
        prompt, which changes the last digits of logits, is always the same.
        """
        results = [Completion("", FinishReason.OVERFLOW)] * len(tokens)
        batches = list(self._batches([len(ids) for ids in tokens], group.sampling.new_tokens))
        for room, indices in reversed(batches):
            batch = [group.requests[index] for index in indices]
            completions = self._complete_batch(batch, [tokens[index] for index in indices], group.sampling, room)
            for index, completion in zip(indices, completions, strict=True):
                results[index] = completion
        return results

    def _batches(self, lengths: Sequence[int], new_tokens: int) -> Iterator[tuple[int, list[int]]]:
        """Batches of prompts of these lengths: the number of new tokens, and the prompts' indices.

        Prompts without room for a new token are in no batch. Prompts with the same room share a
        batch, because a prompt near the context's end must not shorten others; prompts of similar
        length do, so that little of the batch is padding, for which attention and its cache take as
        long as for a prompt.
        """
        by_room: dict[int, list[int]] = {}
        for index in sorted(range(len(lengths)), key=lambda index: (lengths[index], index)):
            room = room_for(lengths[index], new_tokens, self.context)
            if room > 0:
                by_room.setdefault(room, []).append(index)
        for room, indices in by_room.items():
            batch = indices[:1]
            for index in indices[1:]:
                if len(batch) == self.batch_size or lengths[index] > max(_SHORT, 2 * lengths[batch[0]]):
                    yield room, batch
                    batch = []
                batch.append(index)
            yield room, batch

    def likelihoods(self, texts: Sequence[tuple[str, str]]) -> list[Likelihood | None]:
        """See `engines.base.Engine`."""
        scored = [scored_ids(self.tokenizer, prompt, text, self.context) for prompt, text in texts]
        rows = {index: row for index, row in enumerate(scored) if row is not None}
        measured = dict(zip(rows, self.text_likelihoods(list(rows.values())), strict=True))
        return [measured.get(index) for index in range(len(texts))]

    def teacher_forced(self, problems: Sequence[Problem], prompts: PromptSettings) -> list[TeacherForced]:
        """See `engines.base.Engine`."""
        examples = [encode_example(self.tokenizer, prompts, problem.row, problem.target) for problem in problems]
        forced = []
        for start in range(0, len(examples), self.batch_size):
            forced.extend(self._force_batch(examples[start : start + self.batch_size]))
        return forced

    def _force_batch(self, examples: Sequence[Example]) -> list[TeacherForced]:
        rows = [{"input_ids": example.input_ids} for example in examples]
        # Padded on the right, so that an index into the text is the same index into the logits.
        padded = self.tokenizer.pad(rows, return_tensors="pt", padding_side="right").to(self.device)
        with torch.inference_mode():
            likeliest = self.model(**padded).logits.argmax(dim=-1)
        return [
            TeacherForced(
                prediction=decode_plain(self.tokenizer, tokens[row.masked - 1 : len(row.input_ids) - 1]),
                message=decode_plain(self.tokenizer, row.input_ids[row.masked :]),
            )
            for tokens, row in zip(likeliest, examples, strict=True)
        ]

    def _complete_batch(
        self, requests: list[Request], tokens: list[list[int]], sampling: Sampling, room: int
    ) -> list[Completion]:
        prompts = list(dict.fromkeys(map(tuple, tokens)))
        row_of = {prompt: row for row, prompt in enumerate(prompts)}
        decoding = Decoding(
            rows=[row_of[tuple(ids)] for ids in tokens],
            draw=SeededDraw([request.seed for request in requests], sampling),
            ends=Ends(self.decode, self.ends, [request.stop for request in requests]),
            new_tokens=room,
        )
        padded = self.tokenizer.pad({"input_ids": [list(ids) for ids in prompts]}, return_tensors="pt")
        with torch.inference_mode():
            self.model.generate(**padded.to(self.device), max_new_tokens=room, custom_generate=decoding)
        rows = zip(decoding.tokens, requests, strict=True)
        return [self._completion(tokens, request.stop) for tokens, request in rows]

    def _completion(self, tokens: list[int], stop: Stop) -> Completion:
        """The completion in the new tokens of a row."""
        text_tokens, ended = until_end(tokens, self.ends)
        return finish(self.decode(text_tokens), stop, ended)
