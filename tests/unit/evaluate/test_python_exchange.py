"""Programs whose verdict depends on how the two processes of the Python runner exchange values."""

import pytest

from tests.support.python_verdicts import compare, python_runner

# The function's body, and tests that call it `f`; CPython decides whether a case passes.
CHANGES = {
    "Counter": ("x['b'] += 2", "from collections import Counter\nc = Counter('a')\nf(c)\nassert c == {'a': 1, 'b': 2}"),
    "Counter in a list": (
        "x[0].update('bb')\nreturn x",
        "from collections import Counter\nassert f([Counter('a')]) == [{'a': 1, 'b': 2}]",
    ),
    "Counter is not changed": (
        "x = +x",
        "from collections import Counter\nc = Counter(a=-1)\nf(c)\nassert c['a'] == -1",
    ),
    "order of an OrderedDict": (
        "x.move_to_end('a')",
        "from collections import OrderedDict\nd = OrderedDict(a=1, b=2)\nf(d)\nassert list(d) == ['b', 'a']",
    ),
    "array": ("x.append(9)", "from array import array\na = array('i', [1])\nf(a)\nassert a.tolist() == [1, 9]"),
    "array of doubles": (
        "x[0] = -0.0",
        "from array import array\na = array('d', [0])\nf(a)\nassert str(a[0]) == '-0.0'",
    ),
    "UserList": ("x.append(2)", "from collections import UserList\na = UserList([1])\nf(a)\nassert list(a) == [1, 2]"),
    "UserDict": (
        "x['b'] = 2",
        "from collections import UserDict\na = UserDict(a=1)\nf(a)\nassert a == {'a': 1, 'b': 2}",
    ),
    "ChainMap": (
        "x['b'] = 2\nx.maps.append({'c': 3})",
        "from collections import ChainMap\nd = {'a': 1}\na = ChainMap(d)\nf(a)\n"
        "assert d == {'a': 1, 'b': 2} and a['c'] == 3",
    ),
    "UserList that shares a list": (
        "x.data[0].append(1)",
        "from collections import UserList\nb = []\nf(UserList([b]))\nassert b == [1]",
    ),
    "subclass of list": ("x.append(2)", "class L(list): pass\na = L([1])\nf(a)\nassert a == [1, 2] and type(a) is L"),
    "subclass of dict": ("x['b'] = 2", "class D(dict): pass\na = D(a=1)\nf(a)\nassert a == {'a': 1, 'b': 2}"),
    "subclass of set": ("x.discard(1)", "class S(set): pass\na = S([1, 2])\nf(a)\nassert a == {2}"),
    "large array of numpy": ("x[0] = 7", "import numpy as np\na = np.zeros(200_000)\nf(a)\nassert a[0] == 7"),
    "shape of an array of numpy": (
        "x.shape = (2, 2)\nx[1, 1] = 7",
        "import numpy as np\na = np.zeros(4)\nf(a)\nassert a.shape == (2, 2) and a[1, 1] == 7",
    ),
    "numpy array of lists": (
        "x[0] = [3]\nx[1].append(4)",
        "import numpy as np\na = np.empty(2, dtype=object)\na[0], a[1] = [1], [2]\nf(a)\n"
        "assert a.tolist() == [[3], [2, 4]]",
    ),
    "constant array of numpy": (
        "try:\n    x[0] = 1\nexcept ValueError:\n    return 'no'",
        "import numpy as np\na = np.zeros(2)\na.flags.writeable = False\nassert f(a) == 'no'",
    ),
    "view into an array of numpy": (
        "x[:] = 7",
        "import numpy as np\na = np.zeros(4)\nf(a[::2])\nassert a.tolist() == [7, 0, 7, 0]",
    ),
}
OWN = "global E, F\ntry:\n    E\nexcept NameError:\n    class E(Exception): pass\n    class F(E): pass\n"
ERRORS = {
    "library": (
        "import json\nreturn json.loads(x)",
        "import json\ntry:\n    f('{')\n    assert False\nexcept json.JSONDecodeError as error:\n"
        "    assert error.pos == 1 and 'property name' in str(error)",
    ),
    "library in C": (
        "from decimal import Decimal\nreturn Decimal(x)",
        "from decimal import InvalidOperation\ntry:\n    f('a')\n    assert False\nexcept InvalidOperation:\n    pass",
    ),
    "library by another name": (
        "from decimal import Decimal\nreturn Decimal(x)",
        "import json\ntry:\n    f('a')\nexcept json.JSONDecodeError:\n    pass",
    ),
    "library with a constructor": (
        "import subprocess\nraise subprocess.CalledProcessError(x, 'a')",
        "import subprocess\ntry:\n    f(3)\nexcept subprocess.CalledProcessError as e:\n    assert e.returncode == 3",
    ),
    "library that the tests do not import": (
        "import json\nreturn json.loads(x)",
        "try:\n    f('{')\nexcept ValueError as error:\n    assert type(error).__name__ == 'JSONDecodeError'",
    ),
    "library, handled by the program": (
        "import json\ntry:\n    return x('{')\nexcept json.JSONDecodeError:\n    return 1",
        "import json\nassert f(json.loads) == 1",
    ),
    "numpy": (
        "import numpy as np\nreturn np.linalg.inv(x)",
        "import numpy as np\ntry:\n    f(np.zeros((2, 2)))\nexcept np.linalg.LinAlgError:\n    pass",
    ),
    "own": (OWN + "if x: raise F('a')", "f(0)\ntry:\n    f(1)\nexcept F as e:\n    assert e.args == ('a',)"),
    "own, by its base": (OWN + "if x: raise F('a')", "f(0)\ntry:\n    f(1)\nexcept E as e:\n    assert type(e) is F"),
    "own, by its subclass": (OWN + "if x: raise E('a')", "f(0)\ntry:\n    f(1)\nexcept F:\n    pass"),
    "own, derived from the library's": (
        "import json\nclass E(json.JSONDecodeError): pass\nraise E('a', 'b', 0)",
        "import json\ntry:\n    f(0)\nexcept json.JSONDecodeError as e:\n    assert (e.doc, e.pos) == ('b', 0)",
    ),
    "own, with two bases": (
        "class M: pass\nclass E(M, ValueError, OSError): pass\nraise E('a')",
        "try:\n    f(0)\nexcept OSError as e:\n    assert isinstance(e, ValueError)",
    ),
    "own, with members": (
        "class E(Exception):\n    code = 4\n    def __init__(self, n):\n        self.n = n\n"
        "    def __str__(self): return f'no {self.n}'\n    def twice(self): return 2 * self.n\nraise E(x)",
        "try:\n    f(3)\nexcept Exception as e:\n    assert (str(e), e.code, e.twice(), e.n) == ('no 3', 4, 6, 3)\n"
        "    assert not hasattr(e, 'other')",
    ),
    "own, raised twice": (
        "global own\ntry:\n    own\nexcept NameError:\n    own = type('E', (Exception,), {'a': 1})()\nraise own",
        "all = []\nfor n in range(2):\n    try:\n        f(0)\n    except Exception as e:\n        all.append(e)\n"
        "assert all[0] is all[1] and all[0].a == 1",
    ),
    "own, raised by the tests": (
        OWN + "if x is None: return\ntry:\n    x()\nexcept E as e:\n    return type(e) is F and e.args",
        "f(None)\ndef fail(): raise F(5)\nassert f(fail) == (5,)",
    ),
    "own, made by the tests": (
        "global E\nclass E(Exception):\n    code = 4\n    def __init__(s, a, b=2): s.b = a + b",
        "f(0)\ne = E(1)\nassert e.b == 3 and E.code == 4 and isinstance(e, E)\n"
        "try:\n    raise E(0)\nexcept E:\n    pass",
    ),
    "of the tests, made by the program": (
        "class F(x): pass\ntry:\n    raise F(1, 2)\nexcept x:\n    raise x(1, 2)",
        "class E(Exception):\n    def __init__(s, a, b): s.b = b\ntry:\n    f(E)\nexcept E as e:\n    assert e.b == 2",
    ),
    "of the tests, not handled": (
        "return x()",
        "class E(Exception): pass\ndef fail(): raise E(5)\n"
        "try:\n    f(fail)\nexcept E as e:\n    assert e.args == (5,)",
    ),
    "returned": (
        "return [ValueError('a'), KeyError]",
        "a, b = f(0)\nassert isinstance(a, ValueError) and str(a) == 'a' and b is KeyError",
    ),
    "argument": ("raise x", "e = ValueError(1)\ntry:\n    f(e)\nexcept ValueError as error:\n    assert error is e"),
    "group": (
        "raise ExceptionGroup('a', [ValueError(1), ExceptionGroup('b', [KeyError(2)])])",
        "try:\n    f(0)\nexcept* ValueError as a:\n    assert a.exceptions[0].args == (1,)\n"
        "except* KeyError:\n    pass",
    ),
    "other group": ("raise ExceptionGroup('a', [KeyError(1)])", "try:\n    f(0)\nexcept* ValueError:\n    pass"),
    "cause": (
        "try:\n    1 / 0\nexcept ZeroDivisionError as e:\n    raise ValueError('a') from e",
        "try:\n    f(0)\nexcept ValueError as e:\n    assert isinstance(e.__cause__, ZeroDivisionError)",
    ),
    "file": (
        "return open(x)",
        "try:\n    f('/no')\nexcept FileNotFoundError as e:\n"
        "    assert (e.filename, e.errno, e.strerror) == ('/no', 2, 'No such file or directory')",
    ),
    "code": ("return b'\\xff'.decode()", "try:\n    f(0)\nexcept UnicodeDecodeError as e:\n    assert e.start == 0"),
    "exception that contains itself": (
        "e = ValueError()\ne.other = [e]\nraise e",
        "try:\n    f(0)\nexcept ValueError as e:\n    assert e.other[0] is e",
    ),
}
TIMES = {
    "zone by name": (
        "from zoneinfo import ZoneInfo\nfrom datetime import datetime\nreturn datetime(2020, 7, 1, tzinfo=ZoneInfo(x))",
        "t = f('Europe/Berlin')\nassert str(t) == '2020-07-01 00:00:00+02:00' and t.tzinfo.key == 'Europe/Berlin'",
    ),
    "zone of the program": (
        "from datetime import *\nclass Z(tzinfo):\n    def utcoffset(s, d): return timedelta(0)\n"
        "return [datetime(2020, 1, 1, tzinfo=Z()), time(1, tzinfo=Z())]",
        "a, b = f(0)\nassert a.year == 2020 and a.isoformat() == '2020-01-01T00:00:00+00:00' and b.hour == 1",
    ),
}
# Values of 980 levels, and the expression for the next level.
NESTED = {
    "dict": ("d = None\nfor i in range(980): d = {'v': i, 'n': d}\nreturn d", "d['n']"),
    "tuple": ("d = None\nfor i in range(980): d = (i, d)\nreturn d", "d[1]"),
    "list": ("d = None\nfor i in range(980): d = [d]\nreturn d", "d[0]"),
}
NESTING = {
    **{
        name: (body, f"d = f(0)\nn = 0\nwhile d:\n    n += 1\n    d = {inner}\nassert n == 980")
        for name, (body, inner) in NESTED.items()
    },
    "argument": (
        "n = 0\nwhile x:\n    n += 1\n    last, x = x, x[0]\nlast[0] = 5\nreturn n",
        "a = d = [None]\nfor i in range(899): d = [d]\nassert f(d) == 900 and a == [5]",
    ),
    "recursion of both sides": (
        "return x(x)",
        "import sys\ndef g(h): return f(g)\nfor i in range(5):\n    try:\n        f(g)\n    except RecursionError:\n"
        "        pass\n    assert sys.getrecursionlimit() == 1000",
    ),
    "limit of recursion": (
        "import sys\nreturn sys.getrecursionlimit()",
        "import sys\nlimit = sys.getrecursionlimit()\nassert limit == f(0) == sys.getrecursionlimit()",
    ),
}
NO_NUMBERS = {
    "the argument": ("return x", "n = float('nan')\nassert f(n) is n"),
    "in the argument": ("return sorted(x, key=str)", "n = float('nan')\nassert f([n, 1]) == [1, n]"),
    "in a changed argument": ("x.append(x[0])", "n = float('nan')\na = [n]\nf(a)\nassert a == [n, n]"),
    "another one": ("return [float('nan')]", "assert f(0) == [float('nan')]"),
    "the same one twice": ("n = float('nan')\nreturn [n, n]", "a = f(0)\nassert a[0] is a[1] and a.count(a[0]) == 2"),
    "two": ("return [float('nan'), float('nan')]", "a = f(0)\nassert a[0] is a[1]"),
    "complex": ("return [x]", "n = complex('nan')\nassert f(n) == [n]"),
    "of math": ("import math\nreturn [math.nan]", "import math\nassert f(0) == [math.nan]"),
    "of math for another one": ("import math\nreturn [math.nan]", "import math\nassert f(0) == [float('nan')]"),
    "another one for that of math": ("return [float('nan')]", "import math\nassert f(0) == [math.nan]"),
    "of numpy": ("import numpy as np\nreturn [np.nan]", "import numpy as np\nassert f(0) == [np.nan]"),
    "infinite": ("return [x, -x]", "n = float('inf')\nassert f(n) == [n, -n]"),
}
V = "class V:\n    def __init__(s, a): s.a = a\n    def __eq__(s, o): return s.a == o.a\n"
OBJECTS = {
    "send": ("y = yield 1\nyield y", "g = f(0)\nnext(g)\nassert g.send(5) == 5"),
    "throw": (
        "try:\n    yield 1\nexcept KeyError as e:\n    yield e.args",
        "g = f(0)\nnext(g)\nassert g.throw(KeyError(3)) == (3,)",
    ),
    "error within a context manager": (
        "import contextlib\n@contextlib.contextmanager\ndef c():\n    try:\n        yield 1\n    except KeyError:\n"
        "        pass\nreturn c()",
        "with f(0):\n    raise KeyError(1)",
    ),
    "result of a generator": (
        "yield 1\nreturn x",
        "g = f(4)\nnext(g)\ntry:\n    next(g)\nexcept StopIteration as end:\n    assert end.value == 4",
    ),
    "SimpleNamespace of the tests": (
        "x.b = x.a + 1",
        "from types import SimpleNamespace\nn = SimpleNamespace(a=1)\nf(n)\nassert n.b == 2",
    ),
    "own iterator": (
        "class I:\n    def __init__(s): s.n = 0\n    def __iter__(s): return s\n"
        "    def __next__(s):\n        s.n += 1\n        if s.n > x: raise StopIteration\n"
        "        return s.n\nreturn I()",
        "i = f(2)\nassert next(i) == 1 and i.n == 1 and list(i) == [2] and i.n == 3",
    ),
    "iterator is no generator": ("return map(str, [x])", "import types\nassert isinstance(f(0), types.GeneratorType)"),
    "file of the tests": (
        "return x.readline(), list(x), x.write('e')",
        "import io\nt = io.StringIO('a\\nb\\nc')\n"
        "assert f(t) == ('a\\n', ['b\\n', 'c'], 1) and t.getvalue()[-1] == 'e'",
    ),
    "file of the program": (
        "import io\nreturn io.StringIO(x)",
        "t = f('ab')\nassert t.read(1) == 'a' and t.getvalue() == 'ab'",
    ),
    "pattern of the tests": ("return x.match('ab').group(1)", "import re\nassert f(re.compile('a(.)')) == 'b'"),
    "field of an object of the tests": (
        "x._v += 1\nreturn x._v",
        "class N:\n    def __init__(s): s._v = 2\nn = N()\nassert f(n) == 3 and n._v == 3",
    ),
    "sum": (V + "    def __add__(s, o): return V(s.a + o.a)\nreturn V(x)", "assert f(1) + f(2) == f(3)"),
    "no sum": (V + "return V(x)", "try:\n    f(1) + f(2)\n    assert False\nexcept TypeError:\n    pass"),
    "hash": (V + "    def __hash__(s): return hash(s.a)\nreturn V(x)", "assert len({f(1), f(1), f(2)}) == 2"),
    "no hash": (V + "return V(x)", "try:\n    {f(1)}\n    assert False\nexcept TypeError:\n    pass"),
    "classes": (
        "import collections\nreturn type(None), collections.deque, int",
        "import collections\nassert f(0) == (type(None), collections.deque, int)",
    ),
    "base class": (
        "global A, B\nclass A: pass\nclass B(A): pass\nreturn B()",
        "b = f(0)\nassert isinstance(b, A) and isinstance(b, B) and issubclass(B, A)\nassert not isinstance(A(), B)",
    ),
    "class with its own members": (
        "global A\nclass A:\n    n = 3\n    def __init__(s, a): s.a = a\n"
        "    @staticmethod\n    def of(a): return A(2 * a)",
        "f(0)\na = A(1)\nassert a.a == 1 and A.n == 3 and A.of(2).a == 4 and type(a)(5).a == 5",
    ),
    "coroutine": ("async def g(): return x\nreturn g()", "import asyncio\nassert asyncio.run(f(3)) == 3"),
    "coroutines": (
        "import asyncio\nasync def g(y):\n    await asyncio.sleep(0)\n    return x + y\nreturn g",
        "import asyncio\nasync def main():\n    return await asyncio.gather(f(1)(2), f(3)(4))\n"
        "assert asyncio.run(main()) == [3, 7]",
    ),
    "coroutine that fails": (
        "async def g(): raise KeyError(x)\nreturn g()",
        "import asyncio\ntry:\n    asyncio.run(f(3))\n    assert False\nexcept KeyError:\n    pass",
    ),
    "text of a function": ("'about f'\nreturn x", "assert (f.__name__, f.__doc__) == ('f', 'about f')"),
}


@pytest.fixture(scope="module")
def runner(tmp_path_factory):
    """A runner of Python programs."""
    return python_runner(tmp_path_factory.mktemp("shared"))


@pytest.mark.parametrize(
    "cases",
    [CHANGES, ERRORS, TIMES, NESTING, NO_NUMBERS, OBJECTS],
    ids=["changes", "errors", "times", "nesting", "nan", "objects"],
)
def test_values_of_both_sides_behave_as_in_one_process(runner, tmp_path, cases):
    others, _ = compare(runner, tmp_path, cases)
    assert not others
