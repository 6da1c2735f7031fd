"""Programs whose output depends on when and where a prepared text reads a name, a line or an annotation."""

import pytest

from scripts.compile.prepare import for_codon
from tests.unit.compile.test_codon_effects import check
from tests.unit.compile.test_codon_meaning import printed as printed_with
from tests.unit.compile.test_codon_types import printed

MAIN = "def main():\n    global {0}\n    {0} = 4\n    print({0}, {1})\nmain()\n"
GLOBALS = {
    "a body of a class": "class A:\n    top = max(1, 2)\n" + MAIN.format("max", "A.top"),
    "a default": "def f(x=len('ab')):\n    return x\n" + MAIN.format("len", "f()"),
    "a default by keyword": "def f(*, x=len('ab')):\n    return x\n" + MAIN.format("len", "f()"),
    "a comprehension": "def f(x=[len(w) for w in ['ab']]):\n    return x\n" + MAIN.format("len", "f()"),
    "a lambda that is called": "def f(x=(lambda: len('ab'))()):\n    return x\n" + MAIN.format("len", "f()"),
    "a lambda of a class": "class A:\n    pick = lambda w: len(w)\n    size = pick('ab')\n"
    + MAIN.format("len", "A.size"),
    "a lambda of another class": "class A:\n    pick = lambda w: len(w)\nclass B:\n    size = A.pick('ab')\n"
    + MAIN.format("len", "B.size"),
    "a lambda that a table has": "class A:\n    picks = {'a': lambda w: len(w)}\n    size = picks['a']('ab')\n"
    + MAIN.format("len", "A.size"),
    "a function that a default calls": "def g():\n    return len('ab')\ndef f(x=g()):\n    return x\n"
    + MAIN.format("len", "f()"),
    "a function that a builtin calls": "def g(n):\n    return len('ab')\ndef f(x=sorted([1], key=g)):\n    return x\n"
    + MAIN.format("len", "f()"),
    "an annotation": "def f(x: len) -> len:\n    return x\n" + MAIN.format("len", "f(1)"),
    "a subclass": "class A:\n    seen = []\n    def __init_subclass__(cls):\n        A.seen.append(len('ab'))\n"
    "class B(A):\n    pass\n" + MAIN.format("len", "A.seen"),
    "a metaclass": "class M(type):\n    def __new__(cls, name, bases, body):\n        body['size'] = len('ab')\n"
    "        return type.__new__(cls, name, bases, body)\nclass B(metaclass=M):\n    pass\n"
    + MAIN.format("len", "B.size"),
    "a class with a parameter": "class A:\n    seen = []\n    def __class_getitem__(cls, key):\n"
    "        A.seen.append(len('ab'))\n        return cls\nclass B(A[int]):\n    pass\n" + MAIN.format("len", "A.seen"),
    "an enumeration": "from enum import Enum\nclass B(Enum):\n    RED = 1\n    def __init__(self, n):\n"
    "        self.size = len('ab')\n" + MAIN.format("len", "B.RED.size"),
    "a lambda that the function calls first": "class A:\n    pick = lambda w: len(w)\ndef main():\n"
    "    global size, len\n    size = A.pick('ab')\n    len = 4\n    print(size, len)\nmain()\n",
}
READLINE = "import sys, io\nsys.stdin = io.StringIO('ab\\ncd\\n')\n"
READLINES = {
    "a class of a function": "def f():\n    class A:\n        read = sys.stdin.readline\n        def go(self):\n"
    "            return self.read()\n    return A().go()\nprint(repr(f()))\n",
    "a condition in a class": "def f():\n    class A:\n        if True:\n            read = sys.stdin.readline\n"
    "        def go(self):\n            return self.read()\n    return A().go()\nprint(repr(f()))\n",
}
ASKING = "import sys\n{}\ninput = sys.stdin.readline\n"
ASKING += "print(repr(first), repr(input()))\n"
INPUTS = {
    "a lambda": "ask = lambda: input()\nfirst = ask()",
    "a lambda of a table": "ask = {1: lambda: input()}\nfirst = ask[1]()",
    "a lambda that a builtin calls": "first = list(map(lambda _: input(), [1]))",
    "a lambda of a default": "def make(ask=lambda: input()):\n    return ask\nfirst = make()()",
    "a lambda of a class": "class A:\n    ask = staticmethod(lambda: input())\nfirst = A.ask()",
}
RAISED = "try:\n    1 // 0\nexcept ZeroDivisionError as error:\n    "
LINES = {
    "the line of a traceback": RAISED + "print(error.__traceback__.tb_lineno)\n",
    "the line, read by name": RAISED + "print(getattr(error.__traceback__, 'tb_lineno'))\n",
    "the line, read by an operator": "import operator\nread = operator.attrgetter('tb_lineno')\n"
    + RAISED
    + "print(read(error.__traceback__))\n",
    "the depth of a traceback": RAISED + "print(error.__traceback__.tb_next)\n",
    "the line of a generator": "def g():\n    yield 1\nprint(g().gi_frame.f_lineno, g().gi_code.co_firstlineno)\n",
    "the line of a frame": "import sys\nprint(list(sys._current_frames().values())[0].f_lineno)\n",
    "the line of a warning": "import warnings\nwith warnings.catch_warnings(record=True) as seen:\n"
    "    warnings.simplefilter('always')\n    warnings.warn('w')\nprint(seen[0].lineno)\n",
    "the line of a message": "import logging, sys\nlogging.basicConfig(stream=sys.stdout, format='%(lineno)d')\n"
    "logging.error('e')\n",
    "the help of a function": "# text\ndef f():\n    pass\nhelp(f)\n",
    "the program's text": "import sys\nprint(open(sys.argv[0]).read())\n",
    "the number of references": "import sys\nprint(sys.getrefcount(x))\n",
    "annotations of fields": "from dataclasses import dataclass, fields\n@dataclass\nclass A:\n    n: int = 1\n"
    "print([field.type for field in fields(A)])\n",
}
LAZY = "from __future__ import annotations\nfrom typing import Dict, List, Optional, Set, Tuple\n"
LAZY += "def f(x: {}) -> int:\n    return 1\nprint(f(0))\n"
UNEVALUABLE = {
    "too few parameters": LAZY.format("Dict[str]"),
    "too many parameters": LAZY.format("List[int, str]"),
    "two types or nothing": LAZY.format("Optional[int, str]"),
    "no parameters": LAZY.format("Set[()]"),
    "a tuple as a parameter": LAZY.format("Dict[str, (int, str)]"),
    "a plain Optional as a parameter": LAZY.format("List[Optional]"),
    "an import that is not executed": "from __future__ import annotations\nfrom typing import TYPE_CHECKING\n"
    "if TYPE_CHECKING:\n    from typing import List\ndef f(x: List[int]) -> int:\n    return 1\nprint(f(0))\n",
    "an import that comes later": "from __future__ import annotations\ndef f(x: List[int]) -> int:\n    return 1\n"
    "from typing import List\nprint(f(0))\n",
    "a method of that name": "from __future__ import annotations\nclass A:\n    def list(self) -> int:\n"
    "        return 1\n    def all(self) -> list[int]:\n        return [2]\nprint(A().list(), A().all())\n",
    "a class that hides a builtin": "from __future__ import annotations\ndef f(x=abs(-4)):\n    return x\n"
    "class abs:\n    def twin(self) -> abs:\n        return abs()\nprint(f(), abs().twin() is None)\n",
}
EVALUABLE = [
    "Dict[str, int]",
    "Tuple[int, str, int]",
    "Optional[List[int]]",
    "List[None]",
    "list[int]",
    "Optional",
    "None",
]
PLACES = {
    "a future import": "from __future__ import annotations\nclass Node:\n    def __init__(self, n: 'int'):\n"
    "        self.n = n\n        self.next = None\na = Node(1)\na.next = Node(2)\nprint(a.next.n)\n",
    "a text and a future import": "'''doc'''\nfrom __future__ import annotations\nfrom __future__ import division\n"
    "class Node:\n    def __init__(self, n: 'int'):\n        self.n = n\n        self.next = None\n"
    "a = Node(1)\na.next = Node(2)\nprint(__doc__, a.next.n)\n",
    "a class that hides a builtin": "def f(x=abs(-4)):\n    return x\nclass abs:\n    def __init__(self, n):\n"
    "        self.n = n\n        self.next = None\na = abs(1)\na.next = abs(2)\nprint(f(), a.next.n)\n",
}
INVALID = {
    "a future import that comes later": "x = 'a b'\nfrom __future__ import division\nx = x.split()\nprint(x)\n",
    "a return outside": "x = 'a b'\nx = x.split()\nreturn\n",
    "a global variable that is used before": "x = 'a'\nx = len(x)\ndef f():\n    print(x)\n    global x\n",
}
FORMATTED = "def show(x):\n    try:\n        print({})\n    except (ValueError, TypeError) as error:\n"
FORMATTED += "        print(type(error).__name__, error)\n"
FORMATTED += "for value in ['a', None, [1], {{}}, (1,), b'b', True, 3, 2.5, 10 ** 400, float('nan'), -0.0, len]:\n"
FORMATTED += "    try:\n        show(value)\n    except OverflowError as error:\n        print(error)\n"
SPECIFICATIONS = [".1%", "%", "8.0%", ",.1%", "+%", "+d", "05d", ",d", ">8.2f", "^9b", "08.3f", "*>8d", "-d", "+.1e"]
OTHER_FORMATS = {
    "a complex number": "def f(x):\n    return '{:08.1f}'.format(x)\ntry:\n    print(f(1j))\n"
    "except ValueError as error:\n    print(error)\n",
    "a complex number of a function": "def f(x):\n    return '{:.1%}'.format(x)\ntry:\n    print(f(complex(1, 2)))\n"
    "except ValueError as error:\n    print(error)\n",
    "a date": "import datetime\ndef f(x):\n    return '{:5d}|{:%}'.format(x, x)\nprint(f(datetime.date(2020, 1, 2)))\n",
    "a decimal number": "from decimal import Decimal\ndef f(x):\n    return '{:.1%}'.format(x)\n"
    "print(f(Decimal('0.12345')))\n",
}
LAYOUTS = ["<10", ">10", "^11", "10", "*^9", "4", "_<3"]
KEPT_LAYOUTS = {
    "an enumeration": "from enum import IntEnum\nclass N(IntEnum):\n    A = 1\ndef f(x):\n"
    "    return '{:<9}|'.format(x)\n"
    "print(f(N.A))\n",
    "a flag": "import re\ndef f(x):\n    return '{:<20}|'.format(x)\nprint(f(re.IGNORECASE))\n",
    "a number of the program": "class N(int):\n    def __str__(self):\n        return 'N'\ndef f(x):\n"
    "    return '{:<9}|'.format(x)\nprint(f(N(3)))\n",
    "a text of the program": "class T(str):\n    def __str__(self):\n        return 'T'\ndef f(x):\n"
    "    return f'{x:<9}|'\nprint(f(T('a')))\n",
    "a date": "import datetime\ndef f(x):\n    return '{:>20}|'.format(x)\nprint(f(datetime.date(2020, 1, 2)))\n",
    "a complex number": "def f(x):\n    return '{:9}|'.format(x)\nprint(f(1j))\n",
}


