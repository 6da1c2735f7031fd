"""Preparation of programs for a frontend that does not accept them unchanged.

The table of languages names a preparation; the data set's source remains the original.
"""

import ast
import re
import warnings
from collections.abc import Callable

from scripts.compile.codon.annotations import FutureImport, TypingOnly
from scripts.compile.codon.containers import EmptyFields, MemoDefault, RememberedResults
from scripts.compile.codon.exceptions import ExceptTuple, RaisedClass, SuppressedContext
from scripts.compile.codon.fields import FormatCall, PercentFormat, SpecifiedField
from scripts.compile.codon.globals_first import GlobalsFirst
from scripts.compile.codon.library import ExitCall, RecursionLimit, Reduce, StdinReadline
from scripts.compile.codon.names import Names
from scripts.compile.codon.python2 import python2
from scripts.compile.codon.rewrite import Rewrite
from scripts.compile.codon.syntax import (
    NextMethod,
    OrDefault,
    StarredPrint,
    UnpackedFields,
    UnpackedIterator,
)
from scripts.compile.codon.text_method import TextMethod
from scripts.compile.codon.typed import Typed
from scripts.compile.codon.variables import Retyped, is_head

# Codon's parser reads `if(x) …` as a call; printing the syntax tree inserts the space.
_TIGHT = re.compile(
    r"^[ \t\f]*(?:if|elif|while|return|assert|del|not|for)\(|\b(?:and|or|not|in|if|else)\(", re.MULTILINE
)
_CODON: tuple[type[Rewrite], ...] = (
    FutureImport,
    RecursionLimit,
    ExitCall,
    NextMethod,
    RaisedClass,
    SuppressedContext,
    TextMethod,
    OrDefault,
    TypingOnly,
    ExceptTuple,
    StdinReadline,
    FormatCall,
    PercentFormat,
    SpecifiedField,
    Reduce,
    UnpackedFields,
    StarredPrint,
    MemoDefault,
    GlobalsFirst,
    Retyped,
    Typed,
    UnpackedIterator,
    RememberedResults,
    EmptyFields,
)
# Longer programs mostly consist of data, and rewriting them would cost more than Codon itself.
_MAX_LENGTH = 100_000
# The paper's script prepends this to each program: the prompt gets its own line, the line read
# keeps its line break.
_PAPER_INPUT = """import sys


def input(prompt=""):
    print(prompt)
    for text in sys.stdin:
        return text


"""


def for_codon(source: str) -> tuple[str, list[str]]:
    """A Python program rewritten for Codon as far as possible, and the rewrites, each as
    `name:count`.

    A program that is not valid Python 3, that may inspect its own names or text, that is very long,
    or that needs no rewrite, is returned unchanged.
    """
    if len(source) > _MAX_LENGTH:
        return source, []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
            # Some errors are only found when a tree is compiled.
            compile(source, "source.py", "exec", dont_inherit=True)
            names = Names(tree)
            applied = [] if names.is_reflective() else _apply_rewrites(tree, names)
            tight = len(_TIGHT.findall(source)) if not names.is_reflective() else 0
            text = ast.unparse(ast.fix_missing_locations(tree)) + "\n"
            exact = ast.dump(ast.parse(text)) == ast.dump(tree)
            compile(text, "source.py", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return source, []
    rewrites = [*([f"tight_keyword:{tight}"] if tight else []), *(f"{each.name}:{each.count}" for each in applied)]
    return (text, rewrites) if rewrites and exact else (source, [])


def _apply_rewrites(tree: ast.Module, names: Names) -> list[Rewrite]:
    """Apply all rewrites to a tree, in place, and return those that changed something."""
    applied: list[Rewrite] = []
    observed = names.observes_lifetimes()
    for kind in (one for one in _CODON if not (observed and one.extends_lifetimes)):
        rewrite = kind(tree, names)
        rewrite.visit(tree)
        if rewrite.count:
            applied.append(rewrite)
    helpers = [node for rewrite in applied for node in rewrite.helper_body()]
    head = 0
    while head < len(tree.body) and is_head(tree.body[head]):
        head += 1
    tree.body[head:head] = helpers
    return applied


def for_codon_as_paper(source: str) -> tuple[str, list[str]]:
    """A Python program after the paper's definition of `input`, the only change that the paper's
    script makes.
    """
    return _PAPER_INPUT + source, ["paper_input:1"]


PREPARATIONS: dict[tuple[str, str], Callable[[str], tuple[str, list[str]]]] = {
    ("codon", "rewrite"): for_codon,
    ("codon", "paper"): for_codon_as_paper,
}


def prepared(source: str, preparation: str | None, mode: str = "rewrite") -> tuple[str, list[str]]:
    """The text to compile and its rewrites; the source itself if there is no preparation.

    preparation: its name in the table of languages; mode: the setting `compile.prepare`.
    """
    change = PREPARATIONS.get((preparation, mode)) if preparation else None
    return change(source) if change else (source, [])


def refusal(source: str, preparation: str | None) -> str:
    """The reason why a frontend refuses a program, if its text shows it (`python2`); otherwise
    empty.
    """
    return "python2" if preparation == "codon" and python2(source) else ""
