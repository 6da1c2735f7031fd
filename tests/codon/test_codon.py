"""Python programs compiled by Codon, prepared where it takes them only so, against the same programs run by CPython.

Besides the project's own programs those of a corpus are taken, where CORPUS names its folder: the manifest of it says
where each program comes from, and `arguments.yaml` what to run it with.
"""

import csv
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from scripts.compile.compile_program import compile_source, first_error
from scripts.compile.prepare import for_codon, prepared
from scripts.lib.sandbox.run import Limits, Sandbox, run
from tests.support.compiling import ROOT, build
from tests.unit.compile.test_codon_types import TYPED

pytestmark = pytest.mark.codon
LIMITS = Limits(wall_seconds=600, cpu_seconds=120, memory_mb=4000)
SAMPLES = [
    path for path in sorted(ROOT.glob("resources/corpus/Python/*/source.py")) if path.with_name("input.txt").exists()
]
CORPUS = Path(os.environ["CORPUS"]) if os.environ.get("CORPUS") else None
ARGUMENTS = yaml.safe_load(Path(__file__).with_name("arguments.yaml").read_text(encoding="utf-8"))


def collected():
    """The corpus's Python programs, by their places in the collections that they come from."""
    if CORPUS is None:
        return {}
    with Path(CORPUS, "MANIFEST.tsv").open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream, delimiter="\t") if row["path"].startswith("Python/")]
    return {row["original_path"]: Path(CORPUS, row["path"]) for row in rows}


COLLECTED = collected()
# Where Codon is another language than Python, prepared or not.
DIFFERENT = {
    "archive/p/python/convex_hull.py": "Codon's hash of the float 0.0 divides by it with --numerics=py",
    "archive/p/python/duplicate_character_counter.py": "dictionaries have no order",
    "bench/algorithm/edigits/1.py": "integers have 64 bits",
    "bench/algorithm/pidigits/4.py": "integers have 64 bits",
    "bench/algorithm/secp256k1/1.py": "integers have 64 bits",
}
# Formats of numbers ask for a locale that small systems lack; it gets the one that all have.
LOCALE = "/opt/locale"
RUNS = [(name, words) for name in COLLECTED for words in ARGUMENTS.get(name, [[]])]


def accepted(program):
    """Whether Codon compiles a text."""
    return compile_source(program, build("Python"), ["perf"])["perf"].status == "ok"


def compiled_text(program):
    """The text that is compiled of a program: the program itself where Codon takes it."""
    text, rewrites = for_codon(program)
    return program if rewrites and accepted(program) else text


def run_by_codon(text, given, words=()):
    """Run a text by Codon, as it is."""
    toolchain = build("Python").toolchain
    command = toolchain.command(["codon", "run", "--numerics=py", "source.py"])
    binds = {**toolchain.sandbox.binds, f"{LOCALE}/en_US.UTF-8": "/usr/lib/locale/C.utf8"}
    sandbox = replace(toolchain.sandbox, binds=binds, env={**toolchain.sandbox.env, "LOCPATH": LOCALE})
    return run([*command, *words], sandbox=sandbox, limits=LIMITS, stdin=given, files={"source.py": text.encode()})


def compare(program, given, words):
    """Compare what a program prints, and its exit code; skip it where Codon refuses it."""
    built = run_by_codon(compiled_text(program), given, words)
    message = first_error(built.stderr.decode("utf-8", "replace"))
    if built.returncode != 0 and "source.py:" in message and "error:" in message:
        pytest.skip(f"Codon refuses it: {message}")
    # CPython's own folder may be one that the sandbox does not show.
    python = Sandbox(read_only=(sys.base_prefix, str(Path(sys.executable).resolve().parents[1])))
    interpreter = [str(Path(sys.executable).resolve()), "source.py", *words]
    plain = run(interpreter, sandbox=python, limits=LIMITS, stdin=given, files={"source.py": program.encode()})
    assert plain.status == built.status == "exited"
    assert (built.stdout.decode(), built.returncode) == (plain.stdout.decode(), plain.returncode)


@pytest.mark.parametrize("source", SAMPLES, ids=lambda path: path.parent.name)
def test_a_program_prints_the_same_by_codon_and_by_cpython(source):
    compare(source.read_text(encoding="utf-8"), source.with_name("input.txt").read_bytes(), [])


