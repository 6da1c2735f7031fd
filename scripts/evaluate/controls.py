"""Controls, "models" whose completions are known: the data set's own solutions, whole or cut, and nothing at all."""

from collections.abc import Sequence

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.benchmarks.task import Task, read_problems
from scripts.evaluate.generations import Generation, Sampling, write_generations
from scripts.lib.job import job

_SAMPLING = Sampling(temperature=0, top_p=1, samples=1, new_tokens=0)


def completion(problem: Problem, name: str) -> str | None:
    """What a control answers to a problem; None where that takes a solution and there is none.

    `reference` is the data set's solution, `ceiling` what the protocol keeps of it, as if a model had written it, and
    `empty` nothing. Blanks at its end are no loss: where nothing else is cut, ceiling and reference are equal.
    """
    if name == "empty":
        return ""
    if name == "reference" or problem.solution is None:
        return problem.solution
    kept = problem.stop.cut(problem.solution)
    return problem.solution if kept.rstrip() == problem.solution.rstrip() else kept


def control(problems: Sequence[Problem], name: str) -> list[Generation]:
    """Generations of the control of this name, one for each problem that it has a completion of."""
    texts = {problem.id: completion(problem, name) for problem in problems}
    return [
        Generation(
            id=problem.id,
            prompt=problem.prompt,
            completions=[texts[problem.id]],
            finish_reasons=["end"],
            engine="control",
            version=name,
            seeds=[0],
            sampling=_SAMPLING,
        )
        for problem in problems
        if texts[problem.id] is not None
    ]


if __name__ == "__main__":
    with job() as snakemake:
        task = Task(**snakemake.params.task, rows=snakemake.input.rows, references=snakemake.input.references)
        problems = read_problems(task)
        for name, path in snakemake.output.items():
            write_generations(path, control(problems, name))
