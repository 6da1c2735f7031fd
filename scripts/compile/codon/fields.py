"""Rewrites of formatted text into concatenation, if each field is certain to have the same text as
in CPython.
"""

import ast
import string
from dataclasses import replace
from typing import Any

from scripts.compile.codon.effects import SCALARS, Effects
from scripts.compile.codon.names import Names
from scripts.compile.codon.rewrite import Rewrite, call, is_name
from scripts.compile.codon.specs import (
    HELPERS,
    INTEGERS,
    Spec,
    is_bare,
    is_number,
    joined,
    number_text,
    padded,
    parsed,
    pieces,
)

# Longer formats are data, and each part adds a level to the expression.
_MAX_PARTS = 100
# The helper that takes the value of a conversion from a tuple, by the letter of the conversion.
_SINGLE = {"s": "only_text", "r": "only_repr"} | dict.fromkeys(INTEGERS, "only_whole")
_SINGLE |= dict.fromkeys("eEfFgG", "only_real")


class Fields(Rewrite):
    """Base of the rewrites of formats."""

    helpers = HELPERS

    def __init__(self, tree: ast.Module, names: Names) -> None:
        super().__init__(tree, names)
        self.effects = Effects(tree, names)
        self.types = self.effects.types
        builtins = names.builtin("str", "repr", "int", "float", "bool", "isinstance", "len", "max", "type", "TypeError")
        self.possible = builtins and names.builtin("ValueError") and not self.effects.own_format

        # Classes derived from texts and numbers, and members of enumerations, may print otherwise.
        bases = [base for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for base in node.bases]
        derived = any(is_name(base, *SCALARS) for base in bases) or bool({"enum", "re"} & names.taken)
        self.plain_types = self.effects.plain_formats and not derived

    def deferred(self, values: list[ast.expr], parts: list[ast.expr]) -> ast.Call:
        """A text whose values are all evaluated before the first one is converted."""
        names = {id(value): self.names.fresh(f"field_{index}") for index, value in enumerate(values)}
        body: ast.expr = _Named(names).visit(joined(parts))
        words = ast.arguments([], [ast.arg(name) for name in names.values()], None, [], [], None, [])
        function = ast.Lambda(words, body)
        self.names.added_lambdas.add(id(function))
        return ast.Call(function, values, [])

    def shown(self, value: ast.expr, conversion: str | None) -> ast.expr:
        """A value's text."""
        if conversion == "r":
            return call("repr", value)
        text = isinstance(value, ast.Constant) and isinstance(value.value, str)
        return value if text else call("str", value)

    def may_fail(self, value: ast.expr, spec: Spec | None) -> bool:
        """Whether the conversion of a value may raise an exception."""
        if spec is None or not is_number(spec):
            # Only texts and numbers can be laid out.
            laid_out = spec is not None and spec != Spec() and self.types.of(value) not in SCALARS
            return laid_out or not self.effects.has_safe_text(value)
        # A large int has no float.
        return self.types.of(value) not in (("int", "bool") if spec.kind in INTEGERS else ("float",))

    def field(self, value: ast.expr, conversion: str | None, text: str) -> ast.expr | None:
        """A field of `str.format` or an f-string; None if its text is not certain."""
        spec = parsed(text)
        if spec is None or conversion == "a":
            return None
        if not text:
            return self.shown(value, conversion)
        kind = "str" if conversion else self.types.of(value)
        if kind == "int" and not spec.kind and spec.precision is None:
            spec = replace(spec, kind="d")
        if is_number(spec) and not conversion:
            if kind not in SCALARS and not self.effects.plain_formats and not is_bare(spec):
                return None
            numbers = number_text(value, spec, self.helper, "as_integer", "as_float")
            if spec.zero and (spec.comma or spec.align):
                return None
            return None if numbers is None else padded(numbers, spec, self.helper, ">")
        if spec.sign or spec.zero or spec.comma or spec.precision is not None or is_number(spec):
            return None
        if spec.kind == "s" and kind != "str":
            return None
        if kind not in ("int", "float", "str"):
            return self._laid_out(value, spec)
        return padded(self.shown(value, conversion), spec, self.helper, "<" if kind == "str" else ">")

    def _laid_out(self, value: ast.expr, spec: Spec) -> ast.expr | None:
        """A field of unknown type with a width; None if a value may have a format of its own."""
        if not self.plain_types or not spec.width:
            return None
        text = call(self.helper("laid_out"), value)
        return (
            padded(text, spec, self.helper, "<")
            if spec.align
            else call(self.helper("on_side"), value, ast.Constant(spec.width))
        )


