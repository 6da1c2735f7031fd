"""Special methods of builtin types that are called by their names."""

import ast
import collections

from scripts.compile.codon.certain import CertainTypes
from scripts.compile.codon.names import Names
from scripts.compile.codon.rewrite import Rewrite, call, is_name

_FUNCTIONS = {"__str__": "str", "__repr__": "repr", "__len__": "len"}
_SCALARS = ("int", "float", "str", "bool")
_SIZED = ("List[", "Set[", "Tuple[")
_SIZED_CALLS = ("str", "repr", "list", "sorted", "tuple", "set", "dict", "range", "input", "chr", "bin", "hex", "oct")
# Methods of builtin types whose results have a length; those of text first.
_TEXT_METHODS = frozenset({"upper", "lower", "strip", "lstrip", "rstrip", "title", "capitalize", "zfill", "split"})
_METHODS = _TEXT_METHODS | {"join", "replace", "format", "copy", "splitlines"}
_DISPLAYS = (ast.List, ast.Dict, ast.Set, ast.Tuple, ast.ListComp, ast.DictComp, ast.SetComp)
# Special methods that no operator and no comparison calls.
_NO_OPERATORS = frozenset({"__init__", "__str__", "__repr__", "__len__", "__iter__", "__next__", "__getitem__"})
_NO_OPERATORS |= {"__setitem__", "__contains__", "__hash__", "__bool__", "__name__", "__main__", "__doc__", "__all__"}
_TYPES = (list, dict, set, tuple, str, bytes, int, float, collections.deque)
_BUILTIN_METHODS = frozenset(name for kind in _TYPES for name in dir(kind))
# Functions that are examined for one call.
_MAX_FUNCTIONS = 20
# Comparisons that return what a method of the program returns; others return a bool.
_COMPARISONS = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE)


class TextMethod(Rewrite):
    """`x.__str__()` becomes `str(x)`, likewise `repr` and `len`, for which Codon's types have no
    methods.

    Only if `x` is certainly an object of a builtin type: the attribute of a class is the method of
    its objects, and a method of the program may return anything.
    """

    name = "text_method"

    def __init__(self, tree: ast.Module, names: Names) -> None:
        super().__init__(tree, names)
        self.types = CertainTypes(tree)
        self.possible = names.builtin(*_FUNCTIONS.values()) and not names.stored_attributes & _FUNCTIONS.keys()
        special = {name for name in names.defined if name.startswith("__") and name.endswith("__")}
        self.operators = special - _NO_OPERATORS
        self.definitions: dict[str, list[ast.FunctionDef | ast.AsyncFunctionDef]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                self.definitions.setdefault(node.name, []).append(node)

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        function = node.func
        word = _FUNCTIONS.get(function.attr) if isinstance(function, ast.Attribute) else None
        if not isinstance(function, ast.Attribute) or word is None or node.args or node.keywords or not self.possible:
            return node
        certain = self._is_sized(function.value) if word == "len" else self._is_object(function.value, set())
        return self.replaced(call(word, function.value), node) if certain else node

    def _is_sized(self, value: ast.expr) -> bool:
        """Whether an expression is certainly an object of a builtin type that has a length."""
        kind = self.types.of(value) or ""
        function = value.func if isinstance(value, ast.Call) else None
        if isinstance(function, ast.Attribute):
            return kind == "str" or self._is_builtin_method(function)
        sized = is_name(function, *_SIZED_CALLS) and self.names.builtin(function.id)
        return sized or kind == "str" or kind.startswith(_SIZED) or isinstance(value, _DISPLAYS)

    def _is_builtin_method(self, function: ast.Attribute) -> bool:
        """Whether a function is a method of a builtin type that returns an object with a length."""
        owner = function.value
        if function.attr in _TEXT_METHODS and not self.names.defines(function.attr):
            return not (isinstance(owner, ast.Name) and owner.id in self.names.imports)
        return function.attr in _METHODS and self._is_sized(owner)

    def _is_object(self, value: ast.expr, assumed: set[str]) -> bool:
        """Whether an expression is certainly an object of a builtin type, if the functions of
        `assumed`, which are being examined, return such ones.
        """
        if isinstance(value, ast.Constant | ast.JoinedStr) or self._is_sized(value):
            return True
        if isinstance(value, ast.BoolOp):
            return all(self._is_object(part, assumed) for part in value.values)
        if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.Not):
            return True
        if isinstance(value, ast.Compare):
            return not self.operators or not any(isinstance(operator, _COMPARISONS) for operator in value.ops)
        name = self._called(value)
        return self.types.of(value) in _SCALARS or name in assumed or self._returns_objects(name, assumed)

    def _called(self, value: ast.expr) -> str:
        """The name of the function or method of the program that an expression calls; else empty."""
        function = value.func if isinstance(value, ast.Call) else None
        if isinstance(function, ast.Name) and self.names.bound[function.id] == 1:
            return function.id
        if not isinstance(function, ast.Attribute) or is_name(function.value, *self.names.imports):
            return ""
        other = function.attr in _BUILTIN_METHODS or function.attr in self.names.stored_attributes
        return "" if other or not self.names.builtin(function.attr) else function.attr

    def _returns_objects(self, name: str, assumed: set[str]) -> bool:
        """Whether all functions of a name certainly return objects of builtin types."""
        functions = self.definitions.get(name, [])
        plain = not any(isinstance(one, ast.AsyncFunctionDef) or one.decorator_list for one in functions)
        if not functions or not plain or len(assumed) >= _MAX_FUNCTIONS:
            return False
        assumed.add(name)
        parts = [part for function in functions for part in ast.walk(function)]
        if any(isinstance(part, ast.Yield | ast.YieldFrom) for part in parts):
            return False
        values = [part.value for part in parts if isinstance(part, ast.Return) and part.value is not None]
        return all(self._is_object(value, assumed) for value in values)
