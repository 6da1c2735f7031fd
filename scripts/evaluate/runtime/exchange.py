"""Values that judge and candidate exchange (see `harness.py`); the two share no memory.

A value whose type belongs to Python, the standard library or numpy is copied: the other side
constructs an equal value of that type from plain parts, so that no comparison runs code of the
program. Lists and other containers that a call changes are changed on the caller's side as well,
and within a call one object stays one object.

Any other value stays on its side, and the other side gets a stand-in (see `peers.py`).
"""

import builtins
import sys

from arrays import array, dtype, masked, matrix, objects, packed_array
from contents import HOLDERS, content, differ, is_class, renewed, replace_content
from errors import copied_error, error_class, library_class, own_class, packed_class, packed_error, unnamed_class
from stand_ins import SPECIALS, StandIn
from values import CONSTRUCTED, as_base, is_constructed

_ATOMS = frozenset((bool, int, float, complex, str, bytes, type(None)))
_MAY_BE_NAN = (float, complex)
_WITH_NAN = ("math", "numpy")
_FUNCTIONS = ("function", "builtin_function_or_method", "method", "method_descriptor", "method-wrapper", "partial")
_VIEWS = {type({}.keys()): "keys", type({}.values()): "values", type({}.items()): "items"}
_BUILTIN_FUNCTION = type(len)
GENERATOR = type(_ for _ in ())
_AWAITED = ("coroutine", "async_generator_asend", "async_generator_athrow")
_COROUTINE_FUNCTION = 0x80  # inspect.CO_COROUTINE
# Objects of the standard library that are known by their identity.
_CONSTANTS = (("dataclasses", "_FIELD"), ("dataclasses", "MISSING"), ("numpy.ma", "masked"))
_BASES = (bool, int, float, complex, str, bytes, bytearray, tuple, list, dict, set, frozenset)
_NAMED_BASES = {base.__name__: base for base in _BASES}


