"""Run the programs of one generation file in sandboxes, and record the outcome of each."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.benchmarks.task import Task, read_problems
from scripts.evaluate.generations import Generation, read_generations
from scripts.evaluate.runners.base import Runner, Verdict
from scripts.evaluate.runners.factory import make_runner
from scripts.evaluate.runners.programs import Composer, Prelude, Program, composer
from scripts.lib.files import read_json
from scripts.lib.job import InputError, job, progress
from scripts.lib.parquet import write_table
from scripts.lib.schemas.evaluation import EXECUTIONS


def programs_of(
    problems: Mapping[str, Problem], generations: Iterable[Generation], compose: Composer, prelude: Prelude
) -> list[tuple[str, int, Program]]:
    """Problem id, sample number and program of every completion, in the order of the generations.

    Raises `InputError` when a prompt differs from the one that was generated for.
    """
    programs = []
    for generation in generations:
        problem = problems.get(generation.id)
        if problem is None or problem.prompt != generation.prompt:
            raise InputError(f"the problem {generation.id} has changed since it was generated for; generate again")
        for sample, completion in enumerate(generation.completions):
            programs.append((generation.id, sample, compose(prelude, problem, completion)))
    return programs


def verdicts(runner: Runner, programs: Sequence[Program], workers: int) -> dict[str, Verdict]:
    """The verdict on each program, by its digest; equal programs run once, `workers` at a time."""
    by_digest = {program.digest: program for program in programs}
    with ThreadPoolExecutor(workers) as pool:
        results = progress(pool.map(runner.judge, by_digest.values()), "running programs", len(by_digest))
        return dict(zip(by_digest, results, strict=True))


def executions(runner: Runner, programs: Sequence[tuple[str, int, Program]], workers: int) -> list[dict[str, object]]:
    """Rows of the table of executions, one for each sample, sorted by problem and sample."""
    by_digest = verdicts(runner, [program for _, _, program in programs], workers)
    rows = []
    for name, sample, program in sorted(programs, key=lambda item: item[:2]):
        verdict = by_digest[program.digest]
        row = {"id": name, "sample": sample, "program": program.digest}
        rows.append({**row, "status": verdict.status, "detail": verdict.detail, "message": verdict.message})
    return rows


if __name__ == "__main__":
    with job() as snakemake:
        files, params = snakemake.input, snakemake.params
        task = Task(**params.task, rows=files.rows, references=files.references)
        problems = {problem.id: problem for problem in read_problems(task)}
        generations = read_generations(files.generations)
        programs = programs_of(problems, generations, composer(params.table), Prelude(**params.prelude))
        settings = {**params.settings, "shared": files.shared, **read_json(files.limits)}
        rows = executions(make_runner(params.runner, params.table, settings), programs, snakemake.threads)
        write_table(snakemake.output[0], rows, EXECUTIONS.schema)
