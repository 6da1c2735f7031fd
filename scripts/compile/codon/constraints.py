"""The places of a program, and what its statements and expressions tell of them.

Everything that may reach a place is followed or makes it unclear: attributes of unknown objects, functions used as
values, names bound otherwise than by assignment. So a type that comes out is certain.
"""

import ast
from collections.abc import Callable

from scripts.compile.codon import methods
from scripts.compile.codon.names import Names, bindings
from scripts.compile.codon.places import SCALARS, Place, spread_none
from scripts.compile.codon.rewrite import is_name, is_stand_in

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_OWN_SCOPE = (*_FUNCTIONS, ast.ClassDef, ast.Lambda)
_DISPLAYS = (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)
_RESULTS = {"int": "int", "len": "int", "ord": "int", "float": "float", "str": "str", "chr": "str", "input": "str"}
_RESULTS |= {"bool": "bool", "hash": "int", "repr": "str", "bin": "str", "hex": "str", "isinstance": "bool"}
_RESULTS |= {"any": "bool", "all": "bool", "callable": "bool"}
_ANNOTATIONS = {"List": 1, "list": 1, "Set": 1, "set": 1, "Dict": 2, "dict": 2}
# Modules whose functions keep and change nothing of what they get.
_HARMLESS = ("math", "sys", "time", "os", "string", "re")
_KEEPS_TYPE = ("cache", "lru_cache", "staticmethod")
# Rounds over what waits for other types; more are needed only by chains that run against the text.
_ROUNDS = 12


class Function:
    """The places of a function's parameters and its result."""

    def __init__(self, node: ast.FunctionDef | ast.AsyncFunctionDef, method: bool) -> None:
        arguments = node.args
        self.node = node
        self.static = any(isinstance(one, ast.Name) and one.id == "staticmethod" for one in node.decorator_list)
        self.bound = method and not self.static
        self.parameters = {one.arg: Place() for one in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]}
        self.positional = [one.arg for one in [*arguments.posonlyargs, *arguments.args]][self.bound :]
        self.result = Place()
        self.yielded = Place()
        # Parameters that some call passes a plain None.
        self.nothing: set[str] = set()
        self.plain = not (arguments.vararg or arguments.kwarg)
        words = [one.func if isinstance(one, ast.Call) else one for one in node.decorator_list]
        self.plain &= all(getattr(one, "attr", getattr(one, "id", "")) in _KEEPS_TYPE for one in words)
        self.plain &= isinstance(node, ast.FunctionDef)

    def blur(self) -> None:
        """Learn that the function may be called with anything, on an object of its class if it is a method."""
        first = self.node.args.args[0].arg if self.bound and self.node.args.args else None
        for name, place in self.parameters.items():
            if name != first:
                place.blur()


class Class:
    """The places of a class's fields, and its methods."""

    def __init__(self, node: ast.ClassDef) -> None:
        self.node = node
        self.methods = {one.name: Function(one, True) for one in node.body if isinstance(one, _FUNCTIONS)}
        self.fields: dict[str, Place] = {}
        bases = [getattr(base, "id", "?") for base in node.bases]
        self.plain = bases in ([], ["object"]) and not node.keywords and not node.decorator_list


