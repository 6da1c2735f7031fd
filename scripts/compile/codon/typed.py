"""Annotations for variables that start as None or as an empty container, if the whole program shows
the type.

Codon takes the type of a field or variable from its first value. An annotation changes nothing in
CPython: annotations of fields are only read by reflection, those of local variables are not even
evaluated.
"""

import ast
from collections.abc import Iterable

from scripts.compile.codon.constraints import Constraints
from scripts.compile.codon.containers import empty_kind
from scripts.compile.codon.names import Names, annotations_of, identifiers, loads
from scripts.compile.codon.rewrite import Rewrite, assigned_name, is_name, is_none, placeholder, placeholder_name
from scripts.compile.codon.slots import SCALARS, Slot
from scripts.compile.codon.store import Class, Definition, Function
from scripts.compile.codon.variables import is_head

_DYNAMIC = ("getattr", "setattr", "hasattr", "delattr", "super", "type")
_CACHING = ("cache", "lru_cache")
_EQUALITY = frozenset({"__eq__", "__ne__"})


class Typed(Rewrite):
    """Fields, variables and parameters that start as None, or as empty containers, get their types."""

    name = "typed_place"

    def __init__(self, tree: ast.Module, names: Names) -> None:
        super().__init__(tree, names)
        self.constraints: Constraints | None = None
        self.complete: dict[str, dict[str, ast.expr]] = {}
        self.declared: set[str] = set()
        self.used: set[str] = set()
        # For each node, the index of the module's statement that contains it.
        self.position: dict[int, int] = {}
        # Names of parameters that may be None.
        self.optional: set[str] = set()
        attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        self.imports_optional = names.imported("Optional", "typing.Optional")
        free = self.imports_optional or "Optional" not in names.taken
        dynamic = any(loads(tree)[name] for name in _DYNAMIC) or "__class__" in attributes
        builtin = names.builtin("int", "float", "str", "bool", "list", "dict", "set", "tuple")
        annotations = [one for node in ast.walk(tree) for one in annotations_of(node)]
        self.mentioned = {name for one in annotations for name in _names(one)}
        if free and not dynamic and builtin and (_has_use(tree) or self.mentioned - SCALARS):
            self.constraints = Constraints(tree, names)

    @property
    def known(self) -> Constraints:
        """The slots of the program; only for a program with something to annotate."""
        assert self.constraints is not None
        return self.constraints

    def visit_Module(self, node: ast.Module) -> ast.Module:
        if self.constraints is None or not self.constraints.certain:
            return node
        for index, statement in enumerate(node.body):
            self.position |= dict.fromkeys((id(part) for part in ast.walk(statement)), index)
        self.complete = self._declarable()
        for kind in self._needing():
            self._declare_fields(kind)
        for function in self.known.functions.values():
            self._annotate_function(function)
        self._annotate_first(node.body, self.known.scopes[node])
        self._type_empty(node)
        self._compare_identity(node)
        # CPython evaluates annotations before the classes are defined; any type can replace them.
        present = {name for part in node.body if (name := placeholder_name(part)) is not None}
        head = [placeholder(name) for name in self.known.classes if name in self.used - present]
        first = next((index for index, part in enumerate(node.body) if not is_head(part)), 0)
        node.body[first:first] = head
        if "Optional" in self.used and not self.imports_optional:
            node.body.insert(_after_docstring(node.body), ast.ImportFrom("typing", [ast.alias("Optional")], 0))
        return node

    def _declarable(self) -> dict[str, dict[str, ast.expr]]:
        """The types of fields, for each class whose fields are all known and certainly set by
        `__init__`.
        """
        complete: dict[str, dict[str, ast.expr]] = {}
        for name, kind in self.known.classes.items():
            texts = self._fields(kind)
            if texts is not None:
                complete[name] = texts
        while True:
            incomplete = self.known.classes.keys() - complete.keys()
            invalid = [name for name in complete if not self._can_mention(name, complete[name].values(), incomplete)]
            if not invalid:
                return complete
            for name in invalid:
                del complete[name]

    def _can_mention(self, name: str, texts: Iterable[ast.expr], unknown: set[str]) -> bool:
        """Whether a class may mention some types; the fields of `unknown` classes are not known."""
        node = self.known.classes[name].node
        return all(not _names(one) & unknown and self._is_after(node, one) for one in texts)

    def _fields(self, kind: Class) -> dict[str, ast.expr] | None:
        """The types of a class's fields in the order in which they are set."""
        start = kind.methods.get("__init__")
        class_variables = any(isinstance(part, ast.Assign | ast.AnnAssign) for part in kind.node.body)
        if not kind.plain or start is None or class_variables:
            return None
        fields = list(dict.fromkeys(field for field, _ in filter(None, map(_field, start.node.body))))
        hidden = any(field.startswith("__") or field in kind.methods for field in fields)
        if hidden or set(fields) != kind.fields.keys():
            return None
        types = {field: kind_of for field in fields if (kind_of := self._typed(kind.fields[field])) is not None}
        return types if len(types) == len(fields) else None

    def _needing(self) -> list[Class]:
        """The classes to declare: those with a field whose type Codon cannot infer, and those that
        their fields mention.
        """
        needed: list[str] = []
        for name in self.complete:
            kind = self.known.classes[name]
            values = [value for _, value in filter(None, map(_field, kind.methods["__init__"].node.body))]
            objects = any(slot.none or slot.name in self.known.classes for slot in kind.fields.values())
            if objects or name in self.mentioned or any(_starts_empty(value) for value in values):
                needed.append(name)
        seen = set(needed)
        for name in needed:
            mentioned = {word for one in self.complete[name].values() for word in _names(one)}
            more = [word for word in sorted(mentioned & self.complete.keys()) if word not in seen]
            seen |= set(more)
            needed += more
        return [self.known.classes[name] for name in needed]

    def _typed(self, slot: Slot) -> ast.expr | None:
        """A slot's type; None if it is not certain, or if Codon tests its truth value differently."""
        text = slot.annotation()
        if text is None:
            return None
        expression = ast.parse(text, mode="eval").body
        used = _names(expression)
        sized = [name for name in used & self.known.classes.keys() if "__len__" in self.known.classes[name].methods]
        return None if sized and "Optional" in used else expression

    def _is_after(self, node: ast.AST, annotation: ast.expr) -> bool:
        """Whether a node comes after all classes that a type mentions, or is inside them."""
        classes = [self.known.classes[name].node for name in _names(annotation) & self.known.classes.keys()]
        return all(self.position[id(one)] <= self.position.get(id(node), -1) for one in classes)

    def _annotation(self, slot: Slot, node: ast.AST) -> ast.expr | None:
        """A slot's type if a node may mention it: its classes are declared, or have no fields, and
        come before it.
        """
        expression = self._typed(slot)
        if expression is None or not self._is_after(node, expression):
            return None
        classes = _names(expression) & self.known.classes.keys()
        if any(self.known.classes[name].fields and name not in self.declared for name in classes):
            return None
        self.used |= _names(expression)
        return expression

    def _declare_fields(self, kind: Class) -> None:
        """Declare the fields of a class."""
        texts = self.complete[kind.node.name]
        declarations = [ast.AnnAssign(ast.Name(field, ast.Store()), text, None, 1) for field, text in texts.items()]
        head = _after_docstring(kind.node.body)
        kind.node.body[head:head] = [ast.copy_location(part, kind.node) for part in declarations]
        self.declared.add(kind.node.name)
        self.used |= {word for text in texts.values() for word in _names(text)}
        self.count += len(declarations)

    def _annotate_function(self, function: Function) -> None:
        """Annotate variables that start as None, parameters that may be None, and functions that
        cache results.
        """
        node = function.node
        self._annotate_first(node.body, self.known.scopes.get(node, {}))
        positional = [*node.args.posonlyargs, *node.args.args]
        optional = zip(reversed(positional), reversed(node.args.defaults), strict=False)
        nothing = function.nothing | {argument.arg for argument, default in optional if is_none(default)}
        for argument in positional:
            if argument.arg in nothing and argument.annotation is None and function.plain:
                argument.annotation = self._annotation(function.parameters[argument.arg], node)
                self.count += argument.annotation is not None
                self.optional.add(argument.arg)
        decorators = [one.func if isinstance(one, ast.Call) else one for one in node.decorator_list]
        if len(decorators) == 1 and getattr(decorators[0], "attr", getattr(decorators[0], "id", "")) in _CACHING:
            self._annotate_caching(function)

    def _annotate_caching(self, function: Function) -> None:
        """Annotate all parameters and the result if they are numbers or text."""
        node, result = function.node, function.result.annotation()
        texts = {name: text for name, slot in function.parameters.items() if (text := slot.annotation()) in SCALARS}
        if result is None or result not in SCALARS or len(texts) < len(function.parameters) or not function.plain:
            return
        for argument in [one for one in node.args.args if one.annotation is None]:
            argument.annotation = ast.Name(texts[argument.arg] or "", ast.Load())
            self.count += 1
        if node.returns is None:
            node.returns = ast.Name(result, ast.Load())

    def _annotate_first(self, body: list[ast.stmt], frame: dict[str, Definition]) -> None:
        """Annotate each variable of a scope whose first statement in the text is `x = None`."""
        bound: set[str] = set()
        for index, statement in enumerate(body):
            name = assigned_name(statement)
            if name is not None and name not in bound and isinstance(statement, ast.Assign):
                slot = frame.get(name) if is_none(statement.value) else None
                annotation = self._annotation(slot, statement) if isinstance(slot, Slot) else None
                if annotation is not None:
                    target = ast.Name(name, ast.Store())
                    body[index] = self.replaced(ast.AnnAssign(target, annotation, statement.value, 1), statement)
            bound |= identifiers(statement)

    def _type_empty(self, module: ast.Module) -> None:
        """`[]` as part of an expression becomes `list[int]()`: Codon does not infer its type from
        later uses.
        """
        for node in ast.walk(module):
            contains_values = isinstance(node, ast.BoolOp | ast.IfExp | ast.Call | ast.Return | ast.keyword)
            if not contains_values and assigned_name(node) not in self.optional:
                continue
            for field, value in ast.iter_fields(node):
                if isinstance(value, list):
                    setattr(node, field, [self._empty(part) for part in value])
                elif isinstance(value, ast.expr):
                    setattr(node, field, self._empty(value))

    def _empty(self, node: ast.AST) -> ast.AST:
        """An empty container with its type; any other node itself."""
        slot = self.known.operands.get(id(node)) if empty_kind(node) else None
        annotation = self._annotation(slot, node) if slot and not slot.none else None
        return node if annotation is None else self.replaced(ast.Call(annotation, [], []), node)

    def _compare_identity(self, module: ast.Module) -> None:
        """`a == b` of objects without `__eq__` becomes the equivalent `a is b`, which Codon
        accepts.
        """
        # The program may set a comparison by assignment, for any class.
        if not self.names.builtin(*_EQUALITY) or _EQUALITY & self.names.stored_attributes:
            return
        classes = self.known.classes.items()
        plain = {name for name, kind in classes if kind.plain and not _EQUALITY & kind.methods.keys()}
        for node in ast.walk(module):
            if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq | ast.NotEq):
                slots = [self.known.operands.get(id(part)) for part in (node.left, node.comparators[0])]
                names = [slot.name if slot and not slot.unclear else "" for slot in slots]
                other = names[1] if names[1] or not is_none(node.comparators[0]) else names[0]
                if names[0] in plain and names[0] == other:
                    node.ops = [ast.Is() if isinstance(node.ops[0], ast.Eq) else ast.IsNot()]
                    self.count += 1


