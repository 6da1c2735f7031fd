"""Operands of expressions and instructions in the text of LLVM IR: where they end, their types and values."""

import re

_BRACKET = re.compile(r'"[^"]*"|[\[\](){}<>,]')
_TYPE_START = re.compile(r'\s*(?:%"[^"]*"|[\w.$%-]+)?')
_TYPE_END = re.compile(r" addrspace\(\d+\)|\s*\*| \(")
_OPENING, _CLOSING = frozenset("([{<"), frozenset(")]}>")


def bracket_end(text: str, start: int) -> int:
    """Index after the bracket that closes the one at `start`; the length of the text without one."""
    depth = 0
    for match in _BRACKET.finditer(text, start):
        depth += (match[0] in _OPENING) - (match[0] in _CLOSING)
        if not depth:
            return match.end()
    return len(text)


def split_type(operand: str) -> tuple[str, str]:
    """The type and the value of an operand: `i8* @x` as (`i8*`, `@x`)."""
    start = _TYPE_START.match(operand)
    end = start.end() if start else 0
    if end < len(operand) and operand[end] in _OPENING and not operand[:end].strip():
        end = bracket_end(operand, end)
    while (suffix := _TYPE_END.match(operand, end)) is not None:
        end = bracket_end(operand, suffix.end() - 1) if suffix[0] == " (" else suffix.end()
    return operand[:end].strip(), operand[end:].strip()


def operands(content: str) -> list[str]:
    """The operands of an expression, which commas divide."""
    found, depth, start = [], 0, 0
    for match in _BRACKET.finditer(content):
        depth += (match[0] in _OPENING) - (match[0] in _CLOSING)
        if match[0] == "," and not depth:
            found.append(content[start : match.start()])
            start = match.end()
    return [*found, content[start:]]


def member(kind: str, indices: list[str]) -> str | None:
    """The type of a member of a literal structure or array; None for a named type."""
    for index in indices:
        members = operands(kind.strip("<>{} ")) if kind.startswith(("{", "<{")) else []
        if kind.startswith("["):
            kind = kind[1:-1].partition(" x ")[2].strip()
        elif index.isdigit() and int(index) < len(members):
            kind = members[int(index)].strip()
        else:
            return None
    return kind
