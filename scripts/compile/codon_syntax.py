"""Rewrites of Python's syntax tree that replace what Codon rejects by what means the same.

Codon 0.19 compiles a typed subset of Python. Each rewrite is a transformer that replaces one kind of construct and
counts how often; what a rewrite cannot be sure of it leaves alone. None depends on types; those that do are in
`codon_types`.
"""

import ast

_LAZY = ("map", "filter", "zip", "reversed", "range", "enumerate")
_READLINE = """
def stdin_readline() -> str:
    try:
        return input() + "\\n"
    except EOFError:
        return ""
"""
_REDUCE = """
def reduce_from(function, items, start):
    total = start
    for item in items:
        total = function(total, item)
    return total
def reduce_all(function, items):
    listed = list(items)
    return reduce_from(function, listed[1:], listed[0])
"""


class Rewrite(ast.NodeTransformer):
    """Base: `count` replacements were made; `helpers` is source text of functions that they call."""

    helpers = ""

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.count = 0

    def replaced(self, new: ast.AST | list[ast.AST], old: ast.AST) -> ast.AST | list[ast.AST]:
        """`new` in the place of `old`, counted."""
        self.count += 1
        for node in new if isinstance(new, list) else [new]:
            ast.copy_location(node, old)
        return new


def call(name: str, *arguments: ast.expr) -> ast.Call:
    """A call of a function by its name."""
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


def is_name(node: ast.AST, *names: str) -> bool:
    """Whether an expression is one of some plain names."""
    return isinstance(node, ast.Name) and node.id in names


def is_dotted(node: ast.AST, dotted: str) -> bool:
    """Whether an expression is a dotted name such as `sys.stdin.readline`."""
    head, _, last = dotted.rpartition(".")
    if not head:
        return is_name(node, last)
    return isinstance(node, ast.Attribute) and node.attr == last and is_dotted(node.value, head)


def bound_names(tree: ast.AST) -> set[str]:
    """Names that a program binds itself, anywhere, by assignment, definition, import or as a parameter."""
    found = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    found |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    found |= {node.name for node in ast.walk(tree) if isinstance(node, defined)}
    imports = (node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom))
    return found | {alias.asname or alias.name for node in imports for alias in node.names}


class ExceptTuple(Rewrite):
    """`except (A, B):` becomes a handler for each."""

    name = "except_tuple"

    def visit_Try(self, node: ast.Try) -> ast.Try:
        self.generic_visit(node)
        handlers = []
        for handler in node.handlers:
            if isinstance(handler.type, ast.Tuple) and handler.type.elts:
                kinds = handler.type.elts
                handlers += self.replaced(
                    [ast.ExceptHandler(kind, handler.name, handler.body) for kind in kinds], handler
                )
            else:
                handlers.append(handler)
        node.handlers = handlers
        return node


class UnpackedIterator(Rewrite):
    """`a, b = map(int, …)` becomes `a, b = list(map(int, …))`: Codon unpacks only what has a length."""

    name = "unpacked_iterator"

    def visit_Assign(self, node: ast.Assign) -> ast.Assign:
        self.generic_visit(node)
        lazy = isinstance(node.value, ast.GeneratorExp) or (
            isinstance(node.value, ast.Call) and is_name(node.value.func, *_LAZY)
        )
        if lazy and any(isinstance(target, ast.Tuple | ast.List) for target in node.targets):
            node.value = self.replaced(call("list", node.value), node.value)
        return node


class StarredPrint(Rewrite):
    """`print(*xs)` becomes `print(' '.join([str(x) for x in xs]))`: Codon unpacks only tuples into arguments."""

    name = "starred_print"

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        if not is_name(node.func, "print") or not any(isinstance(word, ast.Starred) for word in node.args):
            return node
        keywords = {word.arg: word.value for word in node.keywords}
        separator = keywords.pop("sep", ast.Constant(" "))
        if None in keywords or not isinstance(separator, ast.Constant | ast.Name):
            return node
        separator = ast.Constant(" ") if getattr(separator, "value", "") is None else separator
        parts = [self._texts(word) for word in node.args]
        words = parts[0]
        for part in parts[1:]:
            words = ast.BinOp(words, ast.Add(), part)
        joined = ast.Call(ast.Attribute(separator, "join", ast.Load()), [words], [])
        rest = [ast.keyword(name, value) for name, value in keywords.items()]
        return self.replaced(ast.Call(node.func, [joined], rest), node)

    def _texts(self, word: ast.expr) -> ast.expr:
        """One argument as a list of texts."""
        if not isinstance(word, ast.Starred):
            return ast.List([call("str", word)], ast.Load())
        item = ast.Name("starred_item", ast.Store())
        loop = ast.comprehension(item, word.value, [], 0)
        return ast.ListComp(call("str", ast.Name("starred_item", ast.Load())), [loop])


