"""Two "models" whose scores are known: the data set's own solutions, and nothing at all."""

from collections.abc import Sequence

from scripts.evaluate.data import Task, read_problems
from scripts.evaluate.generations import Generation, Sampling, write_generations
from scripts.evaluate.problems import Problem
from scripts.lib.job import job

_SAMPLING = Sampling(temperature=0, top_p=1, samples=1, new_tokens=0)


def control(problems: Sequence[Problem], name: str) -> list[Generation]:
    """Generations that hold each problem's solution (`reference`), where it has one, or the empty text (`empty`)."""
    texts = {problem.id: problem.solution if name == "reference" else "" for problem in problems}
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
    with job(snakemake):
        task = Task(**snakemake.params.task, rows=snakemake.input.rows, references=snakemake.input.references)
        problems = read_problems(task)
        for name in ("reference", "empty"):
            write_generations(snakemake.output[name], control(problems, name))
