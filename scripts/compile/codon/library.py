"""Rewrites of what Codon's library lacks or has otherwise."""

import ast

from scripts.compile.codon.effects import is_harmless
from scripts.compile.codon.names import Names, immediate_loads, loads
from scripts.compile.codon.rewrite import Rewrite, call, is_dotted, is_name, stand_in

_READLINE = """
import sys as $system
def $next_line() -> str:
    for line in $system.stdin:
        return line
    return ""
"""
_REDUCE = """
def $reduce_from(function, items, start):
    total = start
    for item in items:
        total = function(total, item)
    return total
def $reduce_all(function, items):
    rest = iter(items)
    try:
        total = next(rest)
    except StopIteration:
        raise TypeError("reduce() of empty iterable with no initial value")
    for item in rest:
        total = function(total, item)
    return total
"""
_MOST_ALIASES = 4
_TYPES = frozenset({"int", "float", "str", "bool", "bytes", "object"})
_SUBSCRIPTED = frozenset({"list", "dict", "set", "tuple", "List", "Dict", "Set", "Tuple", "Optional"})
_CATCHING = ("SystemExit", "BaseException")


def without(node: ast.ImportFrom, names: set[str] | frozenset[str]) -> ast.stmt:
    """An import without some names; `pass` if nothing remains."""
    rest = [alias for alias in node.names if alias.name not in names]
    return ast.ImportFrom(node.module, rest, 0) if rest else ast.Pass()


class StdinReadline(Rewrite):
    """`sys.stdin.readline` becomes a function over Codon's standard input, and so does a name of the module for it.

    Codon never ends with `int(read())` where `read` is a variable of the module that holds a function, so the variable
    goes; where it may not, nothing is rewritten.
    """

    name = "stdin_readline"
    helpers = _READLINE

    def __init__(self, tree: ast.Module, names: Names) -> None:
        super().__init__(tree, names)
        self.roots = [
            dotted
            for dotted, root, origin in (("sys.stdin", "sys", "sys"), ("stdin", "stdin", "sys.stdin"))
            if names.imported(root, origin) and "stdin" not in names.stored_attributes
        ]
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        self.sized = {id(node.func) for node in calls if node.args or node.keywords}
        functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
        local = {id(part) for function in functions for part in ast.walk(function)}
        assigned = [node for node in ast.walk(tree) if isinstance(node, ast.Assign) and self._is_readline(node.value)]
        outer = [node for node in assigned if id(node) not in local]
        self.aliases = {node.targets[0].id: node for node in outer[:_MOST_ALIASES] if self._is_certain(node)}
        self.possible = len(self.aliases) == len(outer)

    def _is_readline(self, node: ast.AST) -> bool:
        """Whether an expression is the standard input's method, to be used without an argument."""
        return id(node) not in self.sized and any(is_dotted(node, f"{root}.readline") for root in self.roots)

    def _is_certain(self, node: ast.Assign) -> bool:
        """Whether an assignment of the module is the only one of its variable and comes before all uses."""
        target = node.targets[0]
        if len(node.targets) > 1 or not isinstance(target, ast.Name) or node not in self.tree.body:
            return False
        own = {part.name for part in ast.walk(self.tree) if isinstance(part, ast.FunctionDef | ast.ClassDef)}
        before = self.tree.body[: self.tree.body.index(node)]
        read = {name for statement in before for name in immediate_loads(statement)}
        return self.names.bound[target.id] == 1 and not read & {target.id, *own}

    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        certain = self.possible and node in self.aliases.values()
        return self.replaced(ast.Pass(), node) if certain else self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return self._next_line(node) if self.possible and node.id in self.aliases else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return self._next_line(node) if self.possible and self._is_readline(node) else self.generic_visit(node)

    def _next_line(self, node: ast.expr) -> ast.Name:
        """The function in place of an expression."""
        self.helper("system")
        return self.replaced(ast.Name(self.helper("next_line"), ast.Load()), node)


