"""The rewrite for Codon's rule that each variable has one type."""

import ast
import builtins
from collections.abc import Set
from typing import TypeGuard

from scripts.compile.codon.inference import ModuleTypes, Types
from scripts.compile.codon.names import Names, bindings, bound_names, identifiers, loads
from scripts.compile.codon.rewrite import Rewrite, assigned_name, is_name, rename

_SCOPES = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef


def is_head(node: ast.stmt) -> bool:
    """Whether a statement, such as a docstring or an import, may precede definitions that a rewrite
    adds.
    """
    constant = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return constant or isinstance(node, ast.Import | ast.ImportFrom)


class Retyped(Rewrite):
    """`x = x.split()` after `x = input()`: a variable that changes its type becomes two variables.

    Only for statements that certainly follow each other, at the outer level of a function or of the
    module. A function keeps the first name, which may be a parameter's; the module keeps the last,
    which functions may read.
    """

    name = "retyped_variable"
    extends_lifetimes = True

    def __init__(self, tree: ast.Module, names: Names) -> None:
        super().__init__(tree, names)
        self.outside = ModuleTypes(tree)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        inner = [part for statement in node.body for part in ast.walk(statement)]
        if not any(isinstance(part, _SCOPES | ast.Global | ast.Nonlocal) for part in inner):
            parameters = bound_names(node.args)
            self._split(node.body, parameters, _unsafe(node.body), keep_first=True)
        return node

    def visit_Module(self, node: ast.Module) -> ast.Module:
        self.generic_visit(node)
        self._split_module(node.body, node)
        for guard in [statement for statement in node.body if is_main_guard(statement)][:1]:
            others = ast.Module([statement for statement in node.body if statement is not guard], [])
            elsewhere = {name for part in others.body if not isinstance(part, _SCOPES) for name in identifiers(part)}
            self._split_module(guard.body, node, elsewhere)
        return node

    def _split_module(self, body: list[ast.stmt], module: ast.Module, fixed: Set[str] = frozenset()) -> None:
        """Split variables of the module within one list of its statements."""
        scopes = [part for part in ast.walk(module) if isinstance(part, _SCOPES)]
        shared = {name for scope in scopes for name in identifiers(scope)}
        own = {part.name for part in scopes if not isinstance(part, ast.Lambda)}
        self._split(body, set(), _unsafe(body) | fixed, shared=shared, own=own)

    def _split(
        self,
        body: list[ast.stmt],
        seen: set[str],
        fixed: Set[str],
        shared: Set[str] = frozenset(),
        own: Set[str] = frozenset(),
        keep_first: bool = False,
    ) -> None:
        """Give variables, except `fixed` ones, one name for each type that assignments in `body`
        give them.

        Variables of `shared`, which functions read, are split only while nothing of `own` can have
        run.
        """
        changes = self._changes(body, seen, fixed, shared, own)
        if keep_first:
            self._rename(body, changes)
        else:
            self._rename_backwards(body, changes)

    def _changes(
        self, body: list[ast.stmt], seen: set[str], fixed: Set[str], shared: Set[str], own: Set[str]
    ) -> dict[int, str]:
        """The variables that get another type, by the index of the statement that assigns it."""
        types, started = Types(ast.Module([], []), self.tree, self.outside), False
        changes: dict[int, str] = {}
        # A name that is read before the first assignment here is a builtin, or comes from `import
        # *`.
        blocked = set(fixed) | set(dir(builtins))
        for index, statement in enumerate(body):
            defines = isinstance(statement, _SCOPES)
            decorated = bool(getattr(statement, "decorator_list", None)) or isinstance(statement, ast.ClassDef)
            started = started or decorated or (not defines and bool(set(loads(statement)) & own))
            nested = () if defines else ast.walk(statement)
            started = started or any(isinstance(part, _SCOPES) for part in nested)
            assignment = statement if isinstance(statement, ast.Assign) else None
            name = assigned_name(statement)
            if not defines:
                within = assignment.value if assignment and name is not None else statement
                blocked |= set(loads(within)) - bound_names(within) - seen
            if assignment is None or name is None:
                seen |= bound_names(statement)
                types.learn_all(statement)
                continue
            kind, before = types.of(assignment.value), types.of(assignment.targets[0])
            free = name not in blocked and not (name in shared and started)
            if name in seen and kind and kind != before and free:
                changes[index] = name
            seen.add(name)
            types.learn_all(assignment.value)
            types.names[name] = {kind}
        return changes

    def _rename(self, body: list[ast.stmt], changes: dict[int, str]) -> None:
        """Rename variables from each change on."""
        current: dict[str, str] = {}
        for index, statement in enumerate(body):
            if index not in changes or not isinstance(statement, ast.Assign):
                rename(statement, current)
                continue
            rename(statement.value, current)
            old = changes[index]
            current[old] = self.names.fresh(f"{old}_{index}")
            statement.targets = [self.replaced(ast.Name(current[old], ast.Store()), statement.targets[0])]

    def _rename_backwards(self, body: list[ast.stmt], changes: dict[int, str]) -> None:
        """Rename variables up to each change."""
        current: dict[str, str] = {}
        for index in range(len(body) - 1, -1, -1):
            statement = body[index]
            if isinstance(statement, _SCOPES):
                continue
            if index not in changes or not isinstance(statement, ast.Assign):
                rename(statement, current)
                continue
            old = changes[index]
            statement.targets = [ast.copy_location(ast.Name(current.get(old, old), ast.Store()), statement)]
            current[old] = self.names.fresh(f"{old}_{index}")
            self.count += 1
            rename(statement.value, current)


def _unsafe(body: list[ast.stmt]) -> set[str]:
    """Names that cannot be renamed in some statements: bound by other nodes than names, read later,
    or private.

    A generator expression reads its variables, except those of its first iterable, when it is used,
    and `x: int` declares a type for the whole scope.
    """
    names: set[str] = set()
    for node in (part for statement in body for part in ast.walk(statement)):
        if isinstance(node, ast.GeneratorExp):
            first, *others = node.generators
            later = [node.elt, first.target, *first.ifs, *others]
            names |= {name for part in later for name in identifiers(part)}
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            head = [node.args, *node.decorator_list, *([node.returns] if node.returns else [])]
            names |= {node.name, *(name for part in head for name in loads(part))}
        elif isinstance(node, ast.AnnAssign):
            names |= bound_names(node.target)
        elif not isinstance(node, ast.Name):
            names |= set(bindings(node))
        elif node.id.startswith("__") or isinstance(node.ctx, ast.Del):
            names.add(node.id)
    return names


def is_main_guard(node: ast.stmt) -> TypeGuard[ast.If]:
    """Whether a statement is `if __name__ == "__main__":`, without an `else`."""
    if not isinstance(node, ast.If) or node.orelse or not isinstance(node.test, ast.Compare):
        return False
    test = node.test
    named = is_name(test.left, "__name__") and len(test.ops) == 1
    return named and isinstance(test.ops[0], ast.Eq) and getattr(test.comparators[0], "value", "") == "__main__"
