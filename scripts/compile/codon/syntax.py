"""Rewrites of constructs that Codon rejects into equivalent ones, none of which depends on types."""

import ast

from scripts.compile.codon.effects import Effects
from scripts.compile.codon.names import Names
from scripts.compile.codon.rewrite import Rewrite, assigned_name, call, is_name, method

_LAZY = ("map", "filter", "zip", "reversed", "range", "enumerate")
_EXACTLY = """
def $exactly(items, count: int):
    listed = []
    for item in items:
        if len(listed) == count:
            raise ValueError("too many values to unpack (expected " + str(count) + ")")
        listed.append(item)
    if len(listed) < count:
        raise ValueError("not enough values to unpack (expected " + str(count) + ", got " + str(len(listed)) + ")")
    return listed
def $at_least(items, count: int):
    listed = list(items)
    if len(listed) < count:
        expected = "expected at least " + str(count) + ", got " + str(len(listed))
        raise ValueError("not enough values to unpack (" + expected + ")")
    return listed
"""


class UnpackedIterator(Rewrite):
    """`a, b = map(int, …)` becomes `a, b = exactly(map(int, …), 2)`: Codon unpacks lists, whatever
    their length.

    As in CPython, at most one item more than there are targets is taken from the iterator.
    """

    name = "unpacked_iterator"
    extends_lifetimes = True
    helpers = _EXACTLY

    def visit_Assign(self, node: ast.Assign) -> ast.Assign:
        self.generic_visit(node)
        target = node.targets[0]
        if len(node.targets) > 1 or not isinstance(target, ast.Tuple | ast.List) or not self._is_lazy(node.value):
            return node
        stars = sum(isinstance(part, ast.Starred) for part in target.elts)
        helper = self.helper("at_least" if stars else "exactly")
        node.value = self.replaced(call(helper, node.value, ast.Constant(len(target.elts) - stars)), node.value)
        return node

    def _is_lazy(self, value: ast.expr) -> bool:
        """Whether an expression is an iterator, or a list that `split` returns."""
        if not self.names.builtin("list", "len", "str", "ValueError", *_LAZY):
            return False
        function = value.func if isinstance(value, ast.Call) else None
        split = isinstance(function, ast.Attribute) and function.attr == "split" and not self.names.defines("split")
        return isinstance(value, ast.GeneratorExp) or is_name(function, *_LAZY) or split


class StarredPrint(Rewrite):
    """`print(*xs)` becomes `print(' '.join([str(x) for x in xs]))`: Codon unpacks only tuples into
    arguments.
    """

    name = "starred_print"

    def __init__(self, tree: ast.Module, names: Names) -> None:
        super().__init__(tree, names)
        self.effects = Effects(tree, names)

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        if not is_name(node.func, "print") or not any(isinstance(word, ast.Starred) for word in node.args):
            return node
        keywords = {word.arg: word.value for word in node.keywords}
        separator: ast.expr = keywords.pop("sep", ast.Constant(" "))
        textual = isinstance(separator, ast.Constant) and (separator.value is None or isinstance(separator.value, str))
        if None in keywords or not textual or not self._possible(node):
            return node
        separator = ast.Constant(" ") if getattr(separator, "value", None) is None else separator
        words = self._texts(node.args[0])
        for word in node.args[1:]:
            words = ast.BinOp(words, ast.Add(), self._texts(word))
        rest = [ast.keyword(name, value) for name, value in keywords.items()]
        return self.replaced(ast.Call(node.func, [method(separator, "join", words)], rest), node)

    def _possible(self, node: ast.Call) -> bool:
        """Whether arguments may be converted to text one by one, before anything is written."""
        suspended = (ast.Await, ast.Yield, ast.YieldFrom, ast.NamedExpr)
        ordinary = not any(isinstance(part, suspended) for word in node.args for part in ast.walk(word))
        return (
            ordinary
            and self.names.builtin("print", "str")
            and "write" not in self.effects.own | self.names.stored_attributes
            and all(map(self.effects.has_safe_text, node.args))
            and self.effects.in_turn([*node.args, *(word.value for word in node.keywords)])
        )

    def _texts(self, word: ast.expr) -> ast.expr:
        """One argument as a list of texts."""
        if not isinstance(word, ast.Starred):
            return ast.List([call("str", word)], ast.Load())
        item = self.helper("item")
        loop = ast.comprehension(ast.Name(item, ast.Store()), word.value, [], 0)
        return ast.ListComp(call("str", ast.Name(item, ast.Load())), [loop])


