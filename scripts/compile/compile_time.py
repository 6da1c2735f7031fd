"""Programs that can run code while they are compiled, and could so replace their module by another
one.

Such code runs with the compiler's rights, so that the origin of an output file cannot be verified.
It needs input and output at compile time for that. Each check returns, by the program's text, how
that is possible, or an empty text if it is not. A check may refuse harmless programs, but must not
miss a harmful one.
"""

import re
from collections.abc import Callable, Iterator

_HASKELL_CODE = re.compile(r"(?:\b|-X)(?:TemplateHaskell|QuasiQuotes)\b|(?<![\w-])-fth\b")
# Functions that run I/O or make pure code of it, and modules that have such functions under other
# names.
_HASKELL_IO = re.compile(
    r"\b(?:\w*[rR]unIO|liftIO|unIO|runRW|realWorld|embed\w*"
    r"|q?[aA]dd(?:Foreign|Temp|Core|ModFinalizer)\w*)"
    r"|[uU]nsafe|accursed|[pP]erformIO|\bforeign\b|\bGHCi?\.|\.Internals?\b"
    r"|\bDistribution\.|\bHaskeline\b"
)
# Options that run programs or modules of the program's choice at compile time. Some options of C
# compilers do, too.
# Of several `-optc-f` in a word, only the last one before `plugin` has to be found: searching from
# each of them to the end of the word would take quadratic time.
_C_OPTION = r"(?:[OmDg]|w(?!\w)|W(?![lap],)|f(?!(?:(?!-optc-f)\S)*plugin)|std)"
_HASKELL_OPTION = re.compile(
    r"-pgm\w+|-(?:f?plugin\S*|fclear-plugins|frontend\S*"
    rf"|opt(?!c-{_C_OPTION})\S+|optc(?!\S)|F)(?![\w-])"
)
# A pragma after its opening. Anything but a letter, a digit or an underscore ends its kind.
_OPTION_PRAGMA = re.compile(r"\s*(?:OPTIONS(?:_GHC)?|LANGUAGE)(?!\w)", re.IGNORECASE)
_ANNOTATION = re.compile(r"\{-#\s*ANN(?!\w)", re.IGNORECASE)
_ANNOTATION_WORD = re.compile(r"\bANN\b", re.IGNORECASE)
# What can make a pragma longer than its text up to the first `#-}`: comments, other pragmas,
# escaped line ends and directives.
_OPEN_PRAGMA = re.compile(r"\{-|/\*|\\[^\S\n]*+$|^[^\S\n]*+#(?!-\})", re.MULTILINE)
# A pragma of which the first word is no kind of pragma: a comment, a directive or an empty macro
# could stand before its kind.
_UNKNOWN_PRAGMA = re.compile(
    r"\{-#(?!\s*(?:ANN|COLUMN|COMPLETE|CORE|CTYPE|DEPRECATED|GENERATED|HLINT|INCLUDE|INCOHERENT|INLINE"
    r"|INLINE?ABLE|LANGUAGE|LINE|MINIMAL|NOINLINE|NOTINLINE|NOUNPACK|OPAQUE|OPTIONS\w*|OVERLAP\w*|RULES|SCC|SOURCE"
    r"|(?:NO)?SPECIALI[SZ]E|UNPACK|WARNING)(?!\w))",
    re.IGNORECASE,
)
_TEXT_BEGINS = re.compile(r"[\"\[]")
_CPP = re.compile(r"CPP\b|(?<![\w-])-cpp\b")
_MACRO = re.compile(r"^[^\S\n]*#[^\S\n]*define[^\S\n]+(\w+)(.*)|(?<![\w-])-D[^\S\n]*(\w+)=?(\S*)", re.MULTILINE)
_INCLUDE = re.compile(r"^[^\S\n]*#[^\S\n]*(?:include|import)(?:_next)?\b(.*)", re.MULTILINE)
# A directive of which `_MACRO` and `_INCLUDE` do not see the name, or the macro's, because a comment
# or an escaped line end stands before it.
_HIDDEN_DIRECTIVE = re.compile(r"^[^\S\n]*+#[^\S\n]*+(?!(?:if|elif|else|endif)\b)\w*+[^\S\n]*+(?:/\*|\\)", re.MULTILINE)
# Headers of GHC without macros that join words.
_PLAIN_HEADER = re.compile(r"\s*[\"<](?:MachDeps|ghcversion|ghcplatform|ghcautoconf)\.h[\">]")
# How the preprocessor makes one word of two: it removes comments and escaped line ends, and leaves
# no blank where a macro with arguments ends. Line ends can be escaped within a comment's marks.
_JOINED = re.compile(r"[\w{#/*-](?:\\[^\S\n]*+\n)++[\w#/*-]")
_COMMENT_BEGINS, _COMMENT_ENDS = re.compile(r"[\w{#-]/\*"), re.compile(r"\*/[\w#}-]")
_CALL_JOINED = re.compile(r"\)[\w#-]")
# Contents of macros that neither run programs nor make code of texts, which could be a macro again. No repetition gives
# anything back: the time would be exponential in the number of symbols.
_CRYSTAL_HARMLESS = re.compile(
    r"\s*+(?:(?:if|unless|elsif|else|end|begin|true|false|flag\?|compare_versions|@type|\|\||&&"
    r"|!|[()]|:\w++)\s*+)*+"
)


