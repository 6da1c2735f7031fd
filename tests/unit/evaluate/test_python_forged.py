"""Messages, exceptions and values by which a Python program could pass without being correct."""

import pytest

from tests.support.python_verdicts import ours, python_runner

# Replies that no honest program sends.
FORGED = {
    "change of a number": "('value', None, [(1, [5])], '')",
    "other kind of content": "('value', None, [(2, [5])], '')",
    "error of no exception class": (
        "('error', ('error', 0, ('builtin', 'int'), None, 'a', {}, None, None, False), [], '')"
    ),
    "parts as a number": "('value', ('nan', 0, None, [8431]), [], '')",
    "object of a class of Python": "('value', ('mine', 99, 'object', 'A', (('builtin', 'int'), [])), [], '')",
    "class derived from one of Python": "('value', ('mine', 99, 'class', 'A', [('builtin', 'int')]), [], '')",
    "error that is none": "('error', 5, [], '')",
    "unknown class": "('value', ('holder', 0, ('os', 'environ'), 'a'), [], '')",
    "unknown constant": "('value', ('constant', ('os', 'environ')), [], '')",
    "object of the tests that is not lent": "('value', ('back', 0, 99, 'list', []), [], '')",
    "object of the tests of another class": "('value', ('back', 0, 0, 'list', ('list', 0, [])), [], '')",
    "object of the tests of no builtin class": "('value', ('back', 0, 0, 'object', None), [], '')",
    "copy of a class of Python": (
        "('value', ('child', 9, 'int', 8431, (99, 'object', 'A', (('builtin', 'int'), []))), [], '')"
    ),
    "array of objects": "('value', ('array', 0, 'O', [1], bytes(8), 'copy', 'C'), [], '')",
    "array of records of objects": "('value', ('array', 0, [('a', 'O')], [1], bytes(8), 'copy', 'C'), [], '')",
    "pattern of a number": "('value', ('pattern', 0, 8431, 0), [], '')",
}


@pytest.fixture(scope="module")
def runner(tmp_path_factory):
    """A runner of Python programs."""
    return python_runner(tmp_path_factory.mktemp("shared"))


@pytest.mark.parametrize("reply", FORGED.values(), ids=FORGED)
def test_forged_replies_end_the_exchange(runner, reply):
    body = (
        f"import os, marshal\ndata = b'm' + marshal.dumps({reply}, 2)\ndata = len(data).to_bytes(8, 'big') + data\n"
        "for fd in range(3, 64):\n    try: os.write(fd, data)\n    except OSError: pass\nreturn 0"
    )
    tests = "from fractions import Fraction\nfrom collections import UserList\nf([Fraction(1, 2), UserList()])"
    verdict = ours(runner, body, tests)
    assert (verdict.status, verdict.detail) == ("runtime_error", "ended")


# Bytes that are no message, as an expression.
NO_MESSAGES = {
    "code": "b'm' + marshal.dumps(('value', (lambda: 0).__code__, [], ''), 2)",
    "references": "b'm' + marshal.dumps(('value', ['a'] * 2, [], ''), 4)",
    "set": "b'm' + marshal.dumps(('value', {1}, [], ''), 2)",
    "dict": "b'm' + marshal.dumps(('value', {1: 2}, [], ''), 2)",
    "cut": "b'm' + marshal.dumps(('value', 'abc', [], ''), 2)[:-1]",
    "more": "b'm' + marshal.dumps(('value', 'abc', [], ''), 2) + b'c'",
    "long list": "b'm[' + bytes([255, 255, 255, 127])",
    "long text": "b'mu' + bytes([255, 255, 255, 127])",
    "number": "b'm' + marshal.dumps(5)",
    "no tuple": "b'm' + marshal.dumps(['value', 0, [], ''], 2)",
    "nothing": "b''",
    "other form": "b'x' + marshal.dumps(('value', 0, [], ''), 2)",
    "pickled class": "b'p' + pickle.dumps(('value', pickle.Pickler, [], ''))",
    "pickled call": "b'p' + b'cos\\nsystem\\n(Vtrue\\ntR.'",
    "pickled method of a class": "b'p' + pickle.dumps(('value', complex.conjugate, [], ''))",
    "pickled number": "b'p' + pickle.dumps(5)",
    "pickled nonsense": "b'p' + bytes(range(256))",
    "pickled value in itself": "b'p' + pickle.dumps(('value', loop, [], ''))",
}


@pytest.mark.parametrize("message", NO_MESSAGES.values(), ids=NO_MESSAGES)
def test_bytes_that_are_no_message_end_the_exchange(runner, message):
    body = (
        f"import os, marshal, pickle\nloop = []\nloop.append(loop)\ndata = {message}\n"
        "data = len(data).to_bytes(8, 'big') + data\n"
        "for fd in range(3, 64):\n    try: os.write(fd, data)\n    except OSError: pass\nreturn 0"
    )
    verdict = ours(runner, body, "try:\n    f(1)\nexcept Exception:\n    pass")
    assert (verdict.status, verdict.detail) == ("runtime_error", "ended")


def test_tests_that_expect_an_error_do_not_pass_when_the_program_ends(runner):
    tests = "try:\n    f(1)\n    assert False\nexcept Exception as error:\n    assert type(error) is not AssertionError"
    assert ours(runner, "raise ValueError", tests).status == "passed"
    verdict = ours(runner, "import os\nos._exit(1)", tests)
    assert (verdict.status, verdict.detail) == ("runtime_error", "ended")


def test_values_of_any_size_are_exchanged(runner):
    values = "[None, True, -1, 2 ** 70, -(2 ** 40000), 0.5, 1j, 'a\\ud800', b'\\xff', 'é' * 3, (), [[]]]"
    tests = f"for n in (1, 100, 5000):\n    x = {values} * n\n    y = f(x)\n    assert y is not x and y == x"
    assert ours(runner, "return [*x]", tests).status == "passed"
    assert ours(runner, "return [*x[1:]]", tests).status == "wrong"


def test_the_program_cannot_skip_a_test(runner):
    body = "import unittest\nraise unittest.SkipTest('a')"
    tests = (
        "import unittest\nclass T(unittest.TestCase):\n    def test_f(self):\n        self.assertEqual(f(1), 2)\n"
        "result = unittest.TestResult()\nT('test_f').run(result)\nassert result.wasSuccessful()"
    )
    assert ours(runner, body, tests).status != "passed"


def test_tests_do_not_pass_because_a_value_is_nested_too_deeply(runner):
    tests = "d = []\nfor i in range({levels}): d = [d]\ntry:\n    f(d)\nexcept (ValueError, TypeError):\n    pass"
    verdicts = [ours(runner, "raise ValueError(1)", tests.format(levels=levels)) for levels in (900, 1500, 100_000)]
    assert [verdict.status for verdict in verdicts] == ["passed", "runtime_error", "runtime_error"]
