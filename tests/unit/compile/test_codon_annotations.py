"""Types and names that a prepared text writes or removes: only where CPython can evaluate them without an effect."""

import ast

import pytest

from scripts.compile.prepare import for_codon
from tests.unit.compile.test_codon_effects import check
from tests.unit.compile.test_codon_types import printed

REMEMBERED = "from functools import lru_cache\n{}\n@lru_cache(maxsize=None)\ndef f(n: {}) -> int:\n    return n + 1\n"
FIELD = """
class Base:
    pass
class A(Base):
    def __init__(self):
        self.items = []
    def add(self, {}):
        self.items.append({})
a = A()
a.add({})
print(len(a.items))
"""
UNKNOWN_ELEMENTS = {
    "an annotation with an effect": FIELD.format("n: print(1)", "n", "2"),
    "an annotation that is no type": FIELD.format("n: 3", "(n, 1)", "2"),
    "a class that is deleted": FIELD.format("n: Gone", "n", "Gone()").replace(
        "class A", "class Gone:\n    pass\nclass A"
    )
    + "del Gone\nprint(A().items)\n",
    "a class that comes later": "class C:\n    def __init__(self):\n        self.parts = []\n"
    "    def add(self):\n        self.parts.append(Later())\nprint(C().parts)\nclass Later(object):\n"
    "    def __init__(self):\n        pass\n",
    "a class of a function": "def make():\n    class Inner(object):\n        def __init__(self):\n            pass\n"
    "    return Inner()\nclass C(Exception):\n    def __init__(self):\n        self.parts = []\n"
    "    def add(self):\n        self.parts.append(Inner())\nprint(C().parts)\n",
}
ANNOTATED = "from typing import Any, Iterator, List, Optional, Union, Final, Callable, Dict, Tuple\n"
ANNOTATED += "class Node:\n    pass\ntry:\n    def f(x: {}) -> None:\n        return x\n    print(f(3))\n"
ANNOTATED += "except (TypeError, NameError, SyntaxError) as error:\n    print(error)\n"
EFFECTIVE_ANNOTATIONS = {
    "a call": "print('hi')",
    "a call as a parameter": "Optional[print(Any)]",
    "an assignment": "(y := 'a')",
    "an assignment with an unknown name": "(y := Any)",
    "a class that is not defined": "Iterator[Missing]",
    "a class that comes later": "Iterator[Later]",
    "parameters of a plain type": "int[Any]",
    "parameters of a class": "Node[Any]",
    "too many parameters": "Optional[int, Any]",
    "too few parameters": "Dict[Any]",
    "no type": "Optional[Final]",
    "a number as a type": "Union[3, Any]",
    "a text that is no type": "Optional['a b']",
    "a union with a text": "Node | 'Node'",
    "a union of nothing": "Optional[Any, None | None]",
    "an attribute": "List['Node'].missing",
}
HARMLESS_ANNOTATIONS = ["Any", "Iterator[Node]", "'Node'", "Optional['Node']", "Callable[[Any], int]", "Any | None"]
HARMLESS_ANNOTATIONS += ["Dict[str, Any]", "Tuple[Any, ...]", "None | Any", "Union[int, 'List[Node]']", "list['Node']"]
# Programs with another meaning of a builtin, or of a function of a module, that a rewrite uses.
REDEFINED = {
    "reduce without next": "from functools import reduce\nnext = 3\nprint(reduce(max, [1, 2]), next)\n",
    "reduce without next, by the module": "import functools\nnext = 3\nprint(functools.reduce(max, [1, 2]), next)\n",
    "remembered results without dict": REMEMBERED.format("dict = {}", "int") + "print(f(2))\n",
    "remembered results without tuple": REMEMBERED.format("tuple = 3", "int, m: int") + "print(f(2, 3))\n",
    "fields without tuple": "tuple = 3\n" + FIELD.format("n: int", "(n, 1)", "2"),
    "fields without int": "int = 3\n" + FIELD.format("n", "1", "2"),
    "another reduce": "import functools\nfunctools.reduce = print\nfunctools.reduce(max, [1, 2])\n",
}


@pytest.mark.parametrize("program", REDEFINED.values(), ids=REDEFINED)
def test_a_rewrite_is_not_made_where_the_program_redefines_what_it_uses(program):
    assert for_codon(program) == (program, [])


@pytest.mark.parametrize("program", UNKNOWN_ELEMENTS.values(), ids=UNKNOWN_ELEMENTS)
def test_an_empty_field_gets_no_type_that_cpython_might_not_evaluate(program):
    text, rewrites = for_codon(program)
    assert [rewrite for rewrite in rewrites if rewrite.startswith("typed_empty_field")] == []
    assert printed(text) == printed(program)


def test_an_empty_field_gets_the_type_of_a_class_that_is_defined_before():
    program = FIELD.format("part: Base", "part", "Base()")
    check(program, "typed_empty_field")
    assert "list[Base]()" in for_codon(program)[0]


@pytest.mark.parametrize("annotation", EFFECTIVE_ANNOTATIONS.values(), ids=EFFECTIVE_ANNOTATIONS)
def test_an_annotation_that_may_have_an_effect_stays(annotation):
    program = ANNOTATED.format(annotation) + "class Later:\n    pass\n"
    text, _ = for_codon(program)
    assert f"x: {ast.unparse(ast.parse(annotation))}" in text
    assert printed(text) == printed(program)


@pytest.mark.parametrize("annotation", HARMLESS_ANNOTATIONS)
def test_an_annotation_that_only_names_types_is_removed(annotation):
    check(ANNOTATED.format(annotation), "typing_only")


@pytest.mark.parametrize("order", [1, -1])
def test_an_annotation_is_removed_only_after_the_import_of_its_names(order):
    parts = ["from typing import Any\n", "try:\n    def f(x: Any): pass\nexcept NameError:\n    print('no')\n"]
    program = "".join(parts[::order])
    text, rewrites = for_codon(program)
    assert ("typing_only:1" in rewrites) == (order == 1)
    assert printed(text) == printed(program)
