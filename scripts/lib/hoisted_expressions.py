"""Write constant expressions that the reader no longer accepts as instructions.

LLVM up to 18 writes the comparison of an address with null as an operand, for example in programs
with weak symbols: `br i1 icmp ne (ptr @weak, ptr null), label %a, label %b`. Newer readers accept
such a comparison, and other operations on addresses, as an instruction alone. Each such expression,
and each with one inside, becomes the value of an instruction before its user, or at the beginning
of the function if the user is a `phi`. Expressions outside functions and in constant aggregates
stay. Strings and comments are skipped, and the work is linear in the text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from scripts.lib.constant_expressions import AGGREGATES, CASTS, DROPPED, OPERATIONS, may_have_dropped, opening
from scripts.lib.ir_operands import operands, split_type

_REJECTED = re.compile(rf'"[^"]*"|;[^\n]*|{opening(DROPPED)}')
_EXPRESSION = re.compile(rf'"[^"]*"|;[^\n]*|{opening(OPERATIONS)}')
_TOKEN = re.compile(rf"{_EXPRESSION.pattern}|[()]")
# Operations whose content is the same in an instruction.
_SAME = {*CASTS, *AGGREGATES, "select", "getelementptr", "fneg"}
_PHI = re.compile(r'  %(?:"[^"]*"|[\w.$-]+) = phi ')
_NAME = re.compile(r"%constant(_*)\.")


def _instruction(operation: str, content: str) -> str:
    """An expression as an instruction: a binary one and a comparison state their type once."""
    if operation.partition(" ")[0] in _SAME:
        return f"{operation} {content.strip()}"
    (kind, first), *others = map(split_type, operands(content))
    return f"{operation} {kind} {', '.join([first, *(value for _, value in others)])}"


@dataclass
class _Open:
    """An expression that is being read: the depth of its bracket, and the index of its first part."""

    operation: str
    depth: int
    first: int
    is_hoisted: bool


def _expression(line: str, start: int, values: Iterator[str]) -> tuple[int, str, list[str]]:
    """Read the expression at `start` with those in it.

    Returns where it ends, its text or the name of its value, and the instructions that compute it. An
    expression that never closes stays.
    """
    instructions: list[str] = []
    parts: list[str] = []
    opened: list[_Open] = []
    position, depth = start, 0
    for token in _TOKEN.finditer(line, start):
        parts += [line[position : token.start()], token[0]]
        position = token.end()
        depth += token[0].endswith("(") - (token[0] == ")")
        if token[1]:
            operation = token[1][:-2]
            opened.append(_Open(operation, depth, len(parts) - 1, operation.partition(" ")[0] in DROPPED))
        elif token[0] == ")" and depth < opened[-1].depth:
            inner = opened.pop()
            if inner.is_hoisted:
                value = next(values)
                content = "".join(parts[inner.first + 1 : -1])
                instructions.append(f"  {value} = {_instruction(inner.operation, content)}")
                parts[inner.first :] = [value]
            if not opened:
                return position, "".join(parts), instructions
            opened[-1].is_hoisted |= inner.is_hoisted
    return len(line), line[start:], []


def _hoisted(line: str, values: Iterator[str]) -> tuple[str, list[str]]:
    """A line without the expressions that the reader rejects, and the instructions that compute them."""
    parts: list[str] = []
    instructions: list[str] = []
    position = 0
    while (match := _EXPRESSION.search(line, position)) is not None:
        end, value = match.end(), match[0]
        if match[1]:
            end, value, computed = _expression(line, match.start(), values)
            instructions += computed
        parts += [line[position : match.start()], value]
        position = end
    return "".join([*parts, line[position:]]), instructions


def _hoist(lines: list[str], first: int, last: int, values: Iterator[str]) -> None:
    """Rewrite the instructions of a function in place: the lines from `first` up to `last`."""
    before: dict[int, list[str]] = {}
    user = first
    for index in range(first, last):
        # An instruction may have several lines, such as `invoke` before its labels.
        user = user if lines[index].startswith(("   ", "  ]")) else index
        line, instructions = _hoisted(lines[index], values)
        if instructions:
            position = first if _PHI.match(line) else user
            before.setdefault(position, []).extend(instructions)
            lines[index] = line
    for index, instructions in before.items():
        lines[index] = "\n".join([*instructions, lines[index]])


def _new_values(text: str) -> Iterator[str]:
    """Names of values that the text does not have."""
    longest = max(_NAME.findall(text), key=len, default=None)
    prefix = "constant" if longest is None else f"constant{longest}_"
    number = 0
    while True:
        yield f"%{prefix}.{number}"
        number += 1


def with_instructions(text: str) -> str:
    """The `text` of a module with the expressions in its functions that the reader rejects written as
    instructions; its strings have no line breaks.
    """
    if not may_have_dropped(text) or not any(match[1] for match in _REJECTED.finditer(text)):
        return text
    lines, values = text.split("\n"), _new_values(text)
    in_function, first = False, -1
    for index, line in enumerate(lines):
        if line.startswith("define "):
            in_function, first = True, -1
        elif in_function and first < 0 and line.startswith("  "):
            first = index
        elif in_function and line == "}":
            in_function = False
            if first >= 0:
                _hoist(lines, first, index, values)
    return "\n".join(lines)
