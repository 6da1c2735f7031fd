"""Rewrites of Python's older ways to format text into f-strings, the one way that Codon compiles."""

import ast
import string

from scripts.compile.codon_syntax import Rewrite, call


class FormatCall(Rewrite):
    """`'…{}…'.format(x)` becomes an f-string, where the fields are plain."""

    name = "format_call"

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        function = node.func
        literal = isinstance(function, ast.Attribute) and function.attr == "format" and function.value
        if not (isinstance(literal, ast.Constant) and isinstance(literal.value, str)):
            return node
        if any(isinstance(word, ast.Starred) for word in node.args) or any(word.arg is None for word in node.keywords):
            return node
        parts = self._parts(literal.value, node.args, {word.arg: word.value for word in node.keywords})
        return node if parts is None else self.replaced(ast.JoinedStr(parts), node)

    def _parts(self, text: str, places: list[ast.expr], names: dict[str, ast.expr]) -> list[ast.expr] | None:
        """The pieces of an f-string; None where fields are not plain or arguments not worked out once and in order."""
        parts: list[ast.expr] = []
        used: list[ast.expr] = []
        try:
            for before, field, spec, conversion in string.Formatter().parse(text):
                if before:
                    parts.append(ast.Constant(before))
                if field is None:
                    continue
                if "{" in spec:
                    return None
                used.append(names[field] if field in names else places[int(field) if field else len(used)])
                parts.append(formatted(used[-1], spec, ord(conversion) if conversion else -1))
        except (ValueError, KeyError, IndexError):
            return None
        plain = all(isinstance(value, ast.Name | ast.Constant) for value in used)
        in_order = [id(value) for value in used] == [id(value) for value in (*places, *names.values())]
        return parts if plain or in_order else None


def formatted(value: ast.expr, spec: str, conversion: int) -> ast.FormattedValue:
    """A field of an f-string."""
    return ast.FormattedValue(value, conversion, ast.JoinedStr([ast.Constant(spec)]) if spec else None)


class PercentFormat(Rewrite):
    """`'%d %.2f' % (a, b)` becomes an f-string, for the conversions that mean the same there."""

    name = "percent_format"

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        literal = node.left.value if isinstance(node.left, ast.Constant) and isinstance(node.op, ast.Mod) else None
        if not isinstance(literal, str):
            return node
        values = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
        parts = self._parts(literal, values)
        return node if parts is None else self.replaced(ast.JoinedStr(parts), node)

    def _parts(self, text: str, values: list[ast.expr]) -> list[ast.expr] | None:
        """The pieces of an f-string; None where a conversion has no plain counterpart."""
        parts: list[ast.expr] = []
        waiting = list(values)
        pieces = text.split("%")
        parts.append(ast.Constant(pieces[0]))
        index = 1
        while index < len(pieces):
            piece = pieces[index]
            if not piece and index + 1 < len(pieces):
                parts.append(ast.Constant("%" + pieces[index + 1]))
                index += 2
                continue
            field = self._field(piece, waiting)
            if field is None:
                return None
            parts += field
            index += 1
        kept = [part for part in parts if not (isinstance(part, ast.Constant) and part.value == "")]
        return None if waiting else kept

    def _field(self, piece: str, waiting: list[ast.expr]) -> list[ast.expr] | None:
        """A conversion, from behind its percent sign, and the text after it."""
        width = piece[: len(piece) - len(piece.lstrip("0123456789."))]
        kind, rest = piece[len(width) : len(width) + 1], piece[len(width) + 1 :]
        if not waiting or kind not in ("d", "s", "f") or (kind != "f" and "." in width):
            return None
        value = waiting.pop(0)
        if kind == "s" and width:
            # A text shorter than its width stands to the right with %, to the left in an f-string.
            return [formatted(call("str", value), f">{width}", -1), ast.Constant(rest)]
        if kind == "d":
            return [formatted(call("int", value), width, -1), ast.Constant(rest)]
        return [formatted(value, f"{width}f" if kind == "f" else "", -1), ast.Constant(rest)]
