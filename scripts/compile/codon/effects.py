"""Which expressions can be evaluated slightly earlier or later without an observable difference."""

import ast

from scripts.compile.codon.certain import CertainTypes
from scripts.compile.codon.names import PLAIN_MODULES, Names

SCALARS = frozenset({"int", "float", "str", "bool"})

_STEADY = (
    ast.Constant,
    ast.Name,
    ast.Attribute,
    ast.Subscript,
    ast.Slice,
    ast.BinOp,
    ast.UnaryOp,
    ast.BoolOp,
    ast.Compare,
    ast.IfExp,
    ast.Tuple,
    ast.List,
    ast.Dict,
    ast.Set,
    ast.JoinedStr,
    ast.FormattedValue,
    ast.Starred,
    ast.ListComp,
    ast.SetComp,
    ast.DictComp,
    ast.comprehension,
    ast.keyword,
    ast.expr_context,
    ast.operator,
    ast.unaryop,
    ast.boolop,
    ast.cmpop,
)
_FUNCTIONS = frozenset(
    {"len", "str", "int", "float", "abs", "ord", "chr", "round", "min", "max", "sum", "sorted", "bool", "repr", "hex"}
    | {"bin", "oct", "tuple", "list", "set", "range", "zip", "enumerate", "reversed", "divmod", "isinstance", "type"}
)
_METHODS = frozenset(
    {"upper", "lower", "strip", "lstrip", "rstrip", "join", "split", "replace", "title", "capitalize", "zfill"}
    | {"rjust", "ljust", "count", "startswith", "endswith", "isdigit", "isalpha", "format", "keys", "values", "items"}
)
# Modules without types of numbers of their own.
_PLAIN_MODULES = PLAIN_MODULES | {
    "os",
    "re",
    "copy",
    "datetime",
    "json",
    "operator",
    "__future__",
    "dataclasses",
    "io",
    "textwrap",
    "abc",
    "enum",
    "bz2",
    "getopt",
    "gzip",
    "statistics",
    "threading",
}
_NUMBERS = ("__int__", "__index__", "__float__")
_TEXTS = ("__str__", "__repr__")
_CALM = frozenset({"__init__", "__repr__", "__str__", "__name__", "__main__"})


class Effects:
    """The side effects that expressions of a program may have."""

    def __init__(self, tree: ast.Module, names: Names) -> None:
        self.names = names
        self.types = CertainTypes(tree)
        nodes = list(ast.walk(tree))
        defined = [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        self.own = {node.name for node in defined}
        special = [node for node in defined if node.name.startswith("__") and node.name.endswith("__")]
        kinds = ast.Yield | ast.YieldFrom | ast.GeneratorExp | ast.Lambda
        lazy = any(isinstance(node, kinds) and id(node) not in names.added_lambdas for node in nodes)
        properties = any(isinstance(node, ast.Name) and node.id == "property" for node in nodes)
        self.calm = not lazy and not properties and {node.name for node in special} <= _CALM
        self.quiet_texts = all(_is_plain(node) for node in special if node.name in ("__repr__", "__str__"))
        texts = [node for node in special if node.name in _TEXTS]
        set_elsewhere = not names.builtin(*_TEXTS) or names.stored_attributes & {*_TEXTS}
        # Whether no text of an object fails or has an effect.
        self.safe_texts = not set_elsewhere and all(map(_returns_constant, texts))
        self.own_format = names.defines("__format__")
        modules = {origin.partition(".")[0] for origins in names.imports.values() for origin in origins}
        # Whether each number is an int, a float or a bool.
        self.plain_numbers = not names.defines(*_NUMBERS) and modules <= _PLAIN_MODULES
        # Complex numbers and dates have formats of their own.
        imaginary = any(isinstance(node, ast.Constant) and isinstance(node.value, complex) for node in nodes)
        other_formats = imaginary or self.own_format or bool({"complex", "datetime"} & names.taken)
        # Whether a format with the letter of a number fails for all values but these numbers.
        self.plain_formats = modules <= _PLAIN_MODULES and not other_formats

    def steady(self, node: ast.expr) -> bool:
        """Whether evaluating an expression changes nothing, and output written before does not
        change its value.
        """
        if isinstance(node, ast.Constant | ast.Name):
            return True
        module = node.value if isinstance(node, ast.Attribute) else None
        if isinstance(module, ast.Name) and self.names.imported(module.id, module.id):
            return True
        return self.calm and self.quiet_texts and all(self._steady(part) for part in ast.walk(node))

    def _steady(self, node: ast.AST) -> bool:
        """Whether one node of an expression is harmless."""
        if isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Name):
                return function.id in _FUNCTIONS and self.names.builtin(function.id)
            return isinstance(function, ast.Attribute) and function.attr in _METHODS - self.own
        return isinstance(node, _STEADY)

    def is_fixed(self, value: ast.expr) -> bool:
        """Whether a value, or each element of a starred one, is of an immutable type."""
        if isinstance(value, ast.Starred):
            return self.types.of_elements(value.value) in SCALARS
        return self.types.of(value) in SCALARS

    def has_safe_text(self, value: ast.expr) -> bool:
        """Whether the text of a value, or of each element of a starred one, certainly does not fail."""
        return self.safe_texts or self.is_fixed(value)

    def settled(self, values: list[ast.expr], failing: list[bool]) -> bool:
        """Whether values may be converted one by one, although the conversions marked in `failing`
        may fail: CPython evaluates all values first.
        """
        later = [
            all(isinstance(one, ast.Constant | ast.Name) for one in values[index:])
            for index in range(1, len(values) + 1)
        ]
        return all(simple or not fails for simple, fails in zip(later, failing, strict=True))

    def in_turn(self, values: list[ast.expr]) -> bool:
        """Whether values may be evaluated and converted to text one by one, instead of all
        evaluated first.
        """
        changing = [value for value in values if not isinstance(value, ast.Constant)]
        if all(self.is_fixed(value) for value in changing[:-1]):
            return True
        rest = [getattr(value, "value", value) if isinstance(value, ast.Starred) else value for value in changing[1:]]
        return self.quiet_texts and all(self.steady(value) for value in rest)


def _returns_constant(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a method only returns a text that is a constant."""
    last = function.body[-1]
    value = last.value if isinstance(last, ast.Return) and len(function.body) == 1 else None
    plain = isinstance(function, ast.FunctionDef) and not function.decorator_list and len(function.args.args) == 1
    return plain and isinstance(value, ast.Constant) and isinstance(value.value, str)


def _is_plain(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a method only returns the value of an expression that calls no function of the
    program.
    """
    body = [part for part in function.body if not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))]
    if len(body) != 1 or not isinstance(body[0], ast.Return):
        return False
    calls = [node for node in ast.walk(body[0]) if isinstance(node, ast.Call)]
    known = _FUNCTIONS | _METHODS
    return all(getattr(node.func, "id", getattr(node.func, "attr", None)) in known for node in calls)
