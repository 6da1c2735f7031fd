"""Generation with transformers: padded batches, and random draws that hang on each request's own seed."""

from collections.abc import Iterator, Sequence

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig, LogitsProcessor, StoppingCriteria

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.benchmarks.stop_sequences import Stop
from scripts.evaluate.engines.base import (
    Completion,
    Request,
    TeacherForced,
    end_ids,
    finished,
    room_for,
    until_end,
    usable_context,
)
from scripts.evaluate.generations import Sampling
from scripts.lib.prompts import Example, PromptSettings, encode_example, prompt_ids
from scripts.lib.token_text import ContinuationDecoder
from scripts.lib.weights import check_weights

_PLAIN = {"skip_special_tokens": True, "clean_up_tokenization_spaces": False}


class SeededDraw(LogitsProcessor):
    """Turns an arg-max into a draw from the tempered, nucleus-filtered distribution of each row.

    Gumbel's trick: the arg-max of logits plus Gumbel noise is a sample of their softmax. The noise comes from a
    generator of the row's own, so a row's text does not depend on what else is in the batch.
    """

    def __init__(self, seeds: Sequence[int], sampling: Sampling) -> None:
        self.sampling = sampling
        self.generators = [torch.Generator().manual_seed(seed) for seed in seeds]

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor) -> torch.FloatTensor:
        """Scores of shape (rows, vocabulary), with noise."""
        del input_ids
        logits = nucleus(scores.float() / self.sampling.temperature, self.sampling.top_p)
        noise = torch.stack([torch.rand(logits.shape[1], generator=generator) for generator in self.generators])
        gumbel = -torch.log(-torch.log(noise.clamp_min(torch.finfo(noise.dtype).tiny)))
        return logits + gumbel.to(logits.device)


def nucleus(logits: torch.Tensor, top_p: float) -> torch.Tensor:
    """Logits without all beyond the most likely tokens that together reach `top_p` (Holtzman et al., 2020)."""
    values, order = torch.sort(logits, descending=True, dim=-1)
    shares = torch.softmax(values, dim=-1)
    beyond = shares.cumsum(dim=-1) - shares >= top_p
    return logits.masked_fill(beyond.scatter(-1, order, beyond), -torch.inf)


class StopSequences(StoppingCriteria):
    """Ends a row as soon as its text has a stop sequence, so that no token is spent behind it."""

    def __init__(self, decode: ContinuationDecoder, stops: Sequence[Stop], prompt: int) -> None:
        """`prompt` is the number of tokens before the completions."""
        self.decode, self.stops, self.prompt = decode, stops, prompt
        # A token has at least one byte, so a sequence that the last token ended lies within so many tokens.
        self.tails = [max(len(word.encode()) for word in stop.words) for stop in stops]
        self.done = [False] * len(stops)

    def _stopped(self, stop: Stop, tail: int, tokens: torch.Tensor) -> bool:
        if not stop.may_end_within(self.decode(tokens[-tail:].tolist())):
            return False
        # The end by itself may read differently than as part of the text, and braces are counted from the start.
        return stop.position(self.decode(tokens.tolist())) is not None

    def __call__(self, input_ids: torch.LongTensor, scores: torch.FloatTensor, **kwargs: object) -> torch.BoolTensor:
        """Whether each row is done; shape (rows,)."""
        del scores, kwargs
        for row, stop in enumerate(self.stops):
            self.done[row] = self.done[row] or self._stopped(stop, self.tails[row], input_ids[row, self.prompt :])
        return torch.tensor(self.done, device=input_ids.device)