def _has_use(tree: ast.Module) -> bool:
    """Whether a program has an expression that may need a type: None, an empty container, or a
    cached function.
    """
    cached = any(getattr(node, "id", getattr(node, "attr", None)) in _CACHING for node in ast.walk(tree))
    return cached or any(is_none(node) or empty_kind(node) for node in ast.walk(tree))


def _starts_empty(node: ast.AST) -> bool:
    """Whether an expression is, or contains, an empty container."""
    parts = ast.walk(node) if isinstance(node, ast.ListComp | ast.BinOp | ast.List) else [node]
    return any(empty_kind(part) for part in parts)


def _names(expression: ast.expr) -> set[str]:
    """The plain names in an annotation."""
    return {node.id for node in ast.walk(expression) if isinstance(node, ast.Name)}


def _field(statement: ast.stmt) -> tuple[str, ast.expr] | None:
    """The field and the value of `self.field = value`."""
    if not isinstance(statement, ast.Assign) or len(statement.targets) > 1:
        return None
    target = statement.targets[0]
    plain = isinstance(target, ast.Attribute) and is_name(target.value, "self")
    return (target.attr, statement.value) if plain and isinstance(target, ast.Attribute) else None


def _after_docstring(body: list[ast.stmt]) -> int:
    """The index of the first statement after a docstring and imports from `__future__`."""
    first = body[0] if body else None
    index = int(isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant))
    while index < len(body) and getattr(body[index], "module", None) == "__future__":
        index += 1
    return index