class RecursionLimit(Rewrite):
    """`sys.setrecursionlimit(…)` goes: a compiled program has no such limit."""

    name = "recursion_limit"

    def __init__(self, tree: ast.Module, names: Names) -> None:
        super().__init__(tree, names)
        self.module = names.imported("sys", "sys")
        self.function = names.imported("setrecursionlimit", "sys.setrecursionlimit")
        statements = [node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)]
        dropped = sum(self._is_limit(value) and is_name(value.func, "setrecursionlimit") for value in statements)
        self.unused = self.function and loads(tree)["setrecursionlimit"] == dropped
        self.possible = not loads(tree)["RecursionError"]

    def _is_limit(self, node: ast.expr) -> bool:
        """Whether an expression sets the limit, and does nothing else."""
        if not isinstance(node, ast.Call) or node.keywords or not all(is_harmless(word) for word in node.args):
            return False
        function = self.function and is_name(node.func, "setrecursionlimit")
        return function or (self.module and is_dotted(node.func, "sys.setrecursionlimit"))

    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        if self.possible and self._is_limit(node.value):
            return self.replaced(ast.Pass(), node)
        return self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
        mine = any(alias.name == "setrecursionlimit" for alias in node.names)
        if not mine or node.module != "sys" or not self.unused or not self.possible:
            return node
        return self.replaced(without(node, {"setrecursionlimit"}), node)


class ExitCall(Rewrite):
    """`exit(…)` and `quit(…)`, which the interpreter adds for people, become `sys.exit(…)`."""

    name = "exit_call"
    helpers = "import sys as $system\n"

    def __init__(self, tree: ast.Module, names: Names) -> None:
        super().__init__(tree, names)
        # The interpreter's functions also close the standard input, which what catches the end could notice.
        tried = [node for node in ast.walk(tree) if isinstance(node, ast.Try)]
        caught = any(_catches_exit(node) for node in tried)
        reads = loads(tree)["input"] or any(is_name(node, "stdin") for node in ast.walk(tree)) or _mentions_stdin(tree)
        self.possible = names.builtin("exit", "quit") and not (caught and reads and self._exits_inside(tried))

    def _exits_inside(self, tried: list[ast.Try]) -> bool:
        """Whether something that catches the end encloses a call that may end the program."""
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
    """Whether a statement goes on after `SystemExit`, or does something on its way."""
    catching = any(handler.type is None or loads(handler.type)[name] for handler in node.handlers for name in _CATCHING)
    return catching or bool(node.finalbody)


def _mentions_stdin(tree: ast.Module) -> bool:
    """Whether a program has `….stdin`."""
    return any(isinstance(node, ast.Attribute) and node.attr == "stdin" for node in ast.walk(tree))


class Reduce(Rewrite):
    """`functools.reduce`, which Codon lacks, becomes a function of the program."""

    name = "reduce"
    helpers = _REDUCE

    def __init__(self, tree: ast.Module, names: Names) -> None:
        super().__init__(tree, names)
        self.module = names.imported("functools", "functools")
        self.function = names.imported("reduce", "functools.reduce")
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        mine = sum(is_name(node.func, "reduce") and self._is_plain(node) for node in calls)
        self.possible = self.function and loads(tree)["reduce"] == mine

    def _is_plain(self, node: ast.Call) -> bool:
        """Whether a call has two or three plain arguments."""
        starred = any(isinstance(word, ast.Starred) for word in node.args)
        return len(node.args) in (2, 3) and not node.keywords and not starred

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
        mine = node.module == "functools" and self.possible
        return ast.copy_location(without(node, {"reduce"}), node) if mine else node

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        function = self.possible and is_name(node.func, "reduce")
        named = function or (self.module and is_dotted(node.func, "functools.reduce"))
        if (
            not named
            or not self._is_plain(node)
            or not self.names.builtin("iter", "next", "TypeError", "StopIteration")
        ):
            return node
        helper = self.helper("reduce_from" if len(node.args) == 3 else "reduce_all")
        return self.replaced(call(helper, *node.args), node)


