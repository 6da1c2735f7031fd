"""Programs whose verdict depends on how the two processes of the Python runner exchange values."""

import pytest

from tests.support.python_verdicts import compare, ours, python_runner

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
    "view into an array of numpy": (
        "x[:] = 7",
        "import numpy as np\na = np.zeros(4)\nf(a[::2])\nassert a.tolist() == [7, 0, 7, 0]",
    ),
}
# Replies with changes that no honest program sends.
FORGED = {
    "change of a number": "('value', None, [(1, [5])], '')",
    "other kind of content": "('value', None, [(2, [5])], '')",
    "unknown class": "('value', ('holder', 0, ('os', 'environ'), 'a'), [], '')",
}


@pytest.fixture(scope="module")
def runner(tmp_path_factory):
    """A runner of Python programs."""
    return python_runner(tmp_path_factory.mktemp("shared"))


@pytest.mark.parametrize("cases", [CHANGES], ids=["changes"])
def test_values_of_both_sides_behave_as_in_one_process(runner, tmp_path, cases):
    others, _ = compare(runner, tmp_path, cases)
    assert not others


@pytest.mark.parametrize("reply", FORGED.values(), ids=FORGED)
def test_forged_replies_end_the_exchange(runner, reply):
    body = (
        f"import os, marshal\ndata = marshal.dumps({reply})\ndata = len(data).to_bytes(8, 'big') + data\n"
        "for fd in range(3, 64):\n    try: os.write(fd, data)\n    except OSError: pass\nreturn 0"
    )
    tests = "from fractions import Fraction\nfrom collections import UserList\nf([Fraction(1, 2), UserList()])"
    verdict = ours(runner, body, tests)
    assert (verdict.status, verdict.detail) == ("runtime_error", "ended")
