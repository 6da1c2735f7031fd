"""Values that judge and candidate exchange (see `harness.py`); the two share no memory.

A value whose type belongs to Python, the standard library or numpy is copied: the other side
constructs an equal value of that type from plain parts, so that no comparison runs code of the
program. Lists and other containers that a call changes are changed on the caller's side as well,
and within a call one object stays one object.

Any other value stays on its side, and the other side gets a stand-in (see `peers.py`).
"""

import builtins
import sys

from contents import HOLDERS, content, differ, is_class, object_array, replace_content
from errors import copied_error, error_class, library_class, own_class, packed_class, packed_error, unnamed_class
from values import CONSTRUCTED, as_base, is_constructed

_ATOMS = frozenset((bool, int, float, complex, str, bytes, type(None)))
_MAY_BE_NAN = (float, complex)
_WITH_NAN = ("math", "numpy")
_FUNCTIONS = ("function", "builtin_function_or_method", "method", "method_descriptor", "method-wrapper", "partial")
_VIEWS = {type({}.keys()): "keys", type({}.values()): "values", type({}.items()): "items"}
# The methods that a stand-in passes on to its object. None of them could compare it with a value of
# the tests, or reveal that value to the program.
PASSED_ON = [
    "__len__",
    "__iter__",
    "__next__",
    "__bool__",
    "__int__",
    "__float__",
    "__complex__",
    "__index__",
    "__str__",
    "__repr__",
    "__call__",
    "__getitem__",
    "__setitem__",
    "__delitem__",
    "__enter__",
    "__exit__",
    "__neg__",
    "__pos__",
    "__invert__",
    "__reversed__",
    "__hash__",
]
COMPARISONS = ["__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"]
_NUMERIC = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul")
_BITWISE = ("and", "or", "xor", "lshift", "rshift")
# Methods that a stand-in passes on only if the other operand is a stand-in as well.
OPERATORS = [f"__{way}{name}__" for name in (*_NUMERIC, *_BITWISE) for way in ("", "r", "i")]
_SPECIALS = (*PASSED_ON, *OPERATORS)
GENERATOR = type(_ for _ in ())
_BASES = (bool, int, float, complex, str, bytes, bytearray, tuple, list, dict, set, frozenset)


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
            self._packed_constructed(value, kind) or self._packed_array(value, kind) or self._packed_other(value, kind)
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
        name = str(value) if value is Ellipsis or value is NotImplemented else getattr(value, "__name__", None)
        return ("builtin", name) if type(name) is str and vars(builtins).get(name) is value else None

    def _packed_array(self, value, kind):
        numpy = sys.modules.get("numpy")
        if numpy is None or not (kind is getattr(numpy, "ndarray", None) or isinstance(value, numpy.generic)):
            return None
        if value.dtype.hasobject:
            return "objects", self.note(value), self.packed(value.ravel().tolist()), list(value.shape)
        if value.dtype.names is not None:
            return None
        form = "single" if isinstance(value, numpy.generic) else "copy" if value.flags.writeable else "constant"
        return "array", self.note(value), value.dtype.str, list(value.shape), value.tobytes(), form

    def _packed_other(self, value, kind):
        if isinstance(value, type):
            return packed_class(self, value)
        if isinstance(value, BaseException):
            return packed_error(self, value)
        if kind.__name__ == "traceback":
            return None  # it leads to every object of a side
        base = next((base for base in _BASES if isinstance(value, base)), None)
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
        if kind.__name__ in _FUNCTIONS:
            text = getattr(value, "__doc__", None)
            return self.peer.lend(value), "function", str(getattr(value, "__name__", "?")), text and str(text)
        if kind is GENERATOR or kind.__name__ == "coroutine":
            return self.peer.lend(value), "iterator" if kind is GENERATOR else "coroutine", kind.__name__, None
        specials = [name for name in _SPECIALS if getattr(kind, name, None) is not getattr(base, name, None)]
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

    def _array(self, index, kind, shape, data, form):
        import numpy

        array = numpy.frombuffer(data, dtype=numpy.dtype(kind)).reshape(shape)
        return self.at(index, array[()] if form == "single" else array.copy() if form == "copy" else array)

    def _objects(self, index, items, shape):
        import numpy

        array = self.at(index, numpy.empty(shape, dtype=object))
        array[...] = object_array(numpy, self.unpacked(items), shape)
        return array

    def _child(self, index, base, content, mine):
        self.at(index, None)
        return self.at(index, self.peer.child(vars(builtins)[base], self.unpacked(content), *mine))

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
    "array": Graph._array,
    "objects": Graph._objects,
    "child": Graph._child,
    "unnamed": unnamed_class,
    "library": library_class,
    "error class": error_class,
    "error": copied_error,
    "mine": Graph._mine_there,
    "yours": Graph._yours,
}


def _owner_of_nan(value):
    """The loaded module whose `nan` is this object; None for any other object."""
    return next((name for name in _WITH_NAN if getattr(sys.modules.get(name), "nan", None) is value), None)
