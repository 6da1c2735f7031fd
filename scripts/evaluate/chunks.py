"""Chunks of generations: what is stored together, under a key of all that determines it.

A folder of chunks is a cache. What earlier jobs generated is taken from it, so that an interrupted
job resumes and a job with one more task generates that task alone. A damaged chunk is generated
again.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.engines.generation_requests import Part
from scripts.evaluate.generations import Generation, read_generations, write_generations
from scripts.lib.files import sha256_text
from scripts.lib.job import InputError


def chunk_size(problems: int, samples: int, requests: int) -> int:
    """Number of problems in a chunk of about `requests` requests."""
    return max(1, min(problems, requests // samples))


def chunks_of(part: Part, requests: int) -> list[Part]:
    """A part as chunks of about `requests` requests each."""
    size = chunk_size(len(part.problems), part.sampling.samples, requests)
    starts = range(0, len(part.problems), size)
    return [Part(**{**vars(part), "problems": part.problems[start : start + size]}) for start in starts]


def _identity(part: Part, problem: Problem) -> list[Any]:
    """What determines the completions of a problem, apart from what all of the part have in common.

    The prompt of a commit is written from its row, by the model's tokenizer.
    """
    row = None if part.prompts is None else problem.row
    if part.likelihood:
        return [problem.id, problem.prompt, problem.solution, problem.wrong]
    return [problem.id, problem.prompt, asdict(problem.stop), problem.target if row else None, row]


def chunk_key(part: Part, seed: int, engine: Mapping[str, Any]) -> str:
    """The name of a chunk: a hash of its prompts, their sampling, the seed and the engine."""
    shared = {**vars(part), "problems": None, "sampling": asdict(part.sampling)}
    shared["prompts"] = part.prompts and asdict(part.prompts)
    problems = [_identity(part, problem) for problem in part.problems]
    return sha256_text(json.dumps([shared, problems, seed, engine], sort_keys=True))


@dataclass(frozen=True)
class ChunkFolder:
    """Stored chunks of one model in a folder, a file for each."""

    folder: Path

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.jsonl.zst"

    def get(self, key: str) -> list[Generation] | None:
        """The generations of a chunk; None if they are not stored or damaged."""
        path = self._path(key)
        if not path.exists():
            return None
        try:
            return read_generations(path)
        except InputError:
            logging.warning("%s is damaged; it is generated again", path)
            path.unlink(missing_ok=True)
            return None

    def put(self, key: str, generations: Sequence[Generation]) -> None:
        """Store the generations of a chunk."""
        write_generations(self._path(key), generations)
