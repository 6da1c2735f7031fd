"""Programs made of a problem and a completion: what is compiled or loaded, and what judges it."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from scripts.evaluate.problems import Problem, python_head
from scripts.lib.files import sha256_text

# The tests must see their own `main` and `assert`, whatever the completion has made of these names.
_CPP_GUARD = "#undef main\n#undef NDEBUG\n#undef assert\n#include <assert.h>\n"
_CPP_MAIN = re.compile(r"\bint\s+main\s*\(")


@dataclass(frozen=True)
class Program:
    """What a runner runs.

    source: the whole program, or without its tests where these are kept apart.
    tests: tests that are kept apart from the program; empty where `source` has them.
    head: what precedes the last function of `source`: text of the data set, not of a model.
    entry_point: the function that the tests call, where it is known.
    """

    source: str
    tests: str = ""
    head: str = ""
    entry_point: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 of all of it: equal programs have equal verdicts."""
        return sha256_text("\0".join((self.source, self.tests, self.head, self.entry_point)))


def _joined(prelude: str, problem: Problem, completion: str) -> Program:
    """Prelude, prompt, completion and tests in one text."""
    return Program(f"{prelude}{problem.context}{completion}\n{problem.tests}")


def _python(prelude: str, problem: Problem, completion: str) -> Program:
    """Program and tests apart, because they are run apart."""
    head, entry_point = python_head(problem.context)
    return Program(
        source=f"{prelude}{problem.context}{completion}\n",
        tests=problem.tests,
        head=prelude + head,
        entry_point=problem.entry_point or entry_point,
    )


def _cpp(prelude: str, problem: Problem, completion: str) -> Program:
    """As `_joined`, with the macros that the tests rely on set anew."""
    return Program(f"{prelude}{problem.context}{completion}\n{_CPP_GUARD}{problem.tests}")


def _cpp_function(prelude: str, problem: Problem, completion: str) -> Program:
    """As `_cpp`, with any `main` that the completion brings cut off."""
    found = _CPP_MAIN.search(completion)
    return _cpp(prelude, problem, completion[: found.start()] if found else completion)


COMPOSERS: dict[str, Callable[[str, Problem, str], Program]] = {
    "joined": _joined,
    "python": _python,
    "cpp": _cpp,
    "cpp-function": _cpp_function,
}
