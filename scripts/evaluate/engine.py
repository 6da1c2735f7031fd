"""What generation engines have in common: requests in, completions out, in chunks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from scripts.evaluate.generations import Sampling
from scripts.evaluate.problems import Problem
from scripts.evaluate.stops import Stop
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


def room_for(prompt: int, new_tokens: int, context: int) -> int:
    """Tokens that may be generated behind a prompt of so many tokens; none when it fills the context by itself."""
    return min(new_tokens, context - prompt) if prompt > 0 else 0


def finished(text: str, stop: Stop, ended: bool) -> Completion:
    """What the protocol keeps of a completion, and why it ended; `ended` says that the model closed the text itself."""
    kept = stop.cut(text)
    if stop.position(text) is not None:
        return Completion(kept, "stop")
    return Completion(kept, "end" if ended else "length")
