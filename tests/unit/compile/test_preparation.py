"""Which text of a program is compiled: the program itself where its frontend takes it, else the prepared one."""

import pytest

from scripts.compile.cache import Cache
from scripts.compile.compile_program import Result
from scripts.compile.compiler import Compiler
from scripts.compile.prepare import prepared
from tests.support.compiling import build

VARIANTS = ["perf", "size"]
SPLIT = "a, b = map(int, input().split())\nprint(a + b)\n"
MEMO = "def f(n, memo={}):\n    return n\nprint(f(3))\n"


class Counting(Compiler):
    """A compiler that accepts the texts of `accepted` and records what it compiles."""

    def __init__(self, accepted, preparation="rewrite"):
        super().__init__(build("Python"), VARIANTS, Cache(None), preparation=preparation)
        self.accepted = accepted
        self.compiled = []

    def _outcomes(self, text, headers, variants):
        self.compiled += [(text, variant) for variant in variants]
        refused = Result("compile_error", diagnostics="source.py:1: error: no")
        taken = Result("ok", ir="ir")
        return dict.fromkeys(variants, taken if text in self.accepted else refused)


def rows(compiler, source):
    """The rows of all tasks of one program."""
    row = {"id": "1", "language": "Python", "source_sha256": "0", "source": source, "rejected": None}
    return [outcome for variants in compiler.tasks() for outcome in compiler.rows(row, {}, variants)]


@pytest.mark.parametrize("source", [SPLIT, MEMO])
def test_a_program_that_compiles_unchanged_is_compiled_unchanged_in_all_variants(source):
    compiler = Counting({source, prepared(source, "codon")[0]})
    assert [(row["status"], row["rewrites"], row["unprepared"]) for row in rows(compiler, source)] == [
        ("ok", [], None),
        ("ok", [], None),
    ]
    assert compiler.compiled == [(source, "perf"), (source, "size")]


def test_a_program_that_is_refused_unchanged_is_prepared_for_all_variants():
    text, rewrites = prepared(SPLIT, "codon")
    compiler = Counting({text})
    assert [(row["status"], row["rewrites"], row["unprepared"]) for row in rows(compiler, SPLIT)] == [
        ("ok", rewrites, "compile_error"),
        ("ok", rewrites, None),
    ]
    assert compiler.compiled == [(SPLIT, "perf"), (text, "perf"), (text, "size")]


def test_a_program_that_needs_no_rewrite_is_compiled_once_in_each_variant():
    compiler = Counting(set())
    assert [row["unprepared"] for row in rows(compiler, "import socketserver\n")] == [None, None]
    assert len(compiler.compiled) == 2


def test_the_papers_preparation_adds_its_input_and_rewrites_nothing():
    compiler = Counting(set(), "paper")
    outcomes = rows(compiler, SPLIT)
    assert [(row["rewrites"], row["unprepared"]) for row in outcomes] == [(["paper_input:1"], None)] * 2
    (text,) = {text for text, _ in compiler.compiled}
    assert text.endswith(SPLIT) and "def input(" in text


def test_without_preparation_programs_are_compiled_unchanged():
    compiler = Counting(set(), "none")
    assert [row["rewrites"] for row in rows(compiler, SPLIT)] == [[], []]
    assert {text for text, _ in compiler.compiled} == {SPLIT}


@pytest.mark.parametrize(
    "source",
    [
        "name = raw_input()\nprint(name)\n",
        "for i in xrange(3):\n    print(i)\n",
        "print 'a %s' % 3\n",
        "try:\n    pass\nexcept ValueError, e:\n    print(e)\n",
        "x = 0777\n",
        "x = 10L\n",
        "if 1 <> 2:\n    print(1)\n",
        "raise ValueError, 'x'\n",
        "d = {}\nprint(d.has_key(1))\n",
        "import sys\nprint >>sys.stderr, 'x'\n",
        "exec 'x = 1'\n",
    ],
)
def test_python_2_is_named_as_the_reason_for_a_refusal(source):
    outcomes = rows(Counting(set()), source)
    assert {row["status"] for row in outcomes} == {"compile_error"}
    assert all(row["diagnostics"] == "python2: source.py:1: error: no" for row in outcomes)


@pytest.mark.parametrize(
    "source",
    [
        "import socketserver\n",
        "x = (\n",
        "try:\n    input = raw_input\nexcept NameError:\n    pass\nprint(input())\n",
        "def xrange(n):\n    return range(n)\nprint(list(xrange(3)))\n",
        "'''\nprint the result\n'''\nimport socketserver\n",
        "x = 'print 3'\ny = (\n",
    ],
)
def test_python_3_is_not_called_python_2(source):
    assert {row["diagnostics"] for row in rows(Counting(set()), source)} == {"source.py:1: error: no"}
