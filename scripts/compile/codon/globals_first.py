"""The rewrite for Codon's rule that the text shows a variable of the module before a function uses it."""

import ast
import builtins

from scripts.compile.codon.inference import ModuleTypes
from scripts.compile.codon.names import Names, bound_names, immediate_loads, immediate_nodes, loads
from scripts.compile.codon.rewrite import Rewrite, is_name
from scripts.compile.codon.variables import is_head, is_main_guard

_DEFINITIONS = ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom
# Builtins that call their arguments.
_CALLING = frozenset({"map", "filter", "sorted", "min", "max", "sort", "next", "iter", None})
# Methods that Python calls when a class is defined or subscripted.
_HOOKS = ("__init_subclass__", "__class_getitem__", "__set_name__", "__mro_entries__", "__prepare__")
_FIRST: dict[str, int | float | str] = {"int": 0, "float": 0.0, "str": "", "bool": False}


class GlobalsFirst(Rewrite):
    """A variable that only one function assigns, by `global`, gets an initial value of its type in
    the module.

    Only if that function certainly runs, and assigns the variable, before anything reads it.
    """

    name = "globals_first"

    def __init__(self, tree: ast.Module, names: Names) -> None:
        super().__init__(tree, names)
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        self.own = {part.name for part in ast.walk(tree) if isinstance(part, kinds)}

    def visit_Module(self, node: ast.Module) -> ast.Module:
        function = self._first_called(node)
        if function is None:
            return node
        plain = ast.Module([part for part in node.body if not isinstance(part, ast.FunctionDef | ast.ClassDef)], [])
        candidates = self._assigned_first(function) - bound_names(plain)
        declared = {name for part in ast.walk(node) if isinstance(part, ast.Global) for name in part.names}
        # Default values and bodies of classes are evaluated before, and may read builtins.
        candidates -= {name for part in node.body if isinstance(part, _DEFINITIONS) for name in immediate_loads(part)}
        types = ModuleTypes(node)
        for name in sorted(candidates, reverse=True):
            kinds = {kind for kind in types.names.get(name, set()) if kind is not None and kind in _FIRST}
            if name in declared and len(kinds) == 1:
                first = ast.Assign([ast.Name(name, ast.Store())], ast.Constant(_FIRST[kinds.pop()]))
                node.body.insert(_after_head(node.body), self.replaced(first, node.body[0]))
        return node

    def _first_called(self, module: ast.Module) -> ast.FunctionDef | None:
        """The function that the module calls before any part of the program reads a variable."""
        functions = {part.name: part for part in module.body if isinstance(part, ast.FunctionDef)}
        for statement in module.body:
            if isinstance(statement, _DEFINITIONS):
                if self._may_call(statement):
                    return None
                continue
            if is_main_guard(statement):
                statement = statement.body[0]
            name = _called_without_arguments(statement)
            if name in functions and self.names.bound[name] == 1:
                return functions[name]
            if not (isinstance(statement, ast.Expr | ast.Assign) and isinstance(statement.value, ast.Constant)):
                return None
        return None

    def _may_call(self, definition: ast.stmt) -> bool:
        """Whether a function of the program may run when a function or class is defined."""
        parts = list(immediate_nodes(definition))
        if not all(self._is_plain_class(part) for part in parts if isinstance(part, ast.ClassDef)):
            return True
        decorators = [one for part in parts for one in getattr(part, "decorator_list", [])]
        called = [part.func for part in parts if isinstance(part, ast.Call)] + decorators
        passed = any(isinstance(part, ast.Lambda) or is_name(part, *self.own) for part in parts)
        return any(map(self._is_own, called)) or (bool(called) and passed)

    def _is_plain_class(self, node: ast.ClassDef) -> bool:
        """Whether the definition of a class calls no method."""
        known = {part.name for part in self.tree.body if isinstance(part, ast.ClassDef)}
        known |= {name for name in vars(builtins) if self.names.builtin(name)}
        plain = not node.keywords and not self.names.defines(*_HOOKS)
        return plain and all(isinstance(base, ast.Name) and base.id in known for base in node.bases)

    def _is_own(self, function: ast.expr) -> bool:
        """Whether an expression may be a function of the program: any of its variables may hold one."""
        name = getattr(function, "id", getattr(function, "attr", None))
        if name is None or name in _CALLING:
            return True
        origins = self.names.imports.get(name, [])
        changed = name in self.own | self.names.stored_attributes
        imported = bool(origins) and len(origins) == self.names.bound[name] and not changed
        return name in self.names.defined and not imported

    def _assigned_first(self, function: ast.FunctionDef) -> set[str]:
        """Names that a function declares global and assigns before it reads them or calls a part of
        the program.
        """
        declared: set[str] = set()
        assigned: set[str] = set()
        for statement in function.body:
            if isinstance(statement, ast.Global):
                declared |= set(statement.names)
                continue
            kinds = ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Expr
            if not isinstance(statement, kinds) or statement.value is None:
                break
            if any(isinstance(node, ast.Call) and self._is_own(node.func) for node in ast.walk(statement)):
                break
            target = statement.target if isinstance(statement, ast.AugAssign) else None
            read = set(loads(statement)) | ({target.id} if isinstance(target, ast.Name) else set())
            if read & (declared - assigned):
                break
            targets = statement.targets if isinstance(statement, ast.Assign) else []
            assigned |= {target.id for target in targets if isinstance(target, ast.Name)}
        return declared & assigned


def _called_without_arguments(node: ast.stmt) -> str:
    """The name of the function that a statement calls without arguments; empty for any other
    statement.
    """
    call = node.value if isinstance(node, ast.Expr) else None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name) or call.args or call.keywords:
        return ""
    return call.func.id


def _after_head(body: list[ast.stmt]) -> int:
    """The number of statements that are constants or imports at the beginning of a module."""
    head = 0
    while head < len(body) and is_head(body[head]):
        head += 1
    return head
