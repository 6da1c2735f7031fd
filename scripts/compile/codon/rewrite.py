"""What all rewrites of Python's syntax tree share."""

import ast
import string

from scripts.compile.codon.names import Names


class Rewrite(ast.NodeTransformer):
    """Base of the rewrites: replaces one kind of construct, where that is exact, and counts how often.

    `helpers` is source text of functions that replacements call: `$name` in it stands for a name that the program does
    not use, the one that `helper("name")` returns. `count` replacements were made.
    """

    name = ""
    helpers = ""

    def __init__(self, tree: ast.Module, names: Names) -> None:
        self.tree = tree
        self.names = names
        self.count = 0
        self.chosen: dict[str, str] = {}

    def replaced(self, new: ast.AST | list[ast.AST], old: ast.AST) -> ast.AST | list[ast.AST]:
        """`new` in place of `old`, counted."""
        self.count += 1
        for node in new if isinstance(new, list) else [new]:
            ast.copy_location(node, old)
        return new

    def helper(self, name: str) -> str:
        """The free name under which the program gets a helper function."""
        if name not in self.chosen:
            self.chosen[name] = self.names.fresh(name)
        return self.chosen[name]

    def helper_body(self) -> list[ast.stmt]:
        """The statements that define the helpers in use."""
        if not self.chosen:
            return []
        defined = ast.parse(string.Template(self.helpers).substitute(_Chosen(self.chosen, self.names))).body
        return [node for node in defined if not isinstance(node, ast.FunctionDef) or node.name in self.chosen.values()]


class _Chosen(dict):
    """Names of helpers, free ones for those that nothing calls."""

    def __init__(self, chosen: dict[str, str], names: Names) -> None:
        super().__init__(chosen)
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


def is_name(node: ast.AST | None, *names: str) -> bool:
    """Whether an expression is one of some plain names."""
    return isinstance(node, ast.Name) and node.id in names


def stand_in(name: str) -> ast.Assign:
    """A statement that lets a class's name be evaluated in annotations before the class is defined."""
    return ast.Assign([ast.Name(name, ast.Store())], ast.Name("int", ast.Load()))


def is_stand_in(node: ast.AST) -> bool:
    """Whether a statement may be one that `stand_in` makes."""
    single = isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
    return single and is_name(node.value, "int")


def is_dotted(node: ast.AST | None, dotted: str) -> bool:
    """Whether an expression is a dotted name such as `sys.stdin.readline`."""
    head, _, last = dotted.rpartition(".")
    if not head:
        return is_name(node, last)
    return isinstance(node, ast.Attribute) and node.attr == last and is_dotted(node.value, head)


def rename(tree: ast.AST, names: dict[str, str]) -> None:
    """Give variables other names, in place; keys of `names` are the old ones."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            node.id = names.get(node.id, node.id)