class Constraints:
    """All places of a module, after everything is followed."""

    def __init__(self, tree: ast.Module, names: Names) -> None:
        self.names = names
        self.all: list[Place] = []
        self.waiting: list[tuple[Callable[..., bool], tuple, list[Place]]] = []
        self.scopes: dict[ast.AST, dict[str, Place | Function | Class]] = {}
        self.stack: list[dict] = []
        self.classes: dict[str, Class] = {}
        self.functions: dict[ast.AST, Function] = {}
        # What is compared and what displays make, by the identity of the expression.
        self.operands: dict[int, Place] = {}
        self.current: Function | None = None
        self._module(tree)
        self._settle()

    # Scopes -----------------------------------------------------------------------------------------------------

    def place(self, name: str = "", *parts: Place, none: bool = False, unclear: bool = False) -> Place:
        """A new place, of a type if one is named."""
        made = Place(name, *parts, none=none, unclear=unclear)
        self.all.append(made)
        return made

    def unknown(self) -> Place:
        """A new place of which nothing is known."""
        return self.place(unclear=True)

    def _module(self, tree: ast.Module) -> None:
        """Follow the whole program."""
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and self.names.bound[node.name] == 1:
                self.classes[node.name] = Class(node)
        inherited = {getattr(base, "id", "") for node in ast.walk(tree) for base in getattr(node, "bases", [])}
        for name, kind in self.classes.items():
            kind.plain &= name not in inherited
        self._scope(tree, tree.body, {})

    def _scope(self, owner: ast.AST, body: list[ast.stmt], own: dict) -> None:
        """Follow the statements of the module or of a function, with its own names."""
        frame = self.scopes[owner] = own
        outer = [node for node in _inside(body) if isinstance(node, ast.Global | ast.Nonlocal)]
        declared = {name for node in outer for name in node.names}
        counted: dict[str, int] = {}
        for node in _inside(body):
            for name in bindings(node):
                counted[name] = counted.get(name, 0) + 1
        for name in counted.keys() - declared - own.keys():
            frame[name] = self.place()
        for node in _inside(body):
            if isinstance(node, _FUNCTIONS) and counted.get(node.name) == 1 and node.name not in declared:
                frame[node.name] = self.functions[node] = Function(node, False)
        if isinstance(owner, ast.Module):
            frame.update(self.classes)
        self.stack.append(frame)
        for node in body:
            self.statement(node)
        self.stack.pop()

    def variable(self, name: str) -> Place | Function | Class | None:
        """What a name stands for; None for a builtin."""
        return next((frame[name] for frame in reversed(self.stack) if name in frame), None)

    def target(self, name: str) -> Place:
        """The place of a variable that is assigned."""
        known = self.variable(name)
        if isinstance(known, Place):
            return known
        self.escape(known)
        return self.unknown()

    def escape(self, known: object) -> None:
        """Learn that a function or class is used as a value."""
        if isinstance(known, Function):
            known.blur()
        elif isinstance(known, Class) and "__init__" in known.methods:
            known.methods["__init__"].blur()

    # Statements -------------------------------------------------------------------------------------------------

    def statement(self, node: ast.stmt) -> None:
        """Follow one statement."""
        follow = getattr(self, f"_{type(node).__name__.lower()}", None)
        if follow:
            follow(node)
            return
        for part in ast.iter_child_nodes(node):
            if isinstance(part, ast.stmt):
                self.statement(part)
            elif isinstance(part, ast.expr):
                self.assign(part, self.unknown()) if _is_stored(part) else self.expression(part)
            else:
                self.other(part)

    def other(self, node: ast.AST) -> None:
        """Follow what is neither statement nor expression: a handler, an item of `with`, a pattern."""
        for name in bindings(node):
            self.target(name).blur()
        self.statement(node)

    def _functiondef(self, node: ast.FunctionDef) -> None:
        function = self.functions.get(node)
        for part in [*node.decorator_list, *node.args.defaults, *(one for one in node.args.kw_defaults if one)]:
            if not isinstance(part, ast.Name) or part.id not in _KEEPS_TYPE:
                self.expression(part)
        if function is None:
            function = Function(node, False)
            function.plain = False
        self.function(function)

    _asyncfunctiondef = _functiondef

    def function(self, function: Function) -> None:
        """Follow a function's body."""
        node, arguments = function.node, function.node.args
        own: dict = {**function.parameters}
        for one in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
            if one.annotation is not None:
                self.annotated(function.parameters[one.arg], one.annotation)
        for one in filter(None, [arguments.vararg, arguments.kwarg]):
            own[one.arg] = self.unknown()
        places = [*arguments.posonlyargs, *arguments.args]
        pairs = list(zip(places[len(places) - len(arguments.defaults) :], arguments.defaults, strict=True))
        pairs += [pair for pair in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if pair[1]]
        for one, default in pairs:
            self.expression(default).flow(function.parameters[one.arg])
        self.all += [*function.parameters.values(), function.result, function.yielded]
        if not function.plain:
            for name in function.parameters if not function.bound else function.positional:
                function.parameters[name].blur()
            function.result.blur()
        if node.returns is not None:
            self.annotated(function.result, node.returns)
        inside = list(_inside(node.body))
        if any(isinstance(part, ast.Yield | ast.YieldFrom) for part in inside):
            function.result.typed("Iterator", function.yielded)
        elif not isinstance(node.body[-1], ast.Return | ast.Raise):
            # Whether its end is reached is not followed.
            function.result.none = function.result.none or not _always_returns(node.body)
        before, self.current = self.current, function
        self._scope(node, node.body, own)
        self.current = before

    def _classdef(self, node: ast.ClassDef) -> None:
        kind = self.classes.get(node.name)
        if kind is None or kind.node is not node:
            kind = Class(node)
            kind.plain = False
        for part in [*node.decorator_list, *node.bases, *(word.value for word in node.keywords)]:
            self.expression(part)
        frame = {name: self.unknown() for one in _inside(node.body) for name in bindings(one)}
        for one in node.body:
            if isinstance(one, _FUNCTIONS):
                function = kind.methods[one.name]
                if function.node is not one:
                    # A later definition of the same name replaces it, but for a property's.
                    function.blur()
                    function = Function(one, True)
                    function.plain = False
                self.functions[one] = function
                special = one.name.startswith("__") and one.name.endswith("__") and one.name != "__init__"
                function.plain &= kind.plain and not special
                if function.bound and one.args.args:
                    own = function.parameters[one.args.args[0].arg]
                    own.typed(node.name) if kind.plain else own.blur()
                if special:
                    # Python itself calls it, with anything but for the object.
                    for name in function.positional:
                        function.parameters[name].blur()
                    function.result.blur()
                self.function(function)
            else:
                self.stack.append(frame)
                self.statement(one)
                self.stack.pop()

    def _return(self, node: ast.Return) -> None:
        value = self.expression(node.value) if node.value else self.place(none=True)
        if self.current and self.current.result.name != "Iterator":
            value.flow(self.current.result)

    def _assign(self, node: ast.Assign) -> None:
        if is_stand_in(node) and isinstance(self.variable(node.targets[0].id), Class):
            return
        value = self.expression(node.value)
        for target in node.targets:
            self.assign(target, value)

    def _annassign(self, node: ast.AnnAssign) -> None:
        value = self.expression(node.value) if node.value else self.place()
        self.annotated(value, node.annotation)
        self.assign(node.target, value)

    def _augassign(self, node: ast.AugAssign) -> None:
        value = self.expression(ast.BinOp(_loaded(node.target), node.op, node.value))
        self.assign(node.target, value)

    def _for(self, node: ast.For) -> None:
        self.loop(node.target, node.iter)
        for part in [*node.body, *node.orelse]:
            self.statement(part)

    def _if(self, node: ast.If | ast.While) -> None:
        self.condition(node.test)
        for part in [*node.body, *node.orelse]:
            self.statement(part)

    _while = _if

    def _delete(self, node: ast.Delete) -> None:
        for part in ast.walk(node):
            if isinstance(part, ast.Attribute | ast.Name) and isinstance(part.ctx, ast.Del):
                self.assign(part, self.unknown())
            elif isinstance(part, ast.expr) and not isinstance(getattr(part, "ctx", None), ast.Del):
                self.expression(part)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            for name in bindings(alias):
                self.target(name).blur()

    _importfrom = _import

    def loop(self, target: ast.expr, items: ast.expr) -> None:
        """Follow `for target in items`."""
        value = self.place()
        self.wait(methods.element, self.expression(items), value)
        self.assign(target, value)

    def assign(self, target: ast.expr, value: Place) -> None:
        """Follow a value into a target."""
        owner = self.variable(target.value.id) if _is_field_of_name(target) else None
        if isinstance(target, ast.Name):
            value.flow(self.target(target.id))
        elif isinstance(owner, Class):
            owner.fields.setdefault(target.attr, self.place()).blur()
            value.blur()
        elif isinstance(target, ast.Attribute):
            self.wait(self._store, self.expression(target.value), target.attr, value)
        elif isinstance(target, ast.Subscript):
            key = self.expression(target.slice)
            self.wait(methods.store_item, self.expression(target.value), target.slice, key, value)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, self.unknown())
        elif isinstance(target, ast.Tuple | ast.List):
            starred = any(isinstance(part, ast.Starred) for part in target.elts)
            for index, part in enumerate(target.elts):
                one = self.unknown() if starred else self.place()
                if not starred:
                    self.wait(_distribute, value, index, len(target.elts), one)
                self.assign(part, one)

    # What waits for types ---------------------------------------------------------------------------------------

    def wait(self, learn: Callable[..., bool], *arguments: object) -> None:
        """Learn something as soon as the types that it needs are known."""
        self.waiting.append((learn, arguments, [one for one in _flat(arguments) if isinstance(one, Place)]))

    def _settle(self) -> None:
        """Learn all that waits; what stays unknown or unclear blurs what it touches."""
        done: list[tuple[Callable[..., bool], tuple, list[Place]]] = []
        for _ in range(_ROUNDS):
            rest = []
            for one in self.waiting:
                (done if one[0](*one[1]) else rest).append(one)
            stuck, self.waiting = len(rest) == len(self.waiting), rest
            if stuck:
                break
        for one in self.waiting:
            self._lose(*one)
        self.certain = False
        for _ in range(_ROUNDS):
            unclear = [one for one in done if any(place.unclear for place in _sources(*one))]
            self.certain = not unclear
            if self.certain:
                break
            lost = set(map(id, unclear))
            done = [one for one in done if id(one) not in lost]
            for one in unclear:
                self._lose(*one)
        spread_none(self.all)

    def _lose(self, learn: Callable[..., bool], arguments: tuple, touched: list[Place]) -> None:
        """Blur what something that cannot be learnt may change."""
        if learn in (self._store, self._call, methods.store_item):
            for place in touched:
                place.blur()
        else:
            arguments[-1].blur()
        if learn == self._store:
            for kind in self.classes.values():
                kind.fields.setdefault(arguments[1], self.place()).blur()
        elif learn in (self._call, self._load):
            self._blur_methods(arguments[1])

    def _blur_methods(self, name: str) -> None:
        """Learn that some method of this name is called with anything."""
        for kind in self.classes.values():
            if name in kind.methods:
                kind.methods[name].blur()

    def _store(self, whole: Place, field: str, value: Place) -> bool:
        """Learn from `whole.field = value`."""
        kind = self.classes.get(whole.name)
        if kind:
            value.flow(kind.fields.setdefault(field, self.place()))
        return kind is not None

    def _load(self, whole: Place, field: str, result: Place) -> bool:
        """Learn from `whole.field`."""
        kind = self.classes.get(whole.name)
        if kind is None:
            if whole.name:
                result.blur()
            return bool(whole.name)
        if field in kind.methods:
            kind.methods[field].blur()
            result.blur()
        else:
            kind.fields.setdefault(field, self.place()).flow(result)
        return True

    def _call(self, whole: Place, name: str, arguments: list[Place], words: dict[str, Place], result: Place) -> bool:
        """Learn from `whole.name(arguments)`."""
        kind = self.classes.get(whole.name)
        if kind is None:
            if not whole.name:
                return False
            sorting = words and name == "sort"
            if not sorting and (words or not methods.method(whole, name, arguments, result)):
                for place in [whole, result, *arguments, *words.values()]:
                    place.blur()
            return True
        if name in kind.methods:
            self.bind(kind.methods[name], arguments, words, result)
        else:
            for place in [*arguments, *words.values(), result]:
                place.blur()
        return True

    def bind(self, function: Function, arguments: list[Place], words: dict[str, Place], result: Place) -> None:
        """Learn from a call of a known function."""
        known = function.plain and len(arguments) <= len(function.positional) and "" not in words
        if not known or not words.keys() <= function.parameters.keys():
            for place in [*arguments, *words.values(), result]:
                place.blur()
            function.blur()
            return
        passed = [*zip(function.positional, arguments, strict=False), *words.items()]
        function.nothing |= {name for name, value in passed if value.none and not value.name}
        for name, value in passed:
            value.flow(function.parameters[name])
        function.result.flow(result)

    def annotated(self, place: Place, annotation: ast.expr) -> None:
        """Learn from an annotation, if it is simple."""
        if isinstance(annotation, ast.Constant):
            if annotation.value is None:
                place.none = True
            else:
                place.blur()
        elif isinstance(annotation, ast.Name) and annotation.id in (*SCALARS, *self.classes):
            place.typed(annotation.id)
        elif isinstance(annotation, ast.Subscript) and isinstance(annotation.value, ast.Name):
            word, inside = annotation.value.id, annotation.slice
            parts = inside.elts if isinstance(inside, ast.Tuple) else [inside]
            if word == "Optional":
                place.none = True
                self.annotated(place, inside)
            elif _ANNOTATIONS.get(word, len(parts)) == len(parts) and word.title() in ("List", "Set", "Dict", "Tuple"):
                places = [self.place() for _ in parts]
                for part, one in zip(parts, places, strict=True):
                    self.annotated(one, part)
                place.typed(word.title(), *places)
            else:
                place.blur()
        else:
            place.blur()

    # Expressions ------------------------------------------------------------------------------------------------

    def condition(self, node: ast.expr) -> None:
        """Follow an expression of which only the truth matters."""
        if isinstance(node, ast.BoolOp):
            for part in node.values:
                self.condition(part)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            self.condition(node.operand)
        else:
            self.expression(node)

    def expression(self, node: ast.expr) -> Place:
        """Follow an expression; what it gives."""
        follow = getattr(self, f"_of_{type(node).__name__.lower()}", None)
        if follow:
            return follow(node)
        for part in ast.iter_child_nodes(node):
            if isinstance(part, ast.expr):
                self.expression(part).blur()
        return self.unknown()

    def _of_constant(self, node: ast.Constant) -> Place:
        if node.value is None:
            return self.place(none=True)
        name = {int: "int", float: "float", str: "str", bool: "bool"}.get(type(node.value))
        return self.place(name) if name else self.unknown()

    def _of_name(self, node: ast.Name) -> Place:
        known = self.variable(node.id)
        if isinstance(known, Place):
            return known
        self.escape(known)
        return self.unknown()

    def _of_attribute(self, node: ast.Attribute) -> Place:
        if isinstance(node.value, ast.Name):
            if self.names.imported(node.value.id, "sys") and node.attr in ("argv", "maxsize"):
                return self.place("int") if node.attr == "maxsize" else self.place("List", self.place("str"))
            if isinstance(self.variable(node.value.id), Class):
                self._blur_methods(node.attr)
                return self.unknown()
        result = self.place()
        self.wait(self._load, self.expression(node.value), node.attr, result)
        return result

    def _of_call(self, node: ast.Call) -> Place:
        starred = any(isinstance(word, ast.Starred) for word in node.args)
        words = {word.arg or "": self.expression(word.value) for word in node.keywords}
        result, function = self.place(), node.func
        known = self.variable(function.id) if isinstance(function, ast.Name) else None
        tested = known is None and is_name(function, "isinstance")
        mapped = known is None and is_name(function, "map") and len(node.args) == 2 and self._is_simple(node.args[0])
        words_read = node.args[:1] if tested else node.args
        arguments = [self.place() if mapped and word is node.args[0] else self.expression(word) for word in words_read]
        if starred:
            words[""] = self.unknown()
        if isinstance(known, Function):
            self.bind(known, arguments, words, result)
        elif isinstance(known, Class):
            self._construct(known, arguments, words, result)
        elif isinstance(function, ast.Name) and known is None:
            if function.id == "map" and len(node.args) == 2 and not words:
                self._map(node.args[0], arguments[1], result)
            else:
                self._builtin(function.id, arguments, words, result)
                self.operands[id(node)] = result
        elif isinstance(function, ast.Attribute):
            self._method(function, arguments, words, result)
        else:
            for place in [self.expression(function), result, *arguments, *words.values()]:
                place.blur()
        return result

    def _method(self, node: ast.Attribute, arguments: list[Place], words: dict[str, Place], result: Place) -> None:
        """Follow a call of an attribute."""
        owner = self.variable(node.value.id) if isinstance(node.value, ast.Name) else None
        if isinstance(owner, Class):
            function = owner.methods.get(node.attr)
            if function and function.static:
                self.bind(function, arguments, words, result)
                return
            self._blur_methods(node.attr)
            for place in [*arguments, *words.values(), result]:
                place.blur()
            return
        if is_name(node.value, *_HARMLESS) and self.names.imported(node.value.id, node.value.id):
            result.blur()
            return
        self.wait(self._call, self.expression(node.value), node.attr, arguments, words, result)

    def _construct(self, kind: Class, arguments: list[Place], words: dict[str, Place], result: Place) -> None:
        """Follow a call of a class."""
        if kind.plain:
            result.typed(kind.node.name)
        else:
            result.blur()
        if "__init__" in kind.methods:
            self.bind(kind.methods["__init__"], arguments, words, self.place())
        else:
            for place in [*arguments, *words.values()]:
                place.blur()

    def _is_simple(self, node: ast.expr) -> bool:
        """Whether an expression is a known function by its name, or a builtin one."""
        known = self.variable(node.id) if isinstance(node, ast.Name) else self
        return isinstance(known, Function) or (known is None and node.id in _RESULTS)

    def _map(self, function: ast.expr, items: Place, result: Place) -> None:
        """Follow `map(function, items)`."""
        given, one = self.place(), self.place()
        self.wait(methods.element, items, given)
        result.typed("Iterator", one)
        known = self.variable(function.id) if isinstance(function, ast.Name) else None
        if isinstance(known, Function):
            self.bind(known, [given], {}, one)
        elif isinstance(function, ast.Name) and known is None and function.id in _RESULTS:
            one.typed(_RESULTS[function.id])
        else:
            one.blur()
            given.blur()

    def _builtin(self, name: str, arguments: list[Place], words: dict[str, Place], result: Place) -> None:
        """Follow a call of a builtin function."""
        first = arguments[0] if arguments else self.unknown()
        if name in _RESULTS:
            result.typed(_RESULTS[name])
        elif name in ("dict", "list", "set") and not arguments and not words:
            parts = [self.place() for _ in range(2 if name == "dict" else 1)]
            result.typed(name.title(), *parts)
        elif name == "print":
            result.none = True
        elif name == "range":
            result.typed("Iterator", self.place("int"))
        elif name in ("list", "sorted", "set", "reversed", "enumerate", "iter", "min", "max"):
            one = self.place()
            if arguments and (len(arguments) == 1 or name not in ("min", "max")):
                self.wait(methods.element, first, one)
            for other in arguments if len(arguments) > 1 and name in ("min", "max") else []:
                other.flow(one)
            if name in ("min", "max"):
                words.get("default", one).flow(one)
                one.flow(result)
            elif name == "enumerate":
                result.typed("Iterator", self.place("Tuple", self.place("int"), one))
            else:
                result.typed({"list": "List", "sorted": "List", "set": "Set"}.get(name, "Iterator"), one)
        elif name == "zip":
            parts = [self.place() for _ in arguments]
            for whole, part in zip(arguments, parts, strict=True):
                self.wait(methods.element, whole, part)
            result.typed("Iterator", self.place("Tuple", *parts))
        elif name == "next":
            self.wait(methods.element, first, result)
            for default in arguments[1:]:
                default.flow(result)
        elif name == "abs":
            self.wait(_number, first, result)
        else:
            result.blur()
            # Unknown functions may put anything into what they get.
            for place in [*arguments, *words.values()] if name not in ("sum", "round", "map", "filter") else []:
                place.blur()

    def _of_binop(self, node: ast.BinOp) -> Place:
        result = self.place()
        self.wait(methods.operation, self.expression(node.left), node.op, self.expression(node.right), result)
        return result

    def _of_unaryop(self, node: ast.UnaryOp) -> Place:
        if isinstance(node.op, ast.Not):
            self.condition(node.operand)
            return self.place("bool")
        result = self.place()
        self.wait(_number, self.expression(node.operand), result)
        return result

    def _of_boolop(self, node: ast.BoolOp) -> Place:
        result = self.place()
        for part in node.values:
            value = self.expression(part)
            if isinstance(node.op, ast.Or) and part is not node.values[-1]:
                value.same_type(result)
            else:
                value.flow(result)
        return result

    def _of_compare(self, node: ast.Compare) -> Place:
        for part in [node.left, *node.comparators]:
            self.operands[id(part)] = self.expression(part)
        return self.place("bool")

    def _of_ifexp(self, node: ast.IfExp) -> Place:
        self.condition(node.test)
        result = self.place()
        for part in (node.body, node.orelse):
            self.expression(part).flow(result)
        return result

    def _of_list(self, node: ast.List | ast.Set) -> Place:
        one = self.place()
        for part in node.elts:
            if isinstance(part, ast.Starred):
                self.wait(methods.element, self.expression(part.value), one)
            else:
                self.expression(part).flow(one)
        whole = self.operands[id(node)] = self.place("List" if isinstance(node, ast.List) else "Set", one)
        return whole

    _of_set = _of_list

    def _of_tuple(self, node: ast.Tuple) -> Place:
        starred = any(isinstance(part, ast.Starred) for part in node.elts)
        parts = [self.expression(part) for part in node.elts]
        return self.unknown() if starred or not parts else self.place("Tuple", *parts)

    def _of_dict(self, node: ast.Dict) -> Place:
        key, value = self.place(), self.place()
        for one, other in zip(node.keys, node.values, strict=True):
            self.expression(other).flow(value) if one is not None else self.expression(other).blur()
            (self.expression(one) if one is not None else self.unknown()).flow(key)
        whole = self.operands[id(node)] = self.place("Dict", key, value)
        return whole

    def _of_subscript(self, node: ast.Subscript) -> Place:
        result = self.place()
        self.expression(node.slice)
        self.wait(methods.item, self.expression(node.value), node.slice, result)
        return result

    def _of_slice(self, node: ast.Slice) -> Place:
        for part in filter(None, (node.lower, node.upper, node.step)):
            self.expression(part)
        return self.place()

    def _of_joinedstr(self, node: ast.JoinedStr) -> Place:
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.expression(part.value)
        return self.place("str")

    def _of_yield(self, node: ast.Yield) -> Place:
        value = self.expression(node.value) if node.value else self.place(none=True)
        if self.current:
            value.flow(self.current.yielded)
        return self.unknown()

    def _of_yieldfrom(self, node: ast.YieldFrom) -> Place:
        one = self.place()
        self.wait(methods.element, self.expression(node.value), one)
        if self.current:
            one.flow(self.current.yielded)
        return self.unknown()

    def _of_namedexpr(self, node: ast.NamedExpr) -> Place:
        value = self.expression(node.value)
        self.assign(node.target, value)
        return value

    def _of_lambda(self, node: ast.Lambda) -> Place:
        arguments = node.args
        own = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        self.stack.append({one.arg: self.unknown() for one in own if one})
        self.expression(node.body)
        self.stack.pop()
        return self.unknown()

    def _of_listcomp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Place:
        targets = {name for one in node.generators for part in ast.walk(one.target) for name in bindings(part)}
        self.stack.append({name: self.place() for name in targets})
        for one in node.generators:
            self.loop(one.target, one.iter)
            for test in one.ifs:
                self.condition(test)
        if isinstance(node, ast.DictComp):
            result = self.place("Dict", self.expression(node.key), self.expression(node.value))
        else:
            one = self.place()
            self.expression(node.elt).flow(one)
            word = {ast.ListComp: "List", ast.SetComp: "Set"}.get(type(node), "Iterator")
            result = self.place(word, one)
        self.stack.pop()
        return result

    _of_setcomp = _of_generatorexp = _of_dictcomp = _of_listcomp


