"""The pragmas at the top of a Haskell program, and how to add one after them."""

import re

# White space, line comments, lines of a preprocessor, and pragmas or block comments, which may be
# nested.
_PLAIN = re.compile(r"\s+|--[^\n]*(?:\n|\Z)|(?<![^\n])#[^\n]*(?:\n|\Z)")
_BORDER = re.compile(r"\{-|-\}")
_OPTIONS = re.compile(r"\{-#\s*OPTIONS", re.IGNORECASE)


def _block_end(text: str, start: int) -> int:
    """End index of the block comment or pragma that starts at `start`; the text's length if it
    never ends.
    """
    depth = 0
    for border in _BORDER.finditer(text, start):
        depth += 1 if border[0] == "{-" else -1
        if depth == 0:
            return border.end()
    return len(text)


def header_end(text: str) -> int:
    """Index of the first token of a program, after all pragmas that a compiler reads."""
    position = 0
    while position < len(text):
        plain = _PLAIN.match(text, position)
        if plain:
            position = plain.end()
        elif text.startswith("{-", position):
            position = _block_end(text, position)
        else:
            break
    return position


def with_pragma(text: str, pragma: str | None) -> str:
    """A program with another pragma after those at its top; the program itself if these set no
    options.

    For the compiler, lines and columns of the rest stay the same.
    """
    end = header_end(text)
    if pragma is None or not _OPTIONS.search(text, 0, end):
        return text
    line_start = text.rfind("\n", 0, end) + 1
    number = text.count("\n", 0, end) + 1
    return f'{text[:end]}\n{pragma}\n{{-# LINE {number} "source.hs" #-}}\n{" " * (end - line_start)}{text[end:]}'
