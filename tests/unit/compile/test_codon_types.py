"""Annotations that preparation adds for Codon: what they say, where they stay away, and that CPython ignores them."""

import subprocess
import sys

import pytest

from scripts.compile.prepare import for_codon
from tests.support.cpu_time import assert_linear

LINKED = """
class Node:
    def __init__(self, data):
        self.data = data
        self.next = None
class Stack:
    def __init__(self):
        self.head = None
        self.seen = {}
    def push(self, data):
        node = Node(data)
        node.next = self.head
        self.head = node
        self.seen[data] = [data]
stack = Stack()
stack.push(1)
stack.push(2)
print(stack.head.data, stack.head.next.data, stack.seen, stack.head == stack.head.next, stack.head.next == None)
"""
TREE = """
class Node:
    def __init__(self, key, left, right):
        self.key = key
        self.left = left
        self.right = right
def make(depth):
    if depth == 0:
        return Node(None, None, None)
    return Node(depth, make(depth - 1), make(0))
root = make(2)
print(root.key, root.left.key, root.left.left.key, root.right.right)
"""
LOCAL = """
def best(values):
    found = None
    for value in values:
        if found is None or value > found:
            found = value
    return found
print(best([1, 3, 2]), best([]))
"""
PARAMETER = """
def gather(values, into=None):
    into = into or []
    into.append(len(values))
    return into
print(gather("ab"), gather("abc", [1]))
"""
REMEMBERED = """
from functools import lru_cache
@lru_cache(maxsize=None)
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
print(fib(30))
"""
MEMO = """
def fib(n, memo={}):
    if n not in memo:
        memo[n] = n if n < 2 else fib(n - 1, memo) + fib(n - 2, memo)
    return memo[n]
print(fib(30), fib(3))
"""
CACHED = """
import functools
@functools.cache
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
@functools.lru_cache(None)
def ways(n: int, k: int) -> int:
    return 1 if n == 0 else 0 if n < 0 or k == 0 else ways(n - k, k) + ways(n, k - 1)
print(fib(30), ways(20, 20), functools.reduce(lambda a, b: a + b, [1, 2]))
"""
ANNOTATED = """
from __future__ import annotations
class Point:
    def __init__(self, x: int) -> None:
        self.x = x
    def add(self, other: Point) -> Point:
        return Point(self.x + other.x)
print(Point(1).add(Point(2)).x)
"""
GENERATED = """
def count(start):
    while True:
        start += 1
        yield start
class Held:
    def __init__(self):
        self.items = []
    def put(self, item):
        self.items.append(item)
held, numbers = Held(), count(3)
held.put(next(numbers))
print(held.items)
"""
RAISED = """
def check(n):
    if n:
        raise ValueError
    raise KeyError from None
for n in range(2):
    try:
        check(n)
    except ValueError:
        print("value")
    except KeyError:
        print("key")
"""
TEXTS = """
print((1 < 2).__str__().lower(), str(3).__len__(), [1].copy().__repr__())
"""
TYPED = {
    "linked": (LINKED, ["next: Optional[Node]", "head: Optional[Node]", "seen: dict[int, list[int]]", " is stack"]),
    "tree": (TREE, ["key: Optional[int]", "left: Optional[Node]", "def __init__(self, key: Optional[int]"]),
    "local": (LOCAL, ["found: Optional[int] = None"]),
    "parameter": (PARAMETER, ["into: Optional[list[int]]=None", "if not into:", "into = list[int]()"]),
    "remembered": (REMEMBERED, ["fib_results = dict[int, int]()"]),
    "remembered by the module": (
        REMEMBERED.replace("from functools import lru_cache", "import functools").replace("@lru", "@functools.lru"),
        ["fib_results = dict[int, int]()"],
    ),
    "remembered by cache": (CACHED, ["fib_results = dict[int, int]()"]),
    "remembered in a default": (MEMO, ["fib_memo = {}", "fib(n - 1) + fib(n - 2)"]),
    "annotated": (ANNOTATED, ["x: int\n"]),
    "generated": (GENERATED, ["items: list[int]"]),
    "raised": (RAISED, ["raise ValueError()", "raise KeyError()\n"]),
    "texts": (TEXTS, ["str(1 < 2).lower()", "len(str(3))", "repr([1].copy())"]),
}
START = "class A:\n    def __init__(self):\n        self.x = None\n        self.y = []\n"
UNCERTAIN = {
    "a field of two types": START + "a = A()\na.x = 1\na.x = 'b'\na.y.append(1)\n",
    "an int and a float": START + "a = A()\na.x = 1\na.x = 1.5\na.y.append(1)\n",
    "a bool and an int": START + "a = A()\na.x = True\na.x = 1\na.y.append(1)\n",
    "nothing shows the type": START + "a = A()\na.x = 1\n",
    "a value of unknown origin": START + "import json\na = A()\na.x = json.loads('1')\na.y.append(1)\n",
    "set by its name": START + "a = A()\na.x = 1\na.y.append(1)\nsetattr(a, 'x', 'b')\n",
    "set through an unknown object": START
    + "a = A()\na.x = 1\na.y.append(1)\nfor b in map(lambda c: c, [a]):\n    b.x = 'z'\n",
    "changed through a parameter of an unknown function": START
    + "import copy\na = A()\na.x = 1\na.y.append(1)\ncopy.copy(a.y).append('z')\n(lambda v: v.append('z'))(a.y)\n",
    "a class that is inherited": START + "class B(A):\n    pass\na = B()\na.x = 1\na.y.append(1)\n",
    "a class that inherits": "class Z:\n    pass\n"
    + START.replace("A:", "A(Z):")
    + "a = A()\na.x = 1\na.y.append(1)\n",
    "a class with a decorator": "def d(c):\n    return c\n@d\n" + START + "a = A()\na.x = 1\na.y.append(1)\n",
    "a class of two definitions": START + START + "a = A()\na.x = 1\na.y.append(1)\n",
    "an attribute of the class": START + "A.x = 3\na = A()\na.x = 1\na.y.append(1)\n",
    "a field set elsewhere": START + "a = A()\na.x = 1\na.z = 2\na.y.append(1)\n",
    "a field named as a method": START + "    def z(self):\n        self.z = 1\na = A()\na.x = 1\na.y.append(1)\n",
    "another Optional": "Optional = 3\n" + START + "a = A()\na.x = 1\na.y.append(1)\n",
    "another list": "def list(x):\n    return x\n" + START + "a = A()\na.x = 1\na.y.append(1)\n",
    "a class that comes later": "class A:\n    def __init__(self):\n        self.x = None\n    def f(self):\n"
    "        self.x = B()\n"
    "class B:\n    def __init__(self):\n        self.n = None\n    def g(self):\n        self.n = A()\nB().g()\n",
    "truth by length": "class L:\n    def __init__(self):\n        self.items = 3\n    def __len__(self):\n"
    "        return 0\n"
    "class A:\n    def __init__(self):\n        self.x = None\na = A()\na.x = L()\nprint(bool(a.x))\n",
    "a local that is read before": "def f(n):\n    if n:\n        x = 1\n    x = None\n    return x\nprint(f(1))\n",
    "a local of two types": "def f(n):\n    x = None\n    if n:\n        x = 1\n    else:\n        x = 'a'\n"
    "    return x\nprint(f(1))\n",
    "remembered floats and ints": "from functools import cache\n@cache\ndef f(n):\n    return n\nprint(f(1), f(1.5))\n",
    "a function that is passed on": "def f(x=None):\n    return x\nprint(list(map(f, [1])), f('a'))\n",
    "annotations that are looked up": "from __future__ import annotations\nimport os\ndef f(x: os.PathLike):\n"
    "    return 1\nprint(f(1))\n",
    "an unknown annotation": "from __future__ import annotations\ndef f(x: Missing):\n    return 1\nprint(f(1))\n",
    "a class annotated before it is": "from __future__ import annotations\ndef f(x: A):\n    return 1\n"
    "class A:\n    pass\nprint(f(1))\n",
    "a hidden exception": "ValueError = KeyError\ntry:\n    raise ValueError\nexcept KeyError:\n    print(1)\n",
    "the text method of a class": "print(int.__str__(3))\nclass A(int):\n    def f(self):\n"
    "        return super().__str__()\nprint(A(3).f())\n",
    "or of another name": "def f(a, b):\n    a = b or []\n    return a\nprint(f(1, 2))\n",
}


