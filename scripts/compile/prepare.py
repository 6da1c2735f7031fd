"""Preparation of programs for a frontend that cannot take them as they are.

The table of languages names a preparation; the data set's source stays the original.
"""

import ast
import re
import warnings
from collections.abc import Callable

from scripts.compile.codon_format import FormatCall, PercentFormat
from scripts.compile.codon_syntax import (
    ExceptTuple,
    ExitCall,
    NextMethod,
    RecursionLimit,
    Reduce,
    StarredPrint,
    StdinReadline,
    TypingOnly,
    UnpackedFields,
    UnpackedIterator,
)
from scripts.compile.codon_types import EmptyFields, GlobalsFirst, MemoDefault, Retyped

# Codon's parser takes `if(x) …` for a call; printing the tree anew puts the space between.
_TIGHT = re.compile(r"^\s*(?:if|elif|while|return|assert|del|not|for)\(|\b(?:and|or|not|in|if|else)\(", re.MULTILINE)
_CODON = (
    RecursionLimit,
    ExitCall,
    NextMethod,
    TypingOnly,
    ExceptTuple,
    StdinReadline,
    FormatCall,
    PercentFormat,
    Reduce,
    UnpackedFields,
    UnpackedIterator,
    StarredPrint,
    MemoDefault,
    GlobalsFirst,
    EmptyFields,
    Retyped,
)


def for_codon(source: str) -> tuple[str, list[str]]:
    """A Python program in Codon's subset, as far as its constructs are known, and the rewrites, `name:times` each.

    A program that is no valid Python 3, or needs no rewrite, comes back as it is.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
            done = [rewrite for kind in _CODON if (rewrite := kind(tree)).visit(tree) and rewrite.count]
            tight = len(_TIGHT.findall(source))
            helpers = [ast.parse(text) for text in dict.fromkeys(rewrite.helpers for rewrite in done)]
            tree.body = _after_imports(tree.body, [node for helper in helpers for node in helper.body])
            text = ast.unparse(ast.fix_missing_locations(tree)) + "\n"
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return source, []
    rewrites = [*([f"tight_keyword:{tight}"] if tight else []), *(f"{each.name}:{each.count}" for each in done)]
    return (text, rewrites) if rewrites else (source, [])


def _after_imports(body: list[ast.stmt], helpers: list[ast.stmt]) -> list[ast.stmt]:
    """A module's statements with `helpers` behind the docstring and the imports at its head."""
    place = 0
    while place < len(body) and _is_head(body[place]):
        place += 1
    return [*body[:place], *helpers, *body[place:]]


def _is_head(node: ast.stmt) -> bool:
    """Whether a statement belongs to a module's head."""
    constant = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return constant or isinstance(node, ast.Import | ast.ImportFrom)


PREPARATIONS: dict[str, Callable[[str], tuple[str, list[str]]]] = {"codon": for_codon}


def prepared(source: str, preparation: str | None) -> tuple[str, list[str]]:
    """The text to compile and the rewrites that it took; the source itself where no preparation is named."""
    return PREPARATIONS[preparation](source) if preparation else (source, [])
