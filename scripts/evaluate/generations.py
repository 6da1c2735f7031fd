"""Stored generations: JSON lines, one for each problem, compressed with zstd."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from scripts.lib.files import write_bytes
from scripts.lib.zstd_lines import read_lines


@dataclass(frozen=True)
class Sampling:
    """How completions are drawn.

    temperature: 0 is greedy decoding.
    top_p: probability mass of the nucleus, up to 1 (Holtzman et al. 2020, arXiv 1904.09751).
    samples: completions for each prompt.
    new_tokens: the largest number of tokens in a completion.
    """

    temperature: float
    top_p: float
    samples: int
    new_tokens: int


@dataclass(frozen=True)
class Generation:
    """What was generated for one problem.

    completions, finish_reasons: of shape (samples,). A reason is `stop` (stop sequence), `end` (end
        of text), `length` (no token left), `overflow` (the prompt alone fills the context, so
        nothing was generated) or `forced` (teacher forcing, or a given text whose likelihood was measured).
    seeds: the seed of each sample.
    target: the text to compare with, where it depends on the model's tokenizer; otherwise empty,
        and the problem has it.
    nats: where the completions are given texts whose likelihood was measured, the negative
        logarithm of each one's probability, of shape (measurements, completions); else None.
    tokens: then the number of tokens of each completion; empty for a control.
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
    nats: list[list[float]] | None = None
    tokens: list[int] | None = None


def to_line(generation: Generation) -> str:
    """A generation as one line of JSON."""
    fields = {name: value for name, value in asdict(generation).items() if value is not None}
    return json.dumps(fields, sort_keys=True, ensure_ascii=False) + "\n"


def from_line(line: str) -> Generation:
    """The generation that `to_line` wrote."""
    fields = json.loads(line)
    return Generation(**{**fields, "sampling": Sampling(**fields["sampling"])})


def write_generations(path: str | Path, generations: Iterable[Generation]) -> None:
    """Write generations in their order, atomically; equal generations give equal bytes."""
    import zstandard  # an engine alone works without this package

    text = "".join(map(to_line, generations))
    write_bytes(path, zstandard.ZstdCompressor(level=10, write_checksum=True).compress(text.encode()))


def read_generations(path: str | Path) -> list[Generation]:
    """All generations of a file; raise `InputError` when it is damaged."""
    return read_lines(path, from_line)
