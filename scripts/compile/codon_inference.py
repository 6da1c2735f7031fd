"""Types of a Python program's expressions in Codon's terms, as far as the program's text tells them.

A type is the text of Codon's annotation for it, such as `List[int]`; None stands for what is not known.
"""

import ast

from scripts.compile.codon_syntax import is_name

_RESULTS = {"int": "int", "len": "int", "ord": "int", "round": "int", "float": "float", "str": "str", "chr": "str"}
_RESULTS |= {
    "input": "str",
    "stdin_readline": "str",
    "bool": "bool",
    "hash": "int",
    "repr": "str",
    "range": "List[int]",
}
_TEXT_METHODS = (
    "strip",
    "lstrip",
    "rstrip",
    "lower",
    "upper",
    "replace",
    "join",
    "format",
    "zfill",
    "title",
    "readline",
)


class Types:
    """Types of expressions within one function or the module, from the assignments in it."""

    def __init__(self, scope: ast.AST, module: ast.Module) -> None:
        self.module = module
        self.classes = {node.name for node in ast.walk(module) if isinstance(node, ast.ClassDef)}
        self.names: dict[str, set[str | None]] = {}
        self.learn_all(scope)
        if isinstance(scope, ast.FunctionDef):
            self._learn_parameters(scope)

    def learn_all(self, scope: ast.AST) -> None:
        """Take the types of variables from all statements within `scope`."""
        for node in ast.walk(scope):
            self._learn(node)

    def _learn(self, node: ast.AST) -> None:
        """Take the type of a variable from a statement that binds it."""
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            self._bind(node.targets[0], node.value)
        elif isinstance(node, ast.For | ast.comprehension):
            kind = self.of(node.iter)
            if kind and kind.startswith("List[") and isinstance(node.target, ast.Name):
                self.names.setdefault(node.target.id, set()).add(kind[5:-1])

    def _bind(self, target: ast.expr, value: ast.expr) -> None:
        """Learn from `target = value`."""
        if isinstance(target, ast.Name):
            self.names.setdefault(target.id, set()).add(self.of(value))
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
            for part, given in zip(target.elts, value.elts, strict=True):
                self._bind(part, given)
        elif isinstance(target, ast.Tuple):
            kind = self.of(value)
            for part in target.elts if kind and kind.startswith("List[") else []:
                if isinstance(part, ast.Name):
                    self.names.setdefault(part.id, set()).add(kind[5:-1])

    def _learn_parameters(self, function: ast.FunctionDef) -> None:
        """Take the types of parameters from annotations, or from all calls in the module when those agree."""
        places = [argument for argument in function.args.args if argument.arg != "self"]
        for place, argument in enumerate(places):
            if argument.annotation is not None:
                self.names[argument.arg] = {ast.unparse(argument.annotation)}
            elif argument.arg not in self.names:
                self.names[argument.arg] = self._given(function.name, place)

    def _given(self, name: str, place: int) -> set[str | None]:
        """Types of what calls of a function or method give for a parameter, seen from the module's own variables."""
        outside = ModuleTypes(self.module)
        calls = [node for node in ast.walk(self.module) if isinstance(node, ast.Call)]
        called = [node for node in calls if is_name(node.func, name) or getattr(node.func, "attr", None) == name]
        given = [node.args[place] for node in called if place < len(node.args)]
        return {outside.of(value) for value in given} or {None}

    def of(self, node: ast.expr) -> str | None:
        """The type of an expression."""
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
        if isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Slice):
            kind = self.of(node.value)
            return kind[5:-1] if kind and kind.startswith("List[") else ("str" if kind == "str" else None)
        if isinstance(node, ast.Compare):
            return "bool"
        return "str" if isinstance(node, ast.JoinedStr) else None

    def _listed(self, kind: str | None) -> str | None:
        """The type of a list of something."""
        return f"List[{kind}]" if kind else None

    def _of_display(self, node: ast.List | ast.Set | ast.Tuple) -> str | None:
        """The type of `[…]`, `{…}` or `(…)`."""
        kinds = [self.of(part) for part in node.elts]
        if not kinds or None in kinds:
            return None
        if isinstance(node, ast.Tuple):
            return f"Tuple[{', '.join(kinds)}]"
        word = "List" if isinstance(node, ast.List) else "Set"
        return f"{word}[{kinds[0]}]" if len(set(kinds)) == 1 else None

    def _of_call(self, node: ast.Call) -> str | None:
        """The type of what a call returns."""
        function = node.func
        if isinstance(function, ast.Attribute):
            if function.attr in ("split", "splitlines"):
                return "List[str]"
            return "str" if function.attr in _TEXT_METHODS else None
        if not isinstance(function, ast.Name):
            return None
        if function.id in self.classes:
            return function.id
        if function.id in ("list", "sorted") and node.args:
            kind = self.of(node.args[0])
            return kind if kind and kind.startswith("List[") else None
        if function.id == "map" and len(node.args) == 2 and isinstance(node.args[0], ast.Name):
            return self._listed(_RESULTS.get(node.args[0].id))
        return _RESULTS.get(function.id)

    def _of_operation(self, left: str | None, operator: ast.operator, right: str | None) -> str | None:
        """The type of a binary operation."""
        if {left, right} <= {"int", "float"}:
            return "float" if "float" in (left, right) or isinstance(operator, ast.Div) else "int"
        if isinstance(operator, ast.Mult) and right == "int":
            return left
        return left if left == right and isinstance(operator, ast.Add) else None


class ModuleTypes(Types):
    """Types from all of a module's assignments together, for want of a better place."""

    def __init__(self, module: ast.Module) -> None:
        super().__init__(module, module)
