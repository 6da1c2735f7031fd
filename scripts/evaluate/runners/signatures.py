"""Functions that the beginning of a program declares: for C++, D, Go and Rust, as far as prompts
contain them.

Tests are compiled apart from what a model wrote. They reach a function through a declaration or a wrapper that repeats
the signature of the prompt, so that no macro, type or overload of the completion stands between the two.
"""

import re
from dataclasses import dataclass

from scripts.lib.job import InputError

# Comments, strings, characters (of which Rust's lifetimes are none) and Go's raw strings.
_NO_CODE = re.compile(
    r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\[^'\n]+|[^'\\\n])'|`[^`]*`",
    re.DOTALL,
)
DIRECTIVE = re.compile(r"^[ \t]*#[^\n]*", re.MULTILINE)
# Go's types of an empty pair of braces, which open no body.
_EMPTY = re.compile(r"\b(interface|struct)\{\}")
_KEYWORD = re.compile(r"\b(?:fn|func)\s+(?P<name>\w+)\s*(?:<[^()]*>)?\s*\(")
_NAMED = re.compile(r"(?P<name>\w+)\s*\Z")
_OPEN, _CLOSE = "([{<", ")]}>"


@dataclass(frozen=True)
class Function:
    """A function of a program's beginning.

    header: its signature, without comments and without the brace that opens its body.
    name, parameters: the function's name, and the text of each parameter.
    result: what follows the parameters of a function of Rust or Go; empty if it has no result.
    start: index in the program where the header begins.
    opening: index of the brace that opens the body; the length of the text where there is none.
    """

    header: str
    name: str
    parameters: tuple[str, ...]
    result: str
    start: int
    opening: int


def masked(text: str) -> str:
    """Code with blanks in place of comments, strings and characters; indices stay what they are."""
    return _NO_CODE.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def functions(text: str) -> list[Function]:
    """The functions at the outermost level of a program's beginning, in order; the body of the last may be open.

    Text after the last `;` or `}` that has no brace yet, as in D's prompts, is the header of a function as well.
    """
    code = DIRECTIVE.sub(lambda match: " " * len(match[0]), masked(text))
    code = _EMPTY.sub(r"\1\0\0", code)
    parts, depth, start = [], 0, 0
    for index, sign in enumerate(code):
        if sign == "{":
            if depth == 0:
                parts.append((start, index))
            depth += 1
        elif sign == "}":
            depth -= 1
        if depth == 0 and sign in ";}":
            start = index + 1
    if depth == 0:
        parts.append((start, len(code)))
    return [function for part in parts if (function := _function(code, *part)) is not None]


def declared_functions(context: str) -> list[Function]:
    """The functions of a prompt; raise `InputError` when there is none."""
    declared = functions(context)
    if not declared:
        raise InputError(f"a prompt that ends in {context[-60:]!r} declares no function that tests could call")
    return declared


def split_brace(tests: str) -> tuple[str, str]:
    """The brace that closes the function, with which tests of MultiPL-E begin, and the tests without it."""
    inner = tests.lstrip()
    return ("}\n", inner[1:]) if inner.startswith("}") else ("", tests)


def _function(code: str, start: int, opening: int) -> Function | None:
    """The function whose header is in a part of the code; None where there is none."""
    keyword = _KEYWORD.search(code, start, opening)
    first: int | None
    last: int | None
    if keyword is not None:
        first = keyword.end() - 1
        last = _bracket(code, range(first, opening))
        start, name = keyword.start(), keyword["name"]
    else:
        last = len(code[:opening].rstrip()) - 1
        first = _bracket(code, range(last, start, -1)) if code[last : last + 1] == ")" else None
        named = None if first is None else _NAMED.search(code, start, first)
        if named is None:
            return None
        start, name = start + len(code[start:opening]) - len(code[start:opening].lstrip()), named["name"]
    if first is None or last is None:
        return None
    parameters = tuple(_plain(part) for part in split_parameters(code[first + 1 : last]))
    header, result = _plain(code[start:opening].rstrip()), _plain(code[last + 1 : opening].strip())
    return Function(header, name, parameters, result, start, opening)


def _bracket(code: str, indices: range) -> int | None:
    """Of the indices, the one of the bracket that belongs to the bracket at the first."""
    depth = 0
    for index in indices:
        depth += (code[index] == "(") - (code[index] == ")")
        if depth == 0:
            return index
    return None


def _plain(code: str) -> str:
    return code.replace("\0\0", "{}")


def split_parameters(text: str) -> list[str]:
    """Parameters at the commas that stand in no bracket."""
    parts, depth = [""], 0
    for index, sign in enumerate(text):
        arrow = sign == ">" and text[index - 1] in "-="
        depth += (sign in _OPEN) - (sign in _CLOSE and not arrow)
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts if part.strip()]