def printed(program):
    """What CPython prints of a program, and its exit code."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout


@pytest.mark.parametrize(("program", "texts"), TYPED.values(), ids=TYPED)
def test_empty_containers_get_the_type_that_the_program_shows(program, texts):
    text, _ = for_codon(program)
    assert [one for one in texts if one not in text] == []
    assert printed(text) == printed(program)
    assert printed(program)[0] == 0


@pytest.mark.parametrize("program", UNCERTAIN.values(), ids=UNCERTAIN)
def test_an_uncertain_type_is_not_annotated(program):
    text, rewrites = for_codon(program)
    assert [one for one in rewrites if not one.startswith(("retyped", "starred"))] == []
    assert printed(text) == printed(program)


HOSTILE = {
    "fields that hold each other": ("class A:\n    pass\n", "a{0} = A()\na{0}.x = a{1}\n"),
    "variables against the text": ("", "a{0} = a{1}.x\n"),
    "lists of lists": ("x0 = None\n", "x{1} = [x{0}]\n"),
    "functions that pass on": ("", "def f{0}(a=None):\n    return f{1}(a)\n"),
    "methods that call on": ("class C:\n", "    def m{0}(self, a=None):\n        return self.m{1}(a)\n"),
    "classes of classes": (
        "",
        "class C{1}:\n    def __init__(self):\n        self.p = None\n        self.q = C{0}()\n",
    ),
}


@pytest.mark.parametrize(("head", "part"), HOSTILE.values(), ids=HOSTILE)
def test_the_time_for_types_grows_with_the_text_and_not_with_its_square(head, part):
    assert_linear(for_codon, lambda n: head + "".join(part.format(number, number + 1) for number in range(n)), 400)


FORGETTING = {
    "a limit": "import functools\n@functools.lru_cache(maxsize=2)\n",
    "a limit by default": "import functools\n@functools.lru_cache\n",
    "a limit by default, with parentheses": "import functools\n@functools.lru_cache()\n",
    "types as keys": "import functools\n@functools.lru_cache(maxsize=None, typed=True)\n",
    "another cache": "import functools\nfunctools.cache = lambda f: lambda n: 0\n@functools.cache\n",
    "another cache, set by its name": "import functools\nsetattr(functools, 'cache', lambda f: lambda n: 0)\n"
    "@functools.cache\n",
    "another module": "class functools:\n    cache = staticmethod(lambda f: lambda n: 0)\n@functools.cache\n",
    "two decorators": "import functools\n@functools.cache\n@functools.cache\n",
}


@pytest.mark.parametrize("head", FORGETTING.values(), ids=FORGETTING)
def test_results_are_not_remembered_where_the_decorator_may_do_otherwise(head):
    program = head + "def f(n: int) -> int:\n    print('called', n)\n    return n + 1\nprint(f(1), f(1))\n"
    text, rewrites = for_codon(program)
    assert "remembered_results" not in str(rewrites)
    assert printed(text) == printed(program)


def test_results_are_not_remembered_where_the_program_asks_for_their_number():
    program = "import functools\n@functools.cache\ndef f(n: int) -> int:\n    return n\n"
    assert "remembered_results" not in str(for_codon(program + "print(f(1), f.cache_info().misses)\n")[1])


PASSED = {
    "another dictionary": "def f(n, memo={}):\n    memo[n] = n\n    return len(memo) if n < 1 else f(n - 1, {})\n",
    "by keyword": "def f(n, memo={}):\n    memo[n] = n\n    return len(memo) if n < 1 else f(n - 1, memo=memo)\n",
    "after a starred argument": "def f(n, memo={}):\n    memo[n] = n\n"
    "    return len(memo) if n < 1 else f(*[n - 1], memo)\n",
    "a variable of another function": "def f(n, memo={}):\n    memo[n] = n\n"
    "    return len(memo) if n < 1 else (lambda memo: f(n - 1, memo))({})\n",
    "a caller": "def f(n, memo={}):\n    memo[n] = n\n    return len(memo) if n < 1 else f(n - 1, memo)\n"
    "print(f(2, {}))\n",
}


@pytest.mark.parametrize("program", PASSED.values(), ids=PASSED)
def test_a_default_stays_if_a_call_may_pass_another_value(program):
    program += "print(f(3), f(1))\n"
    text, rewrites = for_codon(program)
    assert "memo_default" not in str(rewrites)
    assert printed(text) == printed(program)
