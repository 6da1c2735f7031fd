"""Types that hold even if annotations are wrong and lists get other elements, as Python allows."""

import ast

from scripts.compile.codon.inference import ModuleTypes
from scripts.compile.codon.rewrite import is_name

# Methods and functions that store an argument in a list, with its index.
_STORING = {"append": 0, "appendleft": 0, "insert": 1, "heappush": 1, "heappushpop": 1, "heapreplace": 1}
_EXTENDING = frozenset({"extend", "extendleft", "insort", "insort_left", "insort_right", "__setitem__", "__iadd__"})
_KEEPING = (ast.Add, ast.Sub, ast.Mult, ast.FloorDiv)


class CertainTypes(ModuleTypes):
    """Types of a module's expressions, without those that only an annotation shows.

    The elements of a list have its type only if everything that the program stores in a container
    is of that type.
    """

    def __init__(self, module: ast.Module) -> None:
        self.stored: set[str | None] = {None}
        super().__init__(module)
        self.stored = self._stored(module)
        self.names = {}
        self.learn_all(module)

    def _stored(self, module: ast.Module) -> set[str | None]:
        """The types of all values that the program stores in a container."""
        nodes = list(ast.walk(module))
        calls = {id(node.func): node for node in nodes if isinstance(node, ast.Call)}
        stored: set[str | None] = set()
        plain: set[int] = set()
        for node in nodes:
            name = getattr(node, "attr", getattr(node, "id", None))
            if name in _STORING or name in _EXTENDING:
                call = calls.get(id(node))
                index = _STORING.get(name, 0)
                usual = call is not None and name in _STORING and index < len(call.args) and not call.keywords
                stored.add(self.of(call.args[index]) if call is not None and usual else None)
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript) and len(node.targets) == 1:
                plain.add(id(node.targets[0]))
                stored.add(None if isinstance(node.targets[0].slice, ast.Slice) else self.of(node.value))
            elif isinstance(node, ast.AugAssign):
                plain.add(id(node.target))
                stored |= self._added(node)
            elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and id(node) not in plain:
                stored.add(None)
        return stored

    def _added(self, node: ast.AugAssign) -> set[str | None]:
        """The types of the elements that `x += …` may store."""
        value = self.of(node.value)
        if isinstance(node.target, ast.Subscript):
            return set() if value == "int" and isinstance(node.op, _KEEPING) else {value}
        return set() if value in ("int", "float", "str") else {None}

    def _learn(self, node: ast.AST) -> None:
        if not isinstance(node, ast.AnnAssign):
            super()._learn(node)
        elif node.value is not None:
            self._bind(node.target, node.value)

    def _learn_parameters(self, function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        names = [node.arg for node in ast.walk(function.args) if isinstance(node, ast.arg)]
        for name in [*names, *([] if isinstance(function, ast.Lambda) else [function.name])]:
            self.names.setdefault(name, set()).add(None)

    def of_elements(self, node: ast.expr) -> str | None:
        """The type of the elements of an expression; those of a new iterator or list are certain."""
        function = node.func if isinstance(node, ast.Call) else None
        new = is_name(function, "range", "map") or getattr(function, "attr", None) in ("split", "splitlines")
        kind = self.of(node)
        return super().element(kind) if kind and new else super().of_elements(node)

    def element(self, kind: str) -> str | None:
        """The type of the elements of a type."""
        element = super().element(kind)
        return element if kind == "str" or self.stored <= {element} else None