class _Named(ast.NodeTransformer):
    """Replaces values, by their identity, by variables."""

    def __init__(self, names: dict[int, str]) -> None:
        self.names = names

    def visit(self, node: ast.AST) -> Any:
        name = self.names.get(id(node))
        return self.generic_visit(node) if name is None else ast.Name(name, ast.Load())


class FormatCall(Fields):
    """`'…{}…'.format(x)` becomes a concatenation if the fields are plain."""

    name = "format_call"

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        function = node.func
        literal = function.value if isinstance(function, ast.Attribute) and function.attr == "format" else None
        if not self.possible or not (isinstance(literal, ast.Constant) and isinstance(literal.value, str)):
            return node
        if any(isinstance(word, ast.Starred) for word in node.args) or any(word.arg is None for word in node.keywords):
            return node
        whole = self._whole(literal.value, node.args, {word.arg: word.value for word in node.keywords if word.arg})
        return node if whole is None else self.replaced(whole, node)

    def _whole(self, text: str, positional: list[ast.expr], names: dict[str, ast.expr]) -> ast.expr | None:
        """The text as an expression; None if a field is not plain."""
        parts: list[ast.expr | None] = []
        used: list[ast.expr] = []
        failing: list[bool] = []
        automatic = 0
        try:
            fields = list(string.Formatter().parse(text))
            numbered = {
                bool(field) for _, field, _, _ in fields if field is not None and (not field or field.isdigit())
            }
            if len(fields) > _MAX_PARTS or len(numbered) > 1:
                return None
            for before, field, spec, conversion in fields:
                parts.append(ast.Constant(before))
                if field is None:
                    continue
                if field and not field.isdigit():
                    used.append(names[field])
                else:
                    used.append(positional[int(field) if field else automatic])
                    automatic += 1
                parts.append(self.field(used[-1], conversion, spec or ""))
                failing.append(self.may_fail(used[-1], parsed(spec or "")))
        except (ValueError, KeyError, IndexError):
            return None
        values = [*positional, *names.values()]
        plain = all(isinstance(value, ast.Name | ast.Constant) for value in values) and self.effects.quiet_texts
        in_order = [id(value) for value in used] == [id(value) for value in values] and self.effects.in_turn(values)
        in_order = in_order and self.effects.settled(values, failing)
        complete = {id(value) for value in used} == {id(value) for value in values}
        present = _complete(parts)
        if present is None:
            return None
        return joined(present) if in_order or (plain and complete) else self.deferred(values, present)


