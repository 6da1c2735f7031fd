"""One field of a formatted text, as an expression with the same value in Codon and CPython.

Codon ignores the zero of `{:05d}`, aborts on `{:.2f}` of an int, and rejects signs, commas and `%`
in a specification.
"""

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass

from scripts.compile.codon.rewrite import call, method

_SPEC = re.compile(r"(?:(.)?([<>^]))?([+-]?)(0?)([1-9]\d*)?(,?)(?:\.(\d+))?([dxXobeEfFgG%s]?)", re.DOTALL)
_PERCENT = re.compile(r"%([-+0]*)(\d+)?(?:\.(\d*))?([%diufFeEgGxXosr])", re.DOTALL)
INTEGERS, _FLOATS = "dxXobiu", "eEfFgG%"
HELPERS = """
def $as_float(value):
    if isinstance(value, bool):
        return float(int(value))
    if isinstance(value, int):
        return float(value)
    return value
def $truncated(value):
    if isinstance(value, bool):
        return int(value)
    elif isinstance(value, float):
        return int(value)
    elif isinstance(value, int):
        return value
    else:
        raise TypeError("%d format: a real number is required, not " + type(value).__name__)
def $real(value):
    if isinstance(value, bool):
        return float(int(value))
    elif isinstance(value, int):
        return float(value)
    elif isinstance(value, float):
        return value
    else:
        raise TypeError("must be real number, not " + type(value).__name__)
def $laid_out(value) -> str:
    if isinstance(value, bool):
        return str(int(value))
    elif isinstance(value, str):
        return value
    elif isinstance(value, int):
        return str(value)
    elif isinstance(value, float):
        return str(value)
    else:
        raise TypeError("unsupported format string passed to " + type(value).__name__ + ".__format__")
def $on_side(value, width: int) -> str:
    text = $laid_out(value)
    if isinstance(value, str):
        return text.ljust(width)
    return text.rjust(width)
def $only(value):
    if isinstance(value, tuple):
        if len(value) < 1:
            raise TypeError("not enough arguments for format string")
        if len(value) > 1:
            raise TypeError("not all arguments converted during string formatting")
        return value[0]
    return value
def $only_text(value):
    if isinstance(value, tuple) and len(value) > 1:
        str(value[0])
    return $only(value)
def $only_repr(value):
    if isinstance(value, tuple) and len(value) > 1:
        repr(value[0])
    return $only(value)
def $only_whole(value):
    if isinstance(value, tuple) and len(value) > 1:
        $truncated(value[0])
    return $only(value)
def $only_real(value):
    if isinstance(value, tuple) and len(value) > 1:
        $real(value[0])
    return $only(value)
def $as_integer(value):
    if isinstance(value, bool):
        return int(value)
    return value
def $hundredfold(value):
    if isinstance(value, bool):
        return float(int(value)) * 100
    elif isinstance(value, int):
        return float(value) * 100
    elif isinstance(value, float):
        return value * 100
    elif isinstance(value, str):
        raise ValueError("Unknown format code '%' for object of type 'str'")
    else:
        raise TypeError("unsupported format string passed to " + type(value).__name__ + ".__format__")
    # Codon takes the type of the result from here.
    return 0.0
def $signed(text: str) -> str:
    return text if text.startswith("-") else "+" + text
def $centred(text: str, width: int, fill: str) -> str:
    missing = max(width - len(text), 0)
    return fill * (missing // 2) + text + fill * (missing - missing // 2)
def $grouped(text: str) -> str:
    sign = text[:1] if text[:1] == "-" else ""
    digits = text[len(sign):].split(".")[0]
    rest = text[len(sign) + len(digits):]
    parts = ""
    while len(digits) > 3:
        parts = "," + digits[-3:] + parts
        digits = digits[:-3]
    return sign + digits + parts + rest
"""


@dataclass(frozen=True)
class Spec:
    """A format specification: `kind` is its letter, `align` one of `<>^` or empty, `precision` a
    number or None.
    """

    fill: str = " "
    align: str = ""
    sign: str = ""
    zero: bool = False
    width: int = 0
    comma: bool = False
    precision: int | None = None
    kind: str = ""


