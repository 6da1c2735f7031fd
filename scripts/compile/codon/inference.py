"""Types of a Python program's expressions in Codon's terms, as far as the program's text shows
them.

A type is the text of Codon's annotation, such as `List[int]`; None means unknown. A name with a
binding that shows no type is unknown, so that every known type is certain.
"""

import ast
from collections.abc import Iterator

from scripts.compile.codon.names import bindings, bound_names, loads
from scripts.compile.codon.rewrite import is_name

_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_RESULTS = {"int": "int", "len": "int", "ord": "int", "float": "float", "str": "str", "chr": "str", "input": "str"}
_RESULTS |= {"bool": "bool", "hash": "int", "repr": "str", "range": "List[int]", "bin": "str", "hex": "str"}
_TEXT_METHODS = frozenset(
    {"strip", "lstrip", "rstrip", "lower", "upper", "join", "format", "zfill", "title", "readline", "capitalize"}
)


class Types:
    """Types of expressions within one function or the module, from the assignments in it."""

    def __init__(self, scope: ast.AST, module: ast.Module, outside: "ModuleTypes | None" = None) -> None:
        self.outside = outside
        self.bound: set[str] = outside.bound if outside else bound_names(module)
        self.classes: set[str] = outside.classes if outside else _class_names(module)
        self.names: dict[str, set[str | None]] = {}
        self.learn_all(scope)

    def learn_all(self, scope: ast.AST) -> None:
        """Learn the types of variables from all statements within `scope`."""
        for node in ast.walk(scope):
            self._learn(node)

    def _learn(self, node: ast.AST) -> None:
        """Learn the types of the variables that one node binds."""
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self._bind(target, node.value)
        elif isinstance(node, ast.For | ast.comprehension):
            self._bind_elements(node.target, self.of_elements(node.iter))
        elif isinstance(node, ast.AugAssign):
            self._learn_operation(node)
        elif isinstance(node, ast.AnnAssign):
            self._know(node.target, ast.unparse(node.annotation))
        elif isinstance(node, ast.NamedExpr):
            self._know(node.target, self.of(node.value))
        elif isinstance(node, ast.With | ast.AsyncWith | ast.AsyncFor):
            self._forget(node)
        elif isinstance(node, _FUNCTIONS):
            self._learn_parameters(node)
        elif not isinstance(node, ast.Name | ast.arg | ast.Global | ast.Nonlocal):
            for name in bindings(node):
                self.names.setdefault(name, set()).add(None)

    def _know(self, target: ast.AST, kind: str | None) -> None:
        """Learn that a variable gets a value of a type, or of an unknown one."""
        if isinstance(target, ast.Name):
            self.names.setdefault(target.id, set()).add(kind)

    def _forget(self, node: ast.AST) -> None:
        """Learn that the targets directly below a node, such as those of `with`, have no known
        types.
        """
        targets = [item.optional_vars for item in getattr(node, "items", [])] + [getattr(node, "target", None)]
        for target in filter(None, targets):
            for name in ast.walk(target):
                self._know(name, None)

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        """Learn from `target = value`."""
        targets = target.elts if isinstance(target, ast.Tuple | ast.List) else []
        values = value.elts if isinstance(value, ast.Tuple | ast.List) else []
        pairs = isinstance(target, ast.Tuple | ast.List) and isinstance(value, ast.Tuple | ast.List)
        if isinstance(target, ast.Name):
            self._know(target, self.of(value))
        elif pairs and len(targets) == len(values) and not _starred([*targets, *values]):
            for part, single in zip(targets, values, strict=True):
                self._bind(part, single)
        else:
            self._bind_elements(target, self.of_elements(value), whole=True)

    def of_elements(self, node: ast.expr) -> str | None:
        """The type of the elements of an expression; None if unknown."""
        kind = self.of(node)
        return self.element(kind) if kind else None

    def element(self, kind: str) -> str | None:
        """The type of the elements of a type."""
        return kind[5:-1] if kind.startswith("List[") else ("str" if kind == "str" else None)

    def _bind_elements(self, target: ast.expr, element: str | None, whole: bool = False) -> None:
        """Learn from a loop over elements of a type or, if `whole`, from their distribution over
        several targets.
        """
        if isinstance(target, ast.Tuple | ast.List):
            for part in target.elts:
                for name in ast.walk(part):
                    self._know(name, element if whole and part is name else None)
        elif not whole:
            self._know(target, element)

    def _learn_operation(self, node: ast.AugAssign) -> None:
        """Learn from `x += …`: nothing new if a number keeps its type."""
        value = self.of(node.value)
        if isinstance(node.op, ast.Div):
            self._know(node.target, "float" if value in ("int", "float") else None)
        elif value == "float" or (value == "str" and isinstance(node.op, ast.Add)):
            self._know(node.target, value)
        elif value != "int" or isinstance(node.op, ast.Pow | ast.Mod):
            self._know(node.target, None)

    def _learn_parameters(self, function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        """Learn the types of parameters from annotations, or from all calls in the module."""
        arguments = function.args
        parameters = [argument for argument in [*arguments.posonlyargs, *arguments.args] if argument.arg != "self"]
        if not isinstance(function, ast.Lambda):
            self.names.setdefault(function.name, set()).add(None)
        for index, argument in enumerate(parameters):
            kinds: set[str | None] = {None}
            if argument.annotation is not None:
                kinds = {ast.unparse(argument.annotation)}
            elif self.outside and not isinstance(function, ast.Lambda) and not _special(function):
                kinds = self.outside.passed(function.name, index)
            self.names.setdefault(argument.arg, set()).update(kinds)
        for other in filter(None, [*arguments.kwonlyargs, arguments.vararg, arguments.kwarg]):
            self.names.setdefault(other.arg, set()).add(None)

    def of(self, node: ast.expr) -> str | None:
        """The type of an expression; None if unknown."""
        if isinstance(node, ast.Constant):
            return {int: "int", float: "float", str: "str", bool: "bool"}.get(type(node.value))
        if isinstance(node, ast.Name):
            kinds = self.names.get(node.id, {None})
            return next(iter(kinds)) if len(kinds) == 1 else None
        if isinstance(node, ast.List | ast.Set | ast.Tuple):
            return self._of_display(node)
        if isinstance(node, ast.Call):
            return self._of_call(node)
        if isinstance(node, ast.ListComp):
            return self._listed(self.of(node.elt))
        if isinstance(node, ast.BinOp):
            return self._of_operation(self.of(node.left), node.op, self.of(node.right))
        if isinstance(node, ast.Subscript):
            return self._of_part(self.of(node.value), isinstance(node.slice, ast.Slice))
        return "str" if isinstance(node, ast.JoinedStr) else None

    def _of_part(self, kind: str | None, is_slice: bool) -> str | None:
        """The type of an element or a slice of something."""
        if kind == "str" or (is_slice and kind and kind.startswith("List[")):
            return kind
        return self.element(kind) if kind else None

    def _listed(self, kind: str | None) -> str | None:
        """The type of a list of something."""
        return f"List[{kind}]" if kind else None

    def _of_display(self, node: ast.List | ast.Set | ast.Tuple) -> str | None:
        """The type of `[…]`, `{…}` or `(…)`."""
        kinds = [kind for part in node.elts if (kind := self.of(part)) is not None]
        if not kinds or len(kinds) < len(node.elts):
            return None
        if isinstance(node, ast.Tuple):
            return f"Tuple[{', '.join(kinds)}]"
        word = "List" if isinstance(node, ast.List) else "Set"
        return f"{word}[{kinds[0]}]" if len(set(kinds)) == 1 else None

    def _of_call(self, node: ast.Call) -> str | None:
        """The type of a call's result."""
        function = node.func
        if isinstance(function, ast.Attribute):
            text = self.of(function.value) == "str"
            if text and function.attr in ("split", "splitlines"):
                return "List[str]"
            return "str" if text and function.attr in _TEXT_METHODS else None
        if not isinstance(function, ast.Name):
            return None
        if function.id in self.classes and self.names.get(function.id, {None}) == {None}:
            return function.id
        if function.id in self.bound:
            return None
        if function.id in ("list", "sorted") and node.args:
            kind = self.of(node.args[0])
            return kind if kind and kind.startswith("List[") else ("List[str]" if kind == "str" else None)
        if function.id == "map" and len(node.args) == 2:
            mapped = node.args[0]
            if is_name(mapped, *(_RESULTS.keys() - self.bound)):
                return self._listed(_RESULTS[mapped.id])
        return _RESULTS.get(function.id)

    def _of_operation(self, left: str | None, operator: ast.operator, right: str | None) -> str | None:
        """The type of a binary operation."""
        if {left, right} <= {"int", "float"}:
            if isinstance(operator, ast.Pow):
                return None
            return "float" if "float" in (left, right) or isinstance(operator, ast.Div) else "int"
        if isinstance(operator, ast.Mult) and right == "int":
            return left if left == "str" or (left or "").startswith("List[") else None
        return left if left == right and left not in (None, "bool") and isinstance(operator, ast.Add) else None


class ModuleTypes(Types):
    """Types from all of a module's assignments together, whatever their scope."""

    def __init__(self, module: ast.Module) -> None:
        nodes = list(ast.walk(module))
        calls = [node for node in nodes if isinstance(node, ast.Call)]
        self.calls: dict[str, list[ast.Call]] = {}
        for call in calls:
            name = getattr(call.func, "id", getattr(call.func, "attr", None))
            if name:
                self.calls.setdefault(name, []).append(call)
        called = {id(call.func) for call in calls}
        self.values = set(_mentions(node for node in nodes if id(node) not in called))
        super().__init__(module, module)

    def passed(self, name: str, index: int) -> set[str | None]:
        """Types of the arguments that all calls of a function or method pass at an index."""
        calls = self.calls.get(name, [])
        plain = all(len(call.args) > index and not call.keywords and not _starred(call.args) for call in calls)
        if not calls or not plain or name in self.values:
            return {None}
        return {self.of(call.args[index]) for call in calls}


def _class_names(module: ast.Module) -> set[str]:
    """Names of all classes of a module."""
    return {node.name for node in ast.walk(module) if isinstance(node, ast.ClassDef)}


def _starred(values: list[ast.expr]) -> bool:
    """Whether one of some expressions is starred."""
    return any(isinstance(value, ast.Starred) for value in values)


def _special(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a function may be called other than by its name: a special method, or one with
    decorators.
    """
    return function.name.startswith("__") or bool(function.decorator_list)


def _mentions(nodes: Iterator[ast.AST]) -> Iterator[str]:
    """Names and attributes that are read other than to be called."""
    for node in nodes:
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Name):
            yield from loads(node)
