"""Measure by the reference solutions whether this machine is too slow for the protocol's limits.

A task keeps the protocol's time limit unless a reference solution needs more than 1/headroom of it
on this machine. Then the limit is multiplied by a whole number, so that small differences in speed
do not change outcomes.
"""

import logging
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.benchmarks.task import Task, read_problems
from scripts.evaluate.runners.factory import make_runner
from scripts.evaluate.runners.memory import MemoryPool
from scripts.evaluate.runners.programs import Composer, Prelude, Program, composer
from scripts.lib.files import write_json
from scripts.lib.job import job
from scripts.lib.job_memory import script_mb
from scripts.lib.seeds import unit_for

# The limits while measuring, as a multiple of the protocol's.
_MEASURING_SCALE = 4


def sample_problems(problems: Sequence[Problem], most: int, seed: int) -> list[Problem]:
    """At most `most` problems that have a solution, drawn at random by their ids."""
    solved = [problem for problem in problems if problem.solution is not None]
    return sorted(solved, key=lambda problem: unit_for(seed, "calibrate", problem.id))[:most]


def reference_programs(problems: Sequence[Problem], compose: Composer, prelude: Prelude) -> list[Program]:
    """The program of each problem's solution; problems without a solution have none."""
    return [compose(prelude, problem, problem.solution) for problem in problems if problem.solution is not None]


def scale_for(seconds: Sequence[float], limit: float, headroom: float) -> int:
    """The smallest whole factor of `limit` with which every time is at most 1/`headroom` of it.

    `seconds` and `limit` are CPU seconds.
    """
    return max(1, math.ceil(max(seconds, default=0.0) * headroom / limit))


if __name__ == "__main__":
    with job() as snakemake:
        params = snakemake.params
        task = Task(**snakemake.params.task, rows=snakemake.input.rows, references=snakemake.input.references)
        settings = {**params.settings, "shared": snakemake.input.shared, "scale": _MEASURING_SCALE}
        problems = sample_problems(read_problems(task), params.problems, params.seed)
        programs = reference_programs(problems, composer(params.table), Prelude(**params.prelude))
        memory = MemoryPool.of_job(script_mb(snakemake.resources), snakemake.threads)
        runner = make_runner(params.runner, params.table, settings, memory)
        with ThreadPoolExecutor(snakemake.threads) as pool:
            seconds = [verdict.cpu_seconds for verdict in pool.map(runner.judge, programs)]
        protocol = params.table["limits"]["execute"]["seconds"]
        logging.info("slowest of %d references: %.2f s of %g s", len(seconds), max(seconds, default=0), protocol)
        write_json(snakemake.output[0], {"scale": scale_for(seconds, protocol, params.headroom)})
