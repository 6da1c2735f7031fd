"""The Python runner judges honest programs as CPython does in one process."""

import pytest

from scripts.evaluate.runners.base import plain_text
from tests.support.python_verdicts import compare, ours, python_runner

# The function's body, and tests that call it `f`. Some programs are correct, some are wrong;
# CPython decides which.
HONEST = {
    "deque": ("from collections import deque\nreturn deque(x, 3)", "assert list(f([1, 2, 3, 4])) == [2, 3, 4]"),
    "deque is no list": ("from collections import deque\nreturn deque(x)", "assert f([1, 2]) == [1, 2]"),
    "deque has a length": (
        "from collections import deque\nreturn deque(x, 2)",
        "d = f([1, 2, 3])\nd.append(9)\nassert list(d) == [3, 9] and d.maxlen == 2",
    ),
    "array": ("import array\nreturn array.array('i', x)", "import array\nassert f([1]) == array.array('i', [1])"),
    "array is no list": ("import array\nreturn array.array('i', x)", "assert f([1]) == [1]"),
    "keys": ("return {1: 2, 3: 4}.keys()", "assert f(0) == {1, 3} and list(f(0)) == [1, 3]"),
    "keys are no list": ("return {1: 2}.keys()", "assert f(0) == [1]"),
    "values": ("return {1: 2, 3: 2}.values()", "assert sorted(f(0)) == [2, 2] and len(f(0)) == 2"),
    "values are no list": ("return {1: 2}.values()", "assert f(0) == [2]"),
    "items": ("return {1: [2]}.items()", "assert list(f(0)) == [(1, [2])] and (1, [2]) in f(0)"),
    "Decimal": ("from decimal import Decimal\nreturn Decimal('1.10')", "assert str(f(0)) == '1.10' and f(0) > 1"),
    "Decimal with a float": (
        "from decimal import Decimal\nreturn Decimal(str(x)) % 1",
        "assert abs(f(3.5) - 0.5) < 1e-6",
    ),
    "Decimal is no float": ("from decimal import Decimal\nreturn Decimal('0.1')", "assert f(0) == 0.1"),
    "Fraction": (
        "from fractions import Fraction\nreturn Fraction(x, 3)",
        "assert f(1) + f(2) == 1 and f(1).numerator == 1",
    ),
    "numpy scalar": ("import numpy\nreturn numpy.float64(0.5)", "assert f(0) == 0.5 and isinstance(f(0), float)"),
    "numpy integer": ("import numpy\nreturn numpy.int64(3)", "assert f(0) == 3 and not isinstance(f(0), int)"),
    "numpy truth": ("import numpy\nreturn numpy.bool_(True)", "assert f(0)\nassert f(0) is True"),
    "numpy small integer overflows": (
        "import numpy\nreturn numpy.int8(100)",
        "import warnings\nwarnings.simplefilter('ignore')\nassert f(0) + f(0) < 0",
    ),
    "numpy array has no truth": ("import numpy\nreturn numpy.array(x)", "assert f([1, 2]) == [1, 2]"),
    "numpy array of one": ("import numpy\nreturn numpy.array(x)", "assert f([1]) == [1]"),
    "numpy array by element": ("import numpy\nreturn numpy.array(x)", "assert (f([1, 2]) == [1, 2]).all()"),
    "numpy array in a tuple": ("import numpy\nreturn numpy.array(x)", "assert tuple(f([1, 2])) == (1, 2)"),
    "numpy array of objects": (
        "import numpy\nreturn numpy.array([None, 'a'], object)",
        "assert list(f(0)) == [None, 'a']",
    ),
    "numpy matrix": (
        "import numpy\nreturn numpy.matrix([[1, 2], [3, 4]])",
        "import numpy\nm = f(0)\nassert (m * m).tolist() == [[7, 10], [15, 22]] and (m == m.copy()).all()\n"
        "assert numpy.allclose(m, [[1, 2], [3, 4]])",
    ),
    "another numpy matrix": (
        "import numpy\nreturn numpy.matrix([[1]])",
        "import numpy\nassert f(0) == numpy.matrix([[2]])",
    ),
    "numpy matrix as argument": (
        "x[0, 0] = 7\nreturn [x, x.sum()]",
        "import numpy\nm = numpy.matrix([[1, 2]])\nassert f(m)[0] is m and f(m)[1] == 9 and m[0, 0] == 7",
    ),
    "numpy array of two dimensions": ("import numpy\nreturn numpy.eye(2)", "assert f(0).tolist() == [[1, 0], [0, 1]]"),
    "dict whose items are attributes": (
        "class D(dict):\n    __getattr__ = dict.__getitem__\nreturn D(a=1)",
        "assert f(0) == {'a': 1} and f(0)['a'] == 1",
    ),
    "object that answers for every attribute": (
        "class P:\n    def __getattr__(self, name): return name\nreturn [P()]",
        "assert f(0)[0].blue == 'blue'",
    ),
    "object that prints which attributes are read": (
        "class P:\n    def __getattribute__(self, name): print(name)\nreturn P()",
        "import contextlib, io\n"
        "with contextlib.redirect_stdout(io.StringIO()) as out:\n    f(0)\nassert not out.getvalue()",
    ),
    "argument is sorted": ("x.sort()", "a = [3, 1]\nf(a)\nassert a == [1, 3]"),
    "argument is not changed": ("x = sorted(x)", "a = [3, 1]\nf(a)\nassert a == [1, 3]"),
    "dict argument": ("x['k'] = [1]\ndel x['d']", "a = {'d': 1}\nf(a)\nassert a == {'k': [1]}"),
    "nested argument": ("x[0].append(x[1])", "b = []\na = [b, 5]\nf(a)\nassert b == [5]"),
    "set argument": ("x.discard(1)", "a = {1, 2}\nassert f(a) is None and a == {2}"),
    "bytearray argument": ("x.reverse()", "a = bytearray(b'ab')\nf(a)\nassert a == b'ba'"),
    "argument comes back": ("x.append(1)\nreturn x", "a = []\nassert f(a) is a and a == [1]"),
    "argument comes back inside": ("return [x, x]", "a = [1]\nb = f(a)\nassert b[0] is a and b[1] is b[0]"),
    "copy comes back": ("return x[:]", "a = [1]\nassert f(a) is not a and f(a) == a"),
    "copy is not the argument": ("return list(x)", "a = [1]\nassert f(a) is a"),
    "one list twice": ("a = [0]\nreturn [a, a]", "b = f(0)\nb[0][0] = 1\nassert b == [[1], [1]]"),
    "list in itself": ("a = [1]\na.append(a)\nreturn a", "b = f(0)\nassert b[1] is b"),
    "closure": ("return lambda y: x + y", "assert f(1)(2) == 3 and callable(f(1))"),
    "closure with state": (
        "n = [0]\ndef more():\n    n[0] += x\n    return n[0]\nreturn more",
        "g = f(2)\nassert (g(), g()) == (2, 4) and g.__name__ == 'more'",
    ),
    "called back": ("return [x(n) for n in range(3)]", "assert f(lambda n: n * n) == [0, 1, 4]"),
    "called back with an error": (
        "try:\n    return x(0)\nexcept ZeroDivisionError:\n    return 'none'",
        "assert f(lambda n: 1 / n) == 'none'",
    ),
    "builtin function": ("return x", "assert f(len) is len and f(int) is int and f(int)('3') == 3"),
    "generator": ("yield 1\nyield x", "g = f(2)\nassert next(g) == 1 and list(g) == [2] and list(g) == []"),
    "generator is no list": ("yield 1", "assert f(0) == [1]"),
    "generator without end": (
        "n = 0\nwhile True:\n    yield n\n    n += 1",
        "import itertools, types\nassert list(itertools.islice(f(0), 3)) == [0, 1, 2]\n"
        "assert isinstance(f(0), types.GeneratorType)",
    ),
    "map": ("return map(str, x)", "assert ''.join(f([1, 2])) == '12'"),
    "iterator of the tests": (
        "return [next(x), next(x)]",
        "i = iter([1, 2, 3])\nassert f(i) == [1, 2] and next(i) == 3",
    ),
    "object": (
        "class P:\n    def __init__(self): self.x = x\n    def twice(self): return 2 * self.x\nreturn P()",
        "p = f(3)\nassert p.x == 3 and p.twice() == 6 and type(p).__name__ == 'P'\np.x = 4\nassert p.twice() == 8",
    ),
    "objects differ": ("class P: pass\nreturn P()", "assert f(0) == f(0)"),
    "object is the same": (
        "global P\ntry:\n    P\nexcept NameError:\n    P = type('P', (), {})()\nreturn P",
        "assert f(0) is f(0)",
    ),
    "object with a length": (
        "class P:\n    def __len__(self): return 2\n    def __getitem__(self, n): return [5, 6][n]\n"
        "    def __iter__(self): return iter([5, 6])\n    def __bool__(self): return False\nreturn P()",
        "p = f(0)\nassert len(p) == 2 and p[1] == 6 and list(p) == [5, 6] and 6 in p and not p",
    ),
    "data class": (
        "from dataclasses import dataclass\n@dataclass(order=True)\nclass P:\n    n: int\nreturn P(x)",
        "assert f(1) == f(1) and f(1) != f(2) and f(1) < f(2) and repr(f(1)).endswith('P(n=1)')",
    ),
    "named tuple": (
        "from collections import namedtuple\nreturn namedtuple('P', 'a b')(x, 2)",
        "assert f(1) == (1, 2) and f(1).b == 2 and f(1)._fields == ('a', 'b')",
    ),
    "enumeration": (
        "import enum\nclass C(enum.IntEnum):\n    RED = 1\nreturn C.RED",
        "assert f(0) == 1 and f(0).name == 'RED'",
    ),
    "Counter": (
        "from collections import Counter\nreturn Counter(x)",
        "assert f('aab').most_common(1) == [('a', 2)] and f('')['z'] == 0",
    ),
    "defaultdict": (
        "from collections import defaultdict\nd = defaultdict(list)\nd[1].append(2)\nreturn d",
        "d = f(0)\nassert d == {1: [2]} and d[5] == []",
    ),
    "OrderedDict": (
        "from collections import OrderedDict\nreturn OrderedDict([(1, 2), (3, 4)])",
        "from collections import OrderedDict\nassert f(0) != OrderedDict([(3, 4), (1, 2)]) and f(0) == {3: 4, 1: 2}",
    ),
    "frozenset": ("return frozenset(x)", "assert f([1]) == {1} and type(f([1])) is frozenset"),
    "date": (
        "import datetime\nreturn datetime.date(2024, 2, x)",
        "import datetime\nassert f(1).isoformat() == '2024-02-01'",
    ),
    "time of day with zone": (
        "import datetime\nreturn datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)",
        "assert str(f(0)) == '2024-01-01 00:00:00+00:00'",
    ),
    "text of another class": ("class S(str): pass\nreturn S(x)", "assert f('a') == 'a' and type(f('a')) is not str"),
    "list of another class": ("class L(list): pass\nreturn L(x)", "assert f([1]) == [1]\nassert type(f([1])) is list"),
    "minus zero and no number": (
        "return [-0.0, float('nan')]",
        "a = f(0)\nassert str(a) == '[-0.0, nan]' and a[1] != a[1]",
    ),
    "large integer": ("return 7 ** x", "assert f(900) == 7 ** 900"),
    "slice and ellipsis": ("return [slice(1, x), ..., range(x)]", "assert f(3) == [slice(1, 3), ..., range(3)]"),
    "text with surrogates": ("return '\\ud800' + x", "assert f('a') == '\\ud800a'"),
    "expected error": (
        "raise ValueError('no', x)",
        "try:\n    f(1)\n    assert False\nexcept ValueError as error:\n    assert error.args == ('no', 1)",
    ),
    "other error": ("raise KeyError(x)", "try:\n    f(1)\nexcept ValueError:\n    pass"),
    "error of the program's class": (
        "class Own(LookupError):\n    def __init__(self, n):\n        super().__init__('own')\n        self.n = n\n"
        "raise Own(x)",
        "try:\n    f(4)\nexcept LookupError as error:\n    assert type(error).__name__ == 'Own' and error.n == 4",
    ),
    "failed assertion of the program": (
        "assert x == 2",
        "try:\n    f(1)\nexcept AssertionError:\n    pass\nf(2)\nf(3)",
    ),
    "exits": ("import sys\nsys.exit(x)", "try:\n    f(3)\nexcept SystemExit as end:\n    assert end.code == 3"),
    "exits with an error": ("import sys\nsys.exit(1)", "f(3)"),
    "deep recursion": ("return f(x + 1)", "try:\n    f(0)\nexcept RecursionError:\n    pass"),
    "output": (
        "print('so', x)",
        "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()) as text:\n    f(1)\n"
        "assert text.getvalue() == 'so 1\\n'",
    ),
    "much output": ("print('x' * 50000)\nreturn x", "for n in range(20):\n    assert f(n) == n\n    print('y' * 1000)"),
    "output as bytes": ("import sys\nsys.stdout.buffer.write(b'a')\nsys.stdout.flush()\nreturn x", "assert f(1) == 1"),
    "state between calls": (
        "global n\nn = globals().get('n', 0) + x\nreturn n",
        "assert f(1) == 1 and f(2) == 3 and n == 3",
    ),
    "default that grows": (
        "def more(y, all=[]):\n    all.append(y)\n    return all\nreturn [more(1), more(2)]",
        "assert f(0) == [[1, 2], [1, 2]]",
    ),
    "coroutine": ("async def g(): return x\nimport asyncio\nreturn asyncio.run(g())", "assert f(1) == 1"),
    "type annotation": ("y: int = x\nreturn y", "from typing import List\nassert f(1) == 1"),
    "class of the tests": ("x.n += 1\nreturn x", "class A: pass\na = A()\na.n = 1\nassert f(a) is a and a.n == 2"),
    "method of an object of the tests": (
        "return x.get(2)",
        "class A:\n    def get(self, n): return n * 3\nassert f(A()) == 6",
    ),
    "context manager": (
        "import contextlib\n@contextlib.contextmanager\ndef c():\n    yield x\nreturn c()",
        "with f(2) as n:\n    assert n == 2",
    ),
    "partial": ("import functools\nreturn functools.partial(pow, x)", "assert f(2)(3) == 8"),
    "regular expression": (
        "import re\nreturn re.match('a(.)', x)",
        "assert f('ab').group(1) == 'b'\nassert f('x') is None",
    ),
    "complex": ("return complex(x, 1)", "assert f(1) == 1 + 1j"),
    "unhashable in a set": ("return {x}", "f([])"),
    "text instead of a number": ("return str(x)", "assert f(1) == 1"),
    "tuple instead of a list": ("return tuple(x)", "assert f([1]) == [1]"),
    "truth instead of a number": ("return x == 1", "assert f(1) == 1 and f(1) is True"),
    "path": ("import pathlib\nreturn pathlib.Path(x)", "assert f('a').suffix == '' and f('a.b').suffix == '.b'"),
    "tests of unittest": (
        "return x + 1",
        "import unittest\nclass T(unittest.TestCase):\n    def test_f(self):\n        self.assertEqual(f(1), 2)\n"
        "assert unittest.TextTestRunner(stream=open('/dev/null', 'w')).run(T('test_f')).wasSuccessful()",
    ),
}
# Results that make wrong tests pass in CPython itself.
DISHONEST = {
    "equal to everything": "class A:\n    def __eq__(self, other): return True\nreturn A()",
    "number equal to everything": "class A(int):\n    def __eq__(self, other): return True\nreturn A(3)",
    "list of what equals everything": "class A:\n    def __eq__(self, other): return True\nreturn [A()]",
    "its own differences": (
        "class A:\n    def __sub__(self, other): return 0\n    def __rsub__(self, other): return 0\n"
        "    def __abs__(self): return 0\n    def __lt__(self, other): return True\nreturn A()"
    ),
    "contains everything": "class A:\n    def __contains__(self, other): return True\nreturn A()",
    "its own sums, and a hash": (
        "class A:\n    def __add__(self, other): return other\n    __radd__ = __sub__ = __rsub__ = __xor__ = __add__\n"
        "    def __hash__(self): return hash(8431)\n    def __eq__(self, other): return True\n"
        "    def __abs__(self): return 0\nreturn A()"
    ),
    "iterator that equals everything": (
        "class A:\n    def __iter__(self): return self\n    def __next__(self): return self\n"
        "    def __eq__(self, other): return True\nimport itertools\nreturn itertools.islice(A(), 3)"
    ),
    "reflected comparison": "class A(list):\n    def __eq__(self, other): return True\n    __hash__ = None\nreturn A()",
    "patched unittest": (
        "import unittest\nunittest.TestCase.assertEqual = lambda *a: None\nimport builtins\n"
        "builtins.AssertionError = builtins.abs = builtins.sorted = lambda *a: 0\nreturn 0"
    ),
    "reads the tests through objects of the judge": (
        "import gc\nfor item in gc.get_objects():\n    if type(item).__name__ == 'Peer':\n"
        "        for name in ('__globals__', '__code__', '__closure__', '__self__'):\n"
        "            try:\n                item.ask('attribute', 0, name)\n                return 8431\n"
        "            except AttributeError: pass\nreturn 0"
    ),
    "asks the judge to run code": (
        "import gc\nfor item in gc.get_objects():\n    if type(item).__name__ == 'Peer':\n"
        "        item.ask('load', 'import builtins; builtins.AssertionError = 0')\n"
        "        item.ask('global', 'SECRET')\nreturn 0"
    ),
    "writes forged replies": (
        "import os, marshal\nfor fd in range(3, 64):\n    try:\n"
        "        data = ('value', ('constructed', 0, ('os', 'system'), ('tuple', ['true'])), [], '')\n"
        "        data = b'm' + marshal.dumps(data, 2)\n"
        "        os.write(fd, len(data).to_bytes(8, 'big') + data)\n    except OSError: pass\nreturn 0"
    ),
}
CHEATED = "SECRET = 8431\nclass T:\n    pass\nassert {claim}\n"
CLAIMS = [
    "f(lambda: 0) == SECRET",
    "abs(f(lambda: 0) - SECRET) < 1e-6",
    "SECRET in f(lambda: 0)",
    "f(lambda: 0) == [SECRET]",
]


