"""Controls: pseudo-models whose completions are known.

Their completions are the data set's solutions, the solutions cut like a completion, or nothing.
"""

from collections.abc import Sequence

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.benchmarks.task import Task, read_problems
from scripts.evaluate.generations import Generation, Sampling, write_generations
from scripts.lib.job import job
from scripts.lib.schemas.evaluation import FinishReason

_SAMPLING = Sampling(temperature=0, top_p=1, samples=1, new_tokens=0)


def control_completion(problem: Problem, name: str) -> str | None:
    """The completion of a control; None where it needs a solution and the data set has none.

    `reference` is the data set's solution, `ceiling` what remains of it when it is cut like a
    model's completion, and `empty` the empty text. Blanks at the end do not count as cut: where
    nothing else is cut, ceiling and reference are equal.
    """
    if name == "empty":
        return ""
    if name == "reference" or problem.solution is None:
        return problem.solution
    remaining = problem.stop.cut(problem.solution)
    return problem.solution if remaining.rstrip() == problem.solution.rstrip() else remaining


def control_generations(problems: Sequence[Problem], name: str) -> list[Generation]:
    """One generation for each problem for which the control `name` has a completion."""
    completions = [(problem, control_completion(problem, name)) for problem in problems]
    return [
        Generation(
            id=problem.id,
            prompt=problem.prompt,
            completions=[completion],
            finish_reasons=[FinishReason.END],
            engine="control",
            version=name,
            seeds=[0],
            sampling=_SAMPLING,
        )
        for problem, completion in completions
        if completion is not None
    ]


if __name__ == "__main__":
    with job() as snakemake:
        task = Task(**snakemake.params.task, rows=snakemake.input.rows, references=snakemake.input.references)
        problems = read_problems(task)
        for name, path in snakemake.output.items():
            write_generations(path, control_generations(problems, name))
