"""Rewrite the text of LLVM IR of older versions in the syntax that the reader accepts.

Clang up to version 18 writes `inrange` before an index of each address of a table of virtual
functions, up to 19 the type `x86_mmx`, up to 13 operands of assembly in memory without
`elementtype`, up to 12 `comdat noduplicates`, and up to 11 the attribute `sret` without a type.
LLVM reads all of them in bitcode and rejects them in text. Lines may also end with a carriage
return. Strings, quoted names and comments stay unchanged, and the work is linear in the text.
"""

import re
from collections.abc import Iterator

_BYTE_ORDER_MARK = "\ufeff"
_RETURN = re.compile(r'"[^"]*"|;[^\r\n]*|(\r\n?)')
# The attributes of parameters that need a type since some version.
_TYPED = ("sret", "byval", "inalloca", "preallocated")
# A text without any of these has no old form: the pattern is slower than these searches.
_FORMS = (
    "inrange i",
    "inrange <",
    "x86_mmx",
    "comdat noduplicates",
    *(word + after for word in _TYPED for after in " ,)"),
)
_OLD = re.compile(
    r'"[^"]*"|;[^\n]*|(?<![\w.$%@!#-])(?:(inrange (?=[i<]))|(x86_mmx)(?![\w.$-])'
    rf"|({'|'.join(_TYPED)})(?=[ ,)])|(comdat noduplicates)\b)"
)
_ASSEMBLY = re.compile(r'"[^"]*"|;[^\n]*|(?<![\w.$%@!#-])asm (?:[a-z]+ )*"[^"]*", "([^"]*)"\(')
# What divides the operands of a call; a star before a blank ends the type of a pointer.
_OPERANDS = re.compile(r'"[^"]*"|[\[\](){}<>,]|\*(?= )')
# Between a pointer type and the attribute: other attributes.
_ATTRIBUTES = re.compile(r"[\w ()]*")
_ADDRESS_SPACE = re.compile(r" addrspace\(\d+\)$")
# Characters of a parameter in which its type is searched.
_LONGEST = 512
_CLOSING, _OPENING = frozenset(")]}>"), frozenset("([{<")


def with_line_feeds(text: str) -> str:
    """The text of a module without a byte order mark, its lines separated by line feeds."""
    text = text.removeprefix(_BYTE_ORDER_MARK)
    return _RETURN.sub(lambda match: "\n" if match[1] else match[0], text) if "\r" in text else text


def _type_start(text: str, end: int, least: int) -> int:
    """Index of the first character of the type that ends at `end` in a list of parameters."""
    depth, position = 0, end
    while position > least:
        position -= 1
        character = text[position]
        if character == '"':
            position = text.rfind('"', least, position)
            if position < 0:
                return end
        elif character in _CLOSING:
            depth += 1
        elif depth and character in _OPENING:
            depth -= 1
        elif not depth and character in ",(":
            return position + 1
    return end


def _pointee(text: str, end: int) -> str:
    """The type to which a parameter points whose attribute begins at `end`; empty if it has no typed
    pointer.
    """
    least = max(0, end - _LONGEST)
    star = text.rfind("*", least, end)
    if star < 0 or not _ATTRIBUTES.fullmatch(text, star + 1, end):
        return ""
    return _ADDRESS_SPACE.sub("", text[_type_start(text, star, least) : star].strip())


def _current(match: re.Match[str]) -> str:
    """What stands for an old form; strings, comments and attributes without a known type stay."""
    if match[1]:
        return ""
    if match[2]:
        return "<1 x i64>"
    if match[4]:
        return "comdat nodeduplicate"
    pointee = _pointee(match.string, match.start()) if match[3] else ""
    return f"{match[0]}({pointee})" if pointee else match[0]


def _in_memory(constraints: str) -> Iterator[bool]:
    """Whether each operand of inline assembly is the address of a value in memory."""
    for constraint in constraints.split(","):
        if constraint.startswith("="):
            yield from [True] if "*" in constraint[:3] else []
        elif not constraint.startswith(("~", "!")):
            yield constraint.startswith("*")


def _operands(text: str, start: int) -> Iterator[tuple[int, int]]:
    """For each operand of a call: its start, and the index of the star that ends its pointer type,
    or -1.
    """
    depth, begin, star = 1, start, -1
    for match in _OPERANDS.finditer(text, start):
        token = match[0]
        depth += (token in _OPENING) - (token in _CLOSING)
        if not depth or (token == "," and depth == 1):
            yield begin, star
            begin, star = match.end(), -1
        elif token == "*" and depth == 1 and star < 0:
            star = match.start()
        if not depth:
            return


def _assemblies(text: str) -> Iterator[re.Match[str]]:
    """Matches of `_ASSEMBLY` in the lines of a text that may call inline assembly."""
    found = text.find(" asm ")
    while found >= 0:
        end = (text.find("\n", found) + 1) or len(text)
        yield from _ASSEMBLY.finditer(text, text.rfind("\n", 0, found) + 1, end)
        found = text.find(" asm ", end)


def _with_element_types(text: str) -> str:
    """The text of a module in which operands of assembly in memory state the type of their value."""
    parts, done = [], 0
    for match in _assemblies(text):
        if match[1] is None or "*" not in match[1]:
            continue
        for (begin, star), in_memory in zip(_operands(text, match.end()), _in_memory(match[1]), strict=False):
            if in_memory and star >= max(begin, done) and not text.startswith(" elementtype(", star + 1):
                kind = _ADDRESS_SPACE.sub("", text[begin:star].strip())
                parts += [text[done : star + 1], f" elementtype({kind})"]
                done = star + 1
    return "".join([*parts, text[done:]])


def with_current_syntax(text: str) -> str:
    """The text of a module, whose strings have no line breaks, without the forms of older versions."""
    if any(form in text for form in _FORMS):
        text = _OLD.sub(_current, text)
    return _with_element_types(text)