class Graph:
    """The values of one call and its answer.

    An object that occurs twice is one object on both sides.
    """

    def __init__(self, peer):
        self.peer, self.objects, self.indices, self.before = peer, [], {}, []

    def packed(self, value):
        """A value as plain parts, from which `unpacked` constructs an equal value."""
        kind = type(value)
        if kind in _ATOMS and (value == value or kind not in _MAY_BE_NAN):
            return value
        if id(value) in self.indices:
            return "same", self.indices[id(value)]
        if id(value) in self.peer.theirs:
            return "yours", self.peer.theirs[id(value)]
        if kind in _MAY_BE_NAN:
            return "nan", self.note(value), _owner_of_nan(value), value
        if kind is tuple:
            return "tuple", self.packed_all(value)
        if kind in (list, set):
            return kind.__name__, self.note(value), self.packed_all(value)
        if kind is dict:
            return "dict", self.note(value), [self.packed(part) for item in value.items() for part in item]
        return (
            self._packed_constructed(value, kind) or packed_array(self, value, kind) or self._packed_other(value, kind)
        )

    def packed_all(self, values):
        """The parts of each value."""
        return [self.packed(value) for value in values]

    def _packed_constructed(self, value, kind):
        name = (kind.__module__, kind.__qualname__)
        if is_constructed(value, kind):
            return "constructed", self.note(value), name, self.packed(tuple(CONSTRUCTED[name](value)))
        if name in HOLDERS and is_class(kind, name) and type(getattr(value, HOLDERS[name][0])) is HOLDERS[name][1]:
            return "holder", self.note(value), name, self.packed(getattr(value, HOLDERS[name][0]))
        if kind in _VIEWS:
            items = list(enumerate(value)) if _VIEWS[kind] == "values" else list(value)
            return "view", self.note(value), _VIEWS[kind], self.packed(items)
        name = str(value) if value is Ellipsis or value is NotImplemented else _own_name(value, kind)
        return ("builtin", name) if type(name) is str and vars(builtins).get(name) is value else None

    def _packed_other(self, value, kind):
        if issubclass(kind, type):
            return packed_class(self, value)
        if issubclass(kind, BaseException):
            return packed_error(self, value)
        if kind.__name__ == "traceback":
            return None  # it leads to every object of a side
        for name in _CONSTANTS:
            if getattr(sys.modules.get(name[0]), name[1], None) is value:
                return "constant", name
        if is_class(kind, ("re", "Pattern")):
            return "pattern", self.note(value), value.pattern, value.flags
        base = next((base for base in _BASES if issubclass(kind, base)), None)
        if kind in self.peer.children:
            parts = self.note(value), self.peer.children[kind][0], base.__name__, self.packed(as_base(value, base))
            return "back", *parts
        if base is not None:
            return (
                "child",
                self.note(value),
                base.__name__,
                self.packed(as_base(value, base)),
                self._mine(value, base),
            )
        return "mine", *self._mine(value, object)

    def _mine(self, value, base):
        """Parts from which the other side makes a stand-in for a value that stays here."""
        kind = type(value)
        if kind.__name__ in _FUNCTIONS and not _has_attributes(value):
            text = getattr(value, "__doc__", None)
            code = getattr(value, "__code__", None)
            form = "coroutine function" if getattr(code, "co_flags", 0) & _COROUTINE_FUNCTION else "function"
            return self.peer.lend(value), form, str(getattr(value, "__name__", "?")), text and str(text)
        if kind is GENERATOR or kind.__name__ in _AWAITED:
            return self.peer.lend(value), "iterator" if kind is GENERATOR else "coroutine", kind.__name__, None
        specials = [name for name in SPECIALS if getattr(kind, name, None) is not getattr(base, name, None)]
        return self.peer.lend(value), "object", kind.__name__, (own_class(self, kind), specials)

    def note(self, value):
        """Register an object and return its index, which represents it when it occurs again."""
        index = self.indices[id(value)] = len(self.objects)
        self.objects.append(value)
        return index

    def unpacked(self, part):
        """The value that plain parts represent."""
        if type(part) in _ATOMS:
            return part
        kind, *rest = part
        return _UNPACKED[kind](self, *rest)

    def unpacked_all(self, parts):
        """The value of each element of a list of parts."""
        return [self.unpacked(part) for part in parts]

    def at(self, index, value):
        """Register a value under the index that the other side gave it."""
        while len(self.objects) <= index:
            self.objects.append(None)
        self.objects[index] = value
        self.indices[id(value)] = index
        return value

    def _same(self, index):
        return self.objects[index]

    def _nan(self, index, owner, value):
        """A number that is not equal to itself: containers find it by its identity."""
        if type(value) not in _MAY_BE_NAN:
            raise TypeError
        return self.at(index, sys.modules[owner].nan if owner in _WITH_NAN and owner in sys.modules else value)

    def _tuple(self, items):
        return tuple(self.unpacked_all(items))

    def _list(self, index, items):
        value = self.at(index, [])
        value.extend(self.unpacked_all(items))
        return value

    def _set(self, index, items):
        value = self.at(index, set())
        value.update(self.unpacked_all(items))
        return value

    def _dict(self, index, items):
        value = self.at(index, {})
        for key, item in zip(items[::2], items[1::2], strict=True):
            value[self.unpacked(key)] = self.unpacked(item)
        return value

    def _constructed(self, index, name, arguments):
        self.at(index, None)
        kind = getattr(__import__(name[0]), name[1]) if name in CONSTRUCTED else None
        return self.at(index, kind(*self.unpacked(arguments)))

    def _holder(self, index, name, held):
        value = self.at(index, getattr(__import__(name[0]), name[1])() if name in HOLDERS else None)
        replace_content(value, [self.unpacked(held)])
        return value

    def _view(self, index, view, items):
        self.at(index, None)
        items = self.unpacked(items)
        return self.at(index, getattr(dict.fromkeys(items) if view == "keys" else dict(items), view)())

    def _builtin(self, name):
        return vars(builtins)[name]

    def _constant(self, name):
        if name not in _CONSTANTS:
            raise TypeError(name)
        return getattr(__import__(name[0], fromlist=name[1:]), name[1])

    def _pattern(self, index, pattern, flags):
        import re

        return self.at(index, re.compile(pattern, flags & ~re.DEBUG))

    def _child(self, index, base, content, mine):
        self.at(index, None)
        number, form, name, more = mine
        more = (self.unpacked(more[0]), more[1]) if form == "object" else (StandIn, ())
        return self.at(index, self.peer.child(vars(builtins)[base], self.unpacked(content), number, name, *more))

    def _back(self, index, number, base, content):
        """The object of a subclass of a builtin class that stayed here, with what the other side's copy contains."""
        self.at(index, None)
        return self.at(index, renewed(self.peer.lent[number], _NAMED_BASES[base], self.unpacked(content)))

    def _mine_there(self, number, form, name, more):
        if form == "object":
            more = self.unpacked(more[0]), more[1]
        elif form == "class":
            more = tuple(self.unpacked_all(more))
        return self.peer.stand_in(number, form, name, more)

    def _yours(self, number):
        return self.peer.lent[number]

    def remember(self):
        """Record the contents of the objects, so that `changes` can find what a call changed."""
        self.before = [(index, value, content(value)) for index, value in enumerate(self.objects)]

    def changes(self):
        """Index and new content, as plain parts, of each object whose content changed."""
        changed = []
        for index, value, before in self.before:
            now = None if before is None else content(value)
            if now is not None and differ(before, now):
                changed.append((index, self.packed_all(now)))
        return changed

    def change(self, changes):
        """Apply the other side's `changes` to the objects on this side."""
        for index, items in changes:
            replace_content(self.objects[index], self.unpacked_all(items))


_UNPACKED = {
    "same": Graph._same,
    "nan": Graph._nan,
    "tuple": Graph._tuple,
    "list": Graph._list,
    "set": Graph._set,
    "dict": Graph._dict,
    "constructed": Graph._constructed,
    "holder": Graph._holder,
    "view": Graph._view,
    "builtin": Graph._builtin,
    "array": array,
    "objects": objects,
    "dtype": dtype,
    "masked": masked,
    "matrix": matrix,
    "constant": Graph._constant,
    "pattern": Graph._pattern,
    "child": Graph._child,
    "back": Graph._back,
    "unnamed": unnamed_class,
    "library": library_class,
    "error class": error_class,
    "error": copied_error,
    "mine": Graph._mine_there,
    "yours": Graph._yours,
}


def _own_name(value, kind):
    """The name of a class or a builtin function; None for any other value, which may compute its attributes."""
    return value.__name__ if issubclass(kind, (type, _BUILTIN_FUNCTION)) else None


def _has_attributes(function):
    """Whether a function has attributes of its own, apart from that of `functools.wraps`."""
    return type(getattr(function, "__dict__", None)) is dict and any(name != "__wrapped__" for name in vars(function))


def _owner_of_nan(value):
    """The loaded module whose `nan` is this object; None for any other object."""
    return next((name for name in _WITH_NAN if getattr(sys.modules.get(name), "nan", None) is value), None)