class FutureImport(Rewrite):
    """`from __future__ import …` goes, where it changes nothing in Python 3.

    Without the one of `annotations` they are evaluated: they must name what is surely there and can be subscripted, and
    classes of the program get another value until they are defined.
    """

    name = "future_import"

    def visit_Module(self, node: ast.Module) -> ast.Module:
        imports = [part for part in node.body if isinstance(part, ast.ImportFrom) and part.module == "__future__"]
        lazy = any(alias.name == "annotations" for part in imports for alias in part.names)
        mentioned = self._mentioned(node) if lazy else set()
        if not imports or mentioned is None or not all(map(self._is_unused, imports)):
            return node
        for part in imports:
            node.body[node.body.index(part)] = self.replaced(ast.Pass(), part)
        kinds = (ast.ClassDef, ast.FunctionDef, ast.AnnAssign, ast.AsyncFunctionDef)
        first = next((index for index, part in enumerate(node.body) if isinstance(part, kinds)), 0)
        node.body[first:first] = [stand_in(name) for name in sorted(mentioned)]
        return node

    def _is_unused(self, node: ast.ImportFrom) -> bool:
        """Whether the names of an import are only imported."""
        names = [alias.asname or alias.name for alias in node.names]
        return not any(loads(self.tree)[name] or self.names.bound[name] > 1 for name in names)

    def _mentioned(self, module: ast.Module) -> set[str] | None:
        """The classes of the program in annotations; None if those cannot be evaluated for certain."""
        nodes = list(ast.walk(module))
        annotations = [one for node in nodes for one in annotations_of(node)]
        # Those of variables in functions are not evaluated, but Codon reads them.
        annotations += [node.annotation for node in nodes if isinstance(node, ast.AnnAssign)]
        classes = {part.name for part in module.body if isinstance(part, ast.ClassDef)}
        classes = {name for name in classes if self.names.bound[name] == 1}
        parts = [part for one in annotations for part in ast.walk(one)]
        names = {part.id for part in parts if isinstance(part, ast.Name)}
        known = {name for name in _SUBSCRIPTED | _TYPES if self._is_known(name)}
        kinds = (ast.Name, ast.Subscript, ast.Tuple, ast.expr_context)
        nothing = [part for part in parts if isinstance(part, ast.Constant) and part.value is None]
        plain = all(isinstance(part, kinds) or part in nothing for part in parts)
        subscripted = all(is_name(part.value, *_SUBSCRIPTED) for part in parts if isinstance(part, ast.Subscript))
        possible = plain and subscripted and names <= known | classes and _defined_before(module, classes)
        return names & classes if possible else None

    def _is_known(self, name: str) -> bool:
        """Whether a name surely means Python's builtin or that of `typing`."""
        if name in _TYPES or name in ("list", "dict", "set", "tuple"):
            return self.names.builtin(name)
        return self.names.imported(name, f"typing.{name}")


def _defined_before(module: ast.Module, classes: set[str]) -> bool:
    """Whether annotations mention no class before its definition begins."""
    defined: set[str] = set()
    for statement in module.body:
        if isinstance(statement, ast.ClassDef):
            defined.add(statement.name)
        nodes = list(ast.walk(statement))
        annotations = [one for node in nodes for one in annotations_of(node)]
        annotations += [node.annotation for node in nodes if isinstance(node, ast.AnnAssign)]
        if any(loads(one).keys() & (classes - defined) for one in annotations):
            return False
    return True


class TypingOnly(Rewrite):
    """Names of `typing` that Codon lacks go where only annotations of parameters and results have them."""

    name = "typing_only"
    unknown = frozenset(
        {"Any", "NoReturn", "Never", "TypeVar", "Protocol", "Sequence", "Iterable", "Iterator", "Mapping", "Final"}
        | {
            "Self",
            "Type",
            "Text",
            "MutableMapping",
            "MutableSequence",
            "Collection",
            "Hashable",
            "Deque",
            "DefaultDict",
        }
        | {"FrozenSet", "AnyStr", "NewType", "Counter", "OrderedDict", "ClassVar", "Sized", "Container"}
    )

    def __init__(self, tree: ast.Module, names: Names) -> None:
        super().__init__(tree, names)
        self.mine = {name for name in self.unknown if names.imported(name, f"typing.{name}")}
        annotations = [one for node in ast.walk(tree) for one in annotations_of(node)]
        read = loads(tree)
        inside = sum((loads(one) for one in annotations), start=loads(ast.Module([], [])))
        self.possible = all(read[name] == inside[name] for name in self.mine)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
        names = {alias.name for alias in node.names} & self.mine
        if node.module != "typing" or not names or not self.possible:
            return node
        return self.replaced(without(node, names), node)

    def _known(self, annotation: ast.expr | None) -> ast.expr | None:
        """An annotation, unless it needs an unknown name or is only a text, which Codon takes for its type."""
        if annotation is None or not self.possible:
            return annotation
        texts = any(isinstance(node, ast.Constant) and isinstance(node.value, str) for node in ast.walk(annotation))
        unknown = any(is_name(node, *self.mine) for node in ast.walk(annotation))
        self.count += texts
        return None if unknown or texts else annotation

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self.generic_visit(node)
        node.returns = self._known(node.returns)
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = self._known(node.annotation)
        return node


def annotations_of(node: ast.AST) -> list[ast.expr]:
    """The annotation of a parameter or of a function's result."""
    found = node.annotation if isinstance(node, ast.arg) else getattr(node, "returns", None)
    return [found] if found else []
