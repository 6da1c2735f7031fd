"""Annotations that CPython certainly evaluates without an error or another effect, so that they can
be removed.
"""

import ast

from scripts.compile.codon.names import Names, annotations_of, method_names

# The number of parameters of types that have a fixed one.
_PARAMETERS = {"Optional": 1, "List": 1, "list": 1, "Set": 1, "set": 1, "FrozenSet": 1, "frozenset": 1, "Sequence": 1}
_PARAMETERS |= {"Iterable": 1, "Iterator": 1, "MutableSequence": 1, "Collection": 1, "Container": 1, "Deque": 1}
_PARAMETERS |= {"Type": 1, "type": 1, "Counter": 1, "Dict": 2, "dict": 2, "Mapping": 2, "MutableMapping": 2}
_PARAMETERS |= {"DefaultDict": 2, "OrderedDict": 2}
_TUPLES = ("Tuple", "tuple")
_BUILTIN = frozenset({"int", "float", "str", "bool", "bytes", "complex", "object", "type"})
_BUILTIN |= {"list", "set", "frozenset", "dict", "tuple"}
# Names of `typing` that may be a parameter of another type; others, such as `Final`, may not.
_PARTS = {*_PARAMETERS, "Tuple", "Any", "NoReturn", "Never", "Self", "Text", "AnyStr", "Hashable", "Sized"} - {
    "Optional"
}


class HarmlessTypes:
    """The annotations of a program that certainly have no effect.

    since: names that are certainly types, each with the index of the module's statement that
    defines it. position: the index of the module's statement that contains an annotation, by the
    identity of the annotation.
    """

    def __init__(self, tree: ast.Module, names: Names) -> None:
        hidden = method_names(tree)
        self.since = {name: -1 for name in _BUILTIN - hidden if names.builtin(name)}
        self.parts = _PARTS | _BUILTIN
        self.position: dict[int, int] = {}
        # A class whose metaclass is not `type` may redefine `|`.
        plain = not any(isinstance(node, ast.ClassDef) and node.keywords for node in ast.walk(tree))
        for index, statement in enumerate(tree.body):
            for node in ast.walk(statement):
                self.position |= {id(one): index for one in annotations_of(node)}
            if isinstance(statement, ast.ImportFrom):
                imported = {alias.name for alias in statement.names}
                known = {name for name in imported - hidden if names.imported(name, f"typing.{name}")}
                self.since |= dict.fromkeys(known - self.since.keys(), index)
            elif isinstance(statement, ast.ClassDef) and plain and names.bound[statement.name] == 1:
                self.since[statement.name] = index
                self.parts |= {statement.name}

    def holds(self, annotation: ast.expr) -> bool:
        """Whether an annotation of the program has no effect."""
        position = self.position.get(id(annotation), -1)
        text = isinstance(annotation, ast.Constant) and isinstance(annotation.value, str)
        return text or self._is_name(annotation, position) or self._is_part(annotation, position)

    def _is_name(self, node: ast.expr, position: int) -> bool:
        """Whether an expression is the name of a type that is defined before a statement."""
        return isinstance(node, ast.Name) and self.since.get(node.id, position) < position

    def _is_part(self, node: ast.expr, position: int) -> bool:
        """Whether an expression is a type that may be a parameter of another one."""
        if isinstance(node, ast.Constant):
            return node.value is None or _is_reference(node)
        if isinstance(node, ast.Name):
            return node.id in self.parts and self._is_name(node, position)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            sides = (node.left, node.right)
            # `|` fails for strings, and for None with None.
            constants = [side.value for side in sides if isinstance(side, ast.Constant)]
            return constants in ([], [None]) and all(self._is_part(side, position) for side in sides)
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and self._is_name(node.value, position):
            parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            return bool(parts) and self._takes(node.value.id, parts, position)
        return False

    def _takes(self, name: str, parts: list[ast.expr], position: int) -> bool:
        """Whether a type can be subscripted by some parameters."""
        if name == "Literal":
            return all(isinstance(part, ast.Constant) for part in parts)
        if name == "Callable":
            first, rest = parts[0], parts[1:]
            listed = isinstance(first, ast.List) and all(self._is_part(part, position) for part in first.elts)
            return len(rest) == 1 and (listed or _is_ellipsis(first)) and self._is_part(rest[0], position)
        if name in _TUPLES and len(parts) == 2 and _is_ellipsis(parts[1]):
            parts = parts[:1]
        elif name not in (*_TUPLES, "Union") and _PARAMETERS.get(name) != len(parts):
            return False
        return all(self._is_part(part, position) for part in parts)


def _is_reference(node: ast.Constant) -> bool:
    """Whether a constant is the text of a type, which may stand for the type."""
    try:
        return isinstance(node.value, str) and bool(ast.parse(node.value, mode="eval"))
    except (SyntaxError, ValueError):
        return False


def _is_ellipsis(node: ast.expr) -> bool:
    """Whether an expression is `...`."""
    return isinstance(node, ast.Constant) and node.value is ...
