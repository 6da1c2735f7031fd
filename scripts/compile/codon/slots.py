"""Type slots: one for each variable, parameter, result, field and element of a program.

A slot holds values of one type, with or without None. Slots between which values flow are unified,
that is, they share one type; that a value may be None flows from source to target only. A slot
whose type nothing shows, or that would have two types, has no certain type.
"""

from collections.abc import Iterable

# Nesting depth of types beyond which no annotation is written.
_MAX_DEPTH = 4
_CONTAINERS = {"List": "list", "Dict": "dict", "Set": "set", "Tuple": "tuple"}
SCALARS = frozenset({"int", "float", "str", "bool"})


class _Type:
    """What is known of a type: its name, its elements' slots, and whether it is unclear.

    Unified types form a tree; the root, which has no `parent`, has the values of all.
    """

    __slots__ = ("name", "parent", "parts", "unclear")

    def __init__(self, name: str = "", parts: Iterable["Slot"] = (), unclear: bool = False) -> None:
        self.name = name
        self.parts = list(parts)
        self.unclear = unclear
        self.parent: _Type | None = None


class Slot:
    """Something that holds values of one type; `none` says whether one of them may be None."""

    __slots__ = ("_type", "none", "targets")

    def __init__(self, name: str = "", *parts: "Slot", none: bool = False, unclear: bool = False) -> None:
        self._type = _Type(name, parts, unclear)
        self.none = none
        self.targets: list[Slot] = []

    @property
    def type(self) -> _Type:
        """The type that this slot shares with the slots that it is unified with."""
        root = self._type
        while root.parent is not None:
            root.parent = root.parent.parent or root.parent
            root = root.parent
        self._type = root
        return root

    @property
    def name(self) -> str:
        """The type's name, such as `List`, `int` or that of a class; empty while it is unknown."""
        return self.type.name

    @property
    def parts(self) -> list["Slot"]:
        """The slots of the elements."""
        return self.type.parts

    @property
    def unclear(self) -> bool:
        """Whether the type is not certain."""
        return self.type.unclear

    def mark_unclear(self) -> None:
        """Learn that this slot may hold values of unknown types."""
        self.type.unclear = True

    def unify(self, other: "Slot") -> None:
        """Learn that two slots hold values of one type."""
        pairs = [(self, other)]
        while pairs:
            one, two = pairs.pop()
            first, second = one.type, two.type
            if first is second:
                continue
            if first.name and second.name:
                if first.name != second.name or len(first.parts) != len(second.parts):
                    first.unclear = True
                else:
                    pairs.extend(zip(first.parts, second.parts, strict=True))
                    for part, same in zip(first.parts, second.parts, strict=True):
                        part.targets.append(same)
                        same.targets.append(part)
            elif second.name:
                first.name, first.parts = second.name, second.parts
            first.unclear |= second.unclear
            second.parent = first

    def flow_to(self, target: "Slot") -> None:
        """Learn that values of this slot reach another one."""
        self.unify(target)
        self.targets.append(target)

    def set_type(self, name: str, *parts: "Slot") -> None:
        """Learn the type of this slot."""
        self.unify(Slot(name, *parts))

    def annotation(self, depth: int = 0) -> str | None:
        """The type as an annotation with the same meaning in CPython and Codon; None if uncertain."""
        root = self.type
        if root.unclear or not root.name or root.name == "Iterator" or depth > _MAX_DEPTH:
            return None
        texts = [text for part in root.parts if (text := part.annotation(depth + 1)) is not None]
        if len(texts) < len(root.parts):
            return None
        word = _CONTAINERS.get(root.name, root.name)
        whole = f"{word}[{', '.join(texts)}]" if texts else word
        return f"Optional[{whole}]" if self.none else whole


def spread_none(slots: Iterable[Slot]) -> None:
    """Propagate None from the slots that may hold it to those that their values reach."""
    pending = [slot for slot in slots if slot.none]
    while pending:
        for target in pending.pop().targets:
            if not target.none:
                target.none = True
                pending.append(target)
