"""Rewrites that give Codon the types of empty containers and of the dictionaries in which functions
cache results.
"""

import ast
import copy

from scripts.compile.codon.certain import CertainTypes
from scripts.compile.codon.inference import ModuleTypes, Types
from scripts.compile.codon.names import Names, bindings, loads
from scripts.compile.codon.rewrite import Rewrite, assigned_name, is_dotted, is_name, is_none, rename
from scripts.compile.codon.slots import SCALARS

_ELEMENT = {"append": 0, "add": 0, "insert": 1, "appendleft": 0}
_MAX_CACHED = 20
_EMPTY = ("list", "dict", "set")


class EmptyFields(Rewrite):
    """`self.items = []` becomes `self.items = list[int]()` if the elements that are added to it
    show the type.
    """

    name = "typed_empty_field"

    def __init__(self, tree: ast.Module, names: Names) -> None:
        super().__init__(tree, names)
        self.contents: dict[str, set[str | None]] = {}
        self.possible = names.builtin(*_EMPTY, "tuple", *SCALARS)
        # Names that a type may mention, with the index of the module's statement that defines them.
        self.known = dict.fromkeys((*_EMPTY, "tuple", *SCALARS), -1)
        self.until = 0
        classes = [(index, part) for index, part in enumerate(tree.body) if isinstance(part, ast.ClassDef)]
        self.known |= {part.name: index for index, part in classes if names.bound[part.name] == 1}
        outside = ModuleTypes(tree)
        for function in [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]:
            types = Types(function, tree, outside)
            for node in ast.walk(function):
                self._learn(node, types)

    def _learn(self, node: ast.AST, types: Types) -> None:
        """Learn the type of a container field's elements from a statement that adds one."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _ELEMENT:
            field, index = node.func.value, _ELEMENT[node.func.attr]
            if isinstance(field, ast.Attribute) and index < len(node.args):
                self.contents.setdefault(field.attr, set()).add(types.of(node.args[index]))
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
            field, key = node.targets[0].value, node.targets[0].slice
            if isinstance(field, ast.Attribute):
                kinds = [kind for part in (key, node.value) if (kind := types.of(part)) is not None]
                self.contents.setdefault(field.attr, set()).add(", ".join(kinds) if len(kinds) == 2 else None)

    def _typed(self, value: ast.expr, field: str) -> ast.expr:
        """An empty container with the type of the field's elements; `value` itself if that is
        unknown.
        """
        kind, elements = empty_kind(value), self.contents.get(field, {None})
        element = next(iter(elements))
        if not kind or not self.possible or len(elements) > 1 or element is None:
            return value
        # Types are written as the builtins, which need no import in CPython.
        for word in ("List", "Set", "Tuple", "Dict"):
            element = element.replace(f"{word}[", f"{word.lower()}[")
        whole = ast.parse(f"{kind}[{element}]()", mode="eval").body
        return self.replaced(whole, value) if self._is_known(whole) else value

    def _is_known(self, whole: ast.expr) -> bool:
        """Whether CPython can evaluate a type, which has no effect then: a type may come from an
        annotation.
        """
        kinds = (ast.Name, ast.Subscript, ast.Tuple, ast.Call, ast.expr_context)
        plain = all(isinstance(part, kinds) for part in ast.walk(whole))
        parameters = [part.value for part in ast.walk(whole) if isinstance(part, ast.Subscript)]
        generic = all(is_name(part, *_EMPTY, "tuple") for part in parameters)
        return plain and generic and all(self.known.get(name, self.until) < self.until for name in loads(whole))

    def visit_Module(self, node: ast.Module) -> ast.Module:
        for index, statement in enumerate(node.body):
            self.until = index
            self.visit(statement)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        # A method runs after its class has been defined.
        before, self.until = self.until, self.until + 1
        self.generic_visit(node)
        self.until = before
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.Assign:
        target = node.targets[0]
        if len(node.targets) == 1 and isinstance(target, ast.Attribute) and is_name(target.value, "self"):
            node.value = self._typed(node.value, target.attr)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        for statement in node.body:
            name = assigned_name(statement)
            if name is not None and isinstance(statement, ast.Assign):
                statement.value = self._typed(statement.value, name)
        self.generic_visit(node)
        return node


def empty_kind(node: ast.AST) -> str | None:
    """`list`, `dict` or `set` for an expression that makes an empty one; None for any other."""
    if isinstance(node, ast.List) and not node.elts:
        return "list"
    if isinstance(node, ast.Dict) and not node.keys:
        return "dict"
    if isinstance(node, ast.Call) and not node.args and not node.keywords and is_name(node.func, *_EMPTY):
        return node.func.id
    return None


class MemoDefault(Rewrite):
    """`def f(n, memo={})` without a caller that passes it gets a variable of the module: Codon
    crashes on it.
    """

    name = "memo_default"

    def __init__(self, tree: ast.Module, names: Names) -> None:
        super().__init__(tree, names)
        self.calls: dict[str, list[ast.Call]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                self.calls.setdefault(node.func.id, []).append(node)
        self.read = loads(tree)

    def visit_Module(self, node: ast.Module) -> ast.Module:
        body: list[ast.stmt] = []
        for statement in node.body:
            if isinstance(statement, ast.FunctionDef) and self._hoistable(statement):
                for one in self._passing_on(statement):
                    one.args.pop()
                argument, value = statement.args.args.pop().arg, statement.args.defaults.pop()
                variable = self.names.fresh(f"{statement.name}_{argument}")
                for part in statement.body:
                    rename(part, {argument: variable})
                body.append(self.replaced(ast.Assign([ast.Name(variable, ast.Store())], value), statement))
            body.append(statement)
        node.body = body
        return node

    def _hoistable(self, function: ast.FunctionDef) -> bool:
        """Whether a function's last parameter is an empty container that no call passes and nothing
        else binds.

        The function must only be used by its name, in calls that show their arguments.
        """
        arguments = function.args
        others = arguments.kwonlyargs or arguments.vararg or arguments.kwarg or arguments.posonlyargs
        if not arguments.defaults or others or function.decorator_list or not self._known(function):
            return False
        own, argument = set(map(id, self._passing_on(function))), arguments.args[-1].arg
        calls = [one for one in self.calls.get(function.name, []) if id(one) not in own]
        bound = any(argument in bindings(node) for part in function.body for node in ast.walk(part))
        starred = any(isinstance(word, ast.Starred) for one in calls for word in one.args)
        passed = starred or any(len(one.args) >= len(arguments.args) or one.keywords for one in calls)
        return empty_kind(arguments.defaults[-1]) is not None and not passed and not bound

    def _passing_on(self, function: ast.FunctionDef) -> list[ast.Call]:
        """The calls of a function in its own body that pass its last parameter on, in its place."""
        words = function.args.args
        inside = {id(node) for part in function.body for node in ast.walk(part)}
        calls = [one for one in self.calls.get(function.name, []) if id(one) in inside and not one.keywords]
        plain = [one for one in calls if not any(isinstance(word, ast.Starred) for word in one.args)]
        return [one for one in plain if len(one.args) == len(words) and is_name(one.args[-1], words[-1].arg)]

    def _known(self, function: ast.FunctionDef) -> bool:
        """Whether the program binds the function's name once, and uses it only to call it."""
        name = function.name
        plain = self.names.builtin("list", "dict", "set") and name not in self.names.stored_attributes
        return plain and self.names.bound[name] == 1 and self.read[name] == len(self.calls.get(name, []))


