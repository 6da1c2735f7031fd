"""Rewrites for Codon that depend on the types of a program's variables.

In Codon each variable, field and empty container has one type, which must follow from the text before its use.
"""

import ast

from scripts.compile.codon_inference import ModuleTypes, Types
from scripts.compile.codon_syntax import Rewrite, bound_names, is_name

_ELEMENT = {"append": 0, "add": 0, "insert": 1, "appendleft": 0}
_EMPTY = {"list": "List", "dict": "Dict", "set": "Set"}


class EmptyFields(Rewrite):
    """`self.items = []` becomes `self.items = List[int]()` where what is put into it tells the type."""

    name = "typed_empty_field"

    def __init__(self, tree: ast.Module) -> None:
        super().__init__(tree)
        self.contents: dict[str, set[str | None]] = {}
        for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
            types = Types(function, tree)
            for node in ast.walk(function):
                self._learn(node, types)

    def _learn(self, node: ast.AST, types: Types) -> None:
        """Take what a container field holds from a statement that puts something into it."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _ELEMENT:
            field, place = node.func.value, _ELEMENT[node.func.attr]
            if isinstance(field, ast.Attribute) and place < len(node.args):
                self.contents.setdefault(field.attr, set()).add(types.of(node.args[place]))
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            field, key = node.targets[0].value, node.targets[0].slice
            if isinstance(field, ast.Attribute):
                kinds = (types.of(key), types.of(node.value))
                self.contents.setdefault(field.attr, set()).add(None if None in kinds else ", ".join(kinds))

    def visit_Assign(self, node: ast.Assign) -> ast.Assign:
        target = node.targets[0]
        kind = _empty_kind(node.value)
        if len(node.targets) == 1 and kind and isinstance(target, ast.Attribute) and is_name(target.value, "self"):
            held = self.contents.get(target.attr, {None})
            if len(held) == 1 and None not in held:
                made = ast.parse(f"{kind}[{next(iter(held))}]()", mode="eval").body
                node.value = self.replaced(made, node.value)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        for statement in node.body:
            target = statement.targets[0] if isinstance(statement, ast.Assign) else None
            kind = _empty_kind(statement.value) if target is not None else None
            held = self.contents.get(target.id, {None}) if isinstance(target, ast.Name) else {None}
            if kind and len(held) == 1 and None not in held:
                made = ast.parse(f"{kind}[{next(iter(held))}]()", mode="eval").body
                statement.value = self.replaced(made, statement.value)
        return self.generic_visit(node)


def _empty_kind(node: ast.expr) -> str | None:
    """`List`, `Dict` or `Set` for an expression that makes an empty one."""
    if isinstance(node, ast.List) and not node.elts:
        return "List"
    if isinstance(node, ast.Dict) and not node.keys:
        return "Dict"
    called = isinstance(node, ast.Call) and not node.args and isinstance(node.func, ast.Name)
    return _EMPTY.get(node.func.id) if called else None


class MemoDefault(Rewrite):
    """`def f(n, memo={})` that is never called with a memo gets it as a variable of the module: Codon crashes on it."""

    name = "memo_default"

    def __init__(self, tree: ast.Module) -> None:
        super().__init__(tree)
        self.calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]

    def visit_Module(self, node: ast.Module) -> ast.Module:
        body: list[ast.stmt] = []
        for statement in node.body:
            if isinstance(statement, ast.FunctionDef) and self._hoistable(statement):
                name = statement.args.args.pop().arg
                value = statement.args.defaults.pop()
                kept = f"{statement.name}_{name}"
                Renamed(name, kept).visit(statement)
                body.append(self.replaced(ast.Assign([ast.Name(kept, ast.Store())], value), statement))
            body.append(statement)
        node.body = body
        return node

    def _hoistable(self, function: ast.FunctionDef) -> bool:
        """Whether a function's last parameter is an empty container that no call gives and that is never bound anew."""
        arguments = function.args
        if not arguments.defaults or arguments.kwonlyargs or arguments.vararg or arguments.kwarg:
            return False
        name = arguments.args[-1].arg
        mine = [node for node in self.calls if is_name(node.func, function.name)]
        given = any(len(node.args) >= len(arguments.args) or node.keywords for node in mine)
        bound = any(is_name(node, name) and not isinstance(node.ctx, ast.Load) for node in ast.walk(function))
        return _empty_kind(arguments.defaults[-1]) is not None and not given and not bound


