"""CodeXGLUE code-to-text: prompts from functions without their description, and the descriptions to compare with."""

import ast
from collections.abc import Sequence
from functools import cache
from typing import Any

_OPENINGS = {
    "python": '\n""" The goal of this function is to:\n',
    "ruby": "\n=begin The goal of this function is to:\n",
}
_OTHER_OPENING = "\n/* The goal of this function is to:\n"


def _docstring_span(code: str) -> tuple[int, int] | None:
    """Start and end of the first function's docstring in Python source, quotes included; None when there is none."""
    try:
        function = ast.parse(code).body[0]
    except (SyntaxError, ValueError, IndexError):
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


def without_docstring(code: str, docstring: str) -> str:
    """Python source with its docstring cut out by position and stray triple quotes removed."""
    start = code.find(docstring)
    span = (start, start + len(docstring)) if docstring and start >= 0 else _docstring_span(code)
    if span is not None:
        code = code[: span[0]] + code[span[1] :]
    return code.replace('"""', "").replace("'''", "")


def description_prompt(code: str, docstring: str, language: str) -> str:
    """The prompt for a function's description; it ends in a newline, which is not stripped.

    Without it the first thing to generate would be the newline, at which all languages but Python stop.
    """
    body = without_docstring(code, docstring) if language == "python" else code
    return body.lstrip() + _OPENINGS.get(language, _OTHER_OPENING)


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