def _inside(body: list[ast.stmt]):
    """The nodes of a scope, without those of scopes in it, each of which comes as one node."""
    waiting: list[ast.AST] = list(reversed(body))
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, _OWN_SCOPE):
            continue
        if isinstance(node, _DISPLAYS):
            # Their variables are their own, but for those of `:=`.
            waiting.extend(part for part in ast.walk(node) if isinstance(part, ast.NamedExpr) and part is not node)
            continue
        waiting.extend(reversed(list(ast.iter_child_nodes(node))))


def _loaded(target: ast.expr) -> ast.expr:
    """A target as an expression."""
    if isinstance(target, ast.Name):
        return ast.Name(target.id, ast.Load())
    if isinstance(target, ast.Attribute):
        return ast.Attribute(target.value, target.attr, ast.Load())
    return ast.Subscript(target.value, target.slice, ast.Load())


def _is_stored(node: ast.expr) -> bool:
    """Whether an expression is a target."""
    return isinstance(getattr(node, "ctx", None), ast.Store)


def _is_field_of_name(node: ast.expr) -> bool:
    """Whether an expression is `name.field`."""
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)


def _sources(learn: Callable[..., bool], arguments: tuple, touched: list[Place]) -> list[Place]:
    """The places that something is learnt from."""
    return [arguments[0], arguments[2]] if learn == methods.operation else [arguments[0]]


def _flat(values: tuple) -> list:
    """Values, and those of lists and dictionaries among them."""
    flat: list = []
    for value in values:
        flat += value if isinstance(value, list) else value.values() if isinstance(value, dict) else [value]
    return flat


def _distribute(whole: Place, index: int, count: int, part: Place) -> bool:
    """Learn what one of several targets gets."""
    if whole.name == "Tuple" and len(whole.parts) == count:
        whole.parts[index].flow(part)
        return True
    return methods.element(whole, part)


def _number(value: Place, result: Place) -> bool:
    """Learn what an operation on a number gives."""
    if value.name in ("int", "float"):
        result.typed(value.name)
    elif value.name:
        result.blur()
    return bool(value.name)


def _always_returns(body: list[ast.stmt]) -> bool:
    """Whether statements certainly end in `return` or `raise`."""
    last = body[-1]
    if isinstance(last, ast.If):
        return bool(last.orelse) and _always_returns(last.body) and _always_returns(last.orelse)
    return isinstance(last, ast.Return | ast.Raise)
