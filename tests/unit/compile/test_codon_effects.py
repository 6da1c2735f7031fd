"""Effects and errors of programs that a prepared text must keep: when they happen, and their messages."""

import ast

import pytest

from scripts.compile.prepare import for_codon
from tests.unit.compile.test_codon_types import printed

UNPACKED = {
    "the rest of an iterator": "it = iter('12345')\ntry:\n    a, b = map(int, it)\n"
    "except ValueError:\n    print(*it)\n",
    "effects of a function": "def f(x):\n    print(x)\n    return x\n"
    "try:\n    a, b = map(f, [1, 2, 3, 4, 5])\nexcept ValueError as error:\n    print(error)\n",
    "an iterator without end": "import itertools\n"
    "try:\n    a, b = (i for i in itertools.count())\nexcept ValueError as error:\n    print(error)\n",
    "an error of the next item": "try:\n    a, b = map(int, '12x')\nexcept ValueError as error:\n    print(error)\n",
    "too few items": "a, b = map(int, '1')\n",
    "a rest": "it = iter('123')\na, *b = map(int, it)\nprint(a, b, list(it))\n",
}
FOREIGN_SPLIT = {
    "of a class": "class A:\n    def split(self):\n        return 5\ntry:\n    a, b = A().split()\n"
    "except TypeError as error:\n    print(error)\n",
    "set from outside": "class A:\n    pass\nx = A()\nx.split = lambda: 5\ntry:\n    a, b = x.split()\n"
    "except TypeError as error:\n    print(error)\n",
    "set by its name": "class A:\n    pass\nx = A()\nsetattr(x, 'split', lambda: 5)\n"
    "try:\n    a, b = x.split()\nexcept TypeError as error:\n    print(error)\n",
}
LIMIT = "import sys\ntry:\n    sys.setrecursionlimit({})\nexcept (ValueError, TypeError, OverflowError) as error:\n"
LIMIT += "    print(error)\n"
KEPT_LIMITS = {
    "a negative limit": LIMIT.format("-1"),
    "zero": LIMIT.format("0"),
    "a float": LIMIT.format("1e6"),
    "a limit above the largest": LIMIT.format("2 ** 31"),
    "a huge number": LIMIT.format("9 ** 99"),
    "a division by zero": LIMIT.format("1 // 0"),
    "two limits": LIMIT.format("5000, 1"),
    "a lower limit": "import sys\nsys.setrecursionlimit(90)\ndef f(n):\n    return n and f(n - 1)\nf(300)\n",
    "a limit that is read": "import sys\nsys.setrecursionlimit(5000)\nprint(sys.getrecursionlimit())\n",
    "a limit read by another name": "import sys\nfrom sys import getrecursionlimit as limit\n"
    "sys.setrecursionlimit(5000)\nprint(limit())\n",
    "a limit read by its name": "import sys\nsys.setrecursionlimit(5000)\nprint(getattr(sys, 'getrecursionlimit')())\n",
    "another function": "import sys\nsys.setrecursionlimit = print\nsys.setrecursionlimit(5000)\n",
    "another function, set by its name": "import sys\nsetattr(sys, 'setrecursionlimit', print)\n"
    "sys.setrecursionlimit(5000)\n",
}
REDUCED = {
    "a number": "from functools import reduce\ntry:\n    reduce(max, 5)\n"
    "except TypeError as error:\n    print(error)\n",
    "a number, and a start": "from functools import reduce\ntry:\n    reduce(max, 5, 1)\n"
    "except TypeError as error:\n    print(error)\n",
    "nothing": "from functools import reduce\ntry:\n    reduce(max, [])\n"
    "except TypeError as error:\n    print(error)\n",
}
CAUGHT = "try:\n    try:\n        int('a')\n    except ({}):\n        print('caught')\n"
CAUGHT += "except (NameError, TypeError) as error:\n    print(error)\n"
UNCERTAIN_EXCEPTIONS = {
    "an unknown name": CAUGHT.format("ValueError, Missing"),
    "a nested tuple": CAUGHT.format("ValueError, (Missing, KeyError)"),
    "no exception": CAUGHT.format("ValueError, int"),
    "a call": CAUGHT.format("ValueError, print('called')"),
    "a class of the program that is no exception": "class A:\n    pass\n" + CAUGHT.format("ValueError, A"),
    "a class that comes later": CAUGHT.format("ValueError, E") + "class E(Exception):\n    pass\n",
    "a class that is deleted": "class E(Exception):\n    pass\ndel E\n" + CAUGHT.format("ValueError, E"),
    "another KeyError": "KeyError = 3\n" + CAUGHT.format("ValueError, KeyError"),
}
READLINE_VALUES = {
    "its name": "import sys\nr = sys.stdin.readline\nprint(r(), r.__name__)\n",
    "its name, in a function": "import sys\ndef f():\n    r = sys.stdin.readline\n    print(r(), r.__name__)\nf()\n",
    "its name, directly": "import sys\nprint(sys.stdin.readline.__name__)\n",
    "a size": "import sys\nr = sys.stdin.readline\nprint(r(), r(1))\n",
    "a size, in a function": "import sys\ndef f():\n    r = sys.stdin.readline\n    print(r(1))\nf()\n",
    "a global variable": "import sys\ndef f():\n    global r\n    r = sys.stdin.readline\nf()\nprint(r.__name__)\n",
    "an argument": "import sys\ndef f(r):\n    return r.__name__\nprint(f(sys.stdin.readline))\n",
    "a default": "import sys\nr = sys.stdin.readline\ndef f(r=r):\n    return r.__name__\nprint(f())\n",
    "another method": "import sys\nsys.stdin.readline = print\n",
}
READLINE_CALLS = {
    "by a variable": "import sys\nr = sys.stdin.readline\nprint(r(), [r() for _ in range(1)])\n",
    "in a function": "import sys\ndef f():\n    r = sys.stdin.readline\n    print(r())\nf()\n"
    "print(sys.stdin.readline())\n",
    "until the end": "import sys\nfor line in iter(sys.stdin.readline, ''):\n    print(line)\n",
}
SAME = "class A:\n    def __init__(self, n):\n        self.n = n\n        self.next = None\n{}\n"
SAME += "a = A(1)\nprint(a == A(1))\n"
OTHER_EQUALITY = {
    "set from outside": SAME.format("A.__eq__ = lambda a, b: True"),
    "set by a class body": SAME.format("    __eq__ = lambda a, b: True"),
    "set by its name": SAME.format("setattr(A, '__eq__', lambda a, b: True)"),
}
FAILING = """
class A:
    def __init__(self):
        pass
    def __str__(self):
        return self.missing
def f():
    print('called')
    return 3
try:
    print({})
except (AttributeError, TypeError, ValueError, ZeroDivisionError) as error:
    print(error)
"""
KEPT_FORMATS = {
    "other numbers": "from decimal import Decimal\nprint('%d %i' % (Decimal('3.7'), Decimal('2.5')))\n",
    "numbers of the program": "class N:\n    def __int__(self):\n        return 3\nprint('%d|%5d' % (N(), N()))\n",
    "a wrong annotation": "def f(x: int):\n    return '%i' % x\n"
    "try:\n    f('a')\nexcept TypeError as error:\n    print(error)\n",
}
DEFERRED_FORMATS = {
    "a text before another call": FAILING.format("'%d %d' % (text, f())"),
    "a text before another error": FAILING.format("'%d %d' % ('a', 1 // 0)"),
    "a number that is none before a call": FAILING.format("'%d %d' % (float('nan'), f())"),
    "a field that fails before a call": FAILING.format("'{:d} {}'.format('a', f())"),
    "a text that fails before an error": FAILING.format("'{} {}'.format(A(), 1 // 0)"),
    "an element of another type": "xs = [1]\nxs.append((2, 3))\nfor x in xs:\n    try:\n"
    "        print('%s' % x)\n    except TypeError as error:\n        print(error)\n",
    "a tuple that is printed as a whole": "def show(x):\n    try:\n        print('<%s>' % x)\n"
    "    except TypeError as error:\n        print(error)\nfor x in [1, (2,), (3, 4), (), [5], {}]:\n    show(x)\n",
    "a tuple that is too long and no number": "def show(text):\n    try:\n        print(text())\n"
    "    except (TypeError, ValueError) as error:\n        print(error)\n"
    "for x in [('a', 1), (float('nan'), 1), (2, 1), None]:\n    show(lambda: '%d' % x)\n    show(lambda: '%.1f' % x)\n",
    "a list that a value changes": "xs = [1]\nprint('{} {}'.format(xs, xs.append(2)), '%s %d' % (xs, len(xs)))\n",
    "values in another order": "def f(n):\n    print(n)\n    return n\nprint('{1} {0} {1}'.format(f(1), f(2)))\n"
    "print('{b} {a}'.format(a=f(3), b=f(4)), '{0}'.format(f(5), f(6)))\n",
    "texts that print": "class A:\n    def __str__(self):\n        print('text')\n        return 'a'\ndef f():\n"
    "    print('called')\n    return 3\nprint('%s %d' % (A(), f()), '{} {}'.format(A(), f()))\n",
}
REPLACED_FORMATS = {
    "a text": "try:\n    print('%d' % str(3))\nexcept TypeError as error:\n    print(error)\n",
    "nothing": "def f(x):\n    return '%5.1f|%d' % (x, x)\n"
    "try:\n    print(f(None))\nexcept TypeError as error:\n    print(error)\n",
    "a list": "def f(x):\n    return '%d %s' % (x, x)\n"
    "try:\n    print(f([1]))\nexcept TypeError as error:\n    print(error)\n",
    "numbers": "print('%d %i %u %f %d' % (3.9, True, 2, 1, 0.5))\n",
}
KEPT_PRINTS = {
    "an object whose text fails": FAILING.format("1, *[A()]"),
    "an object in a list of numbers": "xs = [1]\n" + FAILING.format("2, *(xs.append(A()) or xs)"),
    "a separator that is no text": FAILING.format("*[1], sep=3"),
    "a call after a list that it changes": "xs = [[1]]\ndef f():\n    xs[0].append(2)\n    return ''\n"
    "print(*xs, end=f())\n",
    "a file of the program": "class W:\n    def write(self, text):\n        print('<' + text + '>')\n"
    "print(*[1, 2], file=W())\n",
    "a text that is set later": "class A:\n    pass\nA.__str__ = lambda self: self.missing\n"
    "try:\n    print(1, *[A()])\nexcept AttributeError as error:\n    print(error)\n",
}
REPLACED_PRINTS = {
    "no separator": "print(*[1, 2], sep=None)\n",
    "numbers where texts may fail": FAILING.format("*map(int, '12'), *range(3), *'a b'.split()"),
    "a text that is constant": "class A:\n    def __str__(self):\n        return 'a'\nprint(1, *[A()])\n",
    "another stream": "import sys\ndef g():\n    yield 1\nprint(*g(), file=sys.stdout)\n",
}
CALLED = "class A:\n    def __init__(self):\n        pass\n    def __str__(self):\n        return 'a'\n{}\n"
CALLED += "try:\n    print({})\nexcept (TypeError, AttributeError) as error:\n    print(error)\n"
CLASSES_AND_OTHERS = {
    "a class": CALLED.format("def g():\n    return A", "g().__str__()"),
    "a class or a number": CALLED.format("def g(x=0):\n    return x or A", "g().__str__()"),
    "a class of a list": CALLED.format("", "max([A], key=str).__str__()"),
    "a class in a list": CALLED.format("class B:\n    def pop(self):\n        return 1", "[A].pop().__str__()"),
    "the result of an operator": CALLED.format("A.__add__ = lambda a, b: A", "(A() + 1).__str__()"),
    "the result of a comparison": CALLED.format(
        "class B:\n    def __lt__(self, other):\n        return A", "(B() < 1).__str__()"
    ),
    "a copied class": CALLED.format("import copy", "copy.copy(A).__str__()"),
    "a text that is none": CALLED.replace("return 'a'", "return 3").format("", "A().__str__()"),
    "a number without a length": CALLED.format("", "int('3').__len__()"),
    "another upper": CALLED.format("class B:\n    def upper(self):\n        return A", "B().upper().__str__()"),
}
OBJECTS = {
    "a comparison": CALLED.format("", "(1 < 2).__str__()"),
    "a function that calls itself": CALLED.format("def g(n):\n    return not n or g(n - 1)", "g(3).__str__()"),
    "a method": CALLED.format("class B:\n    def check(self):\n        return True", "B().check().__repr__()"),
    "a text": CALLED.format("", "'a b'.split().__len__(), str(3).upper().__len__()"),
    "a number": CALLED.format("", "len('a').__str__()"),
}
OBSERVING = {
    "a finalizer": "class A:\n    def __del__(self):\n        print('freed')\nx = A()\nx = 3\nprint(x)\n",
    "a generator that is closed": "def g():\n    try:\n        yield 1\n    finally:\n        print('closed')\n"
    "x = g()\nnext(x)\nx = 3\nprint(x)\n",
    "a weak reference": "import weakref\nclass A:\n    pass\nx = A()\nw = weakref.ref(x)\nx = 3\nprint(w())\n",
    "a finalizer of a field": "class A:\n    def __del__(self):\n        print('freed')\nclass B:\n"
    "    def f(self):\n        self.x, self.y = A(), 1\n        self.x = 3\n        print(self.x)\nB().f()\n",
    "types that are read": "from typing import Any, get_type_hints as hints\ndef f(x: Any): pass\nprint(hints(f))\n",
    "a function by type": "import functools\nfrom typing import Any\n@functools.singledispatch\ndef f(x: Any): pass\n"
    "@f.register\ndef _(x: 'int'):\n    print('int')\nf(3)\n",
}