def _parts(text: str, begin: str, end: str) -> Iterator[str]:
    """The texts between each `begin` and the next `end`; the work is linear in the text."""
    for part in text.split(begin)[1:]:
        yield part.partition(end)[0]


def _options(source: str) -> str:
    """The contents of the pragmas with options and extensions, joined by blanks; the work is linear
    in the text.

    If it is not certain where a pragma ends, all of the rest of the program may belong to it.
    """
    bodies = []
    parts = source.split("{-#")
    for number, part in enumerate(parts):
        kind = _OPTION_PRAGMA.match(part) if number else None
        if kind is None:
            continue
        body, end, _ = part[kind.end() :].partition("#-}")
        if not end or _OPEN_PRAGMA.search(body):
            bodies.append("{-#".join([part[kind.end() :], *parts[number + 1 :]]))
            break
        bodies.append(body)
    return " ".join(bodies)


def _preprocessed(source: str, options: str) -> str:
    """The text in which a Haskell program's options and extensions stand when the preprocessor has
    read it; empty if they could be hidden in it.
    """
    macros = [(one or other, body or value) for one, body, other, value in _MACRO.findall(f"{source}\n{options}")]
    bodies = [body.strip() for _, body in macros]
    hidden = (
        {name for name, _ in macros} & set(re.findall(r"\w+", re.sub(r"-D\s*\w+", "", options)))
        or any(body == "-" or re.search("[{}#]", body) for body in bodies)
        or (any(body.startswith("(") for _, body in macros) and _CALL_JOINED.search(source))
        or (_COMMENT_BEGINS.search(source) and _COMMENT_ENDS.search(source))
        or _JOINED.search(source)
        or _HIDDEN_DIRECTIVE.search(source)
        or _UNKNOWN_PRAGMA.search(source)
        or not all(map(_PLAIN_HEADER.match, _INCLUDE.findall(source)))
    )
    if hidden:
        return ""
    return source if macros else options


def _has_escape(options: str) -> bool:
    """Whether a backslash follows the beginning of a text, or of a list of texts."""
    begin = _TEXT_BEGINS.search(options)
    return begin is not None and "\\" in options[begin.end() :]


def haskell(source: str) -> str:
    """Template Haskell, quasi-quotes and annotations with I/O, preprocessors and plug-ins."""
    options = _options(source)
    has_macros = bool(_CPP.search(options))
    scope = _preprocessed(source, options) if has_macros else options
    if (has_macros and not scope) or _has_escape(options):
        return "its options could be hidden by macros or escapes"
    option = _HASKELL_OPTION.search(scope)
    if option:
        return f"the option {option[0]} runs other programs at compile time"
    annotation = _ANNOTATION_WORD if scope is source else _ANNOTATION
    runs_code = _HASKELL_CODE.search(scope) or annotation.search(source)
    possible = _HASKELL_IO.search(source) if runs_code else None
    if possible or (runs_code and scope is source):
        return f"its code runs at compile time and could do I/O ({possible[0] if possible else 'by macros'})"
    return ""


def crystal(source: str) -> str:
    """Macros that could run programs. The compiler's own macros do so for some libraries, so this
    is asked about programs alone that do not compile without other processes.
    """
    macros = [*_parts(source, "{{", "}}"), *_parts(source, "{%", "%}")]
    return "" if all(map(_CRYSTAL_HARMLESS.fullmatch, macros)) else "its macros could run programs"


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
