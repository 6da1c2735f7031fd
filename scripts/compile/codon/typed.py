"""Annotations for what starts as None or as an empty container, where the whole program tells the type.

Codon takes the type of a field or variable from its first value. An annotation changes nothing in CPython: those of
fields are only looked at by reflection, those of local variables are not even evaluated.
"""

import ast

from scripts.compile.codon.constraints import Class, Constraints, Function
from scripts.compile.codon.names import Names, loads
from scripts.compile.codon.places import SCALARS, Place
from scripts.compile.codon.rewrite import Rewrite, is_name

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DYNAMIC = ("getattr", "setattr", "hasattr", "delattr", "super", "type")
_REMEMBERING = ("cache", "lru_cache")


class Typed(Rewrite):
    """Fields, variables and parameters that start as None, or as empty containers, get their types."""

    name = "typed_place"

    def __init__(self, tree: ast.Module, names: Names) -> None:
        super().__init__(tree, names)
        self.known: Constraints | None = None
        self.uses_optional = False
        attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        self.own_optional = names.imported("Optional", "typing.Optional")
        free = self.own_optional or "Optional" not in names.taken
        dynamic = any(loads(tree)[name] for name in _DYNAMIC) or "__class__" in attributes
        builtin = names.builtin("int", "float", "str", "bool", "list", "dict", "set", "tuple")
        if free and not dynamic and builtin and _has_use(tree):
            self.known = Constraints(tree, names)

    def visit_Module(self, node: ast.Module) -> ast.Module:
        if self.known is None or not self.known.certain:
            return node
        typed = [kind for kind in self.known.classes.values() if self._annotate_fields(kind)]
        for function in self.known.functions.values():
            self._annotate_function(function, node)
        self._annotate_first(node.body, self.known.scopes[node], node.body)
        self._compare_identity(node)
        head = [ast.Assign([ast.Name(kind.node.name, ast.Store())], ast.Name("int", ast.Load())) for kind in typed]
        # CPython evaluates annotations of fields before the class has its name; any type does instead of it.
        first = next((index for index, part in enumerate(node.body) if isinstance(part, ast.ClassDef)), 0)
        node.body[first:first] = head
        if self.uses_optional and not self.own_optional:
            node.body.insert(_after_docstring(node.body), ast.ImportFrom("typing", [ast.alias("Optional")], 0))
        return node

    def _annotation(self, place: Place) -> ast.expr | None:
        """A place's type; None if it is not certain, or is one that Codon tests for truth otherwise."""
        text = place.text()
        if text is None:
            return None
        expression = ast.parse(text, mode="eval").body
        used = {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)}
        sized = [kind for name, kind in self.known.classes.items() if name in used and "__len__" in kind.methods]
        if sized and "Optional" in used:
            return None
        self.uses_optional |= "Optional" in used
        return expression

    def _annotate_fields(self, kind: Class) -> bool:
        """Declare the fields of a class, if all are known, all are certainly set first, and one needs it."""
        node, start = kind.node, kind.methods.get("__init__")
        if not kind.plain or start is None or any(isinstance(part, ast.Assign | ast.AnnAssign) for part in node.body):
            return False
        assigned = [_field(part) for part in start.node.body]
        values = {field: value for field, value in filter(None, assigned)}
        needed = any(_starts_empty(value) for value in values.values())
        needed |= any(place.none or place.name in self.known.classes for place in kind.fields.values())
        complete = values.keys() >= kind.fields.keys() and not values.keys() & kind.methods.keys()
        private = any(field.startswith("__") for field in kind.fields)
        texts = {field: self._annotation(place) for field, place in kind.fields.items()}
        if not needed or not complete or private or not texts or None in texts.values():
            return False
        declared = [
            ast.AnnAssign(ast.Name(field, ast.Store()), texts[field], None, 1) for field in values if field in texts
        ]
        head = _after_docstring(node.body)
        node.body[head:head] = [ast.copy_location(part, node) for part in declared]
        self.count += len(declared)
        return True

    def _annotate_function(self, function: Function, module: ast.Module) -> None:
        """Give types to variables and parameters that start as None, and to functions that remember results."""
        node = function.node
        self._annotate_first(node.body, self.known.scopes.get(node, {}), None)
        places = [*node.args.posonlyargs, *node.args.args]
        optional = places[len(places) - len(node.args.defaults) :]
        for argument, default in zip(optional, node.args.defaults, strict=True):
            nothing = isinstance(default, ast.Constant) and default.value is None
            if argument.annotation is None and nothing and function.plain:
                argument.annotation = self._evaluated(function.parameters[argument.arg], node, module)
                self.count += argument.annotation is not None
        words = [one.func if isinstance(one, ast.Call) else one for one in node.decorator_list]
        if len(words) == 1 and getattr(words[0], "attr", getattr(words[0], "id", "")) in _REMEMBERING:
            self._annotate_remembering(function)

    def _annotate_remembering(self, function: Function) -> None:
        """Give types to all parameters and the result, if they are numbers or text."""
        node = function.node
        texts = {name: place.text() for name, place in function.parameters.items()}
        if function.result.text() not in SCALARS or not set(texts.values()) <= SCALARS or not function.plain:
            return
        for argument in [one for one in node.args.args if one.annotation is None]:
            argument.annotation = ast.Name(texts[argument.arg], ast.Load())
            self.count += 1
        if node.returns is None:
            node.returns = ast.Name(function.result.text(), ast.Load())

    def _evaluated(self, place: Place, statement: ast.stmt, module: ast.Module) -> ast.expr | None:
        """A type as an annotation that CPython evaluates with a statement: its classes must be defined before."""
        annotation = self._annotation(place)
        if annotation is None:
            return None
        used = {node.id for node in ast.walk(annotation) if isinstance(node, ast.Name)} & self.known.classes.keys()
        if used and statement not in module.body:
            return None
        before = module.body[: module.body.index(statement)] if used else []
        defined = {part.name for part in before if isinstance(part, ast.ClassDef)}
        return annotation if used <= defined else None

    def _annotate_first(self, body: list[ast.stmt], frame: dict, module: list[ast.stmt] | None) -> None:
        """Give a type to each variable of a scope whose first statement in the text is `x = None`."""
        bound: set[str] = set()
        for index, statement in enumerate(body):
            target = statement.targets[0] if isinstance(statement, ast.Assign) and len(statement.targets) == 1 else None
            nothing = isinstance(target, ast.Name) and is_none(statement.value)
            place = frame.get(target.id) if nothing and target.id not in bound else None
            if isinstance(place, Place):
                annotation = self._annotation(place)
                if annotation is not None and module is not None:
                    annotation = self._evaluated(place, statement, self.tree)
                if annotation is not None:
                    body[index] = self.replaced(ast.AnnAssign(target, annotation, statement.value, 1), statement)
            bound |= {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
            bound |= {name for node in ast.walk(statement) if isinstance(node, ast.Global | ast.Nonlocal) for name in node.names}

    def _compare_identity(self, module: ast.Module) -> None:
        """`a == b` of objects without `__eq__` becomes `a is b`, which it means, and which Codon knows."""
        plain = {name for name, kind in self.known.classes.items() if kind.plain and not {"__eq__", "__ne__"} & kind.methods.keys()}
        for node in ast.walk(module):
            if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq | ast.NotEq):
                kinds = [self.known.operands.get(id(part)) for part in (node.left, node.comparators[0])]
                names = [place.name if place and not place.unclear else "" for place in kinds]
                other = names[1] if names[1] or not is_none(node.comparators[0]) else names[0]
                if names[0] in plain and names[0] == other:
                    node.ops = [ast.Is() if isinstance(node.ops[0], ast.Eq) else ast.IsNot()]
                    self.count += 1