@pytest.mark.parametrize("program", GLOBALS.values(), ids=GLOBALS)
def test_a_variable_gets_no_first_value_where_a_definition_may_read_the_builtin(program):
    text, rewrites = for_codon(program)
    assert "globals_first" not in str(rewrites)
    assert printed(text) == printed(program)


def test_a_variable_gets_a_first_value_where_definitions_only_call_builtins():
    program = "import math\nclass A:\n    size = len('ab')\n    root = math.sqrt(4)\n    @staticmethod\n"
    program += "    def go(x=int('3')):\n        return x\nclass B(A):\n    pass\n"
    check(program + MAIN.format("total", "A.size, B.go()"), "globals_first")


@pytest.mark.parametrize("program", READLINES.values(), ids=READLINES)
def test_a_variable_of_a_class_stays_the_method_of_the_standard_input(program):
    text, rewrites = for_codon("import sys\n" + program)
    assert "stdin_readline" not in str(rewrites)
    assert printed(READLINE + text) == printed(READLINE + program)


@pytest.mark.parametrize("first", INPUTS.values(), ids=INPUTS)
def test_a_name_for_readline_stays_if_a_lambda_may_read_the_builtin_before(first):
    program = ASKING.format(first)
    text, rewrites = for_codon(program)
    assert "stdin_readline" not in str(rewrites)
    assert printed_with(text, "ab\ncd\n") == printed_with(program, "ab\ncd\n")


