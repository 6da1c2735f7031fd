"""CodeXGLUE code-to-text: prompts from functions without their description, and the references.

Prompts and references are those of the paper's evaluation, oddities included (Lu et al. 2021, arXiv
2102.04664; tests/conformance compares them with the original).
"""

import ast
import re
from collections.abc import Sequence
from functools import cache
from typing import Any

_OPENINGS = {
    "python": '\n""" The goal of this function is to:\n',
    "ruby": "\n=begin The goal of this function is to:\n",
}
_OTHER_OPENING = "\n/* The goal of this function is to:\n"
_TRIPLE_QUOTES = ('"""', "'''")
# A single quote character at the end of the text, with the character before it.
_SINGLE_QUOTES = [re.compile(rf"""[^'"]{quote}\s*$""") for quote in ("'", '"')]


def _offset(code: str, line: int, column: int) -> int:
    """Index in `code` of a position as `ast` gives it: lines from 1, columns in bytes of UTF-8."""
    lines = code.encode().splitlines(keepends=True)[:line]
    return len(b"".join([*lines[:-1], lines[-1][:column]]).decode())


def _parsed_span(code: str) -> tuple[int, int] | None:
    """Start and end of the first function's docstring in Python source, quotes included.

    None when the source cannot be parsed or the function has no docstring.
    """
    try:
        function = ast.parse(code).body[0]
    except (SyntaxError, ValueError, IndexError, RecursionError, MemoryError):
        return None
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or not ast.get_docstring(
        function
    ):
        return None
    node = function.body[0]
    end_line, end_column = node.end_lineno, node.end_col_offset
    if end_line is None or end_column is None:
        return None
    return _offset(code, node.lineno, node.col_offset), _offset(code, end_line, end_column)


def _docstring_span(code: str, docstring: str) -> tuple[int, int]:
    """Start and end of the docstring in Python source.

    They are those of the data set's text or, where the source spells it differently, of the parsed
    docstring. A function without a docstring has an empty span at its start. The original fails
    where the source does not contain the text.
    """
    start = code.find(docstring)
    return (start, start + len(docstring)) if start >= 0 else _parsed_span(code) or (0, 0)


def _signature(before: str) -> str:
    """The text before a docstring without the quotes that open it, stripped.

    As in the original, everything from the first triple quote on is removed, even where it does not
    open the docstring, and a single quote is removed together with the character before it.
    """
    quotes = next((quotes for quotes in _TRIPLE_QUOTES if quotes in before), None)
    if quotes is not None:
        before = before[: before.index(quotes)]
    for pattern in _SINGLE_QUOTES:
        opening = pattern.search(before)
        before = before[: opening.start()] if opening else before
    return before.strip().removesuffix(_TRIPLE_QUOTES[1])


def without_docstring(code: str, docstring: str) -> str:
    """Python source without its docstring and triple quotes; the body follows the signature."""
    start, end = _docstring_span(code, docstring)
    after = code[end:]
    for quotes in _TRIPLE_QUOTES:
        after = after.replace(quotes, "")
    return _signature(code[:start]) + after


def description_prompt(code: str, docstring: str, language: str) -> str:
    """The prompt for a function's description.

    It ends with a newline, which is not stripped: otherwise the newline would be the first thing to
    generate, and generation stops at a newline for all languages but Python.
    """
    body = without_docstring(code, docstring) if language == "python" else code
    return body + _OPENINGS.get(language, _OTHER_OPENING)


@cache
def _detokenizer() -> Any:
    # Imported here because most steps that read problems compare no texts.
    from sacremoses import MosesDetokenizer

    return MosesDetokenizer(lang="en")


def description_reference(tokens: Sequence[str]) -> str:
    """The reference: tokens joined without newlines and a leading `r`, detokenised as by Moses.

    The original removes the `r` of raw strings even where it belongs to the first word; so do we.
    """
    text = " ".join(tokens).replace("\n", "").removeprefix("r")
    detokenized: str = _detokenizer().detokenize(text.strip().split())
    return detokenized


def predicted_description(completion: str) -> str:
    """The description in a completion: its first line that is not blank, stripped."""
    return completion.strip().partition("\n")[0].strip()