class Renamed(ast.NodeTransformer):
    """Gives a variable another name."""

    def __init__(self, old: str, new: str) -> None:
        self.old, self.new = old, new

    def visit_Name(self, node: ast.Name) -> ast.Name:
        if node.id == self.old:
            node.id = self.new
        return node


class GlobalsFirst(Rewrite):
    """A variable that only functions assign, by `global`, gets a first value of its type in the module."""

    name = "globals_first"

    def visit_Module(self, node: ast.Module) -> ast.Module:
        declared = {name for part in ast.walk(node) if isinstance(part, ast.Global) for name in part.names}
        plain = ast.Module([part for part in node.body if not isinstance(part, ast.FunctionDef | ast.ClassDef)], [])
        types = ModuleTypes(node)
        first = {"int": 0, "float": 0.0, "str": "", "bool": False}
        added: list[ast.stmt] = []
        for name in sorted(declared - bound_names(plain)):
            constants = {kind for kind in types.names.get(name, set()) if kind in first}
            if len(constants) == 1:
                value = ast.Constant(first[constants.pop()])
                added.append(self.replaced(ast.Assign([ast.Name(name, ast.Store())], value), node.body[0]))
        node.body = added + node.body
        return node


class Retyped(Rewrite):
    """`x = x.split()` after `x = input()`: a variable that changes its type becomes two.

    Only where statements certainly follow each other, at the outer level of a function or of the module.
    """

    name = "retyped_variable"

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        inner = [part for statement in node.body for part in ast.walk(statement)]
        if not any(isinstance(part, ast.FunctionDef | ast.Lambda | ast.Global | ast.Nonlocal) for part in inner):
            self._split(node.body, {argument.arg for argument in node.args.args})
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        return self.generic_visit(node)

    def visit_Module(self, node: ast.Module) -> ast.Module:
        self.generic_visit(node)
        scopes = [part for part in ast.walk(node) if isinstance(part, ast.FunctionDef | ast.ClassDef | ast.Lambda)]
        shared = {name.id for scope in scopes for name in ast.walk(scope) if isinstance(name, ast.Name)}
        guards = [statement for statement in node.body if is_main_guard(statement)]
        rest = ast.Module([statement for statement in node.body if statement not in guards], [])
        self._split(node.body, set(), shared)
        for guard in guards:
            elsewhere = bound_names(ast.Module([other for other in [rest, *guards] if other is not guard], []))
            self._split(guard.body, set(), shared & elsewhere, shared)
        return node

    def _split(
        self,
        body: list[ast.stmt],
        seen: set[str],
        fixed: set[str] | frozenset[str] = frozenset(),
        shared: set[str] | frozenset[str] = frozenset(),
    ) -> None:
        """Rename variables, other than `fixed` ones, at each assignment that changes their type.

        From there on; but up to there for `shared` ones, which functions read too, if none can have run by then.
        """
        types = Types(ast.Module([], []), self.tree)
        own = {part.name for part in ast.walk(self.tree) if isinstance(part, ast.FunctionDef | ast.ClassDef)}
        for place, statement in enumerate(body):
            target = statement.targets[0] if isinstance(statement, ast.Assign) and len(statement.targets) == 1 else None
            if not isinstance(target, ast.Name):
                seen |= bound_names(statement)
                types.learn_all(statement)
                continue
            kind, before = types.of(statement.value), types.of(ast.Name(target.id, ast.Load()))
            if target.id in seen and kind and kind != before and target.id not in fixed:
                self._rename(body, place, target.id, target.id in shared, own)
            name = statement.targets[0].id
            seen.add(name)
            types.names[name] = {kind}

    def _rename(self, body: list[ast.stmt], place: int, old: str, earlier: bool, own: set[str]) -> None:
        """Give a variable a new name from statement `place` on, or until then."""
        new = f"{old}_{place}"
        statement = body[place]
        if earlier:
            names = {part.id for before in body[: place + 1] for part in ast.walk(before) if isinstance(part, ast.Name)}
            if names & own:
                return
            for before in body[:place]:
                Renamed(old, new).visit(before)
            statement.value = Renamed(old, new).visit(statement.value)
            self.count += 1
            return
        for later in body[place + 1 :]:
            Renamed(old, new).visit(later)
        statement.targets = [self.replaced(ast.Name(new, ast.Store()), statement.targets[0])]


def is_main_guard(node: ast.stmt) -> bool:
    """Whether a statement is `if __name__ == "__main__":`."""
    return (
        isinstance(node, ast.If) and any(is_name(part, "__name__") for part in ast.walk(node.test)) and not node.orelse
    )
