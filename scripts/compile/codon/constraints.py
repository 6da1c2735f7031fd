"""What statements show about the slots of a program.

Every value that may reach a slot is followed, or makes the slot unclear: attributes of unknown
objects, functions used as values, names bound other than by assignment. Therefore a type that is
inferred is certain.
"""

import ast
from collections.abc import Callable, Iterator

from scripts.compile.codon.expressions import Expressions
from scripts.compile.codon.names import Names, bindings
from scripts.compile.codon.rewrite import placeholder_name
from scripts.compile.codon.store import FUNCTIONS, KEEPS_TYPE, Class, Definition, Function

_OWN_SCOPE = (*FUNCTIONS, ast.ClassDef, ast.Lambda)
_DISPLAYS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)


class Constraints(Expressions):
    """All slots of a module, after all statements have been followed and all constraints solved."""

    def __init__(self, tree: ast.Module, names: Names) -> None:
        super().__init__(names)
        self.scopes: dict[ast.AST, dict[str, Definition]] = {}
        self.functions: dict[ast.AST, Function] = {}
        self._module(tree)
        self.solve()

    def _module(self, tree: ast.Module) -> None:
        """Follow the whole program."""
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and self.names.bound[node.name] == 1:
                self.classes[node.name] = Class(node)
        inherited = {getattr(base, "id", "") for node in ast.walk(tree) for base in getattr(node, "bases", [])}
        for name, kind in self.classes.items():
            kind.plain &= name not in inherited
        self._scope(tree, tree.body, {})

    def _scope(self, owner: ast.AST, body: list[ast.stmt], frame: dict[str, Definition]) -> None:
        """Follow the statements of the module or of a function; `frame` has its parameters and gets
        its names.
        """
        self.scopes[owner] = frame
        outer = [node for node in _inside(body) if isinstance(node, ast.Global | ast.Nonlocal)]
        declared = {name for node in outer for name in node.names}
        counted: dict[str, int] = {}
        for node in _inside(body):
            for name in bindings(node):
                counted[name] = counted.get(name, 0) + 1
        for name in (
            {name for node in outer if isinstance(node, ast.Global) for name in node.names} if self.stack else ()
        ):
            frame[name] = self.stack[0].setdefault(name, self.slot())
        for name in counted.keys() - declared - frame.keys():
            frame[name] = self.slot()
        for node in _inside(body):
            if isinstance(node, FUNCTIONS) and counted.get(node.name) == 1 and node.name not in declared:
                frame[node.name] = self.functions[node] = Function(node, False)
        if isinstance(owner, ast.Module):
            frame.update(self.classes)
        self.stack.append(frame)
        for node in body:
            self.statement(node)
        self.stack.pop()

    def statement(self, node: ast.AST) -> None:
        """Follow one statement, or another node that contains statements."""
        follow: Callable[[ast.AST], None] | None = getattr(self, f"_{type(node).__name__.lower()}", None)
        if follow:
            follow(node)
            return
        for part in ast.iter_child_nodes(node):
            if isinstance(part, ast.stmt):
                self.statement(part)
            elif isinstance(part, ast.expr):
                self.assign(part, self.unknown()) if _is_stored(part) else self.expression(part)
            else:
                self.other(part)

    def other(self, node: ast.AST) -> None:
        """Follow a node that is neither statement nor expression: a handler, an item of `with`, a
        pattern.
        """
        for name in bindings(node):
            self.target(name).mark_unclear()
        self.statement(node)

    def _functiondef(self, node: ast.FunctionDef) -> None:
        function = self.functions.get(node)
        for part in [*node.decorator_list, *node.args.defaults, *(one for one in node.args.kw_defaults if one)]:
            if not isinstance(part, ast.Name) or part.id not in KEEPS_TYPE:
                self.expression(part)
        if function is None:
            function = Function(node, False)
            function.plain = False
        self.function(function)

    _asyncfunctiondef = _functiondef

    def function(self, function: Function) -> None:
        """Follow a function's body."""
        node, arguments = function.node, function.node.args
        frame: dict[str, Definition] = {**function.parameters}
        for one in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
            if one.annotation is not None:
                self.annotated(function.parameters[one.arg], one.annotation)
        for one in filter(None, [arguments.vararg, arguments.kwarg]):
            frame[one.arg] = self.unknown()
        positional = [*arguments.posonlyargs, *arguments.args]
        pairs = list(zip(positional[len(positional) - len(arguments.defaults) :], arguments.defaults, strict=True))
        keyword_pairs = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        pairs += [(one, default) for one, default in keyword_pairs if default]
        for one, default in pairs:
            self.expression(default).flow_to(function.parameters[one.arg])
        self.all += [*function.parameters.values(), function.result, function.yielded]
        if not function.plain:
            for name in function.parameters if not function.bound else function.positional:
                function.parameters[name].mark_unclear()
            function.result.mark_unclear()
        if node.returns is not None:
            self.annotated(function.result, node.returns)
        inside = list(_inside(node.body))
        if any(isinstance(part, ast.Yield | ast.YieldFrom) for part in inside):
            function.result.set_type("Iterator", function.yielded)
        elif not isinstance(node.body[-1], ast.Return | ast.Raise):
            # Whether the end of the body is reachable is not analysed.
            function.result.none = function.result.none or not _always_returns(node.body)
        before, self.current = self.current, function
        self._scope(node, node.body, frame)
        self.current = before

    def _classdef(self, node: ast.ClassDef) -> None:
        kind = self.classes.get(node.name)
        if kind is None or kind.node is not node:
            kind = Class(node)
            kind.plain = False
        for part in [*node.decorator_list, *node.bases, *(word.value for word in node.keywords)]:
            self.expression(part)
        frame: dict[str, Definition] = {name: self.unknown() for one in _inside(node.body) for name in bindings(one)}
        for one in node.body:
            if isinstance(one, FUNCTIONS):
                function = kind.methods[one.name]
                if function.node is not one:
                    # A later definition of the same name replaces it, except for a property's.
                    function.mark_unclear()
                    function = Function(one, True)
                    function.plain = False
                self.functions[one] = function
                special = one.name.startswith("__") and one.name.endswith("__") and one.name != "__init__"
                function.plain &= kind.plain and not special
                if function.bound and one.args.args:
                    instance = function.parameters[one.args.args[0].arg]
                    instance.set_type(node.name) if kind.plain else instance.mark_unclear()
                if special:
                    # Python itself calls it with any values, except for the object.
                    for name in function.positional:
                        function.parameters[name].mark_unclear()
                    function.result.mark_unclear()
                self.function(function)
            else:
                self.stack.append(frame)
                self.statement(one)
                self.stack.pop()

    def _return(self, node: ast.Return) -> None:
        value = self.expression(node.value) if node.value else self.slot(none=True)
        if self.current and self.current.result.name != "Iterator":
            value.flow_to(self.current.result)

    def _assign(self, node: ast.Assign) -> None:
        placeholder = placeholder_name(node)
        if placeholder is not None and isinstance(self.variable(placeholder), Class):
            return
        value = self.expression(node.value)
        for target in node.targets:
            self.assign(target, value)

    def _annassign(self, node: ast.AnnAssign) -> None:
        value = self.expression(node.value) if node.value else self.slot()
        self.annotated(value, node.annotation)
        self.assign(node.target, value)

    def _augassign(self, node: ast.AugAssign) -> None:
        value = self.expression(ast.BinOp(_loaded(node.target), node.op, node.value))
        self.assign(node.target, value)

    def _for(self, node: ast.For) -> None:
        self.loop(node.target, node.iter)
        for part in [*node.body, *node.orelse]:
            self.statement(part)

    def _if(self, node: ast.If | ast.While) -> None:
        self.condition(node.test)
        for part in [*node.body, *node.orelse]:
            self.statement(part)

    _while = _if

    def _delete(self, node: ast.Delete) -> None:
        for part in ast.walk(node):
            if isinstance(part, ast.Attribute | ast.Name) and isinstance(part.ctx, ast.Del):
                self.assign(part, self.unknown())
            elif isinstance(part, ast.expr) and not isinstance(getattr(part, "ctx", None), ast.Del):
                self.expression(part)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            for name in bindings(alias):
                self.target(name).mark_unclear()

    _importfrom = _import


