"""Choices between a right and wrong programs: all are run before they are offered."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from scripts.evaluate.benchmarks.problems import FORMS, Problem
from scripts.evaluate.benchmarks.stop_sequences import Stop
from scripts.evaluate.choices import judge, make_choices
from scripts.evaluate.runners.factory import make_runner
from scripts.evaluate.runners.programs import Prelude, composer
from scripts.lib.job import InputError
from tests.support.paths import ROOT

MUTANTS = {"wrong": "mutants", "language": "Python", "choices": 3, "problems": None}
BUGGY = {"wrong": "buggy", "language": "Python", "choices": 3, "problems": None}
CONTEXT = "def f(x):"


def problem(name: str, solution: str, tests: str = "assert f(3) == 4") -> Problem:
    row = {"prompt": f"{CONTEXT}\n", "buggy_solution": "    return x - 1\n"}
    text = f"Repair it.\n{CONTEXT}"
    own = Problem(id=name, group=name, prompt=text, stop=Stop(), solution=solution, row=row, entry_point="f")
    return replace(own, context=CONTEXT, tests=tests)


def by_text(right: set[str], wrong: set[str]) -> tuple[Callable, list[str]]:
    """Statuses of completions by their text; others exceed a limit."""

    def statuses(programs: list[tuple[Problem, str]]) -> list[str]:
        ran.extend(text for _, text in programs)
        return ["passed" if text in right else "wrong" if text in wrong else "timeout" for _, text in programs]

    ran: list[str] = []
    return statuses, ran


def test_mutants_that_pass_or_exceed_a_limit_are_not_offered() -> None:
    right, more = "\n    return x + 1", "\n    return x + 2"
    statuses, ran = by_text({right, "\n    return x + 0"}, {more, "\n    return x - 1"})
    (row,) = make_choices([problem("p", right)], MUTANTS, 1, statuses)
    assert (row["prompt"], row["right"]) == (CONTEXT, right)
    assert sorted(row["wrong"]) == ["\n    return x + 2", "\n    return x - 1"]
    assert sorted(row["changes"]) == ["+ -> -", "1 -> 2"]
    # Nothing runs twice, and the right program runs first.
    assert ran[0] == right and len(ran) == len(set(ran))


def test_a_problem_without_enough_wrong_programs_is_left_out() -> None:
    good, poor, failing = "\n    return x + 1", "\n    return x", "\n    return 1 + x"
    statuses, _ = by_text({good, poor}, {"\n    return x + 2", "\n    return x - 1"})
    problems = [problem("good", good), problem("poor", poor), problem("failing", failing)]
    assert [row["name"] for row in make_choices(problems, MUTANTS, 1, statuses)] == ["good"]
    with pytest.raises(InputError, match="no problem has a solution that passes and 2 wrong programs"):
        make_choices(problems[1:], MUTANTS, 1, statuses)


def test_the_datas_faulty_program_is_the_one_alternative() -> None:
    right = "\n    return x + 1\n"
    statuses, _ = by_text({right}, {"\n    return x - 1\n"})
    (row,) = make_choices([problem("p", right)], BUGGY, 1, statuses)
    assert (row["wrong"], row["changes"]) == (["\n    return x - 1\n"], ["buggy"])


def test_programs_run_in_the_sandbox_of_their_runner(tmp_path: Path) -> None:
    table = yaml.safe_load((ROOT / "config/runners.yaml").read_text(encoding="utf-8"))["python"]
    settings = {"mode": "bubblewrap", "wall_factor": 4, "scale": 0.2, "shared": str(tmp_path)}
    runner, right = make_runner("python", table, settings), "\n    return x + 1"

    def statuses(programs: list[tuple[Problem, str]]) -> list[str]:
        return judge(runner, composer(table), Prelude(), 2, programs)

    (row,) = make_choices([problem("p", right)], MUTANTS, 1, statuses)
    assert right not in row["wrong"] and len(row["wrong"]) == 2
    assert statuses([(problem("p", text), text) for text in row["wrong"]]) == ["wrong", "wrong"]


def test_choices_are_read_as_problems() -> None:
    row = {"name": "p", "prompt": "def f(x):", "right": " return 1", "wrong": [" return 2"], "changes": ["1 -> 2"]}
    (own,) = FORMS["choices"]([row], {}, "t")
    assert (own.id, own.prompt, own.solution, own.wrong) == ("p", "def f(x):", " return 1", (" return 2",))