def check(program, name):
    """Check that a program is prepared by a rewrite and prints the same afterwards."""
    text, rewrites = for_codon(program)
    assert name in [rewrite.split(":")[0] for rewrite in rewrites]
    assert printed(text) == printed(program)


@pytest.mark.parametrize("program", UNPACKED.values(), ids=UNPACKED)
def test_unpacking_takes_one_item_more_than_there_are_targets(program):
    check(program, "unpacked_iterator")


@pytest.mark.parametrize("program", FOREIGN_SPLIT.values(), ids=FOREIGN_SPLIT)
def test_what_a_split_of_the_program_returns_is_not_unpacked_as_a_list(program):
    assert for_codon(program) == (program, [])


@pytest.mark.parametrize("program", KEPT_LIMITS.values(), ids=KEPT_LIMITS)
def test_a_recursion_limit_that_has_an_effect_in_cpython_stays(program):
    text, _ = for_codon(program)
    assert text.count("etrecursionlimit") == program.count("etrecursionlimit")
    assert printed(text) == printed(program)


@pytest.mark.parametrize("limit", ["1000", "10 ** 6", "1 << 20", "2 ** 31 - 1", "100 * 100"])
def test_a_constant_recursion_limit_is_removed(limit):
    text, rewrites = for_codon(f"import sys\nsys.setrecursionlimit({limit})\n")
    assert rewrites == ["recursion_limit:1"] and "setrecursionlimit" not in text