class UnpackedFields(Rewrite):
    """`self.x, self.y = p` assigns to variables first: Codon recognises only plain assignments of
    fields.
    """

    name = "unpacked_fields"
    extends_lifetimes = True

    def visit_Assign(self, node: ast.Assign) -> ast.stmt | list[ast.stmt]:
        target = node.targets[0]
        if len(node.targets) > 1 or not isinstance(target, ast.Tuple | ast.List) or not target.elts:
            return node
        fields = [field for field in target.elts if isinstance(field, ast.Attribute) and is_name(field.value, "self")]
        if len(fields) < len(target.elts):
            return node
        names = [self.names.fresh(f"new_{field.attr.lstrip('_')}") for field in fields]
        store = ast.Tuple([ast.Name(name, ast.Store()) for name in names], ast.Store())
        rest = [ast.Assign([field], ast.Name(name, ast.Load())) for field, name in zip(fields, names, strict=True)]
        statements: list[ast.stmt] = [ast.Assign([store], node.value), *rest]
        return self.replaced(statements, node)


class NextMethod(Rewrite):
    """`g.__next__()` becomes `next(g)`, and the method as a value becomes a function that calls it."""

    name = "next_method"

    def __init__(self, tree: ast.Module, names: Names) -> None:
        super().__init__(tree, names)
        special = {"__next__", "__getattr__", "__getattribute__"} & (set(names.bound) | names.stored_attributes)
        self.possible = names.builtin("next") and not special
        self.once = _bound_once(tree, names)
        # A function as an attribute of a class would be a method.
        self.kept = _class_parts(tree)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        iterator = self._iterator(node)
        return self.generic_visit(node) if iterator is None else self.replaced(call("next", self.visit(iterator)), node)

    def _iterator(self, node: ast.Call) -> ast.expr | None:
        """The iterator of `iterator.__next__()` if the call can be replaced."""
        function = node.func
        if not isinstance(function, ast.Attribute) or function.attr != "__next__" or not self.possible:
            return None
        return None if node.args or node.keywords or self._is_super(function.value) else function.value

    def _is_super(self, value: ast.expr) -> bool:
        """Whether a value is `super()`, which is not an iterator."""
        return isinstance(value, ast.Call) and is_name(value.func, "super")

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        free = getattr(node.value, "id", None) in self.once and id(node) not in self.kept
        if node.attr != "__next__" or not self.possible or not free:
            return self.generic_visit(node)
        nothing = ast.arguments([], [], None, [], [], None, [])
        return self.replaced(ast.Lambda(nothing, call("next", node.value)), node)


class OrDefault(Rewrite):
    """`x = x or []` of a parameter becomes `if not x: x = []`: Codon gives `or` the types of both
    sides.
    """

    name = "or_default"

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self.generic_visit(node)
        words = {argument.arg for argument in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]}
        node.body = [self._assigned(part, words) for part in node.body]
        return node

    def _assigned(self, node: ast.stmt, words: set[str]) -> ast.stmt:
        """One statement of a function with the parameters `words`, rewritten if it sets a default."""
        name = assigned_name(node)
        value = node.value if isinstance(node, ast.Assign) and name in words else None
        if not isinstance(value, ast.BoolOp) or not isinstance(value.op, ast.Or) or len(value.values) != 2:
            return node
        first, second = value.values
        if name is None or not is_name(first, name):
            return node
        default = ast.Assign([ast.Name(name, ast.Store())], second)
        return self.replaced(ast.If(ast.UnaryOp(ast.Not(), first), [default], []), node)


def _class_parts(tree: ast.Module) -> set[int]:
    """The nodes, by identity, that are executed in the body of a class or assigned to an attribute
    of any object but `self`.
    """
    functions = ast.FunctionDef | ast.AsyncFunctionDef
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    parts: list[ast.AST] = [part for one in classes for part in one.body if not isinstance(part, functions)]
    for node in ast.walk(tree):
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(one, ast.Attribute) and not is_name(one.value, "self") for one in targets):
            parts.append(node)
    return {id(node) for part in parts for node in ast.walk(part)}


def _bound_once(tree: ast.Module, names: Names) -> set[str]:
    """Variables that are bound only once: by a plain assignment outside all loops and classes."""
    loops = [node for node in ast.walk(tree) if isinstance(node, ast.For | ast.While | ast.AsyncFor)]
    looped = {id(part) for loop in loops for part in ast.walk(loop)} | _class_parts(tree)
    assigned = [node for node in ast.walk(tree) if isinstance(node, ast.Assign) and id(node) not in looped]
    targets = [target.id for node in assigned for target in node.targets if isinstance(target, ast.Name)]
    return {name for name in targets if names.bound[name] == 1}