class RememberedResults(Rewrite):
    """`@lru_cache(maxsize=None)` and `@cache` become a dictionary of the module, which Codon lacks.

    Only for functions of typed parameters and a typed result, which Codon needs to know the
    dictionary's type.
    """

    name = "remembered_results"

    def __init__(self, tree: ast.Module, names: Names) -> None:
        super().__init__(tree, names)
        self.decorators = {name for name in ("cache", "lru_cache") if names.imported(name, f"functools.{name}")}
        self.module = names.imported("functools", "functools") and not names.stored_attributes & {"cache", "lru_cache"}
        decorated = [part for part in tree.body if isinstance(part, ast.FunctionDef) and part.decorator_list]
        builtin = names.builtin("int", "str", "bool", "dict", "tuple")
        self.types = CertainTypes(tree)
        self.functions = [part for part in decorated[:_MAX_CACHED] if builtin and self._is_plain(part)]
        removed = [getattr(one, "func", one) for part in self.functions for one in part.decorator_list]
        used = sum(isinstance(one, ast.Name) for one in removed)
        read = loads(tree)
        self.possible = bool(self.functions) and sum(read[name] for name in self.decorators) == used

    def _is_plain(self, function: ast.FunctionDef) -> bool:
        """Whether a function has only this decorator and plain typed parameters, and is only
        called, by position.
        """
        arguments = function.args
        others = arguments.kwonlyargs or arguments.vararg or arguments.kwarg or arguments.posonlyargs
        typed = [argument.annotation for argument in arguments.args] + [function.returns]
        scalars = all(is_name(one, "int", "str", "bool") for one in typed)
        called = [one for one in ast.walk(self.tree) if isinstance(one, ast.Call) and is_name(one.func, function.name)]
        starred = any(isinstance(word, ast.Starred) for one in called for word in one.args)
        positional = all(len(one.args) == len(arguments.args) and not one.keywords for one in called) and not starred
        only_called = loads(self.tree)[function.name] == len(called) and self.names.bound[function.name] == 1
        decorated = len(function.decorator_list) == 1 and self._keeps_all(function.decorator_list[0])
        plain = scalars and bool(arguments.args) and not others and not arguments.defaults
        generator = any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(function))
        alone = len(arguments.args) == 1 and any(self._is_other(one.args[0]) for one in called if one.args)
        return decorated and plain and positional and only_called and not generator and not alone

    def _is_other(self, value: ast.expr) -> bool:
        """Whether a single argument is equal to an int without being the same key, as `lru_cache`
        distinguishes them.
        """
        return self.types.of(value) in ("bool", "float")

    def _means(self, function: ast.expr, name: str) -> bool:
        """Whether an expression is a function of `functools`."""
        if isinstance(function, ast.Name):
            return function.id == name and name in self.decorators
        return self.module and is_dotted(function, f"functools.{name}")

    def _keeps_all(self, node: ast.expr) -> bool:
        """Whether a decorator caches every result."""
        if not isinstance(node, ast.Call):
            return self._means(node, "cache")
        sizes = [*node.args, *(word.value for word in node.keywords if word.arg == "maxsize")]
        alone = len(sizes) == len(node.args) + len(node.keywords) == 1
        return self._means(node.func, "lru_cache") and alone and is_none(sizes[0])

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt:
        rest = [alias for alias in node.names if alias.name not in self.decorators]
        if node.module != "functools" or not self.possible or len(rest) == len(node.names):
            return node
        return ast.copy_location(ast.ImportFrom("functools", rest, 0) if rest else ast.Pass(), node)

    def visit_Module(self, node: ast.Module) -> ast.Module:
        self.generic_visit(node)
        if self.possible:
            node.body = [part for one in node.body for part in (self._split(one) if one in self.functions else [one])]
        return node

    def _split(self, function: ast.FunctionDef) -> list[ast.stmt]:
        """The dictionary of results, the function that looks results up, and the function that
        computes them.
        """
        results, work = self.names.fresh(f"{function.name}_results"), self.names.fresh(f"{function.name}_work")
        words = [argument.arg for argument in function.args.args]
        key = words[0] if len(words) == 1 else f"({', '.join(words)})"
        lookup = copy.deepcopy(function)
        lookup.decorator_list, function.decorator_list = [], []
        function.name = work
        result = self.names.fresh("result")
        lookup.body = ast.parse(
            f"if {key} in {results}:\n    return {results}[{key}]\n"
            f"{result} = {work}({', '.join(words)})\n{results}[{key}] = {result}\nreturn {result}"
        ).body
        kinds = [ast.unparse(argument.annotation) for argument in function.args.args if argument.annotation]
        kind = kinds[0] if len(kinds) == 1 else f"tuple[{', '.join(kinds)}]"
        returned = ast.unparse(function.returns) if function.returns else "None"
        empty = ast.parse(f"{results} = dict[{kind}, {returned}]()").body
        return self.replaced([*empty, lookup, function], function)