def _has_use(tree: ast.Module) -> bool:
    """Whether a program has something that may need a type: None, an empty container, or remembered results."""
    for node in ast.walk(tree):
        if is_none(node) or _starts_empty(node) or is_name(node, *_REMEMBERING):
            return True
    return False


def is_none(node: ast.AST) -> bool:
    """Whether an expression is None."""
    return isinstance(node, ast.Constant) and node.value is None


def _starts_empty(node: ast.AST) -> bool:
    """Whether an expression is, or contains, an empty container."""
    parts = ast.walk(node) if isinstance(node, ast.ListComp | ast.BinOp | ast.List) else [node]
    return any(
        (isinstance(part, ast.List) and not part.elts)
        or (isinstance(part, ast.Dict) and not part.keys)
        or (isinstance(part, ast.Call) and not part.args and is_name(part.func, "list", "dict", "set"))
        for part in parts
    )


def _field(statement: ast.stmt) -> tuple[str, ast.expr] | None:
    """The field and the value of `self.field = value`."""
    target = statement.targets[0] if isinstance(statement, ast.Assign) and len(statement.targets) == 1 else None
    plain = isinstance(target, ast.Attribute) and is_name(target.value, "self")
    return (target.attr, statement.value) if plain else None


def _after_docstring(body: list[ast.stmt]) -> int:
    """The index of the first statement that is no docstring and no import from the future."""
    first = body[0] if body else None
    return int(isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant))