@pytest.mark.parametrize("program", REDUCED.values(), ids=REDUCED)
def test_reduce_fails_with_the_message_of_cpython(program):
    check(program, "reduce")


@pytest.mark.parametrize("program", UNCERTAIN_EXCEPTIONS.values(), ids=UNCERTAIN_EXCEPTIONS)
def test_a_tuple_of_exceptions_stays_if_a_part_may_be_none(program):
    text, _ = for_codon(program)
    tuples = [ast.unparse(node.type) for node in ast.walk(ast.parse(program)) if isinstance(node, ast.ExceptHandler)]
    assert f"except {tuples[-1]}:" in text
    assert printed(text) == printed(program)


def test_exceptions_of_the_program_get_a_handler_each():
    check("class E(Exception):\n    pass\nclass F(E):\n    pass\n" + CAUGHT.format("F, E, ValueError"), "except_tuple")
    check(
        "class E(Exception):\n    pass\ntry:\n    raise E(1)\nexcept (KeyError, E) as e:\n    print(e)\n",
        "except_tuple",
    )


@pytest.mark.parametrize("program", READLINE_VALUES.values(), ids=READLINE_VALUES)
def test_readline_stays_if_it_is_not_only_called(program):
    text, rewrites = for_codon(program)
    assert "stdin_readline" not in str(rewrites)
    assert printed(text) == printed(program)


