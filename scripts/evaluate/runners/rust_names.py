"""What the tests of a Rust program can name: not all that the program has.

A method of a trait that takes its value by value precedes a method of the library that takes a reference. So a trait
of a completion would change `result.is_empty()` in the tests if it were in scope there, as after `use super::*`. The
tests therefore import a module of listed names: what the prompt imports and declares, and items of the completion that
the tests name, which can be no traits.
"""

import re
from collections.abc import Iterator

from scripts.evaluate.runners.signatures import masked

_VISIBILITY = r"^(?:pub(?:\([^)]*\))?\s+)?"
_USE = re.compile(rf"{_VISIBILITY}use\s+([^;]+);", re.MULTILINE)
_ITEM = re.compile(
    rf"{_VISIBILITY}(?P<kind>struct|enum|union|type|const|static|fn|mod|trait)\s+(?P<name>\w+)", re.MULTILINE
)
_WORD = re.compile(r"\w+")
# Crates of the language itself, of which a program may have a namesake.
_CRATES = frozenset(("std", "core", "alloc"))
_MODULE = """mod data_set_names {
    #![allow(unused_imports)]
%s}
"""
IMPORT = "    #[allow(unused_imports)]\n    use super::data_set_names::*;\n"


def names_module(context: str, completion: str, tests: str, known: set[str]) -> str:
    """The module of names of a program, which the tests import by `IMPORT`.

    known: names that the tests get in another way.
    """
    prompt = masked(context)
    imports = _USE.findall(prompt)
    outside = list(_items(masked(context + completion)))
    names = {name for start, _, name in outside if start < len(prompt)}
    # A name that `use ...::*` brings to the prompt could be one of the completion's.
    if not any("*" in each for each in imports):
        own = {name for start, kind, name in outside if start >= len(prompt) and kind != "trait"}
        names |= (own & set(_WORD.findall(masked(tests)))) - set(_WORD.findall(" ".join(imports)))
    paths = [re.sub(r"^self::", "super::", each) for each in imports]
    paths += [f"super::{name}" for name in sorted(names - known - _CRATES - {"main"})]
    return _MODULE % "".join(f"    pub(crate) use {path};\n" for path in paths)


def _items(program: str) -> Iterator[tuple[int, str, str]]:
    """Index, kind and name of the items of a program that are in no block."""
    depth, last = 0, 0
    for match in _ITEM.finditer(program):
        between = program[last : match.start()]
        depth, last = depth + between.count("{") - between.count("}"), match.start()
        if depth == 0:
            yield match.start(), match["kind"], match["name"]
