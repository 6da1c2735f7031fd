"""Programs that invite a preparation to change their meaning: CPython prints the same of both texts."""

import subprocess
import sys

import pytest

from scripts.compile.prepare import for_codon

INPUTS = ["5\n3 1 2\nab c\n", "3 4 5\n6 7\n8"]
PROGRAMS = [
    r"""
try:
    raise KeyError from None
except KeyError as error:
    print(error.__suppress_context__)
""",
    r"""
import sys
sys.stderr = sys.stdout
sys.excepthook = lambda kind, error, trace: print(kind, error.__context__)
try:
    input()
    raise KeyError
except KeyError:
    raise ValueError("a") from None
""",
    r"""
x = input().split()
if not all(part.strip() for part in x):
    print("no")
total = (y for y in x)
x = len(x)
print(x, list(total))
""",
    r"""
x = input()
x = int(x)
class A:
    x = x
print(A.x, x)
""",
    r"""
x = input()
f = lambda: x
x = x.split()
print(f(), x)
""",
    r"""
x = input()
g = (x for _ in range(2))
x = len(x)
print(list(g), x)
""",
    r"""
list_of = list("ab")
list = "x"
list = 3
print(list_of, list)
""",
    r"""
def f(a=3):
    a = str(a)
    a = a.split()
    return a
print(f(), f(a=4))
""",
    r"""
def f(n):
    match n:
        case [first, *rest]:
            rest = "x"
            rest = 3
            return rest
    return 0
x = input()
x = x.split()
match x:
    case [x]:
        print("one", x)
    case [x, *y]:
        print("more", x, y)
print(f([1, 2]), x)
""",
    r"""
x = "5"
x = int(x)
import math as m
m = 3
m = "s"
print(x, m)
""",
    r"""
def outer():
    n = "3"
    n = int(n)
    def inner():
        return n
    return inner()
print(outer())
""",
    r"""
def f(memo={}):
    memo[len(memo)] = 1
    return len(memo)
print(f(), f(), f())
g = f
print(g({}))
""",
    r"""
def f(n, memo={}):
    import os as memo
    return n
print(f(1))
""",
    r"""
def f(n, memo=[]):
    for memo in range(n):
        pass
    return memo
print(f(3))
""",
    r"""
memo = [1]
def f(n, k=memo, memo=[]):
    memo.append(n)
    return len(memo), k
print(f(1), f(2), memo)
""",
    r"""
pair = (1, 2)
print("%s %s" % pair)
one = (3,)
print("%s" % one)
print("%(a)s" % {"a": 1})
print("%5.1f|%-5d|%+d|%05d|%x|%o|%e|%g|%c|%r|%%" % (1.25, 3, 4, -42, 255, 8, 12345.678, 0.0001, "c", "q"))
""",
    r"""
n = 3
print("%05s|%-6s|%6s|%.2f" % ("ab", "cd", "ef", n))
print("%s" % n, "%d" % 3.99, "%i" % n, "%f" % n, "%.0f" % 2.5)
""",
    r"""
print("{a} {} {}".format(1, 2, a=3), "{1}{0}".format("a", "b"))
xs = [1]
print("{} {}".format(xs, xs.append(2)))
print("%s %s" % (xs, xs.append(3)))
print("{0[0]} {1.real}".format(xs, 3))
""",
    r"""
print("{:>6}|{:<6}|{:^7}|{:*^8}|{:5}|{:5}".format("ab", "cd", "ef", "gh", "ij", 3))
print("{:,} {:,.2f} {:+d} {:08.3f} {:05d} {:.1%} {:x} {:b}".format(1234567, 12345.678, 5, -2.5, -42, 0.256, 255, 5))
print("{:,}".format(-123), "{:,}".format(-1234), "{:>+8.2f}|{:^9d}|{:<9.1f}|".format(2.5, 3, 4))
print("{:5}|{:>5}|{:d}".format(True, True, True))
""",
    r"""
n = 7
w = 5
print(f"{n:.2f} {n:{w}d} {n!r:>4} {n=} {n:05d} {'a':>3}{{}}")
print(f"{True:d} {2**70:,} {1e10:,.1f} {-0.0:+.1f} {float('nan'):+.1f} {float('inf'):08.2f}")
""",
    r"""
class T:
    log = []
    def __format__(self, spec):
        T.log.append(spec)
        return "T" + spec
print("{} {:x}".format(T(), T()), T.log)
""",
    r"""
class T:
    def __str__(self):
        print("str called")
        return "T"
    def __repr__(self):
        return "R"
print(*[T(), T()], sep=",")
print("%s" % T(), "{!r}".format(T()))
""",
    r"""
def print_all(*xs):
    print(*xs)
    print(*xs, sep="\n")
    print(*xs, sep=None, end="!\n")
    print("a", *xs, *[])
print_all(1, "b", 2.5)
print(*range(3), *"ab")
print(*{"k": 1})
""",
    r"""
def print(*a):
    import sys
    sys.stdout.write(repr(a) + "\n")
print(*[1, 2])
""",
    r"""
import sys
def a():
    input = sys.stdin.readline
    def b():
        return input()
    return b()
def c(input):
    return input()
x = a()
y = c(lambda: "z")
z = input()
print(repr(x), repr(y), repr(z))
""",
    r"""
import sys
print(repr(sys.stdin.readline()), repr(sys.stdin.readline(2)), repr(sys.stdin.readline()))
""",
    r"""
import io
class S:
    pass
sys = S()
sys.stdin = io.StringIO("q\n")
print(repr(sys.stdin.readline()))
""",
    r"""
from sys import stdin as inp, stdin
rl = stdin.readline
print(repr(rl()), repr(inp.readline()))
""",
    r"""
class E(Exception):
    pass
try:
    int("x")
except (ValueError, E) as e:
    print("v", e)
try:
    {}["a"]
except (KeyError, IndexError) as k:
    print("k", k)
    k2 = k
print(k2)
""",
    r"""
a, b = map(int, "1 2".split())
c, *d = map(int, "1 2 3".split())
(e, f), g = zip([1, 2], [3, 4])
try:
    h, i = map(int, "1 2 3".split())
except ValueError as err:
    print(err)
try:
    h, i = map(int, "1".split())
except ValueError as err:
    print(err)
try:
    h, *i = "".split()
except ValueError as err:
    print(err)
print(a, b, c, d, e, f, g)
""",
    r"""
def map(f, xs):
    return (1, 2)
a, b = map(int, [])
print(a, b)
""",
    r"""
from functools import reduce
print(reduce(lambda a, b: a + b, [1, 2, 3]), reduce(lambda a, b: a + [b], [1, 2], []))
try:
    print(reduce(max, []))
except TypeError as e:
    print(e)
def f(a, b):
    print("f", a, b)
    return a + b
def gen():
    for i in range(3):
        print("g", i)
        yield i
print(reduce(f, gen()))
fold = reduce
print(fold(f, [1, 2]))
""",
    r"""
import functools
reduce_all = 3
print(functools.reduce(lambda a, b: a * b, [1, 2, 3]), reduce_all)
""",
    r"""
def main():
    global n
    try:
        print(n)
    except NameError:
        n = 3
    print(n)
main()
""",
    r'''
"""doc"""
from __future__ import division
def main():
    global n, m
    n = 3
    m = n + 1
    show()
def show():
    print(n, m)
main()
print(__doc__)
''',
    r"""
def setup():
    global n
    n = 1
if input() == "5":
    setup()
try:
    print(n)
except NameError:
    print("no n")
""",
    r"""
import sys
sys.setrecursionlimit(int(input()) * 1000)
print(input())
""",
    r"""
import sys
try:
    exit(3)
except SystemExit as e:
    print("caught", e.code)
""",
    r"""
import sys as s
sys = 5
if sys == 5:
    print(sys)
    quit()
""",
    r"""
def f(n):
    if n > 2: exit(code=0)
    print(n)
f(1)
""",
    r"""
class It:
    def __init__(self):
        self.n = 0
    def __iter__(self):
        return self
    def __next__(self):
        self.n += 1
        return self.n
class Sub(It):
    def __next__(self):
        return super().__next__() * 10
s = Sub()
print(s.__next__(), next(s))
g = iter([1, 2, 3])
n = g.__next__
g = iter([7, 8])
print(n(), n())
""",
    r"""
from functools import lru_cache, cache
@lru_cache(maxsize=None)
def fib(n: int) -> int:
    return n if n < 2 else fib(n - 1) + fib(n - 2)
@cache
def grid(a: int, b: int) -> int:
    return 1 if a == 0 or b == 0 else grid(a - 1, b) + grid(a, b - 1)
fib_results = grid_work = 0
print(fib(60), grid(5, 5), fib_results, grid_work)
""",
    r"""
from functools import lru_cache
@lru_cache(maxsize=None)
def f(n: int) -> int:
    print("call", n)
    return n
f(1); f(1)
print(f.cache_info().hits)
""",
    r"""
from typing import Any, Sequence, TypeVar, List
T = TypeVar("T")
def f(x: Any, y: Sequence[int] = ()) -> "List[int]":
    return [x]
print(f(1))
""",
    r"""
class Stack:
    items = []
    def __init__(self):
        self.rows = []
        self.seen = set()
        self.by = {}
    def add(self, r):
        self.rows.append(str(r))
        self.seen.add(len(self.rows))
        self.by[r] = "x"
        self.items.append(2.5)
s = Stack()
s.add("a")
print(s.rows, s.seen, s.by, s.items)
""",
    r"""
def f():
    x = 3
    x = str(x)
    print(locals())
f()
""",
    r"""
x = "1"
x = int(x)
print(globals()["x"])
""",
    r"""
s = 1
s = "a b"
s = s.split()
s_1 = s_2 = 0
def use():
    return s
print(use(), s_1, s_2)
""",
    r"""
def f():
    for i in range(2):
        i = str(i)
    i = [i]
    return i
print(f())
""",
    r"""
k = 5
k = [k for k in range(k)]
print(k)
""",
    r"""
def f():
    x = 1
    x = "a"
    del x
    try:
        return x
    except NameError:
        return "gone"
print(f())
""",
    r"""
def f():
    x = 1
    x = "s"
    with open("/dev/null") as x:
        x = x.read()
    return x
print(repr(f()))
""",
    r"""
e = "1"
e = int(e)
try:
    raise ValueError("q")
except ValueError as e:
    pass
try:
    print(e)
except NameError:
    print("deleted")
""",
    r"""
class Robot:
    def __init__(self):
        self.__a, self.b = 1, 2
    def get(self):
        new_a = 5
        self.__a, self.b = self.b, self.__a
        return self.__a, self.b, new_a
print(Robot().get())
""",
    r"""
s = 0
for s in [1, 2]:
    pass
s = "%d" % s
s = s + "%s" % "x"
print(s)
""",
    r"""
if(True):
    x = [1 for i in(1, 2) if(i)]
    assert(x)
    print(not(x), x and(3))
""",
    r"""
import sys
def f(): return input()
a = f()
input = sys.stdin.readline
b = f()
print(repr(a), repr(b))
""",
    r"""
import sys
sys.setrecursionlimit(10 ** 6)
def f(n): return int(n)
input = sys.stdin.readline
n = int(input()[:1])
if n > 100:
    input = 3
print(n)
""",
    r"""
import sys
rl = sys.stdin.readline
def g(rl=rl):
    return rl()
print(repr(g()), repr(rl()))
""",
    r"""
import sys
def f():
    return int(rl()[0])
rl = sys.stdin.readline
print(f(), [rl() for _ in range(1)])
""",
    r"""
xs = [[1], [2]]
def f():
    xs[0].append(5)
    return "f"
print(*xs, f())
ys = [1, 2]
def g():
    ys.append(3)
    return 4
print(*ys, g(), *ys)
print("{} {}".format(ys, g()))
n = 3
print("%d %s" % (n, g()), *list(map(int, "1 2".split())))
""",
    r"""
n = 0
def f(k):
    try:
        return [1][k]
    except (IndexError, TypeError):
        global n
        n += 1
        return "missing"
print(f(0), f(3), f("a"), n)
""",
    r"""
def outer():
    count = 0
    def g(text):
        try:
            return int(text)
        except (ValueError, TypeError) as e:
            nonlocal count
            count += 1
            return type(e).__name__
    return g("x"), g(None), g("3"), count
print(outer())
""",
    r"""
x = 12345678.9
print("{:,.0e}|{:,g}|{:,.0%}|{:,%}|{:+,.1%}".format(12345.0, 1e10, 12345.678, -12345.678, 99.5))
print(f"{x:,.0e} {x:,g} {x:,.0%} {x:>20,.0%} {x:,.3e} {x:,.0f} {x:,.1f} {-x:,.10g} {x:,G}")
for spec in ("x", "b"):
    try:
        print(f"{1234567:,x}" if spec == "x" else "{:,b}".format(1234567))
    except ValueError as e:
        print(e)
""",
    r"""
from functools import lru_cache
@lru_cache(maxsize=None)
def f(n: int) -> int:
    return n
print(f(1), f(True), f(2 > 1))
""",
    r"""
it = iter("abcdefgh")
class A:
    own = iter([1, 2, 3])
    next_own = own.__next__
    first = next_own()
    next_letter = it.__next__
    def letter(self):
        return self.next_letter()
A.other = it.__next__
print(A.first, A.next_own(), A().letter(), A().other(), A.other())
""",
]