@pytest.mark.parametrize("program", READLINE_CALLS.values(), ids=READLINE_CALLS)
def test_readline_is_replaced_if_it_is_only_called(program):
    check(program, "stdin_readline")


@pytest.mark.parametrize("program", OTHER_EQUALITY.values(), ids=OTHER_EQUALITY)
def test_objects_are_compared_by_the_method_that_is_set_later(program):
    text, _ = for_codon(program)
    assert "a == A(1)" in text
    assert printed(text) == printed(program)


@pytest.mark.parametrize("program", KEPT_FORMATS.values(), ids=KEPT_FORMATS)
def test_a_format_stays_if_its_conversions_may_differ_from_those_of_cpython(program):
    assert not {"percent_format:1", "format_call:1"} & set(for_codon(program)[1])
    assert printed(for_codon(program)[0]) == printed(program)


@pytest.mark.parametrize("program", DEFERRED_FORMATS.values(), ids=DEFERRED_FORMATS)
def test_all_values_of_a_format_are_evaluated_before_the_first_one_is_converted(program):
    text, rewrites = for_codon(program)
    assert {"percent_format", "format_call"} & {rewrite.split(":")[0] for rewrite in rewrites}
    assert printed(text) == printed(program)


@pytest.mark.parametrize("program", REPLACED_FORMATS.values(), ids=REPLACED_FORMATS)
def test_a_conversion_of_a_number_fails_with_the_message_of_cpython(program):
    check(program, "percent_format")


