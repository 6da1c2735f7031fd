"""Rewrites of statements that raise or catch exceptions."""

import ast
import builtins
import copy

from scripts.compile.codon.names import Names
from scripts.compile.codon.rewrite import Rewrite, call

# Each kind of exception gets a copy of the handler.
_MAX_KINDS = 8
# With one of these names, a program may notice the context of an exception.
_CONTEXT = {"__suppress_context__", "__cause__", "__context__", "logging", "excepthook", "stderr", "getattr"}


class ExceptTuple(Rewrite):
    """`except (A, B):` becomes a handler for each.

    CPython evaluates the whole tuple, so each name must certainly be one of an exception.
    """

    name = "except_tuple"

    def __init__(self, tree: ast.Module, names: Names) -> None:
        super().__init__(tree, names)
        # The exceptions of the program that are defined when the current statement is executed.
        self.own: set[str] = set()

    def visit_Module(self, node: ast.Module) -> ast.Module:
        for statement in node.body:
            self.visit(statement)
            if isinstance(statement, ast.ClassDef) and self._defines_exception(statement):
                self.own.add(statement.name)
        return node

    def _defines_exception(self, kind: ast.ClassDef) -> bool:
        """Whether a class of the module is certainly an exception, and its name always means it."""
        plain = len(kind.bases) == 1 and not kind.keywords and not kind.decorator_list
        return plain and self.names.bound[kind.name] == 1 and self._is_exception(kind.bases[0])

    def _is_exception(self, kind: ast.expr) -> bool:
        """Whether an expression is the name of an exception."""
        if not isinstance(kind, ast.Name):
            return False
        return kind.id in self.own or (is_builtin_exception(kind.id) and self.names.builtin(kind.id))

    def visit_Try(self, node: ast.Try) -> ast.Try:
        self.generic_visit(node)
        node.handlers = [each for handler in node.handlers for each in self._handlers(handler)]
        return node

    def _handlers(self, handler: ast.ExceptHandler) -> list[ast.ExceptHandler]:
        """A handler for each kind of exception; nested ones stay unchanged, because their copies
        would multiply, and so do those that declare variables, which is possible only once.
        """
        kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else []
        single = ast.Try | ast.Global | ast.Nonlocal
        kept = any(isinstance(part, single) for statement in handler.body for part in ast.walk(statement))
        if not 0 < len(kinds) <= _MAX_KINDS or kept or not all(map(self._is_exception, kinds)):
            return [handler]
        return self.replaced(
            [ast.ExceptHandler(kind, handler.name, copy.deepcopy(handler.body)) for kind in kinds], handler
        )


class RaisedClass(Rewrite):
    """`raise ValueError` becomes `raise ValueError()`, as Python does itself; Codon crashes on it."""

    name = "raised_class"

    def visit_Raise(self, node: ast.Raise) -> ast.Raise:
        self.generic_visit(node)
        if isinstance(node.exc, ast.Name) and is_builtin_exception(node.exc.id) and self.names.builtin(node.exc.id):
            node.exc = self.replaced(call(node.exc.id), node.exc)
        return node


class SuppressedContext(Rewrite):
    """`raise … from None` becomes `raise …`; Codon does not finish checking types with it.

    The difference is in tracebacks, which go to standard error, and in attributes that a program
    would have to name.
    """

    name = "raise_from_none"

    def __init__(self, tree: ast.Module, names: Names) -> None:
        super().__init__(tree, names)
        self.is_observable = bool(names.taken & _CONTEXT)

    def visit_Raise(self, node: ast.Raise) -> ast.Raise:
        self.generic_visit(node)
        if isinstance(node.cause, ast.Constant) and node.cause.value is None and not self.is_observable:
            node.cause = None
            self.count += 1
        return node


def is_builtin_exception(name: str) -> bool:
    """Whether a name is one of a builtin exception."""
    kind = getattr(builtins, name, None)
    return isinstance(kind, type) and issubclass(kind, BaseException)
