"""Generations of the problems of tasks from an engine's completions."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.engines.base import Completion, Engine, Request, RequestGroup
from scripts.evaluate.generations import Generation, Sampling
from scripts.lib.prompts import PromptSettings, build_prompt
from scripts.lib.schemas.evaluation import FinishReason
from scripts.lib.seeds import seed_for

# Engines take seeds of 63 bits.
_SEEDS = 1 << 63
# Decimal places of stored likelihoods, in nats.
_DIGITS = 4


def sample_seeds(seed: int, task: str, problem: str, sampling: Sampling) -> list[int]:
    """A seed for each sample of a problem, of shape (samples,).

    Seeds are determined by the run's seed, task, problem, temperature and number of the sample.
    """
    names = (task, problem, f"{sampling.temperature:g}")
    return [seed_for(seed, "generate", *names, sample) % _SEEDS for sample in range(sampling.samples)]


@dataclass(frozen=True)
class Part:
    """Some problems of a task, and how their completions are drawn.

    prompts: how commit prompts are written; None for other forms of data.
    teacher_forced: the commit messages are predicted token by token, nothing is sampled.
    likelihood: the likelihoods of solutions and their alternatives are measured, nothing is sampled.
    """

    task: str
    problems: Sequence[Problem]
    sampling: Sampling
    prompts: PromptSettings | None = None
    teacher_forced: bool = False
    likelihood: bool = False


def generate_parts(engine: Engine, parts: Sequence[Part], seed: int) -> Iterator[tuple[int, list[Generation]]]:
    """Yield the index and the generations of each part once they are finished, one for each problem.

    The engine gets the requests of all parts at once.
    """
    for index, part in enumerate(parts):
        if part.teacher_forced:
            yield index, _force(engine, part)
        if part.likelihood:
            yield index, _measure(engine, part)
    sampled = [index for index, part in enumerate(parts) if not (part.teacher_forced or part.likelihood)]
    groups = [_requests(engine, parts[index], seed) for index in sampled]
    for number, completions in engine.complete_groups(groups):
        yield sampled[number], _generations(engine, parts[sampled[number]], groups[number].requests, completions)


def _requests(engine: Engine, part: Part, seed: int) -> RequestGroup:
    """The requests of a part, by problem and sample."""
    requests = [
        Request(_prompt(engine, part, problem), each, problem.stop)
        for problem in part.problems
        for each in sample_seeds(seed, part.task, problem.id, part.sampling)
    ]
    return RequestGroup(requests, part.sampling)


def _prompt(engine: Engine, part: Part, problem: Problem) -> str:
    """The prompt of a problem; of a commit, its diff cut to a number of the model's tokens."""
    return problem.prompt if part.prompts is None else build_prompt(engine.tokenizer, part.prompts, problem.row)


def _generations(
    engine: Engine, part: Part, requests: Sequence[Request], completions: Sequence[Completion]
) -> list[Generation]:
    """The generations of a part from its completions, which are in the order of the requests."""
    generations = []
    for number, problem in enumerate(part.problems):
        samples = slice(number * part.sampling.samples, (number + 1) * part.sampling.samples)
        generations.append(
            Generation(
                id=problem.id,
                prompt=requests[samples][0].prompt,
                completions=[completion.text for completion in completions[samples]],
                finish_reasons=[completion.finish_reason for completion in completions[samples]],
                engine=engine.name,
                version=engine.version,
                seeds=[request.seed for request in requests[samples]],
                sampling=part.sampling,
            )
        )
    return generations


def _force(engine: Engine, part: Part) -> list[Generation]:
    """Teacher-forced predictions of commit messages as generations of one sample each.

    Their `target` is the message as far as the model was given it.
    """
    assert part.prompts is not None, "only commit messages are predicted by teacher forcing"
    return [
        Generation(
            id=problem.id,
            prompt=_prompt(engine, part, problem),
            completions=[forced.prediction],
            finish_reasons=[FinishReason.FORCED],
            engine=engine.name,
            version=engine.version,
            seeds=[0],
            sampling=part.sampling,
            target=forced.message,
        )
        for problem, forced in zip(part.problems, engine.teacher_forced(part.problems, part.prompts), strict=True)
    ]


def _measure(engine: Engine, part: Part) -> list[Generation]:
    """The likelihoods of each problem's solution and its wrong alternatives, as one generation.

    Problems without a solution, and those with a text that does not fit in the model's context, are
    left out.
    """
    problems = [problem for problem in part.problems if problem.solution is not None]
    texts = {problem.id: [problem.solution or "", *problem.wrong] for problem in problems}
    pairs = [(problem.prompt, text) for problem in problems for text in texts[problem.id]]
    results = iter(engine.likelihoods(pairs))
    generations = []
    for problem in problems:
        own = texts[problem.id]
        likelihoods = [likelihood for likelihood in [next(results) for _ in own] if likelihood is not None]
        if len(likelihoods) < len(own):
            logging.info("%s is left out: a text does not fit in the context", problem.id)
            continue
        generations.append(
            Generation(
                id=problem.id,
                prompt=problem.prompt,
                completions=own,
                finish_reasons=[FinishReason.FORCED] * len(own),
                engine=engine.name,
                version=engine.version,
                seeds=[0] * len(own),
                sampling=part.sampling,
                nats=[[round(likelihood.nats, _DIGITS) for likelihood in likelihoods]],
                tokens=[likelihood.tokens for likelihood in likelihoods],
            )
        )
    return generations
