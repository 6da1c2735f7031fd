"""The pragmas at the top of a Haskell program, and one more after them."""

import re

# White space, line comments, lines of a preprocessor, and pragmas or block comments, which may be nested.
_PLAIN = re.compile(r"\s+|--[^\n]*(?:\n|\Z)|(?<![^\n])#[^\n]*(?:\n|\Z)")
_BORDER = re.compile(r"\{-|-\}")
_OPTIONS = re.compile(r"\{-#\s*OPTIONS", re.IGNORECASE)


def _block_end(text: str, start: int) -> int:
    """Where the block comment or pragma that starts at `start` ends; the text's end where it never does."""
    depth = 0
    for border in _BORDER.finditer(text, start):
        depth += 1 if border[0] == "{-" else -1
        if depth == 0:
            return border.end()
    return len(text)


def header_end(text: str) -> int:
    """Where the first token of a program stands, after all pragmas that a compiler reads."""
    place = 0
    while place < len(text):
        plain = _PLAIN.match(text, place)
        if plain:
            place = plain.end()
        elif text.startswith("{-", place):
            place = _block_end(text, place)
        else:
            break
    return place


def with_pragma(text: str, pragma: str | None) -> str:
    """A program with one more pragma after those at its top, where these have options; the program itself otherwise.

    Lines and columns of what follows stay the same to the compiler.
    """
    end = header_end(text)
    if pragma is None or not _OPTIONS.search(text, 0, end):
        return text
    line_start = text.rfind("\n", 0, end) + 1
    number = text.count("\n", 0, end) + 1
    return f'{text[:end]}\n{pragma}\n{{-# LINE {number} "source.hs" #-}}\n{" " * (end - line_start)}{text[end:]}'