def printed(program, text):
    """What CPython makes of a program: exit code and output."""
    done = subprocess.run([sys.executable, "-c", program], input=text, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout


@pytest.mark.parametrize("program", PROGRAMS)
def test_preparation_keeps_what_a_program_prints(program):
    text, rewrites = for_codon(program)
    assert (text == program) == (not rewrites)
    for given in INPUTS if rewrites else []:
        assert printed(text, given) == printed(program, given)


@pytest.mark.parametrize(
    "program",
    [
        "x = 1\nx = 'a'\nprint(globals()['x'])\n",
        "x = 1\nx = 'a'\nexec('print(x)')\n",
        "from os import *\nx = 1\nx = 'a'\n",
        "import inspect\nx = 1\nx = 'a'\n",
        "def map(f, xs):\n    return 1, 2\na, b = map(int, 'x')\n",
        "pair = (1, 2)\nprint('%s %s' % pair)\n",
        "tuple = list\ndef show(x):\n    print('%s' % x)\nshow((1, 2))\n",
        "class T(tuple):\n    def __len__(self):\n        return 1\ndef f(x):\n    print('%s' % x)\nf(T((1, 2)))\n",
        "import sys\nsys.setrecursionlimit(int(input()))\n",
        "x = 1\n" * 60000,
    ],
    ids=lambda program: program[:30],
)
def test_where_the_meaning_is_not_certain_nothing_is_rewritten(program):
    assert for_codon(program) == (program, [])


def test_names_that_rewrites_invent_are_free_in_every_scope():
    taken = "try:\n    pass\nexcept ValueError as next_line:\n    system = 1\n"
    text, _ = for_codon("import sys\n" + taken + "print(sys.stdin.readline())\n")
    assert "def next_line_1(" in text and "import sys as system_1" in text
