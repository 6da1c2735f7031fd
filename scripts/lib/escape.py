"""Escapes text of users, data and programs, so that Markdown, HTML and LaTeX show it literally."""

import html
import re
import unicodedata

_MARKDOWN = {character: f"\\{character}" for character in "\\`*[]|~$_"} | {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
# Underscores between letters or digits, as in `snake_case`, have no meaning and stay.
_MARKUP = re.compile(r"[\\`*\[\]|~$&<>]|(?<![^\W_])_|_(?![^\W_])")
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_BACKTICKS = re.compile("`+")
_CODE = re.compile("`([^`]+)`")
_TEX = {character: f"\\{character}" for character in "&%$#_{}"} | {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "×": r"$\times$",
    "▲": r"$\blacktriangle$",
    "▼": r"$\blacktriangledown$",
}


def one_line(text: object) -> str:
    """Replace each run of whitespace with one blank and remove other control characters."""
    words = " ".join(str(text).split())
    return "".join(character for character in words if unicodedata.category(character) not in ("Cc", "Cf"))


def markdown(text: object) -> str:
    """Escape a text for a heading or a table cell: no markup, no HTML, no end of the cell or line."""
    return _MARKUP.sub(lambda match: _MARKDOWN[match[0]], one_line(text))


def markdown_prose(text: object) -> str:
    """Escape HTML in a paragraph that may contain Markdown, and put it on one line."""
    return _TAG.sub("&lt;", one_line(text))


def html_prose(text: object) -> str:
    """Escape a paragraph for HTML; what stands between backticks is shown as code."""
    return _CODE.sub(r"<code>\1</code>", html.escape(one_line(text)))


def markdown_code(value: object) -> str:
    """Format a value as code in a table cell; control characters are shown as escape sequences."""
    shown = "".join(
        character.encode("unicode_escape").decode() if unicodedata.category(character) == "Cc" else character
        for character in str(value)
    ).replace("|", "\\|")
    longest = max(map(len, _BACKTICKS.findall(shown)), default=0)
    fence, space = "`" * (longest + 1), " " if longest else ""
    return f"{fence}{space}{shown}{space}{fence}" if shown else ""


def markdown_block(text: str, language: str) -> str:
    """Format a text as a code block, with a fence longer than any run of backticks in the text."""
    fence = "`" * max(3, 1 + max(map(len, _BACKTICKS.findall(text)), default=0))
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def tex(text: object) -> str:
    """Escape a text for LaTeX and put it on one line."""
    return "".join(_TEX.get(character, character) for character in one_line(text))


def tex_label(text: object) -> str:
    """Format a text as the name of a label: letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", one_line(text).lower()).strip("-")
