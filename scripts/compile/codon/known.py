"""Places of functions, classes and variables, and what is learnt later, when the types are known that it needs."""

import ast
from collections.abc import Callable

from scripts.compile.codon import methods
from scripts.compile.codon.names import Names
from scripts.compile.codon.places import Place, spread_none
from scripts.compile.codon.rewrite import is_name

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
KEEPS_TYPE = ("cache", "lru_cache", "staticmethod")
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
        self.plain &= all(getattr(one, "attr", getattr(one, "id", "")) in KEEPS_TYPE for one in words)
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
        self.methods = {one.name: Function(one, True) for one in node.body if isinstance(one, FUNCTIONS)}
        self.fields: dict[str, Place] = {}
        bases = [getattr(base, "id", "?") for base in node.bases]
        self.plain = bases in ([], ["object"]) and not node.keywords and not node.decorator_list
        # A class method may call the class by another name.
        self.plain &= not any(is_name(part, "classmethod") for part in ast.walk(node))


class Known:
    """The places of a program, and how values get from one to another."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.all: list[Place] = []
        self.waiting: list[tuple[Callable[..., bool], tuple, list[Place]]] = []
        self.stack: list[dict[str, Place | Function | Class]] = []
        self.classes: dict[str, Class] = {}
        self.current: Function | None = None
        # What is compared and what displays make, by the identity of the expression.
        self.operands: dict[int, Place] = {}
        self.certain = False
        # Names of fields and methods of which no class knows the values any more.
        self.lost_fields: set[str] = set()
        self.lost_methods: set[str] = set()

    def place(self, name: str = "", *parts: Place, none: bool = False, unclear: bool = False) -> Place:
        """A new place, of a type if one is named."""
        made = Place(name, *parts, none=none, unclear=unclear)
        self.all.append(made)
        return made

    def unknown(self) -> Place:
        """A new place of which nothing is known."""
        return self.place(unclear=True)

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

    def wait(self, learn: Callable[..., bool], *arguments: object) -> None:
        """Learn something as soon as the types that it needs are known."""
        self.waiting.append((learn, arguments, [one for one in _flat(arguments) if isinstance(one, Place)]))

    def settle(self) -> None:
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
        if learn in (self.learn_store, self.learn_call, methods.store_item):
            for place in touched:
                place.blur()
        else:
            arguments[-1].blur()
        if learn == self.learn_store and arguments[1] not in self.lost_fields:
            self.lost_fields.add(arguments[1])
            for kind in self.classes.values():
                kind.fields.setdefault(arguments[1], self.place()).blur()
        elif learn in (self.learn_call, self.learn_load):
            self.blur_methods(arguments[1])

    def blur_methods(self, name: str) -> None:
        """Learn that some method of this name is called with anything."""
        if name in self.lost_methods:
            return
        self.lost_methods.add(name)
        for kind in self.classes.values():
            if name in kind.methods:
                kind.methods[name].blur()

    def learn_store(self, whole: Place, field: str, value: Place) -> bool:
        """Learn from `whole.field = value`."""
        kind = self.classes.get(whole.name)
        if kind:
            value.flow(kind.fields.setdefault(field, self.place()))
        return kind is not None

    def learn_load(self, whole: Place, field: str, result: Place) -> bool:
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

    def learn_call(
        self, whole: Place, name: str, arguments: list[Place], words: dict[str, Place], result: Place
    ) -> bool:
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


def _sources(learn: Callable[..., bool], arguments: tuple, touched: list[Place]) -> list[Place]:
    """The places that something is learnt from."""
    return [arguments[0], arguments[2]] if learn == methods.operation else [arguments[0]]


def _flat(values: tuple) -> list:
    """Values, and those of lists and dictionaries among them."""
    flat: list = []
    for value in values:
        flat += value if isinstance(value, list) else value.values() if isinstance(value, dict) else [value]
    return flat
