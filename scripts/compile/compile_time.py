"""Programs that can run code of their own while they are compiled, and so could put another module in place of theirs.

Such code runs with the compiler's rights, in its process or next to it, so that nothing in the sandbox can tell whose
output a file is. What it needs for that is input and output while the program is compiled. Each check says, by the
program's text, where that is possible; an empty text says that it is not. A check errs on the side of refusing.
"""

import re
from collections.abc import Callable, Iterator

_HASKELL_CODE = re.compile(r"(?:\b|-X)(?:TemplateHaskell|QuasiQuotes)\b|(?<!\S)-fth\b")
_HASKELL_IO = re.compile(
    r"\b(?:\w*runIO|RunIO|liftIO|unIO|runRW|realWorld|embed\w*|q?[aA]dd(?:Foreign|Temp|Core|ModFinalizer)\w*)"
    r"|[uU]nsafe|accursed|[pP]erformIO|\bforeign\b|\bGHC\.|\.Internal\b"
)
# Options that run programs or modules of the program's choice in the course of compiling.
_HASKELL_OPTION = re.compile(r"-(?:pgm\w+|f?plugin\S*|fclear-plugins|frontend\S*|opt(?!c)\w+\S*|F)(?![\w-])")
_CPP = re.compile(r"\bCPP\b|(?<!\S)-cpp\b")
_MACRO = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)", re.MULTILINE)
_CRYSTAL_IO = re.compile(r"\b(?:system|run)\b|`")


def _parts(text: str, begin: str, end: str) -> Iterator[str]:
    """What stands between each `begin` and the next `end`; work is linear in the text."""
    for part in text.split(begin)[1:]:
        yield part.partition(end)[0]


def haskell(source: str) -> str:
    """Template Haskell, quasi-quotes and annotations with I/O, preprocessors and plug-ins."""
    pragmas = [pragma.split(None, 1) for pragma in _parts(source, "{-#", "#-}")]
    bodies = [(words[0].upper(), words[1]) for words in pragmas if len(words) == 2]
    options = " ".join(body for kind, body in bodies if kind in ("OPTIONS", "OPTIONS_GHC", "LANGUAGE"))
    option = _HASKELL_OPTION.search(options)
    if option:
        return f"the option {option[0]} runs other programs while it is compiled"
    macros = set(_MACRO.findall(source)) if _CPP.search(options) else set()
    if macros & set(re.findall(r"\w+", options)) or (macros and ("##" in options or "/*" in options)):
        return "macros make its options"
    runs_code = _HASKELL_CODE.search(options) or any(kind == "ANN" for kind, _ in bodies)
    possible = _HASKELL_IO.search(source) if runs_code else None
    if possible or (runs_code and macros):
        return f"its code runs while it is compiled, and could do I/O ({possible[0] if possible else 'by macros'})"
    return ""


def crystal(source: str) -> str:
    """Macros that run programs."""
    macros = [*_parts(source, "{{", "}}"), *_parts(source, "{%", "%}")]
    return "its macros run programs" if any(map(_CRYSTAL_IO.search, macros)) else ""


def nim(source: str) -> str:
    """`staticExec` and `gorge`, however they are spelled: Nim takes no notice of case and underscores."""
    plain = source.replace("_", "").lower()
    word = next((word for word in ("staticexec", "gorge") if word in plain), None)
    return f"it runs programs while it is compiled ({word})" if word else ""


CHECKS: dict[str, Callable[[str], str]] = {"haskell": haskell, "crystal": crystal, "nim": nim}


def outside_work(source: str, check: str | None) -> str:
    """How a program could reach others while it is compiled, by the check of that name; empty if in no way."""
    return CHECKS[check](source) if check else ""