class StdinReadline(Rewrite):
    """`sys.stdin.readline` becomes a function over `input`; `input = sys.stdin.readline` a new name for it."""

    name = "stdin_readline"
    helpers = _READLINE

    def __init__(self, tree: ast.Module) -> None:
        super().__init__(tree)
        assigned = [node for node in ast.walk(tree) if isinstance(node, ast.Assign) and len(node.targets) == 1]
        self.aliases = [node for node in assigned if is_name(node.targets[0], "input")]
        self.shadowed = len(self.aliases) == 1 and self._is_readline(self.aliases[0].value)

    def _is_readline(self, node: ast.AST) -> bool:
        """Whether an expression is standard input's method, however it was imported."""
        return is_dotted(node, "sys.stdin.readline") or is_dotted(node, "stdin.readline")

    def visit_Assign(self, node: ast.Assign) -> ast.Assign | None:
        if self.shadowed and node is self.aliases[0]:
            return self.replaced(ast.Pass(), node)
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.Name:
        if self.shadowed and node.id == "input":
            return self.replaced(ast.Name("stdin_readline", ast.Load()), node)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if self._is_readline(node):
            return self.replaced(ast.Name("stdin_readline", ast.Load()), node)
        return self.generic_visit(node)


class RecursionLimit(Rewrite):
    """`sys.setrecursionlimit(…)` goes: a compiled program has no such limit."""

    name = "recursion_limit"

    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        function = node.value.func if isinstance(node.value, ast.Call) else None
        if is_dotted(function, "sys.setrecursionlimit") or is_name(function, "setrecursionlimit"):
            return self.replaced(ast.Pass(), node)
        return self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
        if node.module != "sys" or not any(alias.name == "setrecursionlimit" for alias in node.names):
            return node
        rest = [alias for alias in node.names if alias.name != "setrecursionlimit"]
        return self.replaced(ast.ImportFrom("sys", rest, 0) if rest else ast.Pass(), node)


class ExitCall(Rewrite):
    """`exit(…)` and `quit(…)`, which the interpreter adds for people, become `sys.exit(…)`."""

    name = "exit_call"
    helpers = "import sys\n"

    def __init__(self, tree: ast.Module) -> None:
        super().__init__(tree)
        self.own = bound_names(tree)

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        if not is_name(node.func, "exit", "quit") or node.func.id in self.own:
            return node
        return self.replaced(
            ast.Call(ast.Attribute(ast.Name("sys", ast.Load()), "exit", ast.Load()), node.args, []), node
        )


class Reduce(Rewrite):
    """`functools.reduce`, which Codon lacks, becomes a function of the program."""

    name = "reduce"
    helpers = _REDUCE

    def __init__(self, tree: ast.Module) -> None:
        super().__init__(tree)
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "functools"]
        self.imported = any(alias.name == "reduce" and not alias.asname for node in imports for alias in node.names)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
        if node.module != "functools" or not self.imported:
            return node
        rest = [alias for alias in node.names if alias.name != "reduce"]
        return ast.copy_location(ast.ImportFrom("functools", rest, 0) if rest else ast.Pass(), node)

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        named = is_dotted(node.func, "functools.reduce") or (self.imported and is_name(node.func, "reduce"))
        if not named or len(node.args) not in (2, 3):
            return node
        helper = "reduce_from" if len(node.args) == 3 else "reduce_all"
        return self.replaced(call(helper, *node.args), node)


class TypingOnly(Rewrite):
    """Annotations with names of `typing` that Codon does not know go, and their imports."""

    name = "typing_only"
    unknown = frozenset(
        {"NoReturn", "Never", "TypeVar", "Protocol", "Sequence", "Iterable", "Mapping", "Final", "Self"}
    )

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
        if node.module != "typing" or not any(alias.name in self.unknown for alias in node.names):
            return node
        rest = [alias for alias in node.names if alias.name not in self.unknown]
        return self.replaced(ast.ImportFrom("typing", rest, 0) if rest else ast.Pass(), node)

    def _known(self, annotation: ast.expr | None) -> ast.expr | None:
        """An annotation, unless it needs an unknown name."""
        unknown = annotation and any(is_name(node, *self.unknown) for node in ast.walk(annotation))
        return None if unknown else annotation

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self.generic_visit(node)
        node.returns = self._known(node.returns)
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = self._known(node.annotation)
        return node


class UnpackedFields(Rewrite):
    """`self.x, self.y = p` goes by way of variables: Codon sees only plain assignments of fields."""

    name = "unpacked_fields"

    def visit_Assign(self, node: ast.Assign) -> ast.stmt | list[ast.stmt]:
        target = node.targets[0]
        if len(node.targets) > 1 or not isinstance(target, ast.Tuple | ast.List):
            return node
        fields = target.elts
        if not all(isinstance(field, ast.Attribute) and is_name(field.value, "self") for field in fields):
            return node
        names = [f"new_{field.attr}" for field in fields]
        store = ast.Tuple([ast.Name(name, ast.Store()) for name in names], ast.Store())
        rest = [ast.Assign([field], ast.Name(name, ast.Load())) for field, name in zip(fields, names, strict=True)]
        return self.replaced([ast.Assign([store], node.value), *rest], node)


class NextMethod(Rewrite):
    """`g.__next__()` becomes `next(g)`, and the method as a value a function that calls it."""

    name = "next_method"

    def visit_Call(self, node: ast.Call) -> ast.Call:
        if isinstance(node.func, ast.Attribute) and node.func.attr == "__next__" and not node.args:
            return self.replaced(call("next", self.visit(node.func.value)), node)
        return self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if node.attr == "__next__" and isinstance(node.value, ast.Name):
            nothing = ast.arguments([], [], None, [], [], None, [])
            return self.replaced(ast.Lambda(nothing, call("next", node.value)), node)
        return self.generic_visit(node)