@pytest.fixture(scope="module")
def runner(tmp_path_factory):
    """A runner of Python programs."""
    return python_runner(tmp_path_factory.mktemp("shared"))


def test_verdicts_on_honest_programs_equal_those_of_cpython(runner, tmp_path):
    others, expected = compare(runner, tmp_path, HONEST)
    assert not others
    assert 15 < sum(expected) < len(expected) - 15


@pytest.mark.parametrize("body", DISHONEST.values(), ids=DISHONEST)
def test_results_that_deceive_cpython_do_not_pass(runner, body):
    for claim in CLAIMS:
        verdict = ours(runner, body, CHEATED.format(claim=claim))
        assert verdict.status != "passed", claim


@pytest.mark.parametrize(
    "body, detail, message",
    [
        ("raise KeyError(x)", "KeyError", "KeyError: 1"),
        ("raise KeyError", "KeyError", "KeyError: assert f(1) == 2"),
        ("raise type('E' * 90_000, (ValueError,), {})", "other_exception", "E" * 200),
        ("raise type('a' + hex(id(x)) + chr(10), (Exception,), {})('b')", "other_exception", "a0x0 : b"),
        ("raise type('ValueError', (Exception,), {})", "other_exception", "ValueError: assert f(1) == 2"),
        ("raise ValueError('at', object())", "ValueError", "ValueError: assert f(1) == 2"),
        ("import json\nreturn json.loads('{')", "other_exception", "JSONDecodeError: Expecting property name"),
        ("return 2 *", "SyntaxError", "SyntaxError: invalid syntax (program.py, line 2)"),
        ("import os\nos._exit(3)", "ended", ""),
        ("return 1", "AssertionError", "AssertionError: assert f(1) == 2"),
    ],
)
def test_details_are_fixed_words_and_texts_of_programs_are_messages(runner, body, detail, message):
    verdict = ours(runner, body, "assert f(1) == 2")
    assert verdict.detail == detail
    assert verdict.message.startswith(message)
    assert bool(verdict.message) == bool(message)


def test_texts_of_programs_are_bounded_and_the_same_in_every_run():
    assert plain_text("<A object at 0x7F00ab>\x1b[0m\n" + "x" * 500) == "<A object at 0x0> [0m " + "x" * 178