class PercentFormat(Fields):
    """`'%d %.2f' % (a, b)` becomes a concatenation, for the conversions that mean the same there."""

    name = "percent_format"

    def __init__(self, tree: ast.Module, names: Names) -> None:
        super().__init__(tree, names)
        # A tuple of the program may have another length than CPython reads.
        derived = any(node.bases for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
        self.plain_tuples = names.builtin("tuple") and not (derived and names.defines("__len__", "__getitem__"))

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        literal = node.left.value if isinstance(node.left, ast.Constant) and isinstance(node.op, ast.Mod) else None
        if not isinstance(literal, str) or not self.possible:
            return node
        values = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
        if any(isinstance(value, ast.Starred) for value in values):
            return node
        unknown = not isinstance(node.right, ast.Tuple) and not self._alone(node.right)
        whole = None if unknown and not self.plain_tuples else self._whole(literal, values, unknown)
        return node if whole is None else self.replaced(whole, node)

    def _alone(self, value: ast.expr) -> bool:
        """Whether a value is certainly neither a tuple, whose elements `%` would format, nor a
        mapping.
        """
        return self.types.of(value) in SCALARS

    def _whole(self, text: str, values: list[ast.expr], unknown: bool) -> ast.expr | None:
        """The text as an expression; None if a conversion has no certain equivalent.

        unknown: whether the only value may be a tuple.
        """
        format_parts = pieces(text)
        conversions = [part for part in format_parts or [] if isinstance(part, Spec)]
        if format_parts is None or len(format_parts) > _MAX_PARTS or len(conversions) != len(values):
            return None
        if unknown:
            values = [call(self.helper(_SINGLE[conversions[0].kind]), *values)]
            self.helper("only")
        failing = [self.may_fail(value, spec) for value, spec in zip(values, conversions, strict=True)]
        remaining = iter(values)
        parts = _complete(
            [
                self._converted(next(remaining), part) if isinstance(part, Spec) else ast.Constant(part)
                for part in format_parts
            ]
        )
        if parts is None:
            return None
        in_order = self.effects.in_turn(values) and self.effects.settled(values, failing)
        # CPython 3.11 compiles a format of texts alone as an f-string, which converts in turn.
        texts = all(spec.kind in "sr" for spec in conversions)
        if in_order:
            return joined(parts)
        return None if texts else self.deferred(values, parts)

    def _converted(self, value: ast.expr, spec: Spec) -> ast.expr | None:
        """One conversion."""
        if spec.kind in "sr":
            if spec.precision is not None:
                return None
            return padded(self.shown(value, "r" if spec.kind == "r" else None), spec, self.helper, ">")
        kind = self.types.of(value)
        certain = kind in ("int", "float", "bool")
        # The helpers raise the errors of `%d` and `%f`; those of `%i` have another message.
        if (spec.kind in "xXo" and kind != "int") or not (
            certain or (self.effects.plain_numbers and spec.kind not in "iu")
        ):
            return None
        spec = replace(spec, kind="d") if spec.kind in "iu" else spec
        text = number_text(value, spec, self.helper, "truncated", "real")
        zeros = Spec(width=spec.width, zero=True) if spec.zero else spec
        return None if text is None else padded(text, zeros, self.helper, ">")


class SpecifiedField(Fields):
    """An f-string with format specifications, which Codon reads only in part, becomes a
    concatenation.
    """

    name = "specified_field"

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        self.generic_visit(node)
        fields = [part for part in node.values if isinstance(part, ast.FormattedValue)]
        if not self.possible or len(node.values) > _MAX_PARTS or not any(field.format_spec for field in fields):
            return node
        parts = _complete([self._part(part) if isinstance(part, ast.FormattedValue) else part for part in node.values])
        return node if parts is None else self.replaced(joined(parts), node)

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.FormattedValue:
        # The specification is itself an f-string, which must not be replaced.
        node.value = self.visit(node.value)
        return node

    def _part(self, node: ast.FormattedValue) -> ast.expr | None:
        """One field."""
        spec = node.format_spec.values if isinstance(node.format_spec, ast.JoinedStr) else []
        constants = [str(part.value) for part in spec if isinstance(part, ast.Constant)]
        if len(constants) < len(spec):
            return None
        conversion = {-1: None, 115: "s", 114: "r"}.get(node.conversion, "a")
        return self.field(node.value, conversion, "".join(constants))


def _complete(parts: list[ast.expr | None]) -> list[ast.expr] | None:
    """The parts of a text; None if one of them is missing."""
    present = [part for part in parts if part is not None]
    return present if len(present) == len(parts) else None
