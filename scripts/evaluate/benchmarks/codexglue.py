"""CodeXGLUE code-to-text: prompts from functions without their description, and the descriptions to compare with."""

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
# A quote by itself at the end of the text, with the character before it.
_SINGLE_QUOTES = [re.compile(rf"""[^'"]{quote}\s*$""") for quote in ("'", '"')]


def _parsed_span(code: str) -> tuple[int, int] | None:
    """Start and end of the first function's docstring in Python source, quotes included; None when there is none."""
    try:
        function = ast.parse(code).body[0]
    except (SyntaxError, ValueError, IndexError, RecursionError, MemoryError):
        return None
    if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) or not ast.get_docstring(
        function
    ):
        return None
    text = function.body[0]
    lines = code.encode().splitlines(keepends=True)
    start = sum(map(len, lines[: text.lineno - 1])) + text.col_offset
    end = sum(map(len, lines[: text.end_lineno - 1])) + text.end_col_offset
    return len(code.encode()[:start].decode()), len(code.encode()[:end].decode())


def _docstring_span(code: str, docstring: str) -> tuple[int, int]:
    """Start and end of the docstring in Python source: of its text or, where it is spelt otherwise, as parsed.

    A function without a docstring has an empty one at its start. The original ends with an error where the text is
    not found.
    """
    start = code.find(docstring)
    return (start, start + len(docstring)) if start >= 0 else _parsed_span(code) or (0, 0)


def _signature(before: str) -> str:
    """The text before a docstring without the quotes that open it and without outer blanks.

    As in the original: everything from the first triple quote on goes, also where it does not open the docstring, and
    with a quote by itself the character before it.
    """
    quotes = next((quotes for quotes in _TRIPLE_QUOTES if quotes in before), None)
    if quotes is not None:
        before = before[: before.index(quotes)]
    for pattern in _SINGLE_QUOTES:
        opening = pattern.search(before)
        before = before[: opening.start()] if opening else before
    return before.strip().removesuffix(_TRIPLE_QUOTES[1])


def without_docstring(code: str, docstring: str) -> str:
    """Python source without docstring and triple quotes: the body's lines directly follow the signature's."""
    start, end = _docstring_span(code, docstring)
    after = code[end:]
    for quotes in _TRIPLE_QUOTES:
        after = after.replace(quotes, "")
    return _signature(code[:start]) + after


def description_prompt(code: str, docstring: str, language: str) -> str:
    """The prompt for a function's description; it ends in a newline, which is not stripped.

    Without it the first thing to generate would be the newline, at which all languages but Python stop.
    """
    body = without_docstring(code, docstring) if language == "python" else code
    return body + _OPENINGS.get(language, _OTHER_OPENING)


@cache
def _detokenizer() -> Any:
    # Imported where it is needed: most steps that read problems compare no texts.
    from sacremoses import MosesDetokenizer

    return MosesDetokenizer(lang="en")


def description_reference(tokens: Sequence[str]) -> str:
    """The description to compare with: tokens joined, newlines and a leading `r` dropped, Moses-detokenised.

    The original drops the `r` of raw strings even where it belongs to the first word; so do we.
    """
    text = " ".join(tokens).replace("\n", "").removeprefix("r")
    return _detokenizer().detokenize(text.strip().split())


def described(completion: str) -> str:
    """The predicted description: the first line of what was generated, stripped."""
    return completion.strip().partition("\n")[0].strip()