CALLED = "def f(n):\n    print(n)\n    return n\n"
FAILING = "try:\n    {}\n    print('no error')\nexcept {} as error:\n"
FAILING += "    print(error)\n"
# Where Codon, given the program as it stands, is another language than Python; each was observed with Codon 0.19.3.
KNOWN = {
    "floats are printed with six digits and no .0": ("print(1.0, 1 / 3)\n", "1 0.333333\n"),
    "texts are bytes": ("print(len('é'))\n", "2\n"),
    "dictionaries have no order": ("print(list({'b': 1, 'a': 2}))\n", "['a', 'b']\n"),
    "a negative power of an int is an int": ("print(2 ** -1)\n", "0\n"),
    "round goes away from zero": ("print(round(2.5))\n", "3\n"),
    "a list of another length is unpacked": ("a, b = [1, 2, 3]\nprint(a, b)\n", "1 2\n"),
    "a zero before a width is ignored": ("print(f'{5:05d}')\n", "    5\n"),
    "print is a statement, too": ("print 'x'\n", "x\n"),
    "a handler catches its own class only": (
        "try:\n    try:\n        raise ValueError('v')\n    except Exception:\n        print('caught')\n"
        "except ValueError:\n    print('missed')\n",
        "missed\n",
    ),
    "permutations are lists": (
        "from itertools import permutations\nprint(list(permutations([1, 2]))[0])\n",
        "[1, 2]\n",
    ),
    "None has no value": (
        "from typing import Optional\nx: Optional[list[int]] = None\n"
        "try:\n    x.append(1)\nexcept ValueError:\n    print('ValueError')\n",
        "ValueError\n",
    ),
    "a result that may be None at the end of a function is a number": (
        "def f(n):\n    if n > 0:\n        return n\nprint(f(1), f(0), f(0) is None)\n",
        "1 0 False\n",
    ),
    "a result that may be None is not None": (
        "def f(n):\n    if n > 0:\n        return n\n    return None\nprint(f(1), f(0) is None)\n",
        "1 False\n",
    ),
    "the result of a closure is its variable": (
        "def counter():\n    n = 0\n    def step():\n        nonlocal n\n        n += 1\n        return n\n"
        "    return step\nk = counter()\na = k()\nb = k()\nprint(a, b)\n",
        "2 2\n",
    ),
    "and evaluates both sides for a value": (CALLED + "x = f(0) and f(1)\n", "0\n1\n"),
    "or evaluates both sides for a value": (CALLED + "x = f(2) or f(1)\n", "2\n1\n"),
    "a dictionary is evaluated twice": (CALLED + "x = {f(1): f(2)}\n", "1\n2\n1\n2\n"),
    "an index is evaluated before the value": (CALLED + "x = [0]\nx[f(0)] = f(1)\n", "0\n1\n"),
    "a result in a handler skips finally": (
        "def f():\n    try:\n        int('x')\n    except ValueError:\n        return 1\n    finally:\n"
        "        print('end')\n    return 2\nprint(f())\n",
        "1\n",
    ),
    "removing a missing value is no error": (FAILING.format("[1].remove(5)", "ValueError"), "no error\n"),
    "the text of a KeyError has no quotes": (FAILING.format("print({'a': 1}['b'])", "KeyError"), "b\n"),
    "a remainder of zero has the message of a division": (
        FAILING.format("print(10 % int('0'))", "ZeroDivisionError"),
        "integer division or modulo by zero\n",
    ),
    "int takes no underscores": (
        FAILING.format("int('1_0')", "ValueError"),
        "invalid literal for int() with base 10: '1_0'\n",
    ),
    "the text of an AssertionError has a prefix and the line": (
        FAILING.format("assert 1 == 2, 'no'", "AssertionError"),
        "Assert failed: no (/work-folder/source.py:2)\n",
    ),
    "a field with = shows no quotes": ("s = 'a'\nprint(f'{s=}')\n", "s=a\n"),
    "deleting a variable uncovers its value of another type": (
        "x = 4\nx = [x]\ntry:\n    del x\n    print(x)\nexcept NameError:\n    print('deleted')\n",
        "4\n",
    ),
    "the name of an exception hides no variable": (
        "e = 1\ntry:\n    int('a')\nexcept ValueError as e:\n    pass\nprint(e)\n",
        "1\n",
    ),
    "texts have no Unicode escapes": (r"print('\u00e9', '\N{BULLET}', '\x41')" + "\n", "\\u00e9 \\N{BULLET} A\n"),
    "bytes are printed as text": ("print(b'ab')\n", "ab\n"),
    "a named tuple is printed without its name": (
        "from collections import namedtuple\nP = namedtuple('P', ['x', 'y'])\nprint(P(1, 2))\n",
        "(x: 1, y: 2)\n",
    ),
    "round takes halves away from zero": ("print(round(-0.5), round(1.25, 1))\n", "-1 1.3\n"),
    "input removes a carriage return": ("print(repr(input()))\n", "'ab'\n"),
}
# Programs that Codon ends by SIGABRT, each after `print(0)`, whose output is still in the buffer.
ABORTED = {
    "an exception that is not caught": "raise ValueError('a')\n",
    "an assertion that fails": "assert 1 == 2\n",
    "a result that may be None": "def f(n):\n    if n > 0:\n        return n\n    return None\nprint(f(0))\n",
    "next with None on an empty iterator": "print(next((n for n in [1] if n > 1), None))\n",
}
# The same operations in a program that is prepared, where preparation makes them Python's.
PREPARED = """
n, m = map(int, input().split())
print("%.2f|%05d|%-6s|%6s|%x" % (n, m, "ab", "cd", 255))
print("{:.3f} {:>6d} {:,}|{:^7}|{:08.2f}|{:+d}".format(n, m, 1234567, "mid", 2.5, n))
print(f"{n:05d} {m:.1f} {0.256:.1%}")
try:
    a, b = map(int, "1 2 3".split())
except (ValueError, TypeError) as error:
    print("caught", error)
def factorial(n):
    return 1 if n < 2 else n * factorial(n - 1)
def show(value):
    print("%d|%5.2f|<%s>|%r" % (value, value, value, value), "%d" % value, "%.1f" % value, "<%s>" % value)
print("%d! = %d" % (n, factorial(n)), "{1} {0} {1}".format(factorial(3), factorial(4)))
show(3)
show(2.5)
print("<%s>" % (7,))
for name, value in zip(["a", "b"], [1, 2]):
    print("{:<5}|{:>5}|{:5}".format(name, value, value), f"{name:^5}|")
"""


