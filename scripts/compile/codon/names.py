"""The names that a program uses and binds: which are free for rewrites, and which certainly mean
builtins.
"""

import ast
from collections import Counter
from collections.abc import Iterable, Iterator

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
# A program that uses one of these may inspect its own names, text or frames, and is never
# rewritten.
_REFLECTION = frozenset({"exec", "eval", "globals", "locals", "vars", "dir", "__import__", "breakpoint", "__file__"})
# Functions that read annotations.
_ANNOTATION_READERS = frozenset({"get_type_hints", "get_annotations", "singledispatch", "singledispatchmethod"})
_REFLECTION |= _ANNOTATION_READERS
_REFLECTION_ATTRIBUTES = frozenset(
    {"__dict__", "__globals__", "__code__", "__defaults__", "__kwdefaults__", "__closure__", "__annotations__"}
    | {"__builtins__", "__slots__", "_getframe", "_current_frames", "settrace", "setprofile", "modules"}
    | {"f_locals", "f_globals", "f_code", "f_back", "f_lineno", "f_lasti", "gi_code", "gi_frame"}
    | {"cr_code", "cr_frame", "ag_code", "ag_frame", "tb_frame", "tb_lineno", "tb_lasti", "tb_next"}
    | {"getrefcount", "getallocatedblocks"}
    | _ANNOTATION_READERS
)
# Functions that read an attribute by its name.
_READING_BY_NAME = frozenset({"getattr", "attrgetter", "__getattribute__"})
# Modules that read the program's text, lines, frames or annotations.
_REFLECTION_MODULES = frozenset(
    {"builtins", "inspect", "importlib", "ast", "dis", "runpy", "gc", "ctypes", "traceback", "linecache", "doctest"}
    | {"code", "codeop", "__main__", "pdb", "bdb", "trace", "tokenize", "symtable", "pydoc", "dataclasses"}
    | {"warnings", "logging", "profile", "cProfile", "tracemalloc", "pyclbr", "pkgutil"}
)
# Modules whose `import *` binds no builtin that a rewrite relies on.
PLAIN_MODULES = frozenset(
    {"math", "collections", "itertools", "functools", "heapq", "bisect", "string", "typing", "random", "sys", "time"}
)
# Functions that may set an attribute whose name stands in a string.
_BY_NAME = frozenset({"setattr", "__setattr__", "namedtuple", "make_dataclass", "new_class"})


class Names:
    """Names of a module: `taken` are all identifiers in it, `bound` counts the bindings of each
    name in any scope, without those of methods that hide no outer name. `added_lambdas` has the
    identities of functions that rewrites add and call at once.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.tree = tree
        self.taken = identifiers(tree)
        self.added_lambdas: set[int] = set()
        methods = _only_methods(tree)
        self.bound = Counter(name for node in ast.walk(tree) if node not in methods for name in bindings(node))
        self.imports = _imports(tree)
        attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
        self.stored_attributes = {node.attr for node in attributes if not isinstance(node.ctx, ast.Load)}
        if self.taken & _BY_NAME:
            self.stored_attributes |= _words(node for node in ast.walk(tree) if isinstance(node, ast.Constant))
        self.defined = bound_names(tree) | self.stored_attributes

    def fresh(self, wanted: str) -> str:
        """An unused name like `wanted`, which counts as used from now on."""
        name, number = wanted, 0
        while name in self.taken:
            number += 1
            name = f"{wanted}_{number}"
        self.taken.add(name)
        return name

    def builtin(self, *names: str) -> bool:
        """Whether names certainly mean Python's builtins wherever the program uses them."""
        return not any(self.bound[name] for name in names)

    def defines(self, *names: str) -> bool:
        """Whether the program may give an object or a class an attribute of one of some names."""
        return any(name in self.defined for name in names)

    def imported(self, name: str, origin: str) -> bool:
        """Whether `name` certainly means `origin`: `sys` for `import sys`, `sys.exit` for `from sys
        import exit`.
        """
        origins = self.imports.get(name, [])
        return bool(origins) and len(origins) == self.bound[name] and set(origins) == {origin}

    def is_reflective(self) -> bool:
        """Whether the program may inspect its own names or text, or binds names that its text does
        not show.
        """
        by_name = _REFLECTION_ATTRIBUTES if self.taken & _READING_BY_NAME else frozenset()
        nodes = list(ast.walk(self.tree))
        shows_text = self.builtin("help") and any(isinstance(node, ast.Name) and node.id == "help" for node in nodes)
        opens = bool(self.taken & {"open", "Path"}) and any(map(_is_own_path, nodes))
        texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        return shows_text or opens or bool(texts & by_name) or any(map(_reflects, nodes))

    def observes_lifetimes(self) -> bool:
        """Whether the program may notice when an object is freed."""
        return any(_observes_end(node) for node in ast.walk(self.tree))


def identifiers(tree: ast.AST) -> set[str]:
    """Every identifier in a tree, whatever it names, and the words of its string constants."""
    return _words(ast.walk(tree))


def _words(nodes: Iterable[ast.AST]) -> set[str]:
    """The identifiers that some nodes have themselves, and the words of string constants among them."""
    words: set[str] = set()
    for node in nodes:
        for _, value in ast.iter_fields(node):
            texts = value if isinstance(value, list) else [value]
            words.update(word for text in texts if isinstance(text, str) for word in text.replace(".", " ").split())
    return words


