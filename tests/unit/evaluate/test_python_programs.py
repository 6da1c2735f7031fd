"""Whole programs in the forms of HumanEval, MBPP and of models get CPython's verdict.

The files of `tests/support/python_programs` have the programs: what a prompt defines before the
function, what a completion adds after it, and tests of many kinds.
"""

import pytest

from tests.support.python_verdicts import PROGRAMS, compare_programs, ours_on_program, programs, python_runner

DOCUMENTED = "documented"
FILES = sorted(path.stem for path in PROGRAMS.glob("*.txt") if path.stem != DOCUMENTED)


@pytest.fixture(scope="module")
def runner(tmp_path_factory):
    """A runner of Python programs."""
    return python_runner(tmp_path_factory.mktemp("shared"))


@pytest.mark.parametrize("name", FILES)
def test_whole_programs_get_the_verdict_of_cpython(runner, tmp_path, name):
    others, _ = compare_programs(runner, tmp_path, programs(name))
    assert not others


def test_programs_that_differ_are_those_that_the_documentation_describes(runner, tmp_path):
    others, expected = compare_programs(runner, tmp_path, programs(DOCUMENTED))
    assert others.keys() == programs(DOCUMENTED).keys()
    assert all(expected)


# What ends the tests early with success when they run it themselves.
EXITS = {
    "call": ("    raise SystemExit(0)\n", "f(1)"),
    "exit of another class": ("    raise type('E', (SystemExit,), {})()\n", "f(1)"),
    "generator": ("    yield 1\n    raise SystemExit\n", "list(f(1))"),
    "coroutine": ("    async def g(): raise SystemExit\n    return g()\n", "import asyncio\nasyncio.run(f(1))"),
    "thread": (
        "    raise SystemExit(0)\n",
        "from concurrent.futures import ThreadPoolExecutor\nlist(ThreadPoolExecutor(1).map(f, [1]))",
    ),
    "exception of the tests": ("    raise x\n", "f(SystemExit(0))"),
    "method": ("    class A:\n        def __abs__(self): raise SystemExit\n    return A()\n", "abs(f(1))"),
    "function": ("    import sys\n    return sys.exit\n", "f(1)(0)"),
    "name": ("    pass\n\nimport sys\nhelper = sys.exit\n", "helper(0)"),
    "failed assertion before": ("    return x\n", "import sys\ntry:\n    assert f(1) == 2\nfinally:\n    sys.exit(1)"),
}


@pytest.mark.parametrize("case", EXITS)
def test_a_program_cannot_end_the_tests_with_success(runner, case):
    body, tests = EXITS[case]
    assert ours_on_program(runner, f"def f(x):\n{body}", f"{tests}\n").status != "passed"


def test_functions_of_the_prompt_are_not_those_that_a_completion_defines_again(runner):
    program = "def helper(x):\n    return x == 8431\n\ndef f(x):\n    return x\n\ndef helper(x):\n    return True\n"
    assert ours_on_program(runner, program, "assert helper(f(1))").status == "wrong"
