"""Stored generations: JSON lines, zstd-compressed, a line a problem."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import zstandard

from scripts.lib.files import write_bytes
from scripts.lib.job import InputError


@dataclass(frozen=True)
class Sampling:
    """How completions are drawn: `temperature` 0 is greedy."""

    temperature: float
    top_p: float
    samples: int
    new_tokens: int


@dataclass(frozen=True)
class Generation:
    """What was generated for one problem.

    completions, finish_reasons: of shape (samples,). A reason is `stop` (stop sequence), `end` (end of text), `length`
    (no token left) or `overflow` (the prompt alone fills the context, so nothing was generated).
    seeds: the seed of each sample.
    target: the text to compare with, where it hangs on the model's tokenizer; otherwise the problem has it.
    """

    id: str
    prompt: str
    completions: list[str]
    finish_reasons: list[str]
    engine: str
    version: str
    seeds: list[int]
    sampling: Sampling
    target: str = ""


def encoded(generation: Generation) -> str:
    """One line of JSON."""
    return json.dumps(asdict(generation), sort_keys=True, ensure_ascii=False) + "\n"


def decoded(line: str) -> Generation:
    """The generation of one line of JSON."""
    fields = json.loads(line)
    return Generation(**{**fields, "sampling": Sampling(**fields["sampling"])})


def write_generations(path: str | Path, generations: Iterable[Generation]) -> None:
    """Write generations in their order, atomically; the bytes depend on them alone."""
    text = "".join(map(encoded, generations))
    write_bytes(path, zstandard.ZstdCompressor(level=10, write_checksum=True).compress(text.encode()))


def read_generations(path: str | Path) -> list[Generation]:
    """Every generation of a file; raise `InputError` when it is damaged."""
    try:
        text = zstandard.ZstdDecompressor().decompress(Path(path).read_bytes()).decode()
        # Not splitlines: completions may hold line separators that JSON leaves as they are.
        return [decoded(line) for line in text.split("\n") if line]
    except (zstandard.ZstdError, ValueError, TypeError, KeyError, MemoryError) as error:
        raise InputError(f"{path} is damaged ({error}); delete it and run again") from error
