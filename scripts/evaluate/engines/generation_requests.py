"""Generations of a task's problems from an engine's completions, stored in chunks."""

from collections.abc import Callable, Sequence
from pathlib import Path

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.engines.base import Engine, Request
from scripts.evaluate.generations import Generation, Sampling, read_generations, write_generations
from scripts.lib.job import progress
from scripts.lib.prompts import PromptSettings
from scripts.lib.schemas.evaluation import FinishReason
from scripts.lib.seeds import seed_for

# Engines take seeds of 63 bits.
_SEEDS = 1 << 63


def sample_seeds(seed: int, task: str, problem: str, sampling: Sampling) -> list[int]:
    """A seed for each sample of a problem, of shape (samples,).

    Seeds are determined by the run's seed, task, problem, temperature and number of the sample.
    """
    names = (task, problem, f"{sampling.temperature:g}")
    return [seed_for(seed, "generate", *names, sample) % _SEEDS for sample in range(sampling.samples)]


def generate(engine: Engine, problems: Sequence[Problem], sampling: Sampling, seed: int, task: str) -> list[Generation]:
    """One generation for each problem; the engine gets all requests at once."""
    seeds = {problem.id: sample_seeds(seed, task, problem.id, sampling) for problem in problems}
    requests = [Request(problem.prompt, each, problem.stop) for problem in problems for each in seeds[problem.id]]
    completions = iter(engine.complete(requests, sampling))
    generations = []
    for problem in problems:
        samples = [next(completions) for _ in range(sampling.samples)]
        generations.append(
            Generation(
                id=problem.id,
                prompt=problem.prompt,
                completions=[completion.text for completion in samples],
                finish_reasons=[completion.finish_reason for completion in samples],
                engine=engine.name,
                version=engine.version,
                seeds=seeds[problem.id],
                sampling=sampling,
            )
        )
    return generations


def force(engine: Engine, problems: Sequence[Problem], sampling: Sampling, prompts: PromptSettings) -> list[Generation]:
    """Teacher-forced predictions of commit messages as generations of one sample each.

    Their `target` is the message as far as the model was given it.
    """
    return [
        Generation(
            id=problem.id,
            prompt=problem.prompt,
            completions=[forced.prediction],
            finish_reasons=[FinishReason.FORCED],
            engine=engine.name,
            version=engine.version,
            seeds=[0],
            sampling=sampling,
            target=forced.message,
        )
        for problem, forced in zip(problems, engine.teacher_forced(problems, prompts), strict=True)
    ]


def in_chunks(
    problems: Sequence[Problem], size: int, folder: Path, make: Callable[[Sequence[Problem]], list[Generation]]
) -> list[Generation]:
    """Generations of all problems, `size` problems at a time.

    Each chunk is stored in `folder`; a chunk that `folder` already has is read instead of made.
    """
    generations = []
    starts = range(0, len(problems), size)
    for start in progress(starts, "generating, in chunks", len(starts)):
        path = folder / f"{start:07d}.jsonl.zst"
        if not path.exists():
            write_generations(path, make(problems[start : start + size]))
        generations.extend(read_generations(path))
    return generations