def _inside(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """The nodes of a scope, without those inside inner scopes, each of which is one node."""
    waiting: list[ast.AST] = list(reversed(body))
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, _OWN_SCOPE):
            continue
        if isinstance(node, _DISPLAYS):
            # Their variables are local, except for those of `:=`.
            waiting.extend(part for part in ast.walk(node) if isinstance(part, ast.NamedExpr) and part is not node)
            continue
        waiting.extend(reversed(list(ast.iter_child_nodes(node))))


def _loaded(target: ast.Name | ast.Attribute | ast.Subscript) -> ast.expr:
    """An expression that reads a target."""
    if isinstance(target, ast.Name):
        return ast.Name(target.id, ast.Load())
    if isinstance(target, ast.Attribute):
        return ast.Attribute(target.value, target.attr, ast.Load())
    return ast.Subscript(target.value, target.slice, ast.Load())


def _is_stored(node: ast.expr) -> bool:
    """Whether an expression is a target."""
    return isinstance(getattr(node, "ctx", None), ast.Store)


def _always_returns(body: list[ast.stmt]) -> bool:
    """Whether statements certainly end with `return` or `raise`."""
    last = body[-1]
    if isinstance(last, ast.If):
        return bool(last.orelse) and _always_returns(last.body) and _always_returns(last.orelse)
    return isinstance(last, ast.Return | ast.Raise)