def parsed(text: str) -> Spec | None:
    """The specification of a field of `str.format` or an f-string; None if it is not supported."""
    match = _SPEC.fullmatch(text)
    if not match:
        return None
    fill, align, sign, zero, width, comma, precision, kind = match.groups()
    number = None if precision is None else int(precision)
    return Spec(fill or " ", align or "", sign, bool(zero), int(width or 0), bool(comma), number, kind)


def pieces(text: str) -> list[str | Spec] | None:
    """The texts and conversions of a `%` format, in order; None if one is not supported."""
    parts: list[str | Spec] = []
    end = 0
    while (start := text.find("%", end)) >= 0:
        match = _PERCENT.match(text, start)
        if not match:
            return None
        flags, width, precision, kind = match.groups()
        parts.append(text[end:start])
        end = match.end()
        if kind == "%":
            if match.group() != "%%":
                return None
            parts.append("%")
            continue
        align, zero = ("<", False) if "-" in flags else (">", "0" in flags and kind not in "sr")
        number = None if precision is None else int(precision or 0)
        sign = "+" if "+" in flags and kind not in "sr" else ""
        parts.append(Spec(" ", align, sign, zero, int(width or 0), False, number, kind))
    return [*parts, text[end:]]


def number_text(value: ast.expr, spec: Spec, helper: Callable[[str], str], whole: str, real: str) -> ast.expr | None:
    """A number as text, without padding; None if not supported. `whole` and `real` name the helpers
    that make integers and floats.
    """
    if spec.comma and spec.kind not in "dfF%":
        return None
    if spec.kind in INTEGERS:
        if spec.precision is not None:
            return None
        text: ast.expr = method(call(helper(whole), value), "__format__", ast.Constant(spec.kind))
    elif spec.kind == "%":
        digits = 6 if spec.precision is None else spec.precision
        text = method(call(helper("hundredfold"), value), "__format__", ast.Constant(f".{digits}f"))
    else:
        precision = "" if spec.precision is None else f".{spec.precision}"
        text = method(call(helper(real), value), "__format__", ast.Constant(precision + spec.kind))
    text = call(helper("grouped"), text) if spec.comma else text
    text = ast.BinOp(text, ast.Add(), ast.Constant("%")) if spec.kind == "%" else text
    return call(helper("signed"), text) if spec.sign == "+" else text


def padded(text: ast.expr, spec: Spec, helper: Callable[[str], str], align: str) -> ast.expr:
    """A text padded to its width; `align` is the alignment if the specification has none."""
    if not spec.width:
        return text
    width = ast.Constant(spec.width)
    if spec.zero and not spec.align:
        return method(text, "zfill", width)
    align = spec.align or align
    if align == "^":
        return call(helper("centred"), text, width, ast.Constant(spec.fill))
    fill = [] if spec.fill == " " else [ast.Constant(spec.fill)]
    return method(text, "ljust" if align == "<" else "rjust", width, *fill)


def is_bare(spec: Spec) -> bool:
    """Whether a specification consists of a precision and a letter of floats or integers only."""
    return spec == Spec(precision=spec.precision, kind=spec.kind) and spec.kind != "%"


def is_number(spec: Spec) -> bool:
    """Whether a specification is only valid for numbers."""
    return bool(spec.kind) and spec.kind in INTEGERS + _FLOATS


def joined(parts: list[ast.expr]) -> ast.expr:
    """The concatenation of expressions that are texts; adjacent constants are merged."""
    merged: list[ast.expr] = []
    for part in parts:
        last = merged[-1] if merged else None
        if not isinstance(part, ast.Constant):
            merged.append(part)
        elif isinstance(last, ast.Constant):
            merged[-1] = ast.Constant(f"{last.value!s}{part.value!s}")
        elif part.value:
            merged.append(part)
    whole = merged[0] if merged else ast.Constant("")
    for part in merged[1:]:
        whole = ast.BinOp(whole, ast.Add(), part)
    return whole
