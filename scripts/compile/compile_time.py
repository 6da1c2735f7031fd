"""Programs that can run code while they are compiled, and could so replace their module by another
one.

Such code runs with the compiler's rights, so that the origin of an output file cannot be verified.
It needs input and output at compile time for that. Each check returns, by the program's text, how
that is possible, or an empty text if it is not. A check may refuse harmless programs, but must not
miss a harmful one.
"""

import re
from collections.abc import Callable, Iterator

_HASKELL_CODE = re.compile(r"(?:\b|-X)(?:TemplateHaskell|QuasiQuotes)\b|(?<!\S)-fth\b")
_HASKELL_IO = re.compile(
    r"\b(?:\w*runIO|RunIO|liftIO|unIO|runRW|realWorld|embed\w*|q?[aA]dd(?:Foreign|Temp|Core|ModFinalizer)\w*)"
    r"|[uU]nsafe|accursed|[pP]erformIO|\bforeign\b|\bGHC\.|\.Internal\b"
)
# Options that run programs or modules of the program's choice at compile time.
_HASKELL_OPTION = re.compile(r"-(?:pgm\w+|f?plugin\S*|fclear-plugins|frontend\S*|opt(?!c)\w+\S*|F)(?![\w-])")
_CPP = re.compile(r"\bCPP\b|(?<!\S)-cpp\b")
_MACRO = re.compile(r"^[ \t]*#[ \t]*define[ \t]+(\w+)", re.MULTILINE)
_CRYSTAL_IO = re.compile(r"\b(?:system|run)\b|`")


def _parts(text: str, begin: str, end: str) -> Iterator[str]:
    """The texts between each `begin` and the next `end`; the work is linear in the text."""
    for part in text.split(begin)[1:]:
        yield part.partition(end)[0]


def haskell(source: str) -> str:
    """Template Haskell, quasi-quotes and annotations with I/O, preprocessors and plug-ins."""
    pragmas = [pragma.split(None, 1) for pragma in _parts(source, "{-#", "#-}")]
    bodies = [(words[0].upper(), words[1]) for words in pragmas if len(words) == 2]
    options = " ".join(body for kind, body in bodies if kind in ("OPTIONS", "OPTIONS_GHC", "LANGUAGE"))
    option = _HASKELL_OPTION.search(options)
    if option:
        return f"the option {option[0]} runs other programs at compile time"
    macros = set(_MACRO.findall(source)) if _CPP.search(options) else set()
    if macros & set(re.findall(r"\w+", options)) or (macros and ("##" in options or "/*" in options)):
        return "its options are made by macros"
    runs_code = _HASKELL_CODE.search(options) or any(kind == "ANN" for kind, _ in bodies)
    possible = _HASKELL_IO.search(source) if runs_code else None
    if possible or (runs_code and macros):
        return f"its code runs at compile time and could do I/O ({possible[0] if possible else 'by macros'})"
    return ""


def crystal(source: str) -> str:
    """Macros that run programs."""
    macros = [*_parts(source, "{{", "}}"), *_parts(source, "{%", "%}")]
    return "its macros run programs" if any(map(_CRYSTAL_IO.search, macros)) else ""


def nim(source: str) -> str:
    """`staticExec` and `gorge` in any spelling: Nim ignores case and underscores."""
    plain = source.replace("_", "").lower()
    word = next((word for word in ("staticexec", "gorge") if word in plain), None)
    return f"it runs programs at compile time ({word})" if word else ""


CHECKS: dict[str, Callable[[str], str]] = {"haskell": haskell, "crystal": crystal, "nim": nim}


def outside_work(source: str, check: str | None) -> str:
    """How a program could start others at compile time, by the check of that name; empty if it
    cannot.
    """
    return CHECKS[check](source) if check else ""
