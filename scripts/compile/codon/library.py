"""Rewrites of functions that Codon's library lacks or that behave differently there."""

import ast
import operator
from collections.abc import Callable

from scripts.compile.codon.names import Names, immediate_loads, immediate_nodes, loads
from scripts.compile.codon.rewrite import Rewrite, assigned_name, call, is_dotted, is_name, without

_READLINE = """
import sys as $system
def $next_line() -> str:
    for line in $system.stdin:
        return line
    return ""
"""
_REDUCE = """
def $reduce_from(function, items, start):
    try:
        rest = iter(items)
    except TypeError:
        raise TypeError("reduce() arg 2 must support iteration")
    total = start
    for item in rest:
        total = function(total, item)
    return total
def $reduce_all(function, items):
    try:
        rest = iter(items)
    except TypeError:
        raise TypeError("reduce() arg 2 must support iteration")
    try:
        total = next(rest)
    except StopIteration:
        raise TypeError("reduce() of empty iterable with no initial value")
    for item in rest:
        total = function(total, item)
    return total
"""
_MAX_ALIASES = 4
# CPython's default limit, and the largest limit that it accepts.
_DEFAULT_LIMIT, _MAX_LIMIT = 1000, 2**31 - 1
_MAX_OPERAND, _MAX_EXPONENT = 2**62, 64
_OPERATIONS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Pow: operator.pow,
    ast.LShift: operator.lshift,
}
_CATCHING = ("SystemExit", "BaseException")


class StdinReadline(Rewrite):
    """`sys.stdin.readline` becomes a function over Codon's standard input, and so does a name of
    the module for it.

    Codon does not terminate on `int(read())` if `read` is a variable of the module that holds a
    function. The variable is therefore removed; if that is impossible, nothing is rewritten.
    """

    name = "stdin_readline"
    helpers = _READLINE

    def __init__(self, tree: ast.Module, names: Names) -> None:
        super().__init__(tree, names)
        self.roots = [
            dotted
            for dotted, root, origin in (("sys.stdin", "sys", "sys"), ("stdin", "stdin", "sys.stdin"))
            if names.imported(root, origin) and not {"stdin", "readline"} & names.stored_attributes
        ]
        # Expressions that are called without an argument, here or by `iter(readline, "")`.
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        self.called = {id(node.func) for node in calls if not node.args and not node.keywords}
        repeated = [node for node in calls if is_name(node.func, "iter") and names.builtin("iter")]
        self.called |= {id(node.args[0]) for node in repeated if len(node.args) == 2}
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        # For each part of a function, the outermost function that contains it.
        self.local = {id(part): function for function in reversed(functions) for part in ast.walk(function)}
        self.shared = {name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names}
        self.reads: dict[str, list[ast.Name]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                self.reads.setdefault(node.id, []).append(node)
        assigned = [node for node in ast.walk(tree) if isinstance(node, ast.Assign) and self._is_readline(node.value)]
        outer = [node for node in assigned if id(node) not in self.local]
        certain = [node for node in outer[:_MAX_ALIASES] if self._is_certain(node) and self._is_only_called(node)]
        self.aliases = {name: node for node in certain if (name := assigned_name(node)) is not None}
        self.possible = len(self.aliases) == len(outer)
        # A function as a variable of a class would be a method.
        classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        kept = {id(part) for node in classes for part in immediate_nodes(node)}
        inner = [node for node in assigned if id(node) in self.local and self._is_only_called(node)]
        inner = [node for node in inner if id(node) not in kept]
        self.called |= {id(node.value) for node in inner}

    def _is_readline(self, node: ast.AST) -> bool:
        """Whether an expression is the method of standard input."""
        return any(is_dotted(node, f"{root}.readline") for root in self.roots)

    def _is_only_called(self, node: ast.Assign) -> bool:
        """Whether the variable of an assignment is only called, without an argument:
        other uses could observe attributes that a method has and a function lacks.
        """
        name, function = assigned_name(node), self.local.get(id(node))
        if name is None or (function and name in self.shared):
            return False
        read = [part for part in self.reads.get(name, []) if not function or self.local.get(id(part)) is function]
        return all(id(part) in self.called for part in read)

    def _is_certain(self, node: ast.Assign) -> bool:
        """Whether an assignment of the module is the only one of its variable and comes before all
        uses.
        """
        name = assigned_name(node)
        if name is None or node not in self.tree.body:
            return False
        own = {part.name for part in ast.walk(self.tree) if isinstance(part, ast.FunctionDef | ast.ClassDef)}
        before = self.tree.body[: self.tree.body.index(node)]
        read = {one for statement in before for one in immediate_loads(statement)}
        lambdas = [part for statement in before for part in ast.walk(statement) if isinstance(part, ast.Lambda)]
        read |= {one for part in lambdas for one in loads(part)}
        return self.names.bound[name] == 1 and not read & {name, *own}

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        certain = self.possible and node in self.aliases.values()
        return self.replaced(ast.Pass(), node) if certain else self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return self._next_line(node) if self.possible and node.id in self.aliases else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        replaceable = self.possible and id(node) in self.called and self._is_readline(node)
        return self._next_line(node) if replaceable else self.generic_visit(node)

    def _next_line(self, node: ast.expr) -> ast.Name:
        """The function that replaces an expression."""
        self.helper("system")
        return self.replaced(ast.Name(self.helper("next_line"), ast.Load()), node)


class RecursionLimit(Rewrite):
    """`sys.setrecursionlimit(…)` is removed: a compiled program has no such limit.

    Only a constant that CPython certainly accepts and that does not lower the limit, which nothing
    reads.
    """

    name = "recursion_limit"

    def __init__(self, tree: ast.Module, names: Names) -> None:
        super().__init__(tree, names)
        self.module = names.imported("sys", "sys")
        self.function = names.imported("setrecursionlimit", "sys.setrecursionlimit")
        calls = [node.value for node in ast.walk(tree) if isinstance(node, ast.Expr) and self._is_limit(node.value)]
        removed = sum(is_name(call.func, "setrecursionlimit") for call in calls if isinstance(call, ast.Call))
        self.unused = self.function and loads(tree)["setrecursionlimit"] == removed
        replaced = "setrecursionlimit" in names.stored_attributes
        self.possible = not replaced and not {"RecursionError", "getrecursionlimit"} & names.taken

    def _is_limit(self, node: ast.expr) -> bool:
        """Whether an expression sets the limit and does nothing else."""
        if not isinstance(node, ast.Call) or node.keywords or len(node.args) != 1:
            return False
        limit = _constant(node.args[0])
        if limit is None or not _DEFAULT_LIMIT <= limit <= _MAX_LIMIT:
            return False
        function = self.function and is_name(node.func, "setrecursionlimit")
        return function or (self.module and is_dotted(node.func, "sys.setrecursionlimit"))

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        if self.possible and self._is_limit(node.value):
            return self.replaced(ast.Pass(), node)
        return self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
        imported = any(alias.name == "setrecursionlimit" for alias in node.names)
        if not imported or node.module != "sys" or not self.unused or not self.possible:
            return node
        return self.replaced(without(node, {"setrecursionlimit"}), node)


def _constant(node: ast.expr) -> int | None:
    """The value of an expression of integers such as `10 ** 6`; None for any other, or a huge one."""
    if isinstance(node, ast.Constant):
        return node.value if type(node.value) is int else None
    operation = _OPERATIONS.get(type(node.op)) if isinstance(node, ast.BinOp) else None
    if operation is None or not isinstance(node, ast.BinOp):
        return None
    left, right = _constant(node.left), _constant(node.right)
    # Operands are bounded so that the value is computed quickly.
    largest = _MAX_EXPONENT if isinstance(node.op, ast.Pow | ast.LShift) else _MAX_OPERAND
    if left is None or right is None or not 0 <= left <= _MAX_OPERAND or not 0 <= right <= largest:
        return None
    return operation(left, right)


class ExitCall(Rewrite):
    """`exit(…)` and `quit(…)`, which are meant for the interactive interpreter, become
    `sys.exit(…)`.
    """

    name = "exit_call"
    helpers = "import sys as $system\n"

    def __init__(self, tree: ast.Module, names: Names) -> None:
        super().__init__(tree, names)
        # The interpreter's functions also close standard input, which code that catches the exit
        # could notice.
        tried = [node for node in ast.walk(tree) if isinstance(node, ast.Try)]
        caught = any(_catches_exit(node) for node in tried)
        reads = loads(tree)["input"] or any(is_name(node, "stdin") for node in ast.walk(tree)) or _mentions_stdin(tree)
        self.possible = names.builtin("exit", "quit") and not (caught and reads and self._exits_inside(tried))

    def _exits_inside(self, tried: list[ast.Try]) -> bool:
        """Whether a statement that catches the exit contains a call that may exit."""
        inside = [part for node in tried if _catches_exit(node) for one in node.body for part in ast.walk(one)]
        names = {node.id for node in inside if isinstance(node, ast.Name)}
        functions = [node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef)]
        return bool(names & {"exit", "quit", *(function.name for function in functions)})

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        starred = any(isinstance(word, ast.Starred) for word in node.args)
        if not is_name(node.func, "exit", "quit") or not self.possible or node.keywords or starred:
            return node
        function = ast.Attribute(ast.Name(self.helper("system"), ast.Load()), "exit", ast.Load())
        return self.replaced(ast.Call(function, node.args, []), node)


