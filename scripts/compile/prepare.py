"""Preparation of programs for a frontend that cannot take them as they are.

The table of languages names a preparation; the data set's source stays the original.
"""

import ast
import re
import warnings
from collections.abc import Callable

from scripts.compile.codon.containers import EmptyFields, MemoDefault, RememberedResults
from scripts.compile.codon.fields import FormatCall, PercentFormat, SpecifiedField
from scripts.compile.codon.library import ExitCall, FutureImport, RecursionLimit, Reduce, StdinReadline, TypingOnly
from scripts.compile.codon.names import Names
from scripts.compile.codon.python2 import python2
from scripts.compile.codon.rewrite import Rewrite
from scripts.compile.codon.syntax import (
    ExceptTuple,
    NextMethod,
    OrDefault,
    RaisedClass,
    StarredPrint,
    TextMethod,
    UnpackedFields,
    UnpackedIterator,
)
from scripts.compile.codon.typed import Typed
from scripts.compile.codon.variables import GlobalsFirst, Retyped, is_head

# Codon's parser takes `if(x) …` for a call; printing the tree puts the space between.
_TIGHT = re.compile(
    r"^[ \t\f]*(?:if|elif|while|return|assert|del|not|for)\(|\b(?:and|or|not|in|if|else)\(", re.MULTILINE
)
_CODON = (
    FutureImport,
    RecursionLimit,
    ExitCall,
    NextMethod,
    RaisedClass,
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
# Longer programs are data for the most part, and would cost more than Codon itself.
_LONGEST = 100_000
# What the paper's script writes before each program: the prompt gets a line of its own, the line read keeps its end.
_PAPER_INPUT = """import sys


def input(prompt=""):
    print(prompt)
    for text in sys.stdin:
        return text


"""


def for_codon(source: str) -> tuple[str, list[str]]:
    """A Python program in Codon's subset, as far as its constructs are known, and the rewrites, `name:times` each.

    A program that is no valid Python 3, that may look at its own names or text, that is very long, or that needs no
    rewrite, comes back as it is.
    """
    if len(source) > _LONGEST:
        return source, []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
            names = Names(tree)
            done = [] if names.is_reflective() else _rewritten(tree, names)
            tight = len(_TIGHT.findall(source)) if not names.is_reflective() else 0
            text = ast.unparse(ast.fix_missing_locations(tree)) + "\n"
            exact = ast.dump(ast.parse(text)) == ast.dump(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return source, []
    rewrites = [*([f"tight_keyword:{tight}"] if tight else []), *(f"{each.name}:{each.count}" for each in done)]
    return (text, rewrites) if rewrites and exact else (source, [])


def _rewritten(tree: ast.Module, names: Names) -> list[Rewrite]:
    """Apply all rewrites to a tree, in place, and return those that did something."""
    done = [rewrite for kind in _CODON if (rewrite := kind(tree, names)).visit(tree) and rewrite.count]
    helpers = [node for rewrite in done for node in rewrite.helper_body()]
    head = 0
    while head < len(tree.body) and is_head(tree.body[head]):
        head += 1
    tree.body[head:head] = helpers
    return done


def for_codon_as_paper(source: str) -> tuple[str, list[str]]:
    """A Python program with the paper's `input` before it, which is all that its script changes."""
    return _PAPER_INPUT + source, ["paper_input:1"]


PREPARATIONS: dict[tuple[str, str], Callable[[str], tuple[str, list[str]]]] = {
    ("codon", "rewrite"): for_codon,
    ("codon", "paper"): for_codon_as_paper,
}


def prepared(source: str, preparation: str | None, mode: str = "rewrite") -> tuple[str, list[str]]:
    """The text to compile and the rewrites that it took; the source itself where no preparation is named.

    `mode` is the setting `compile.prepare`.
    """
    change = PREPARATIONS.get((preparation, mode)) if preparation else None
    return change(source) if change else (source, [])


def refusal(source: str, preparation: str | None) -> str:
    """A word for why a frontend refuses a program, if its text tells: `python2`; else nothing."""
    return "python2" if preparation == "codon" and python2(source) else ""
