"""Controls of likelihoods: scorers whose results are known in advance.

`reference` knows the right program. `random` knows nothing: it draws the likelihoods of a choice,
and gives every byte of a single text the same probability.
"""

import math
from collections.abc import Sequence

import numpy as np

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.benchmarks.task import Task, read_problems
from scripts.evaluate.generations import Generation, Sampling, write_generations
from scripts.lib.job import job
from scripts.lib.schemas.evaluation import FinishReason
from scripts.lib.seeds import seed_for

# Draws of the random scorer for each problem, so that its accuracy is close to chance.
DRAWS = 200
_VALUES = 256  # of a byte
_DIGITS = 4
_SAMPLING = Sampling(temperature=0, top_p=1, samples=1, new_tokens=0)


def reference_nats(texts: Sequence[str], name: str, seed: int) -> list[list[float]]:
    """Probability 1 for the first text, and 1/e per byte for the others."""
    del name, seed
    return [[0.0, *(float(len(text.encode())) for text in texts[1:])]]


def random_nats(texts: Sequence[str], name: str, seed: int) -> list[list[float]]:
    """For one text, that of uniformly distributed bytes; for several, draws of shape (draws, texts)."""
    if len(texts) == 1:
        return [[round(len(texts[0].encode()) * math.log(_VALUES), _DIGITS)]]
    draws = np.random.default_rng(seed_for(seed, "random", name)).random((DRAWS, len(texts)))
    return [[round(value, _DIGITS) for value in row] for row in draws.tolist()]


SCORERS = {"reference": reference_nats, "random": random_nats}


def control_likelihoods(problems: Sequence[Problem], name: str, seed: int) -> list[Generation]:
    """One generation for each problem with a solution, by the scorer `name`."""
    generations = []
    for problem in problems:
        if problem.solution is not None:
            texts = [problem.solution, *problem.wrong]
            generations.append(
                Generation(
                    id=problem.id,
                    prompt=problem.prompt,
                    completions=texts,
                    finish_reasons=[FinishReason.FORCED] * len(texts),
                    engine="control",
                    version=name,
                    seeds=[0] * len(texts),
                    sampling=_SAMPLING,
                    nats=SCORERS[name](texts, problem.id, seed),
                    tokens=[],
                )
            )
    return generations


if __name__ == "__main__":
    with job() as snakemake:
        task = Task(**snakemake.params.task, rows=snakemake.input.rows, references=snakemake.input.references)
        problems = read_problems(task, snakemake.params.problems)
        for name, path in snakemake.output.items():
            write_generations(path, control_likelihoods(problems, name, snakemake.params.seed))
