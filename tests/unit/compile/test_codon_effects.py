"""Effects and errors of programs that a prepared text must keep: when they happen, and their messages."""

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