@pytest.mark.parametrize("program", LINES.values(), ids=LINES)
def test_a_program_that_reads_its_lines_text_or_annotations_is_left_alone(program):
    program = "if(True):\n    x = 'a'\n\n\nx = 'b'\nx = 3\n" + program
    assert for_codon(program) == (program, [])


def test_words_that_only_look_like_reflection_do_not_matter():
    program = "help = 'modules'\nx = 'a b'\nx = x.split()\nprint(x, help)\n"
    assert for_codon(program)[1] == ["retyped_variable:1"]


@pytest.mark.parametrize("program", UNEVALUABLE.values(), ids=UNEVALUABLE)
def test_annotations_that_cannot_be_evaluated_stay_lazy(program):
    text, rewrites = for_codon(program)
    assert "future_import" not in str(rewrites)
    assert printed(text) == printed(program)
    assert printed(program)[0] == 0


@pytest.mark.parametrize("annotation", EVALUABLE)
def test_annotations_that_can_be_evaluated_need_no_future_import(annotation):
    check(LAZY.format(annotation), "future_import")


@pytest.mark.parametrize("program", PLACES.values(), ids=PLACES)
def test_what_a_rewrite_inserts_comes_after_a_future_import_and_hides_no_builtin(program):
    text, _ = for_codon(program)
    assert printed(text) == printed(program)
    assert printed(program)[0] == 0


