"""What generation engines have in common: requests in, completions out, in chunks."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from scripts.evaluate.generations import Sampling
from scripts.evaluate.stops import Stop


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


class Engine(Protocol):
    """A model that is ready to generate; `name` and `version` say with what."""

    name: str
    version: str

    def complete(self, requests: Sequence[Request], sampling: Sampling) -> list[Completion]:
        """The completion of each request, which depends on that request and `sampling` alone."""
        ...


def finished(text: str, stop: Stop, ended: bool) -> Completion:
    """A completion cut where it ends; `ended` says that the model closed the text itself."""
    position = stop.position(text)
    if position is not None:
        return Completion(text[:position], "stop")
    return Completion(text, "end" if ended else "length")
