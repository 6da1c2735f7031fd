"""Text that comes from users, data or programs, written so that Markdown and LaTeX show it and do not obey it."""

import re
import unicodedata

_MARKDOWN = {character: f"\\{character}" for character in "\\`*[]|"} | {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_BACKTICKS = re.compile("`+")
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
    """A text with each run of line ends, tabs and blanks as one blank, and without other control characters."""
    words = " ".join(str(text).split())
    return "".join(character for character in words if unicodedata.category(character) not in ("Cc", "Cf"))


def markdown(text: object) -> str:
    """A text for a heading or a table's cell: no markup, no HTML, no end of the cell or of the line."""
    return "".join(_MARKDOWN.get(character, character) for character in one_line(text))


def markdown_prose(text: object) -> str:
    """A paragraph that may have Markdown of its own, on one line and without HTML."""
    return _TAG.sub("&lt;", one_line(text))


def markdown_code(value: object) -> str:
    """A value as code in a table's cell; line ends and other control characters are shown as their escapes."""
    shown = "".join(
        character.encode("unicode_escape").decode() if unicodedata.category(character) == "Cc" else character
        for character in str(value)
    ).replace("|", "\\|")
    longest = max(map(len, _BACKTICKS.findall(shown)), default=0)
    fence, space = "`" * (longest + 1), " " if longest else ""
    return f"{fence}{space}{shown}{space}{fence}" if shown else ""


def markdown_block(text: str, language: str) -> str:
    """A text as a block of code, whose fence is longer than any run of backticks in it."""
    fence = "`" * max(3, 1 + max(map(len, _BACKTICKS.findall(text)), default=0))
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def tex(text: object) -> str:
    """A text for LaTeX, on one line, with everything escaped that LaTeX would take as a command."""
    return "".join(_TEX.get(character, character) for character in one_line(text))


def tex_label(text: object) -> str:
    """A text as the name of a label: letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", one_line(text).lower()).strip("-")