@pytest.mark.parametrize("program", KEPT_PRINTS.values(), ids=KEPT_PRINTS)
def test_arguments_are_not_joined_if_printing_may_fail_or_be_observed(program):
    text, rewrites = for_codon(program)
    assert "starred_print" not in str(rewrites)
    assert printed(text) == printed(program)


@pytest.mark.parametrize("program", REPLACED_PRINTS.values(), ids=REPLACED_PRINTS)
def test_arguments_are_joined_if_their_texts_cannot_fail(program):
    check(program, "starred_print")


@pytest.mark.parametrize("program", CLASSES_AND_OTHERS.values(), ids=CLASSES_AND_OTHERS)
def test_a_text_method_stays_if_its_owner_may_be_a_class_or_of_the_program(program):
    text, rewrites = for_codon(program)
    assert "text_method" not in str(rewrites)
    assert printed(text) == printed(program)


@pytest.mark.parametrize("program", OBJECTS.values(), ids=OBJECTS)
def test_a_text_method_of_an_object_of_a_builtin_type_becomes_a_function(program):
    check(program, "text_method")


@pytest.mark.parametrize("program", OBSERVING.values(), ids=OBSERVING)
def test_a_program_that_observes_lifetimes_or_annotations_is_left_alone(program):
    assert for_codon(program) == (program, [])
