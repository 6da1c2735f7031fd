"""Verdicts of the Python runner next to those of CPython, which runs program and tests in one process."""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.benchmarks.stop_sequences import Stop
from scripts.evaluate.runners.base import Runner, Verdict
from scripts.evaluate.runners.factory import make_runner
from scripts.evaluate.runners.programs import COMPOSERS, Prelude

ROOT = Path(__file__).parents[2]
PROGRAMS = Path(__file__).parent / "python_programs"
TABLE = yaml.safe_load((ROOT / "config" / "runners.yaml").read_text(encoding="utf-8"))["python"]


def python_runner(shared: Path) -> Runner:
    """A runner of Python programs, with enough time for a busy machine."""
    return make_runner("python", TABLE, {"mode": "bubblewrap", "wall_factor": 8, "scale": 1, "shared": str(shared)})


def _indented(body: str) -> str:
    return "".join(f"    {line}\n" for line in body.splitlines())


def ours(runner: Runner, body: str, tests: str) -> Verdict:
    """The runner's verdict on `def f(x):` with this body."""
    return ours_on_program(runner, f"def f(x):\n{_indented(body)}", tests)


def ours_on_program(runner: Runner, program: str, tests: str) -> Verdict:
    """The runner's verdict on a program, which is prompt and completion; the line that defines `f` ends the prompt."""
    lines = list(re.finditer(r"^(?:async )?def f\(.*\n", program, re.MULTILINE))
    prompt = program[: lines[-1].end()]
    problem = Problem("p", "p", "", Stop(), prompt, tests, "f")
    return runner.judge(COMPOSERS["python"](Prelude(), problem, program[len(prompt) :]))


def plain_program(folder: Path, number: int, program: str, tests: str) -> bool:
    """Whether CPython runs prompt, completion and tests without an error."""
    path = folder / f"program{number}.py"
    path.write_text(f"{program}\n{tests}\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, path.name], cwd=folder, capture_output=True, stdin=subprocess.DEVNULL, check=False
    )
    return done.returncode == 0


def programs(name: str) -> dict[str, tuple[str, str]]:
    """The programs and tests of a file of `PROGRAMS`, by the name of the case."""
    text = (PROGRAMS / f"{name}.txt").read_text(encoding="utf-8")
    parts = [part.partition("\n") for part in re.split(r"^=== ", text, flags=re.MULTILINE)[1:]]
    cases = {case: part.partition("\n---\n") for case, _, part in parts}
    return {case: (f"{program}\n", tests) for case, (program, _, tests) in cases.items()}


def compare(runner: Runner, folder: Path, cases: dict[str, tuple[str, str]]) -> tuple[dict[str, Verdict], list[bool]]:
    """The verdicts that differ from CPython's, by case, and whether CPython passes each case.

    cases: name of a case to the body of `f` and its tests.
    """
    whole = {case: (f"def f(x):\n{_indented(body)}", tests) for case, (body, tests) in cases.items()}
    return compare_programs(runner, folder, whole)


def compare_programs(
    runner: Runner, folder: Path, cases: dict[str, tuple[str, str]]
) -> tuple[dict[str, Verdict], list[bool]]:
    """As `compare`, for whole programs and their tests."""
    with ThreadPoolExecutor(2) as pool:
        expected = list(pool.map(lambda item: plain_program(folder, item[0], *item[1]), enumerate(cases.values())))
        verdicts = list(pool.map(lambda item: ours_on_program(runner, *item), cases.values()))
    triples = zip(cases, verdicts, expected, strict=True)
    return {name: verdict for name, verdict, should in triples if (verdict.status == "passed") != should}, expected
