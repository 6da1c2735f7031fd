"""The slots of functions, classes and variables, and constraints that are solved once the types
they need are known.
"""

import ast
import builtins
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scripts.compile.codon import methods
from scripts.compile.codon.names import Names
from scripts.compile.codon.rewrite import is_name
from scripts.compile.codon.slots import Slot, spread_none

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
KEEPS_TYPE = ("cache", "lru_cache", "staticmethod")
# Rounds over the deferred constraints; more are only needed by chains that run against the order of
# the text.
_ROUNDS = 12


class Function:
    """The slots of a function's parameters and its result."""

    def __init__(self, node: ast.FunctionDef | ast.AsyncFunctionDef, method: bool) -> None:
        arguments = node.args
        self.node = node
        self.static = any(isinstance(one, ast.Name) and one.id == "staticmethod" for one in node.decorator_list)
        self.bound = method and not self.static
        self.parameters = {one.arg: Slot() for one in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]}
        self.positional = [one.arg for one in [*arguments.posonlyargs, *arguments.args]][self.bound :]
        self.result = Slot()
        self.yielded = Slot()
        # Parameters that some call passes a plain None.
        self.nothing: set[str] = set()
        self.plain = not (arguments.vararg or arguments.kwarg)
        decorators = [one.func if isinstance(one, ast.Call) else one for one in node.decorator_list]
        self.plain &= all(getattr(one, "attr", getattr(one, "id", "")) in KEEPS_TYPE for one in decorators)
        self.plain &= isinstance(node, ast.FunctionDef)

    def mark_unclear(self) -> None:
        """Learn that the function may be called with any values, but a method only on objects of
        its class.
        """
        first = self.node.args.args[0].arg if self.bound and self.node.args.args else None
        for name, slot in self.parameters.items():
            if name != first:
                slot.mark_unclear()


class Class:
    """The slots of a class's fields, and its methods."""

    def __init__(self, node: ast.ClassDef) -> None:
        self.node = node
        self.methods = {one.name: Function(one, True) for one in node.body if isinstance(one, FUNCTIONS)}
        self.fields: dict[str, Slot] = {}
        bases = [getattr(base, "id", "?") for base in node.bases]
        self.plain = bases in ([], ["object"]) and not node.keywords and not node.decorator_list
        # What comes before such a class may read the builtin.
        self.plain &= not hasattr(builtins, node.name)
        # A class method may call the class by another name.
        self.plain &= not any(is_name(part, "classmethod") for part in ast.walk(node))


Definition = Slot | Function | Class


@dataclass(frozen=True)
class Constraint:
    """A deferred step of inference: `learn(*arguments)` returns whether the types that it needs are
    known.

    slots: all slots among the arguments.
    """

    learn: Callable[..., bool]
    arguments: tuple[Any, ...]
    slots: list[Slot]

    @property
    def sources(self) -> list[Slot]:
        """The slots that it learns from."""
        indices = (0, 2) if self.learn == methods.operation else (0,)
        return [self.arguments[index] for index in indices]