def test_fields_are_declared_in_a_program_that_keeps_its_future_import():
    check(PLACES["a future import"], "typed_place")


@pytest.mark.parametrize("program", INVALID.values(), ids=INVALID)
def test_a_program_that_cpython_does_not_compile_is_left_alone(program):
    assert for_codon(program) == (program, [])


@pytest.mark.parametrize("specification", SPECIFICATIONS)
def test_a_field_of_an_unknown_type_fails_with_the_message_of_cpython(specification):
    check(FORMATTED.format(f"'{{:{specification}}}'.format(x)").replace("{{}}", "{}"), "format_call")
    check(FORMATTED.format(f"f'{{x:{specification}}}'").replace("{{}}", "{}"), "specified_field")


@pytest.mark.parametrize("program", OTHER_FORMATS.values(), ids=OTHER_FORMATS)
def test_a_field_stays_if_its_value_may_have_a_format_of_its_own(program):
    text, rewrites = for_codon(program)
    assert "format_call" not in str(rewrites)
    assert printed(text) == printed(program)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_field_of_an_unknown_type_is_laid_out_as_a_text_or_as_a_number(layout):
    check(FORMATTED.format(f"'{{:{layout}}}|'.format(x)").replace("{{}}", "{}"), "format_call")
    check(FORMATTED.format(f"f'{{x:{layout}}}|'").replace("{{}}", "{}"), "specified_field")
    later = "(lambda n: print(n) or n)(1)"
    check(FORMATTED.format(f"'{{:{layout}}}|{{}}'.format(x, {later})").replace("{{}}", "{}"), "format_call")


@pytest.mark.parametrize("program", KEPT_LAYOUTS.values(), ids=KEPT_LAYOUTS)
def test_a_field_is_not_laid_out_if_its_value_may_print_otherwise(program):
    text, rewrites = for_codon(program)
    assert not {"format_call:1", "specified_field:1"} & set(rewrites)
    assert printed(text) == printed(program)
