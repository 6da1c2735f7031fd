"""What generation engines have in common: requests in, completions out, in chunks."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.benchmarks.stop_sequences import Stop
from scripts.evaluate.generations import Sampling
from scripts.lib.context import context_limit
from scripts.lib.files import read_json
from scripts.lib.job import InputError
from scripts.lib.prompts import PromptSettings


@dataclass(frozen=True)
class Request:
    """One completion to make: of which prompt, with which seed, ended by what."""

    prompt: str
    seed: int
    stop: Stop


@dataclass(frozen=True)
class Completion:
    """A completion without its stop sequence, and why it ended: `stop`, `end`, `length` or `overflow`."""

    text: str
    finish_reason: str


@dataclass(frozen=True)
class TeacherForced:
    """What a model would have written next at each place of a message, and the message as far as it was given."""

    prediction: str
    message: str


class Engine(Protocol):
    """A model that is ready to generate; `name` and `version` say with what."""

    name: str
    version: str
    tokenizer: Any

    def complete(self, requests: Sequence[Request], sampling: Sampling) -> list[Completion]:
        """The completion of each request, which depends on that request and `sampling` alone."""
        ...

    def teacher_forced(self, problems: Sequence[Problem], prompts: PromptSettings) -> list[TeacherForced]:
        """The most likely next token at each place of each problem's message, all before it being given.

        So the paper judges commit messages. Prompt and message are cut as in training; messages are compared as far
        as they were given.
        """
        ...


def end_ids(folder: str | Path, tokenizer: Any) -> list[int]:
    """All tokens that end a text of the model in a folder, sorted.

    They are those of generation_config.json, which may list several (chat models end a turn with a token of its own),
    else that of config.json, and the tokenizer's end of text. Nothing else of generation_config.json counts: how
    completions are drawn is the sampling plan's to say.
    """
    files = [Path(folder, name) for name in ("generation_config.json", "config.json")]
    declared = [read_json(file).get("eos_token_id") for file in files if file.is_file()]
    found = [next((value for value in declared if value is not None), None), tokenizer.eos_token_id]
    return sorted({number for value in found if value is not None for number in _as_list(value)})


def _as_list(value: int | Sequence[int]) -> Sequence[int]:
    return [value] if isinstance(value, int) else value


def usable_context(config: Mapping[str, Any], context: int | None, folder: str | Path) -> int:
    """Tokens of prompt and completion together: the model's own limit, or `context` for a model that has none.

    Raises `InputError` when neither is known.
    """
    limit = context_limit(config) or context
    if limit is None:
        raise InputError(f"{folder}: config.json does not say how long a text may be; set the entry's `context`")
    return limit


def until_end(tokens: Sequence[int], ends: Container[int]) -> tuple[list[int], bool]:
    """The tokens before the first that ends a text, and whether there is one."""
    for place, token in enumerate(tokens):
        if token in ends:
            return list(tokens[:place]), True
    return list(tokens), False


def room_for(prompt: int, new_tokens: int, context: int) -> int:
    """Tokens that may be generated behind a prompt of so many tokens; none when it fills the context by itself."""
    return min(new_tokens, context - prompt) if prompt > 0 else 0


def finished(text: str, stop: Stop, ended: bool) -> Completion:
    """What the protocol keeps of a completion, and why it ended; `ended` says that the model closed the text itself."""
    kept = stop.cut(text)
    if stop.position(text) is not None:
        return Completion(kept, "stop")
    return Completion(kept, "end" if ended else "length")
