"""The interface of generation engines, and what they have in common.

An engine loads a model folder and completes prompts. To add one, write a class with the members of
`Engine` in a module of its own, load it in `generate.load_engine`, and add its name to `engine` in
config/schemas/evaluate.schema.yaml. The class must keep these promises:

- A completion depends on its request and the sampling alone: not on other requests, their order or
  the batch. Greedy completions of all engines agree.
- Settings in the model folder (generation_config.json) do not count, except for the tokens that
  end a text (`end_ids`).
- Text is decoded from the completion's tokens (`lib.token_text.ContinuationDecoder`) and cut by
  `finish`, so that all engines end completions at the same character.
- A prompt without room for a new token gets an empty completion with the reason `overflow`.
- Groups of requests are returned one by one, so that they can be stored, those with the longest
  prompts first: too little memory shows early, and no long request is left for the end.
"""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.benchmarks.stop_sequences import Stop
from scripts.evaluate.generations import Sampling
from scripts.lib.context import context_limit
from scripts.lib.job import InputError
from scripts.lib.prompts import PromptSettings, prompt_ids
from scripts.lib.schemas.evaluation import FinishReason
from scripts.lib.token_text import continuation_ids
from scripts.lib.training.generation_settings import GENERATION_FILE, MODEL_FILE, read_settings


@dataclass(frozen=True)
class Request:
    """One completion to generate: its prompt, its random seed (63 bits), and what ends it."""

    prompt: str
    seed: int
    stop: Stop


@dataclass(frozen=True)
class RequestGroup:
    """Requests with the same sampling, whose completions are stored together."""

    requests: Sequence[Request]
    sampling: Sampling


@dataclass(frozen=True)
class Completion:
    """A completion without its stop sequence, and why it ended (`FinishReason`)."""

    text: str
    finish_reason: str


@dataclass(frozen=True)
class TeacherForced:
    """A commit message predicted token by token, and the part of the reference that the model read."""

    prediction: str
    message: str


@dataclass(frozen=True)
class Likelihood:
    """How likely a text is after a prompt.

    nats: negative natural logarithm of its probability, a sum over its tokens.
    tokens: number of its tokens.
    """

    nats: float
    tokens: int


class Engine(Protocol):
    """A loaded model.

    name, version: identify the engine in generations and scores; a version is those of the packages
        and the number format of the weights.
    tokenizer: the model's tokenizer, of transformers.
    """

    name: str
    version: str
    tokenizer: Any

    def complete_groups(self, groups: Sequence[RequestGroup]) -> Iterator[tuple[int, list[Completion]]]:
        """Yield each group's index and the completions in the order of its requests, once it is
        finished.
        """
        ...

    def likelihoods(self, texts: Sequence[tuple[str, str]]) -> list[Likelihood | None]:
        """How likely each text is after its prompt, from pairs of prompt and text.

        None where the two do not fit in the context together (`scored_ids`).
        """
        ...

    def teacher_forced(self, problems: Sequence[Problem], prompts: PromptSettings) -> list[TeacherForced]:
        """For each problem, the most likely token at each position of its message.

        Each token is predicted from the prompt and the message before it, as the paper evaluates
        commit messages. Prompt and message are cut as in training, and only the part of the message
        that the model read is compared.
        """
        ...


class OneGroup:
    """Part of an engine: completes a single group."""

    def complete(self: Engine, requests: Sequence[Request], sampling: Sampling) -> list[Completion]:
        """The completion of each request, in the order of the requests."""
        [(_, completions)] = self.complete_groups([RequestGroup(requests, sampling)])
        return completions


def longest_first(prompts: Sequence[Sequence[list[int]]]) -> list[int]:
    """Indices of groups of prompts, those with the longest prompts first; prompts are token ids."""
    longest = [max(map(len, group), default=0) for group in prompts]
    return sorted(range(len(longest)), key=lambda index: (-longest[index], index))


def end_ids(folder: str | Path, tokenizer: Any) -> list[int]:
    """Ids of all tokens that end a text of the model in a folder, sorted.

    They are those of generation_config.json, which may list several (chat models end a turn with a
    token of its own), or else that of config.json, and the tokenizer's end of text. Other settings
    of generation_config.json are ignored: the sampling plan decides how completions are drawn.
    """
    files = [Path(folder, name) for name in (GENERATION_FILE, MODEL_FILE)]
    declared = [read_settings(file).get("eos_token_id") for file in files if file.is_file()]
    first = next((value for value in declared if value is not None), None)
    return sorted({number for value in (first, tokenizer.eos_token_id) for number in _as_list(value)})


def _as_list(value: int | Sequence[int] | None) -> Sequence[int]:
    if value is None:
        return []
    return [value] if isinstance(value, int) else value


def usable_context(config: Mapping[str, Any], context: int | None, folder: str | Path) -> int:
    """Tokens of prompt and completion together: the model's limit, or `context` if it has none.

    Raises `InputError` when neither is known.
    """
    limit = context_limit(config) or context
    if limit is None:
        raise InputError(f"{folder}: config.json does not say how long a text may be; set the entry's `context`")
    return limit


def until_end(tokens: Sequence[int], ends: Container[int]) -> tuple[list[int], bool]:
    """The tokens before the first that ends a text, and whether there is one."""
    for index, token in enumerate(tokens):
        if token in ends:
            return list(tokens[:index]), True
    return list(tokens), False


def room_for(prompt: int, new_tokens: int, context: int) -> int:
    """Number of new tokens that fit after a prompt of `prompt` tokens.

    It is 0 or less if the prompt fills the context.
    """
    return min(new_tokens, context - prompt) if prompt > 0 else 0


def finish(text: str, stop: Stop, ended: bool) -> Completion:
    """The part of a generated text that the protocol evaluates, and why it ended.

    `ended` says that the model generated a token that ends the text.
    """
    completion = stop.cut(text)
    if stop.position(text) is not None:
        return Completion(completion, FinishReason.STOP)
    return Completion(completion, FinishReason.END if ended else FinishReason.LENGTH)


def decode_plain(tokenizer: Any, tokens: Any) -> str:
    """Text of token ids, of shape (tokens,), without special tokens."""
    text: str = tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    return text


def scored_ids(tokenizer: Any, prompt: str, text: str, context: int) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Ids of a prompt, and those of a text after it.

    The prompt is encoded as for generation and the text as its continuation, so no token spans
    both. None if the two are longer than `context` tokens, or the text has no token.
    """
    before, own = tuple(prompt_ids(tokenizer, prompt)), tuple(continuation_ids(tokenizer, prompt, text))
    return (before, own) if before and own and len(before) + len(own) <= context else None
