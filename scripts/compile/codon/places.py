"""Types as places that share what is learned: one type for each variable, field and element, with or without None.

Two places between which values flow have one type; that a value may be None flows only from source to target. What
nothing tells, and what is told in two ways, has no type.
"""

from collections.abc import Iterable

# Types within types, beyond which nobody writes an annotation.
_DEEPEST = 4
_CONTAINERS = {"List": "list", "Dict": "dict", "Set": "set", "Tuple": "tuple"}
SCALARS = frozenset({"int", "float", "str", "bool"})


class _Core:
    """What is known of a type: its name, its elements' places, and whether it was told in two ways."""

    __slots__ = ("name", "parent", "parts", "unclear")

    def __init__(self, name: str = "", parts: Iterable["Place"] = (), unclear: bool = False) -> None:
        self.name = name
        self.parts = list(parts)
        self.unclear = unclear
        self.parent: _Core | None = None


class Place:
    """Something that holds values of one type: `none` if one of them may be None."""

    __slots__ = ("_core", "none", "targets")

    def __init__(self, name: str = "", *parts: "Place", none: bool = False, unclear: bool = False) -> None:
        self._core = _Core(name, parts, unclear)
        self.none = none
        self.targets: list[Place] = []

    @property
    def core(self) -> _Core:
        """The type that this place shares with others."""
        core = self._core
        while core.parent is not None:
            core.parent = core.parent.parent or core.parent
            core = core.parent
        self._core = core
        return core

    @property
    def name(self) -> str:
        """The type's name, `List` or `int` or that of a class; empty while it is not known."""
        return self.core.name

    @property
    def parts(self) -> list["Place"]:
        """The places of the elements."""
        return self.core.parts

    @property
    def unclear(self) -> bool:
        """Whether nothing certain can be said."""
        return self.core.unclear

    def blur(self) -> None:
        """Learn that this place holds values of unknown types."""
        self.core.unclear = True

    def same_type(self, other: "Place") -> None:
        """Learn that two places hold values of one type."""
        waiting = [(self, other)]
        while waiting:
            one, two = waiting.pop()
            first, second = one.core, two.core
            if first is second:
                continue
            if first.name and second.name:
                if first.name != second.name or len(first.parts) != len(second.parts):
                    first.unclear = True
                else:
                    waiting.extend(zip(first.parts, second.parts, strict=True))
                    for part, same in zip(first.parts, second.parts, strict=True):
                        part.targets.append(same)
                        same.targets.append(part)
            elif second.name:
                first.name, first.parts = second.name, second.parts
            first.unclear |= second.unclear
            second.parent = first

    def flow(self, target: "Place") -> None:
        """Learn that values of this place get to another."""
        self.same_type(target)
        self.targets.append(target)

    def typed(self, name: str, *parts: "Place") -> None:
        """Learn the type of this place."""
        self.same_type(Place(name, *parts))

    def text(self, depth: int = 0) -> str | None:
        """The type as an annotation that CPython and Codon read alike; None if it is not certain."""
        core = self.core
        if core.unclear or not core.name or core.name == "Iterator" or depth > _DEEPEST:
            return None
        parts = [part.text(depth + 1) for part in core.parts]
        if None in parts:
            return None
        word = _CONTAINERS.get(core.name, core.name)
        whole = f"{word}[{', '.join(parts)}]" if parts else word
        return f"Optional[{whole}]" if self.none else whole


def spread_none(places: Iterable[Place]) -> None:
    """Carry None from the places that may hold it to those that their values get to."""
    waiting = [place for place in places if place.none]
    while waiting:
        for target in waiting.pop().targets:
            if not target.none:
                target.none = True
                waiting.append(target)
