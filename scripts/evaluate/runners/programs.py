"""Programs composed of a problem and a completion: the files to build or load, and the tests."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.runners.cpp_units import cpp_files
from scripts.evaluate.runners.separate_units import d_files, go_files, go_function_files, rust_text
from scripts.evaluate.runners.signatures import functions, masked
from scripts.lib.files import sha256_text
from scripts.lib.job import InputError

_PYTHON_DEF = re.compile(r"^def +(\w+)", re.MULTILINE)
_RUBY_DEF = re.compile(r"^def +(\w+)", re.MULTILINE)
_CPP_MAIN = re.compile(r"\bint\s+main\s*\(")
# Functions of <cstring> that a prompt may define for std::string.
_C_STRING = frozenset(f"str{name}" for name in ("cat", "chr", "cmp", "cpy", "len", "str", "tok"))
_RUST_RANGE = re.compile(r"\bgen_range\(([^(),]+), *([^(),]+)\)")


@dataclass(frozen=True)
class Prelude:
    """Text before every program of a task, and text before those in which a pattern occurs."""

    always: str = ""
    where: Mapping[str, str] = field(default_factory=dict)

    def before(self, text: str) -> str:
        """What stands before a program of this text."""
        return self.always + "".join(part for pattern, part in self.where.items() if re.search(pattern, text))


@dataclass(frozen=True)
class Program:
    """What a runner runs.

    files: names and texts, the program first.
    tests: tests that are apart from the program; empty if they are in its files.
    head: what precedes the last function of the prompt: text of the data set, not of a model.
    entry_point: the function that separate tests call.
    """

    files: tuple[tuple[str, str], ...]
    tests: str = ""
    head: str = ""
    entry_point: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 of all of it: equal programs have equal verdicts."""
        parts = [part for file in self.files for part in file]
        return sha256_text("\0".join((*parts, self.tests, self.head, self.entry_point)))


Composer = Callable[[Prelude, Problem, str], Program]


def _python(prelude: Prelude, problem: Problem, completion: str) -> Program:
    body = f"{problem.context}{completion}\n"
    before = prelude.before(body)
    definitions = list(_PYTHON_DEF.finditer(problem.context))
    return Program(
        files=(("program.py", before + body),),
        tests=problem.tests,
        head=before + (problem.context[: definitions[-1].start()] if definitions else ""),
        entry_point=problem.entry_point or (definitions[-1].group(1) if definitions else ""),
    )


def _ruby(prelude: Prelude, problem: Problem, completion: str) -> Program:
    body = f"{problem.context}{completion}\n"
    names = _RUBY_DEF.findall(problem.context)
    name = names[-1] if names else ""
    return Program((("program.rb", prelude.before(body) + body),), tests=problem.tests, entry_point=name)


def _with(prelude: Prelude, files: Mapping[str, str]) -> Program:
    """A program of these files, the first of which the prelude precedes."""
    (name, text), *others = files.items()
    return Program(((name, prelude.before(text) + text), *others))


def _cpp(prelude: Prelude, problem: Problem, completion: str) -> Program:
    files = cpp_files(problem.context, completion, problem.tests)
    before = prelude.before("".join(files.values()))
    return Program(tuple((name, before + text) for name, text in files.items()))


def _cpp_function(prelude: Prelude, problem: Problem, completion: str) -> Program:
    """As `_cpp`, with <cstring>, and with any `main` that the completion brings cut off.

    The header is left out if the prompt defines a function of its own with a name in it, as `strlen` of CPP/23, because
    the tests would call that of C.
    """
    main = _CPP_MAIN.search(masked(completion))
    own = any(function.name in _C_STRING for function in functions(problem.context))
    header = replace(prelude, always=prelude.always + ("" if own else "#include <cstring>\n"))
    return _cpp(header, problem, completion[: main.start()] if main else completion)


def _d(prelude: Prelude, problem: Problem, completion: str) -> Program:
    return _with(prelude, d_files(problem.context, completion, problem.tests))


def _rust(prelude: Prelude, problem: Problem, completion: str) -> Program:
    return _with(prelude, {"program.rs": rust_text(problem.context, completion, problem.tests)})


def _rust_crate(prelude: Prelude, problem: Problem, completion: str) -> Program:
    """Tests of an older `rand` call `gen_range(a, b)`; the installed one expects a range."""
    tests = _RUST_RANGE.sub(r"gen_range(\1..\2)", problem.tests)
    return _with(prelude, {"program.rs": rust_text(problem.context, completion, tests)})


def _go(prelude: Prelude, problem: Problem, completion: str) -> Program:
    return _with(prelude, go_files(problem.context, completion, problem.tests))


def _go_function(prelude: Prelude, problem: Problem, completion: str) -> Program:
    """As `_go`, with imports computed from what is used and from what the row lists."""
    listed = f"{problem.row['test_setup']}\n{problem.row['import']}"
    return _with(prelude, go_function_files(problem.context, completion, problem.tests, listed))


def _plain(table: Mapping[str, Any], prelude: Prelude, problem: Problem, completion: str) -> Program:
    """Prompt, completion and tests in one file, the table's `program`."""
    return _with(prelude, {table["program"]: f"{problem.context}{completion}\n{problem.tests}"})


def _apart(table: Mapping[str, Any], prelude: Prelude, problem: Problem, completion: str) -> Program:
    """Prompt and completion in the table's `program`, tests apart; the pattern `entry_point` names the function."""
    program = _with(prelude, {table["program"]: f"{problem.context}{completion}\n"})
    names = re.findall(table["entry_point"], problem.context, re.MULTILINE)
    if not names:
        raise InputError(f"{problem.id}: no function in the prompt matches the runner's entry_point")
    return replace(program, tests=problem.tests, entry_point=names[-1])


# Composers for languages whose tests the composers in `GENERIC` cannot handle.
COMPOSERS: dict[str, Composer] = {
    "python": _python,
    "ruby": _ruby,
    "cpp": _cpp,
    "cpp-function": _cpp_function,
    "d": _d,
    "go": _go,
    "go-function": _go_function,
    "rust": _rust,
    "rust-crate": _rust_crate,
}
# Ways of any language; the table of a runner says the rest.
GENERIC: dict[str, Callable[[Mapping[str, Any], Prelude, Problem, str], Program]] = {"plain": _plain, "apart": _apart}


def composer(table: Mapping[str, Any]) -> Composer:
    """How programs are composed for a runner: as its entry says, else `apart` for scripts and `plain` for others."""
    name = table.get("compose", "apart" if table["kind"] == "script" else "plain")
    return COMPOSERS[name] if name in COMPOSERS else partial(GENERIC[name], table)
