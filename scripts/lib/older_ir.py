"""Rewrite the text of LLVM IR of older versions in the syntax that the reader accepts.

Clang up to version 18 writes `inrange` before an index of each address of a table of virtual
functions, up to 19 the type `x86_mmx`, up to 13 operands of assembly in memory without
`elementtype` and labels of `asm goto` as operands, up to 12 `comdat noduplicates`, and up to 11 the
attribute `sret` without a type. LLVM reads all of them in bitcode and rejects them in text. Lines
may also end with a carriage return. Strings, quoted names and comments stay unchanged, and the work
is linear in the text.
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
    r'"[^"]*"|;[^\n]*|(?<![\w.$%@!#-])(?:(inrange (?=[i<]))|(x86_mmx)(?![\w.$:-])'
    rf"|({'|'.join(_TYPED)})(?=[ ,)])|(comdat noduplicates)\b)"
)
# A call has at most a few of the words that follow `asm`, such as `sideeffect`.
_ASSEMBLY = re.compile(r'"[^"]*"|;[^\n]*|(?<![\w.$%@!#-])asm (?:[a-z]+ ){0,8}"[^"]*", "([^"]*)"\(')
# What follows the operands of `callbr`: its labels.
_LABELS = re.compile(r"\)[^\[\n]*\n?[^\[\n]*\[([^\]\n]*)\]")
_LONGEST_RESULT = 256
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


def _operands(text: str, start: int) -> Iterator[tuple[int, int, int]]:
    """For each operand of a call: its start and end, and the index of the star that ends its pointer
    type, or -1.
    """
    depth, begin, star = 1, start, -1
    for match in _OPERANDS.finditer(text, start):
        token = match[0]
        depth += (token in _OPENING) - (token in _CLOSING)
        if not depth or (token == "," and depth == 1):
            yield begin, match.start(), star
            begin, star = match.end(), -1
        elif token == "*" and depth == 1 and star < 0:
            star = match.start()
        if not depth:
            return


def _assemblies(text: str) -> Iterator[tuple[re.Match[str], list[tuple[int, int, int]]]]:
    """Calls of inline assembly: the matches of `_ASSEMBLY` and the operands.

    A call inside another one, which is not valid, is left out, and so is all after one without an end.
    """
    found, done = text.find(" asm "), 0
    while found >= 0:
        end = (text.find("\n", found) + 1) or len(text)
        for match in _ASSEMBLY.finditer(text, text.rfind("\n", 0, found) + 1, end):
            if match[1] is None or match.start() < done:
                continue
            operands = list(_operands(text, match.end()))
            if not operands or text[operands[-1][1]] not in _CLOSING:
                return
            done = operands[-1][1]
            yield match, operands
        found = text.find(" asm ", end)


def _with_element_types(text: str) -> str:
    """The text of a module in which operands of assembly in memory state the type of their value."""
    parts, done = [], 0
    for match, operands in _assemblies(text):
        if "*" not in match[1]:
            continue
        for (begin, _, star), in_memory in zip(operands, _in_memory(match[1]), strict=False):
            if in_memory and star >= max(begin, done) and not text.startswith(" elementtype(", star + 1):
                kind = _ADDRESS_SPACE.sub("", text[begin:star].strip())
                parts += [text[done : star + 1], f" elementtype({kind})"]
                done = star + 1
    return "".join([*parts, text[done:]])


def _label_edits(text: str, match: re.Match[str], operands: list[tuple[int, int, int]]) -> list[tuple[int, int, str]]:
    """The replacements (start, end, new text) after which the labels of an `asm goto` are no operands."""
    words = [text[begin:end].strip() for begin, end, _ in operands]
    labels = _LABELS.match(text, operands[-1][1])
    number = labels[1].count("label ") if labels else 0
    constraints = match[1].split(",")
    used = [place for place, one in enumerate(constraints) if not one.startswith(("=", "~", "!")) or one[:2] == "=*"]
    if not number or len(used) != len(words):
        return []
    addresses = [index for index, word in enumerate(words) if "blockaddress(" in word][-number:]
    if len(addresses) < number or any(constraints[used[index]] not in ("X", "i") for index in addresses):
        return []
    for index in addresses:
        constraints[used[index]] = "!i"
    rest = ", ".join(word for index, word in enumerate(words) if index not in addresses)
    return [(match.start(1), match.end(1), ",".join(constraints)), (match.end(), operands[-1][1], rest)]


def _without_label_operands(text: str) -> str:
    """The text of a module in which the labels of each `asm goto` are its destinations alone."""
    parts, done = [], 0
    for match, operands in _assemblies(text):
        start = text.rfind("callbr ", max(0, match.start() - _LONGEST_RESULT), match.start())
        if start < 0 or "\n" in text[start : match.start()]:
            continue
        for begin, end, new in _label_edits(text, match, operands):
            parts += [text[done:begin], new]
            done = end
    return "".join([*parts, text[done:]])


def with_current_syntax(text: str) -> str:
    """The text of a module, whose strings have no line breaks, without the forms of older versions."""
    if any(form in text for form in _FORMS):
        text = _OLD.sub(_current, text)
    text = _without_label_operands(text) if "callbr " in text else text
    return _with_element_types(text)