def _catches_exit(node: ast.Try) -> bool:
    """Whether a statement catches `SystemExit`, or runs code when it passes."""
    catching = any(handler.type is None or loads(handler.type)[name] for handler in node.handlers for name in _CATCHING)
    return catching or bool(node.finalbody)


def _mentions_stdin(tree: ast.Module) -> bool:
    """Whether a program has an attribute `stdin`."""
    return any(isinstance(node, ast.Attribute) and node.attr == "stdin" for node in ast.walk(tree))


class Reduce(Rewrite):
    """`functools.reduce`, which Codon lacks, becomes a function of the program."""

    name = "reduce"
    extends_lifetimes = True
    helpers = _REDUCE

    def __init__(self, tree: ast.Module, names: Names) -> None:
        super().__init__(tree, names)
        self.module = names.imported("functools", "functools")
        self.function = names.imported("reduce", "functools.reduce")
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        plain = sum(is_name(node.func, "reduce") and self._is_plain(node) for node in calls)
        self.usable = names.builtin("iter", "next", "TypeError", "StopIteration")
        self.usable &= "reduce" not in names.stored_attributes
        self.possible = self.usable and self.function and loads(tree)["reduce"] == plain

    def _is_plain(self, node: ast.Call) -> bool:
        """Whether a call has two or three plain arguments."""
        starred = any(isinstance(word, ast.Starred) for word in node.args)
        return len(node.args) in (2, 3) and not node.keywords and not starred

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
        removed = node.module == "functools" and self.possible
        return ast.copy_location(without(node, {"reduce"}), node) if removed else node

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        function = self.possible and is_name(node.func, "reduce")
        named = function or (self.usable and self.module and is_dotted(node.func, "functools.reduce"))
        if not named or not self._is_plain(node):
            return node
        helper = self.helper("reduce_from" if len(node.args) == 3 else "reduce_all")
        return self.replaced(call(helper, *node.args), node)
