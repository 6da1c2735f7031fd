"""The base of all rewrites of Python's syntax tree, and helpers for syntax trees."""

import ast
import string
from collections.abc import Sequence
from typing import TypeGuard, TypeVar

from scripts.compile.codon.names import Names

New = TypeVar("New", bound=ast.AST | Sequence[ast.AST])


class Rewrite(ast.NodeTransformer):
    """Base of the rewrites: replaces one kind of construct if the meaning stays exactly the same.

    name: the rewrite's name in the outcome tables. count: the number of replacements made.
    helpers: source text of functions that replacements call; `$name` in it stands for a name that
    the program does not use, the one that `helper("name")` returns. extends_lifetimes: whether
    objects may be freed later than in CPython, because a variable or a traceback refers to them.
    """

    name = ""
    helpers = ""
    extends_lifetimes = False

    def __init__(self, tree: ast.Module, names: Names) -> None:
        self.tree = tree
        self.names = names
        self.count = 0
        self.helper_names: dict[str, str] = {}

    def replaced(self, new: New, old: ast.AST) -> New:
        """`new`, which replaces `old` and gets its position; counts the replacement."""
        self.count += 1
        for node in [new] if isinstance(new, ast.AST) else new:
            ast.copy_location(node, old)
        return new

    def helper(self, name: str) -> str:
        """The free name under which the program gets a helper function."""
        if name not in self.helper_names:
            self.helper_names[name] = self.names.fresh(name)
        return self.helper_names[name]

    def helper_body(self) -> list[ast.stmt]:
        """The statements that define the helpers in use."""
        if not self.helper_names:
            return []
        text = string.Template(self.helpers).substitute(_HelperNames(self.helper_names, self.names))
        used = self.helper_names.values()
        return [node for node in ast.parse(text).body if not isinstance(node, ast.FunctionDef) or node.name in used]


class _HelperNames(dict[str, str]):
    """Names of helpers, with new free names for those that nothing calls."""

    def __init__(self, helper_names: dict[str, str], names: Names) -> None:
        super().__init__(helper_names)
        self.names = names

    def __missing__(self, name: str) -> str:
        self[name] = self.names.fresh(name)
        return self[name]


def call(name: str, *arguments: ast.expr) -> ast.Call:
    """A call of a function by its name."""
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


def method(value: ast.expr, name: str, *arguments: ast.expr) -> ast.Call:
    """A call of a method."""
    return ast.Call(ast.Attribute(value, name, ast.Load()), list(arguments), [])


def is_name(node: ast.AST | None, *names: str) -> TypeGuard[ast.Name]:
    """Whether an expression is one of some plain names."""
    return isinstance(node, ast.Name) and node.id in names


def is_none(node: ast.AST) -> bool:
    """Whether an expression is None."""
    return isinstance(node, ast.Constant) and node.value is None


def assigned_name(node: ast.AST) -> str | None:
    """The variable of `variable = value`; None for anything else."""
    target = node.targets[0] if isinstance(node, ast.Assign) and len(node.targets) == 1 else None
    return target.id if isinstance(target, ast.Name) else None


def placeholder(name: str) -> ast.Assign:
    """A statement that lets a class's name be evaluated in annotations before the class is defined."""
    return ast.Assign([ast.Name(name, ast.Store())], ast.Name("int", ast.Load()))


def placeholder_name(node: ast.AST) -> str | None:
    """The class's name if a statement may be one that `placeholder` makes; else None."""
    return assigned_name(node) if isinstance(node, ast.Assign) and is_name(node.value, "int") else None


def is_dotted(node: ast.AST | None, dotted: str) -> bool:
    """Whether an expression is the dotted name `dotted`, such as `sys.stdin.readline`."""
    head, _, last = dotted.rpartition(".")
    if not head:
        return is_name(node, last)
    return isinstance(node, ast.Attribute) and node.attr == last and is_dotted(node.value, head)


def rename(tree: ast.AST, names: dict[str, str]) -> None:
    """Rename variables in place; keys of `names` are the old names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = names.get(node.id, node.id)


def without(node: ast.ImportFrom, names: set[str] | frozenset[str]) -> ast.stmt:
    """An import without some names; `pass` if none remains."""
    rest = [alias for alias in node.names if alias.name not in names]
    return ast.ImportFrom(node.module, rest, 0) if rest else ast.Pass()