@pytest.mark.parametrize(("program", "printed"), KNOWN.values(), ids=KNOWN)
def test_codon_differs_from_cpython_only_as_documented(program, printed):
    assert run_by_codon(program, b"ab\r\n").stdout.decode() == printed


@pytest.mark.parametrize("program", ABORTED.values(), ids=ABORTED)
def test_a_program_that_codon_aborts_loses_its_buffered_output(program):
    outcome = run_by_codon("print(0)\n" + program, b"")
    assert outcome.returncode in (128 + signal.SIGABRT, -signal.SIGABRT)
    assert outcome.stdout == b""


def test_formats_and_unpacking_of_a_prepared_program_are_pythons():
    assert not accepted(PREPARED)
    compare(PREPARED, b"3 -42\n", [])


@pytest.mark.parametrize("program", [program for program, _ in TYPED.values()], ids=TYPED)
def test_annotated_programs_compile_and_print_the_same(program):
    assert not accepted(program)
    assert accepted(compiled_text(program))
    compare(program, b"", [])


def test_a_name_for_the_standard_inputs_method_compiles():
    program = "import sys\ninput = sys.stdin.readline\nn = int(input())\nprint(n, repr(input()), repr(input()))\n"
    compare(program, b"3\nx", [])


def test_the_papers_input_prints_the_prompt_on_a_line_and_keeps_the_end_of_the_line():
    text, _ = prepared("print(repr(input('name?')))\n", "codon", "paper")
    assert run_by_codon(text, b"x\n").stdout.decode() == "name?\n'x\\n'\n"


@pytest.mark.skipif(not COLLECTED, reason="CORPUS names no corpus")
@pytest.mark.parametrize(("name", "words"), RUNS, ids=str)
def test_a_program_of_the_corpus_prints_the_same(name, words, request):
    if name in DIFFERENT:
        request.applymarker(pytest.mark.xfail(reason=DIFFERENT[name], raises=AssertionError))
    compare(COLLECTED[name].read_text(encoding="utf-8"), b"", words)


@pytest.mark.skipif(not COLLECTED, reason="CORPUS names no corpus")
def test_preparation_doubles_what_is_accepted():
    programs = [path.read_text(encoding="utf-8") for path in COLLECTED.values()]
    before = sum(map(accepted, programs))
    after = sum(accepted(compiled_text(program)) for program in programs)
    print(f"Codon accepts {before} of {len(programs)} programs as they stand, {after} after preparation")
    assert after >= 2 * before
