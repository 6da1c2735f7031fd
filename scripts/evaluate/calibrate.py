"""How much slower than the protocol's limits allow this machine is, seen from what reference solutions need.

The limits of a task stay as the protocol has them, unless a reference needs more than a part of them, 1/headroom, here;
then they are lengthened by a whole factor, so that the outcome does not hang on small differences of speed.
"""

import logging
import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.benchmarks.task import Task, read_problems
from scripts.evaluate.runners.factory import make_runner
from scripts.evaluate.runners.programs import COMPOSERS, Prelude
from scripts.lib.files import write_json
from scripts.lib.job import job
from scripts.lib.seeds import unit_for

_FIRST_SCALE = 4


def chosen(problems: Sequence[Problem], most: int, seed: int) -> list[Problem]:
    """At most `most` problems that have a solution, drawn by their ids."""
    solved = [problem for problem in problems if problem.solution is not None]
    return sorted(solved, key=lambda problem: unit_for(seed, "calibrate", problem.id))[:most]


def scale_for(seconds: Sequence[float], limit: float, headroom: float) -> int:
    """The whole factor by which `limit` grows so that the slowest of `seconds` is at most 1/`headroom` of it."""
    return max(1, math.ceil(max(seconds, default=0.0) * headroom / limit))


if __name__ == "__main__":
    with job() as snakemake:
        params = snakemake.params
        task = Task(**snakemake.params.task, rows=snakemake.input.rows, references=snakemake.input.references)
        settings = {**params.settings, "shared": snakemake.input.shared, "scale": _FIRST_SCALE}
        problems = chosen(read_problems(task), params.problems, params.seed)
        prelude = Prelude(**params.prelude)
        compose, runner = COMPOSERS[params.table["compose"]], make_runner(params.runner, params.table, settings)
        programs = [compose(prelude, problem, problem.solution) for problem in problems]
        with ThreadPoolExecutor(snakemake.threads) as pool:
            seconds = [verdict.cpu_seconds for verdict in pool.map(runner.judge, programs)]
        protocol = params.table["limits"]["execute"]["seconds"]
        logging.info("slowest of %d references: %.2f s of %g s", len(seconds), max(seconds, default=0), protocol)
        write_json(snakemake.output[0], {"scale": scale_for(seconds, protocol, params.headroom)})
