"""Text of programs and models as safe HTML: escaped, highlighted, with invisible characters made visible."""

import re
import unicodedata

from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

# Languages of the workflow whose lexers have other names.
LEXERS = {"Objective-C": "objective-c", "C++": "cpp", "Fortran": "fortran"}
# Longer texts are not highlighted, and cells of tables show only their beginning.
HIGHLIGHTED, IN_CELL = 200_000, 300
_DIGEST = re.compile(r"(rows-sha256:)?[0-9a-f]{64}")
_FORMATTER = HtmlFormatter(nowrap=True)


def _is_hidden(character: str) -> bool:
    """Whether a character controls the display in place of being displayed."""
    return character not in "\n\t" and unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp")


def visible(text: str) -> str:
    """The text with the code point in place of each control character, such as marks of direction."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(f"[U+{ord(character):04X}]" if _is_hidden(character) else character for character in text)


def code(text: str, language: str) -> Markup:
    """Highlighted source code of a language, or LLVM IR (`llvm`)."""
    text = visible(text.replace("\r\n", "\n"))
    if len(text) > HIGHLIGHTED:
        return Markup.escape(text)
    try:
        lexer = get_lexer_by_name(LEXERS.get(language, language.lower()), stripnl=False, ensurenl=False)
    except ClassNotFound:
        return Markup.escape(text)
    return Markup(highlight(text, lexer, _FORMATTER))


def styles() -> Markup:
    """The style sheet of highlighted code."""
    return Markup(HtmlFormatter(style="default").get_style_defs(".code"))


def cell(text: str) -> Markup | None:
    """A text as the cell of a table: digests shortened, long texts cut; None for a text that needs neither."""
    if _DIGEST.fullmatch(text):
        return Markup('<span class="digest" title="{}">{}…</span>').format(text, text[-64:-52])
    shown = visible(text[:IN_CELL])
    if len(text) > IN_CELL:
        return Markup('<div class="text">{}<span class="more">… {:,} characters</span></div>').format(shown, len(text))
    if "\n" in shown or shown != text:
        return Markup('<div class="text">{}</div>').format(shown)
    return None
