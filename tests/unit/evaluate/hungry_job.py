"""Runs Python completions as a job does: `hungry_job.py FOLDER LIMIT WORKERS MEGABYTES`.

Standard input has the completions as JSON. LIMIT is the memory that a program may use, MEGABYTES
the job's, 0 for programs that reserve none. Prints the rows of executions as JSON, without times.
"""

import json
import sys
from typing import Any

import yaml

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.benchmarks.stop_sequences import Stop
from scripts.evaluate.execute import executions
from scripts.evaluate.runners.factory import make_runner
from scripts.evaluate.runners.memory import MemoryPool
from scripts.evaluate.runners.programs import COMPOSERS, Prelude
from tests.support.paths import ROOT

RUNNERS = yaml.safe_load((ROOT / "config" / "runners.yaml").read_text(encoding="utf-8"))
SETTINGS = {"mode": "bubblewrap", "wall_factor": 20, "scale": 1, "output_characters": 200}


def table_of(limit: int) -> dict[str, Any]:
    """The entry of the runner of Python with another limit on memory."""
    table = RUNNERS["python"]
    return {**table, "limits": {"execute": {**table["limits"]["execute"], "memory_mb": limit}}}


def main(folder: str, limit: int, workers: int, megabytes: int) -> None:
    """Run the completions of standard input."""
    programs = []
    for number, completion in enumerate(json.load(sys.stdin)):
        name = f"problem-{number}"
        problem = Problem(name, name, "", Stop(), f"def answer():  # {number}\n", "assert answer() == 8", "answer")
        programs.append((name, 0, COMPOSERS["python"](Prelude(), problem, completion)))
    memory = MemoryPool.of_job(megabytes, workers) if megabytes else None
    runner = make_runner("python", table_of(limit), {**SETTINGS, "shared": folder}, memory)
    rows = executions(runner, programs, workers)
    print(json.dumps([{name: value for name, value in row.items() if name != "seconds"} for row in rows]))


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
