"""Rewrites of imports that only matter for annotations."""

import ast
import builtins

from scripts.compile.codon.harmless import HarmlessTypes
from scripts.compile.codon.names import Names, annotations_of, loads, method_names
from scripts.compile.codon.rewrite import Rewrite, is_name, is_none, placeholder, without

_TYPES = frozenset({"int", "float", "str", "bool", "bytes", "object"})
_SUBSCRIPTED = frozenset({"list", "dict", "set", "tuple", "List", "Dict", "Set", "Tuple", "Optional"})
# Those of `typing` check the number of their parameters.
_COUNTED = frozenset({"List", "Dict", "Set", "Optional"})


class FutureImport(Rewrite):
    """`from __future__ import …` is removed if it changes nothing in Python 3.

    Without the import of `annotations`, annotations are evaluated: they must only name what
    certainly exists and can be subscripted, and classes of the program get a placeholder until they
    are defined.
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
        node.body[first:first] = [placeholder(name) for name in sorted(mentioned)]
        return node

    def _is_unused(self, node: ast.ImportFrom) -> bool:
        """Whether the names of an import are not used."""
        names = [alias.asname or alias.name for alias in node.names]
        return not any(loads(self.tree)[name] or self.names.bound[name] > 1 for name in names)

    def _mentioned(self, module: ast.Module) -> set[str] | None:
        """The classes of the program in annotations; None if the annotations might not be
        evaluable.
        """
        annotations = _annotations(module)
        classes = {part.name for part in module.body if isinstance(part, ast.ClassDef)}
        # Names of builtins may be read before such a class hides them.
        classes = {name for name in classes - vars(builtins).keys() if self.names.bound[name] == 1}
        names = {name for one in annotations for name in loads(one)}
        known = {name for name in _SUBSCRIPTED | _TYPES if self._is_known(name)} - method_names(module)
        possible = all(map(_can_evaluate, annotations)) and names <= known | classes
        imported = {name for name in known if self.names.imports.get(name)}
        return names & classes if possible and _defined_before(module, classes | imported) else None

    def _is_known(self, name: str) -> bool:
        """Whether a name certainly means Python's builtin or the name of `typing`."""
        if name in _TYPES or name in ("list", "dict", "set", "tuple"):
            return self.names.builtin(name)
        return self.names.imported(name, f"typing.{name}")


def _annotations(tree: ast.AST) -> list[ast.expr]:
    """All annotations in a tree; those of variables in functions are not evaluated, but Codon reads
    them.
    """
    nodes = list(ast.walk(tree))
    annotations = [one for node in nodes for one in annotations_of(node)]
    return annotations + [node.annotation for node in nodes if isinstance(node, ast.AnnAssign)]


def _can_evaluate(node: ast.expr) -> bool:
    """Whether an annotation is a name, or a type with as many types as it accepts."""
    if not isinstance(node, ast.Subscript):
        return isinstance(node, ast.Name) or is_none(node)
    types = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    counted = len(types) == (2 if is_name(node.value, "Dict") else 1) or not is_name(node.value, *_COUNTED)
    # `typing` refuses a plain Optional as the parameter of another type.
    plain = any(is_name(one, "Optional") for one in types)
    return is_name(node.value, *_SUBSCRIPTED) and counted and not plain and all(map(_can_evaluate, types))


def _defined_before(module: ast.Module, names: set[str]) -> bool:
    """Whether annotations mention no class before its definition begins, and no name before its
    import.
    """
    defined: set[str] = set()
    for statement in module.body:
        if isinstance(statement, ast.ClassDef):
            defined.add(statement.name)
        elif isinstance(statement, ast.ImportFrom):
            defined |= {alias.asname or alias.name for alias in statement.names}
        if any(loads(one).keys() & (names - defined) for one in _annotations(statement)):
            return False
    return True


class TypingOnly(Rewrite):
    """Names of `typing` that Codon lacks are removed if only annotations of parameters and results
    use them, all of which are certain to have no effect.
    """

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
        self.imported = {name for name in self.unknown if names.imported(name, f"typing.{name}")}
        annotations = [one for node in ast.walk(tree) for one in annotations_of(node)]
        read = loads(tree)
        inside = sum((loads(one) for one in annotations), start=loads(ast.Module([], [])))
        self.harmless = HarmlessTypes(tree, names)
        self.possible = all(read[name] == inside[name] for name in self.imported)
        self.possible &= all(self.harmless.holds(one) for one in annotations if self._is_unknown(one))

    def _is_unknown(self, annotation: ast.expr) -> bool:
        """Whether an annotation contains a name that is removed."""
        return any(is_name(node, *self.imported) for node in ast.walk(annotation))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
        names = {alias.name for alias in node.names} & self.imported
        if node.module != "typing" or not names or not self.possible:
            return node
        return self.replaced(without(node, names), node)

    def _known(self, annotation: ast.expr | None) -> ast.expr | None:
        """An annotation, unless it needs an unknown name or contains a string, which Codon would
        take as the type.
        """
        if annotation is None or not self.possible:
            return annotation
        texts = any(isinstance(node, ast.Constant) and isinstance(node.value, str) for node in ast.walk(annotation))
        texts &= self.harmless.holds(annotation)
        self.count += texts
        return None if texts or self._is_unknown(annotation) else annotation

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self.generic_visit(node)
        node.returns = self._known(node.returns)
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = self._known(node.annotation)
        return node
