"""Preparation of Python for Codon: what is rewritten, and that programs still mean the same."""

import subprocess
import sys

import pytest

from scripts.compile.prepare import for_codon, prepared
from tests.support.paths import ROOT

SAMPLES = sorted(ROOT.glob("resources/corpus/Python/Source_*/source.py"))

# Rewrite, input, program.
PROGRAMS = [
    (
        "except_tuple",
        "x\n",
        """
try:
    print(int(input()))
except (ValueError, TypeError) as e:
    print('bad', e)
""",
    ),
    (
        "unpacked_iterator",
        "3 4\n",
        """
a, b = map(int, input().split())
print(a + b)
""",
    ),
    (
        "unpacked_iterator",
        "3 4 5\n",
        """
a, *b = (int(x) for x in input().split())
print(a, b)
""",
    ),
    (
        "starred_print",
        "",
        """
xs = [1, 2]
print(*xs)
print('a', *xs, 'b', sep='-', end='!\\n')
print(*[])
""",
    ),
    (
        "stdin_readline",
        "a b\nc\n",
        """
import sys
print(repr(sys.stdin.readline()), sys.stdin.readline().split())
""",
    ),
    (
        "stdin_readline",
        "3\nx\n",
        """
import sys
input = sys.stdin.readline
n = int(input())
print(n, input().strip())
""",
    ),
    (
        "stdin_readline",
        "a\nb\n",
        """
from sys import stdin
while True:
    s = stdin.readline()
    if not s:
        break
    print(s, end='')
""",
    ),
    (
        "format_call",
        "",
        """
x = 2.5
print('{}|{:>6.2f}|{1}'.format(3, x) if False else '{:d} {:>6.2f}'.format(3, x))
""",
    ),
    (
        "format_call",
        "",
        """
print('{0}{1}{0} {{}} {n!r:>5}'.format('a', 'b', n='c'))
""",
    ),
    (
        "percent_format",
        "",
        """
print('%d%% %5d %05d %.3f %s %6s|' % (3, 4, 5, 0.5, 'x', 'yz'))
print('%d' % 3.9)
""",
    ),
    (
        "recursion_limit",
        "",
        """
import sys
sys.setrecursionlimit(10 ** 6)
print(1)
""",
    ),
    (
        "recursion_limit",
        "",
        """
from sys import setrecursionlimit, exit
setrecursionlimit(99999)
print(1)
exit()
""",
    ),
    (
        "exit_call",
        "x\n",
        """
print(1)
if input() == 'x':
    exit()
print(2)
""",
    ),
    (
        "reduce",
        "",
        """
from functools import reduce
print(reduce(lambda a, b: a * b, [1, 2, 3]), reduce(max, [4], 9))
""",
    ),
    (
        "typing_only",
        "",
        """
from typing import NoReturn, List
def f(x: int) -> NoReturn:
    print(x)
f(1)
""",
    ),
    (
        "unpacked_fields",
        "",
        """
class P:
    def __init__(self, p):
        self.x, self.y = p
print(P((1, 2)).y)
""",
    ),
    (
        "next_method",
        "",
        """
def g():
    yield 1
    yield 2
i = g()
n = i.__next__
print(i.__next__(), n())
""",
    ),
    (
        "memo_default",
        "",
        """
def f(n, memo={}):
    if n in memo:
        return memo[n]
    memo[n] = n if n < 2 else f(n - 1) + f(n - 2)
    return memo[n]
print(f(50))
""",
    ),
    (
        "globals_first",
        "",
        """
def main():
    global n
    n = 3
    show()
def show():
    print(n)
main()
""",
    ),
    (
        "typed_empty_field",
        "",
        """
class S:
    def __init__(self):
        self.items = []
    def push(self, x):
        self.items.append(x)
s = S()
s.push(2)
print(s.items)
""",
    ),
    (
        "retyped_variable",
        "a b\n",
        """
def main():
    x = input()
    x = x.split()
    for i in x:
        print(i)
main()
""",
    ),
    (
        "retyped_variable",
        "1 2\n",
        """
x = input().split()
x = [int(i) for i in x]
print(sum(x))
""",
    ),
    (
        "retyped_variable",
        "9 10\n",
        """
def top():
    return max(Y)
if __name__ == '__main__':
    Y = input().split()
    Y = [int(y) for y in Y]
    print(top())
""",
    ),
    (
        "tight_keyword",
        "5\n",
        """
n = int(input())
if(n > 2) and(n < 9):
    print('yes')
""",
    ),
]


# In Codon an empty container of a type is made by calling the type; in CPython these stand in for that.
TYPES = """
class List:
    __class_getitem__ = classmethod(lambda kind, item: list)
class Dict:
    __class_getitem__ = classmethod(lambda kind, item: dict)
"""


def output(program, given):
    """What CPython makes of a program: output and exit code."""
    done = subprocess.run(
        [sys.executable, "-c", TYPES + program], input=given, capture_output=True, text=True, timeout=20
    )
    return done.stdout, done.returncode


@pytest.mark.parametrize(("name", "given", "program"), PROGRAMS)
def test_a_rewrite_is_made_recorded_and_keeps_the_meaning(name, given, program):
    text, rewrites = for_codon(program)
    assert name in [rewrite.split(":")[0] for rewrite in rewrites]
    expected = output(program, given)
    assert expected[1] == 0, "the example itself runs"
    assert output(text, given) == expected


@pytest.mark.parametrize("source", SAMPLES, ids=lambda path: path.parent.name)
def test_sample_programs_mean_the_same_when_prepared(source):
    program = source.read_text(encoding="utf-8")
    text, rewrites = for_codon(program)
    assert (text == program) == (not rewrites)
    if rewrites:
        given = (source.parent / "input.txt").read_text(encoding="utf-8")
        assert output(text, given) == output(program, given)


@pytest.mark.parametrize(
    "program",
    [
        "print(1)\n",
        "print 'Python 2'\n",
        "x = (\n",
        "a, b = 1, 2\n",
        "def exit():\n    pass\nexit()\n",
        "print('{:{}}'.format(1, 2))\n",
        "def f(n, memo={}):\n    return memo\nf(1, {})\n",
        "for input in [1]:\n    print(input)\n",
        "",
        "\0",
    ],
)
def test_programs_that_need_or_allow_no_rewrite_stay_byte_for_byte(program):
    assert for_codon(program) == (program, [])


def test_arguments_of_format_are_worked_out_once_and_in_order():
    program = "def f(x):\n    print('f', x)\n    return x\nprint('{1} {0}'.format(f(1), f(2)))\n"
    text, _ = for_codon(program)
    assert output(text, "") == output(program, "")


def test_a_deep_program_is_left_alone():
    program = f"x = {'-' * 20000}1\n"
    assert for_codon(program) == (program, [])


def test_only_a_named_preparation_is_made():
    program = "import sys\nsys.setrecursionlimit(9999)\n"
    assert prepared(program, None) == (program, [])
    assert prepared(program, "codon")[1] == ["recursion_limit:1"]
