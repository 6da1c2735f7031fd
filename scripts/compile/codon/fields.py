"""Rewrites of formatted text into concatenation, where each field is certain to give CPython's text."""

import ast
import string
from dataclasses import replace

from scripts.compile.codon.effects import SCALARS, Effects
from scripts.compile.codon.names import Names
from scripts.compile.codon.rewrite import Rewrite, call
from scripts.compile.codon.specs import HELPERS, Spec, is_number, joined, number_text, padded, parsed, pieces

# Longer formats are data, and each part is one more level of the expression.
_MOST_PARTS = 100


class Fields(Rewrite):
    """Base of the rewrites of formats."""

    helpers = HELPERS

    def __init__(self, tree: ast.Module, names: Names) -> None:
        super().__init__(tree, names)
        self.effects = Effects(tree, names)
        self.types = self.effects.types
        builtins = names.builtin("str", "repr", "int", "float", "bool", "isinstance", "len", "max")
        self.possible = builtins and not self.effects.own_format

    def shown(self, value: ast.expr, conversion: str | None) -> ast.expr:
        """A value's text."""
        if conversion == "r":
            return call("repr", value)
        text = isinstance(value, ast.Constant) and isinstance(value.value, str)
        return value if text else call("str", value)

    def field(self, value: ast.expr, conversion: str | None, text: str) -> ast.expr | None:
        """A field of `str.format` or an f-string; None where its text is not certain."""
        spec = parsed(text)
        if spec is None or conversion == "a":
            return None
        if not text:
            return self.shown(value, conversion)
        kind = "str" if conversion else self.types.of(value)
        if kind == "int" and not spec.kind and spec.precision is None:
            spec = replace(spec, kind="d")
        if is_number(spec) and not conversion:
            numbers = number_text(value, spec, self.helper, "as_integer")
            if spec.zero and (spec.comma or spec.align):
                return None
            return None if numbers is None else padded(numbers, spec, self.helper, ">")
        if spec.sign or spec.zero or spec.comma or spec.precision is not None or is_number(spec):
            return None
        if kind not in ("int", "float", "str") or (spec.kind == "s" and kind != "str"):
            return None
        return padded(self.shown(value, conversion), spec, self.helper, "<" if kind == "str" else ">")


class FormatCall(Fields):
    """`'…{}…'.format(x)` becomes a concatenation, where the fields are plain."""

    name = "format_call"

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        function = node.func
        literal = isinstance(function, ast.Attribute) and function.attr == "format" and function.value
        if not self.possible or not (isinstance(literal, ast.Constant) and isinstance(literal.value, str)):
            return node
        if any(isinstance(word, ast.Starred) for word in node.args) or any(word.arg is None for word in node.keywords):
            return node
        parts = self._parts(literal.value, node.args, {word.arg: word.value for word in node.keywords})
        return node if parts is None else self.replaced(joined(parts), node)

    def _parts(self, text: str, places: list[ast.expr], names: dict[str, ast.expr]) -> list[ast.expr] | None:
        """The pieces of a text; None where fields are not plain or arguments not evaluated once and in order."""
        parts: list[ast.expr | None] = []
        used: list[ast.expr] = []
        automatic = 0
        try:
            fields = list(string.Formatter().parse(text))
            numbered = {
                bool(field) for _, field, _, _ in fields if field is not None and (not field or field.isdigit())
            }
            if len(fields) > _MOST_PARTS or len(numbered) > 1:
                return None
            for before, field, spec, conversion in fields:
                parts.append(ast.Constant(before))
                if field is None:
                    continue
                if field and not field.isdigit():
                    used.append(names[field])
                else:
                    used.append(places[int(field) if field else automatic])
                    automatic += 1
                parts.append(self.field(used[-1], conversion, spec))
        except (ValueError, KeyError, IndexError):
            return None
        values = [*places, *names.values()]
        plain = all(isinstance(value, ast.Name | ast.Constant) for value in values) and self.effects.quiet_texts
        in_order = [id(value) for value in used] == [id(value) for value in values] and self.effects.in_turn(values)
        complete = {id(value) for value in used} == {id(value) for value in values}
        return parts if (in_order or (plain and complete)) and None not in parts else None


class PercentFormat(Fields):
    """`'%d %.2f' % (a, b)` becomes a concatenation, for the conversions that mean the same there."""

    name = "percent_format"

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        literal = node.left.value if isinstance(node.left, ast.Constant) and isinstance(node.op, ast.Mod) else None
        if not isinstance(literal, str) or not self.possible:
            return node
        values = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
        if any(isinstance(value, ast.Starred) for value in values) or not self.effects.in_turn(values):
            return node
        if values and not isinstance(node.right, ast.Tuple) and not self._alone(node.right):
            return node
        parts = self._parts(literal, values)
        return node if parts is None else self.replaced(joined(parts), node)

    def _alone(self, value: ast.expr) -> bool:
        """Whether a value is certainly one value: no tuple, whose elements `%` takes, and no mapping."""
        return self.types.of(value) in SCALARS

    def _parts(self, text: str, values: list[ast.expr]) -> list[ast.expr] | None:
        """The pieces of a text; None where a conversion has no certain counterpart."""
        found = pieces(text)
        conversions = [piece for piece in found or [] if isinstance(piece, Spec)]
        if found is None or len(found) > _MOST_PARTS or len(conversions) != len(values):
            return None
        waiting = iter(values)
        parts = [
            self._converted(next(waiting), piece) if isinstance(piece, Spec) else ast.Constant(piece) for piece in found
        ]
        return None if None in parts else parts

    def _converted(self, value: ast.expr, spec: Spec) -> ast.expr | None:
        """One conversion."""
        if spec.kind in "sr":
            if spec.precision is not None:
                return None
            return padded(self.shown(value, "r" if spec.kind == "r" else None), spec, self.helper, ">")
        if spec.kind in "xXo" and self.types.of(value) != "int":
            return None
        text = number_text(value, spec, self.helper, "truncated")
        zeros = Spec(width=spec.width, zero=True) if spec.zero else spec
        return None if text is None else padded(text, zeros, self.helper, ">")


class SpecifiedField(Fields):
    """An f-string with format specifications, which Codon reads only in part, becomes a concatenation."""

    name = "specified_field"

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        self.generic_visit(node)
        fields = [part for part in node.values if isinstance(part, ast.FormattedValue)]
        if not self.possible or len(node.values) > _MOST_PARTS or not any(field.format_spec for field in fields):
            return node
        parts = [part if isinstance(part, ast.Constant) else self._part(part) for part in node.values]
        return node if None in parts else self.replaced(joined(parts), node)

    def visit_FormattedValue(self, node: ast.FormattedValue) -> ast.FormattedValue:
        # The specification is an f-string of its own, which must stay one.
        node.value = self.visit(node.value)
        return node

    def _part(self, node: ast.FormattedValue) -> ast.expr | None:
        """One field."""
        spec = node.format_spec.values if node.format_spec else []
        if not all(isinstance(part, ast.Constant) for part in spec):
            return None
        conversion = {-1: None, 115: "s", 114: "r"}.get(node.conversion, "a")
        return self.field(node.value, conversion, "".join(part.value for part in spec))
