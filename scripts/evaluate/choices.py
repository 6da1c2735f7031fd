"""Make a task's choices between a right and wrong programs: `choices/{benchmark}/{task}.jsonl`.

The right program is the data's solution. The wrong ones are the data's faulty solution, or mutants
of the right one. All are run with the task's tests; a problem is left out unless its right program
passes and enough wrong ones fail.
"""

import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from scripts.evaluate.benchmarks.problems import Problem, solution_after
from scripts.evaluate.benchmarks.task import Task, read_problems
from scripts.evaluate.mutants import mutants
from scripts.evaluate.runners.base import Runner
from scripts.evaluate.runners.factory import make_runner
from scripts.evaluate.runners.memory import MemoryPool
from scripts.evaluate.runners.programs import Composer, Prelude, composer
from scripts.lib.files import read_json, write_text
from scripts.lib.job import InputError, job
from scripts.lib.job_memory import script_mb
from scripts.lib.schemas.evaluation import ExecutionStatus

BUGGY = "buggy"
# A program that ends at a limit may only be slow, so it does not count as wrong, and limits are
# shorter than in an evaluation. References need at most 1/headroom of a limit.
_LIMIT_SHARE = 0.2
_WRONG = (ExecutionStatus.WRONG, ExecutionStatus.RUNTIME_ERROR)
# Mutants that are tried for each wrong program that a problem needs.
_TRIES = 4


@dataclass
class Choice:
    """A problem, the wrong programs that are left to try, with their changes, and those that fail."""

    problem: Problem
    untried: list[tuple[str, str]]
    wrong: list[tuple[str, str]] = field(default_factory=list)


def alternatives(problem: Problem, kind: str, language: str, most: int, seed: int) -> list[tuple[str, str]]:
    """At most `most` alternatives of a problem's solution, each with its change.

    kind: `buggy` for the row's faulty solution, or `mutants`. language: a name of Pygments.
    """
    if kind == BUGGY:
        text = solution_after(problem.row["prompt"], problem.row["buggy_solution"])
        return [(text or "", BUGGY)]
    changed = mutants(problem.solution or "", language, problem.id, seed)
    return [(mutant.text, mutant.change) for mutant in changed[:most]]


def fill(choices: Sequence[Choice], wrong: int, statuses: Callable[[list[tuple[Problem, str]]], list[str]]) -> None:
    """Try alternatives until each choice has `wrong` wrong programs or nothing is left to try.

    `statuses` runs programs, each a problem and a completion.
    """
    while True:
        batch = []
        for choice in choices:
            lacking = wrong - len(choice.wrong)
            own, choice.untried = choice.untried[:lacking], choice.untried[lacking:]
            batch += [(choice, alternative) for alternative in own]
        if not batch:
            return
        outcomes = statuses([(choice.problem, text) for choice, (text, _) in batch])
        for (choice, alternative), status in zip(batch, outcomes, strict=True):
            if status in _WRONG:
                choice.wrong.append(alternative)


def judge(
    runner: Runner, compose: Composer, prelude: Prelude, workers: int, programs: Sequence[tuple[Problem, str]]
) -> list[str]:
    """The status of each program."""
    composed = [compose(prelude, problem, completion) for problem, completion in programs]
    with ThreadPoolExecutor(workers) as pool:
        return [verdict.status for verdict in pool.map(runner.judge, composed)]


def rows_of(choices: Sequence[Choice], wrong: int) -> Iterator[dict[str, Any]]:
    """Rows of the table of choices: those with `wrong` wrong programs."""
    for choice in choices:
        if len(choice.wrong) == wrong:
            texts, changes = zip(*choice.wrong, strict=True)
            problem = choice.problem
            about = {"name": problem.id, "prompt": problem.context, "right": problem.solution}
            yield {**about, "wrong": list(texts), "changes": list(changes)}


def make_choices(
    problems: Sequence[Problem],
    settings: Mapping[str, Any],
    seed: int,
    statuses: Callable[[list[tuple[Problem, str]]], list[str]],
) -> list[dict[str, Any]]:
    """Rows of the table of choices.

    `settings` has `wrong` (what wrong programs are), `choices` (programs to choose from) and the
    language. Raises `InputError` if no problem has enough programs.
    """
    solved = [problem for problem in problems if problem.solution is not None]
    outcomes = statuses([(problem, problem.solution or "") for problem in solved])
    wrong = 1 if settings["wrong"] == BUGGY else settings["choices"] - 1
    choices = [
        Choice(problem, alternatives(problem, settings["wrong"], settings["language"], _TRIES * wrong, seed))
        for problem, status in zip(solved, outcomes, strict=True)
        if status == ExecutionStatus.PASSED
    ]
    fill(choices, wrong, statuses)
    rows = list(rows_of(choices, wrong))
    logging.info("%d problems; %d have a right and %d wrong programs", len(problems), len(rows), wrong)
    if not rows:
        raise InputError(f"no problem has a solution that passes and {wrong} wrong programs; lower `choices`")
    return rows


if __name__ == "__main__":
    with job() as snakemake:
        files, params = snakemake.input, snakemake.params
        task = Task(**params.task, rows=files.rows, references=files.references)
        limits = read_json(files.limits)
        settings = {**params.settings, "shared": files.shared, "scale": _LIMIT_SHARE * limits["scale"]}
        memory = MemoryPool.of_job(script_mb(snakemake.resources), snakemake.threads)
        runner = make_runner(params.runner, params.table, settings, memory)
        compose, prelude = composer(params.table), Prelude(**params.prelude)

        def statuses(programs: Sequence[tuple[Problem, str]]) -> list[str]:
            """The status of each program."""
            return judge(runner, compose, prelude, snakemake.threads, programs)

        problems = read_problems(task, params.choice["problems"])
        rows = make_choices(problems, params.choice, params.seed, statuses)
        write_text(snakemake.output[0], "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows))