class ConstraintStore:
    """The slots of a program, and the constraints between them."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.all: list[Slot] = []
        self.deferred: list[Constraint] = []
        self.stack: list[dict[str, Definition]] = []
        self.classes: dict[str, Class] = {}
        self.current: Function | None = None
        # Slots of compared values and of displays, by the identity of the expression.
        self.operands: dict[int, Slot] = {}
        self.certain = False
        # Names of fields and methods whose values are unclear in every class.
        self.unclear_fields: set[str] = set()
        self.unclear_methods: set[str] = set()

    def slot(self, name: str = "", *parts: Slot, none: bool = False, unclear: bool = False) -> Slot:
        """A new slot, of the type `name` if that is not empty."""
        new = Slot(name, *parts, none=none, unclear=unclear)
        self.all.append(new)
        return new

    def unknown(self) -> Slot:
        """A new slot of an unclear type."""
        return self.slot(unclear=True)

    def variable(self, name: str) -> Definition | None:
        """The slot, function or class that a name means; None for a builtin."""
        return next((frame[name] for frame in reversed(self.stack) if name in frame), None)

    def target(self, name: str) -> Slot:
        """The slot of a variable that is assigned."""
        known = self.variable(name)
        if isinstance(known, Slot):
            return known
        self.escape(known)
        return self.unknown()

    def escape(self, known: object) -> None:
        """Learn that a function or class is used as a value."""
        if isinstance(known, Function):
            known.mark_unclear()
        elif isinstance(known, Class) and "__init__" in known.methods:
            known.methods["__init__"].mark_unclear()

    def defer(self, learn: Callable[..., bool], *arguments: object) -> None:
        """Call `learn(*arguments)` as soon as the types that it needs are known."""
        self.deferred.append(Constraint(learn, arguments, [one for one in _flat(arguments) if isinstance(one, Slot)]))

    def solve(self) -> None:
        """Solve all deferred constraints; one that stays unsolved or unclear makes the slots that
        it affects unclear.
        """
        solved: list[Constraint] = []
        for _ in range(_ROUNDS):
            unsolved: list[Constraint] = []
            for constraint in self.deferred:
                (solved if constraint.learn(*constraint.arguments) else unsolved).append(constraint)
            stuck, self.deferred = len(unsolved) == len(self.deferred), unsolved
            if stuck:
                break
        for constraint in self.deferred:
            self._give_up(constraint)
        self.certain = False
        for _ in range(_ROUNDS):
            unclear = [constraint for constraint in solved if any(slot.unclear for slot in constraint.sources)]
            self.certain = not unclear
            if self.certain:
                break
            unclear_ids = set(map(id, unclear))
            solved = [constraint for constraint in solved if id(constraint) not in unclear_ids]
            for constraint in unclear:
                self._give_up(constraint)
        spread_none(self.all)

    def _give_up(self, constraint: Constraint) -> None:
        """Mark the slots that an unsolved or unclear constraint affects as unclear."""
        learn, arguments = constraint.learn, constraint.arguments
        if learn in (self.learn_store, self.learn_call, methods.store_item):
            for slot in constraint.slots:
                slot.mark_unclear()
        else:
            arguments[-1].mark_unclear()
        if learn == self.learn_store and arguments[1] not in self.unclear_fields:
            self.unclear_fields.add(arguments[1])
            for kind in self.classes.values():
                kind.fields.setdefault(arguments[1], self.slot()).mark_unclear()
        elif learn in (self.learn_call, self.learn_load):
            self.mark_methods_unclear(arguments[1])

    def mark_methods_unclear(self, name: str) -> None:
        """Learn that some method of this name may be called with any values."""
        if name in self.unclear_methods:
            return
        self.unclear_methods.add(name)
        for kind in self.classes.values():
            if name in kind.methods:
                kind.methods[name].mark_unclear()

    def learn_store(self, whole: Slot, field: str, value: Slot) -> bool:
        """Learn from `whole.field = value`."""
        kind = self.classes.get(whole.name)
        if kind:
            value.flow_to(kind.fields.setdefault(field, self.slot()))
        return kind is not None

    def learn_load(self, whole: Slot, field: str, result: Slot) -> bool:
        """Learn from `whole.field`."""
        kind = self.classes.get(whole.name)
        if kind is None:
            if whole.name:
                result.mark_unclear()
            return bool(whole.name)
        if field in kind.methods:
            kind.methods[field].mark_unclear()
            result.mark_unclear()
        else:
            kind.fields.setdefault(field, self.slot()).flow_to(result)
        return True

    def learn_call(self, whole: Slot, name: str, arguments: list[Slot], words: dict[str, Slot], result: Slot) -> bool:
        """Learn from `whole.name(arguments)`."""
        kind = self.classes.get(whole.name)
        if kind is None:
            if not whole.name:
                return False
            sorting = words and name == "sort"
            if not sorting and (words or not methods.method(whole, name, arguments, result)):
                for slot in [whole, result, *arguments, *words.values()]:
                    slot.mark_unclear()
            return True
        if name in kind.methods:
            self.bind(kind.methods[name], arguments, words, result)
        else:
            for slot in [*arguments, *words.values(), result]:
                slot.mark_unclear()
        return True

    def bind(self, function: Function, arguments: list[Slot], words: dict[str, Slot], result: Slot) -> None:
        """Learn from a call of a known function."""
        known = function.plain and len(arguments) <= len(function.positional) and "" not in words
        if not known or not words.keys() <= function.parameters.keys():
            for slot in [*arguments, *words.values(), result]:
                slot.mark_unclear()
            function.mark_unclear()
            return
        passed = [*zip(function.positional, arguments, strict=False), *words.items()]
        function.nothing |= {name for name, value in passed if value.none and not value.name}
        for name, value in passed:
            value.flow_to(function.parameters[name])
        function.result.flow_to(result)


def _flat(values: tuple[object, ...]) -> list[object]:
    """The values, with lists and dictionaries replaced by their values."""
    flat: list[object] = []
    for value in values:
        flat += value if isinstance(value, list) else value.values() if isinstance(value, dict) else [value]
    return flat
