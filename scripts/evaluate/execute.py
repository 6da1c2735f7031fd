"""Run the programs of one generation file in sandboxes; record the outcome and the text of each.

An interrupted job resumes with the programs that had no verdict yet.
"""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.benchmarks.task import Task, read_problems
from scripts.evaluate.generations import Generation, read_generations
from scripts.evaluate.runners.base import Runner, Verdict
from scripts.evaluate.runners.factory import make_runner
from scripts.evaluate.runners.memory import MemoryPool
from scripts.evaluate.runners.programs import Composer, Prelude, Program, composer
from scripts.evaluate.runners.resumable import resumable
from scripts.lib.checkpoints import settings_key, workspace
from scripts.lib.files import read_json
from scripts.lib.job import InputError, job, progress
from scripts.lib.job_memory import script_mb
from scripts.lib.local_models import folder_stamp
from scripts.lib.parquet import write_table
from scripts.lib.schemas.evaluation import EXECUTIONS, PROGRAMS


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


def row_of(name: str, sample: int, program: Program, verdict: Verdict) -> dict[str, object]:
    """A row of the table of executions."""
    return {
        "id": name,
        "sample": sample,
        "status": verdict.status,
        "detail": verdict.detail,
        "message": verdict.message,
        **asdict(verdict.ending),
        "seconds": round(verdict.compile_seconds + verdict.cpu_seconds, 3),
        "program": program.digest,
    }


def executions(runner: Runner, programs: Sequence[tuple[str, int, Program]], workers: int) -> list[dict[str, object]]:
    """Rows of the table of executions, one for each sample, sorted by problem and sample."""
    by_digest = verdicts(runner, [program for _, _, program in programs], workers)
    ordered = sorted(programs, key=lambda item: item[:2])
    return [row_of(name, sample, program, by_digest[program.digest]) for name, sample, program in ordered]


def program_rows(programs: Iterable[Program]) -> list[dict[str, object]]:
    """Rows of the table of programs: each distinct program once, sorted by digest."""
    by_digest = {program.digest: program for program in programs}
    return [
        {
            "program": digest,
            "files": [{"name": name, "text": text} for name, text in program.files],
            "tests": program.tests,
            "head": program.head,
            "entry_point": program.entry_point,
        }
        for digest, program in sorted(by_digest.items())
    ]


def verdicts_key(params: Any, files: Any, settings: Mapping[str, Any]) -> str:
    """What the verdict on a program depends on besides the program: the runner with its settings,
    tools and files, and this code.
    """
    determined = [params.runner, params.table, settings["mode"], settings["wall_factor"], settings["scale"]]
    determined += [params.output_characters, params.code, folder_stamp(files.shared)]
    return settings_key(determined, files.probe)


if __name__ == "__main__":
    with job() as snakemake:
        files, params, output = snakemake.input, snakemake.params, snakemake.output
        task = Task(**params.task, rows=files.rows, references=files.references)
        problems = {problem.id: problem for problem in read_problems(task)}
        generations = read_generations(files.generations)
        programs = programs_of(problems, generations, composer(params.table), Prelude(**params.prelude))
        settings = {
            **params.settings,
            "shared": files.shared,
            "output_characters": params.output_characters,
            **read_json(files.limits),
        }
        memory = MemoryPool.of_job(script_mb(snakemake.resources), snakemake.threads)
        runner = make_runner(params.runner, params.table, settings, memory)
        key = verdicts_key(params, files, settings)
        with workspace(params.checkpoints, params.name, key) as folder, resumable(runner, folder) as resuming:
            rows = executions(resuming, programs, snakemake.threads)
            write_table(output.programs, program_rows(program for _, _, program in programs), PROGRAMS.schema)
            write_table(output.executions, rows, EXECUTIONS.schema)