class TransformersEngine:
    """A model folder, loaded; see `engine.Engine`."""

    name = "transformers"
    version = f"{transformers.__version__}, torch {torch.__version__}"

    def __init__(self, folder: str, dtype: str, batch_size: int, threads: int, context: int | None = None) -> None:
        """`context` is the longest text, in tokens, for a model whose configuration names none."""
        torch.set_num_threads(threads)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
        check_weights(folder)
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).to(self.device).eval()
        self.batch_size = batch_size
        self.context = usable_context(self.model.config.to_dict(), context, folder)
        if self.tokenizer.pad_token is None:
            self.tokenizer.pad_token = self.tokenizer.eos_token
        self.decode, self.ends = ContinuationDecoder(self.tokenizer), end_ids(folder, self.tokenizer)
        # In the place of what the model's folder says: penalties, beams and lengths there would change the texts.
        self.model.generation_config = GenerationConfig(
            eos_token_id=self.ends, pad_token_id=self.tokenizer.pad_token_id, do_sample=False, num_beams=1
        )

    def complete(self, requests: Sequence[Request], sampling: Sampling) -> list[Completion]:
        """The completion of each request, in their order."""
        tokens = [prompt_ids(self.tokenizer, request.prompt) for request in requests]
        results = [Completion("", "overflow")] * len(requests)
        for room, places in self._batches([len(ids) for ids in tokens], sampling.new_tokens):
            batch = [requests[place] for place in places]
            texts = self._batch(batch, [tokens[place] for place in places], sampling, room)
            for place, text in zip(places, texts, strict=True):
                results[place] = text
        return results

    def _batches(self, lengths: Sequence[int], new_tokens: int) -> Iterator[tuple[int, list[int]]]:
        """New tokens that there is room for, and places of the prompts in a batch; prompts without room are in none.

        Prompts with the same room share a batch, because one that is near the context's end must not shorten others;
        prompts of like length do, so that little of it is padding.
        """
        rooms: dict[int, list[int]] = {}
        for place in sorted(range(len(lengths)), key=lambda place: (lengths[place], place)):
            room = room_for(lengths[place], new_tokens, self.context)
            if room > 0:
                rooms.setdefault(room, []).append(place)
        for room, places in rooms.items():
            for start in range(0, len(places), self.batch_size):
                yield room, places[start : start + self.batch_size]

    def teacher_forced(self, problems: Sequence[Problem], prompts: PromptSettings) -> list[TeacherForced]:
        """See `engine.Engine`."""
        examples = [encode_example(self.tokenizer, prompts, problem.row, problem.target) for problem in problems]
        found = []
        for start in range(0, len(examples), self.batch_size):
            found.extend(self._forced_batch(examples[start : start + self.batch_size]))
        return found

    def _forced_batch(self, examples: Sequence[Example]) -> list[TeacherForced]:
        rows = [{"input_ids": example.input_ids} for example in examples]
        # Padded on the right, so that a place in the text is the same place in the logits.
        padded = self.tokenizer.pad(rows, return_tensors="pt", padding_side="right").to(self.device)
        with torch.inference_mode():
            likeliest = self.model(**padded).logits.argmax(dim=-1)
        return [
            TeacherForced(
                prediction=self.tokenizer.decode(tokens[row.masked - 1 : len(row.input_ids) - 1], **_PLAIN),
                message=self.tokenizer.decode(row.input_ids[row.masked :], **_PLAIN),
            )
            for tokens, row in zip(likeliest, examples, strict=True)
        ]

    def _batch(
        self, requests: list[Request], tokens: list[list[int]], sampling: Sampling, room: int
    ) -> list[Completion]:
        padded = self.tokenizer.pad({"input_ids": tokens}, return_tensors="pt").to(self.device)
        width = padded["input_ids"].shape[1]
        draws = [SeededDraw([request.seed for request in requests], sampling)] if sampling.temperature else []
        with torch.inference_mode():
            output = self.model.generate(
                **padded,
                max_new_tokens=room,
                logits_processor=draws,
                stopping_criteria=[StopSequences(self.decode, [request.stop for request in requests], width)],
            )
        return [self._finished(row, request.stop) for row, request in zip(output[:, width:], requests, strict=True)]

    def _finished(self, tokens: torch.Tensor, stop: Stop) -> Completion:
        """The completion in one row of new tokens, which has padding after its end."""
        own, ended = until_end(tokens.tolist(), self.ends)
        return finished(self.decode(own), stop, ended)