def bindings(node: ast.AST) -> Iterator[str]:
    """The names that one node itself binds, in any scope."""
    if isinstance(node, ast.Name):
        yield from () if isinstance(node.ctx, ast.Load) else (node.id,)
    elif isinstance(node, ast.arg):
        yield node.arg
    elif isinstance(node, ast.alias):
        yield node.asname or node.name.partition(".")[0]
    elif isinstance(node, ast.Global | ast.Nonlocal):
        yield from node.names
    else:
        # Definitions, `except … as`, patterns and type parameters.
        yield from (
            name for name in (getattr(node, "name", None), getattr(node, "rest", None)) if isinstance(name, str)
        )


def bound_names(tree: ast.AST) -> set[str]:
    """Names that are bound anywhere in a tree."""
    return {name for node in ast.walk(tree) for name in bindings(node)}


def loads(tree: ast.AST) -> Counter[str]:
    """How often each plain name is read in a tree."""
    return Counter(node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load))


def immediate_loads(node: ast.AST) -> set[str]:
    """Names that are read when a statement is executed, without those in bodies of functions that
    it defines.
    """
    nodes = immediate_nodes(node)
    return {part.id for part in nodes if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)}


def immediate_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """A statement's nodes, without those in bodies of functions that it defines."""
    remaining = [node]
    while remaining:
        part = remaining.pop()
        yield part
        if isinstance(part, _FUNCTIONS):
            remaining += [part.args, *part.decorator_list, *([part.returns] if part.returns else [])]
        else:
            remaining += [part.args] if isinstance(part, ast.Lambda) else ast.iter_child_nodes(part)


def annotations_of(node: ast.AST) -> list[ast.expr]:
    """The annotation of a parameter or of a function's result, if any."""
    annotation = node.annotation if isinstance(node, ast.arg) else getattr(node, "returns", None)
    return [annotation] if annotation else []


def method_names(tree: ast.AST) -> set[str]:
    """The names of all methods, which annotations in the body of their class may mean."""
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    return {part.name for node in classes for part in ast.walk(node) if isinstance(part, _FUNCTIONS)}


def _imports(tree: ast.Module) -> dict[str, list[str]]:
    """The origins of each imported name, one for each import of it."""
    origins: dict[str, list[str]] = {}
    for node in ast.walk(tree):
        for alias in node.names if isinstance(node, ast.Import | ast.ImportFrom) else []:
            if isinstance(node, ast.ImportFrom):
                origin = f"{node.module}.{alias.name}" if not node.level else ""
            else:
                origin = alias.name if alias.asname else alias.name.partition(".")[0]
            origins.setdefault(alias.asname or alias.name.partition(".")[0], []).append(origin)
    return origins


def _only_methods(tree: ast.Module) -> set[ast.AST]:
    """Methods whose names nothing in the body of their class reads, so that they hide no outer
    name.
    """
    methods: set[ast.AST] = set()
    for kind in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
        read = set(loads(ast.Module([part for part in kind.body if not isinstance(part, _FUNCTIONS)], [])))
        for method in (part for part in kind.body if isinstance(part, _FUNCTIONS)):
            head = [*method.decorator_list, *method.args.defaults, *(one for one in method.args.kw_defaults if one)]
            read |= {name for part in head for name in loads(part)}
        methods |= {part for part in kind.body if isinstance(part, _FUNCTIONS) and part.name not in read}
    return methods


def _reflects(node: ast.AST) -> bool:
    """Whether a node inspects the program itself or binds names that are not in the text."""
    if isinstance(node, ast.Name):
        return node.id in _REFLECTION
    if isinstance(node, ast.Attribute):
        return node.attr in _REFLECTION_ATTRIBUTES
    if isinstance(node, ast.Import):
        return any(alias.name.partition(".")[0] in _REFLECTION_MODULES for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        star = any(alias.name == "*" for alias in node.names) and node.module not in PLAIN_MODULES
        module = (node.module or "").partition(".")[0]
        hidden = any(alias.name in _REFLECTION | _REFLECTION_ATTRIBUTES for alias in node.names)
        return star or hidden or module in _REFLECTION_MODULES
    return False


def _is_own_path(node: ast.AST) -> bool:
    """Whether an expression is `argv[0]`, the path of the program's own text."""
    if not isinstance(node, ast.Subscript) or not isinstance(node.slice, ast.Constant) or node.slice.value != 0:
        return False
    return getattr(node.value, "attr", getattr(node.value, "id", "")) == "argv"


def _observes_end(node: ast.AST) -> bool:
    """Whether a node may notice when an object is freed: a finalizer, a generator with code that
    runs when it is closed, or the import of `weakref`.
    """
    if isinstance(node, ast.alias):
        return node.name == "weakref"
    if isinstance(node, ast.ImportFrom):
        return node.module == "weakref"
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return False
    guarded = [part for part in ast.walk(node) if isinstance(part, ast.Try | ast.With)]
    yields = any(isinstance(part, ast.Yield | ast.YieldFrom) for one in guarded for part in ast.walk(one))
    return node.name == "__del__" or yields
