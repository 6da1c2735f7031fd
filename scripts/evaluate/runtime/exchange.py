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

_ATOMS = frozenset((bool, int, float, complex, str, bytes, type(None)))
_FUNCTIONS = ("function", "builtin_function_or_method", "method", "method_descriptor", "method-wrapper", "partial")
# Types of the standard library whose values are constructed from arguments, and how the arguments
# are computed from a value.
_CONSTRUCTED = {
    ("collections", "deque"): lambda value: (list(value), value.maxlen),
    ("collections", "OrderedDict"): lambda value: (list(value.items()),),
    ("collections", "Counter"): lambda value: (dict(value),),
    ("collections", "defaultdict"): lambda value: (value.default_factory, dict(value)),
    ("array", "array"): lambda value: (value.typecode, value.tobytes()),
    ("decimal", "Decimal"): lambda value: (str(value),),
    ("fractions", "Fraction"): lambda value: (value.numerator, value.denominator),
    ("datetime", "date"): lambda value: (value.year, value.month, value.day),
    ("datetime", "timedelta"): lambda value: (value.days, value.seconds, value.microseconds),
    ("datetime", "datetime"): lambda value: value.__reduce_ex__(4)[1],
    ("datetime", "time"): lambda value: value.__reduce_ex__(4)[1],
    ("datetime", "timezone"): lambda value: value.__reduce__()[1],
    ("uuid", "UUID"): lambda value: (str(value),),
    ("pathlib", "PosixPath"): lambda value: (str(value),),
    ("pathlib", "PurePosixPath"): lambda value: (str(value),),
    ("builtins", "range"): lambda value: (value.start, value.stop, value.step),
    ("builtins", "slice"): lambda value: (value.start, value.stop, value.step),
    ("builtins", "bytearray"): lambda value: (bytes(value),),
    ("builtins", "memoryview"): lambda value: (value.tobytes(),),
    ("builtins", "frozenset"): lambda value: (list(value),),
}
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
]
COMPARISONS = ["__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"]
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
        if kind in _ATOMS:
            return value
        if id(value) in self.indices:
            return "same", self.indices[id(value)]
        if id(value) in self.peer.theirs:
            return "yours", self.peer.theirs[id(value)]
        if kind is tuple:
            return "tuple", [self.packed(item) for item in value]
        if kind in (list, set):
            return kind.__name__, self._noted(value), [self.packed(item) for item in value]
        if kind is dict:
            return "dict", self._noted(value), [(self.packed(key), self.packed(item)) for key, item in value.items()]
        return (
            self._packed_constructed(value, kind) or self._packed_array(value, kind) or self._packed_other(value, kind)
        )

    def _packed_constructed(self, value, kind):
        name = (kind.__module__, kind.__qualname__)
        if name in _CONSTRUCTED and is_class(kind, name):
            return "constructed", self._noted(value), name, self.packed(tuple(_CONSTRUCTED[name](value)))
        if name in HOLDERS and is_class(kind, name) and type(getattr(value, HOLDERS[name][0])) is HOLDERS[name][1]:
            return "holder", self._noted(value), name, self.packed(getattr(value, HOLDERS[name][0]))
        if kind in _VIEWS:
            items = list(enumerate(value)) if _VIEWS[kind] == "values" else list(value)
            return "view", self._noted(value), _VIEWS[kind], self.packed(items)
        name = str(value) if value is Ellipsis or value is NotImplemented else getattr(value, "__name__", None)
        return ("builtin", name) if type(name) is str and vars(builtins).get(name) is value else None

    def _packed_array(self, value, kind):
        numpy = sys.modules.get("numpy")
        if numpy is None or not (kind is getattr(numpy, "ndarray", None) or isinstance(value, numpy.generic)):
            return None
        if value.dtype.hasobject:
            return "objects", self._noted(value), self.packed(value.ravel().tolist()), list(value.shape)
        if value.dtype.names is not None:
            return None
        single = isinstance(value, numpy.generic)
        return "array", self._noted(value), value.dtype.str, list(value.shape), value.tobytes(), single

    def _packed_other(self, value, kind):
        base = next((base for base in _BASES if isinstance(value, base)), None)
        if base is not None:
            return (
                "child",
                self._noted(value),
                base.__name__,
                self.packed(_as_base(value, base)),
                self._mine(value, base),
            )
        return "mine", *self._mine(value, object)

    def _mine(self, value, base):
        """Parts from which the other side makes a stand-in for a value that stays here."""
        kind = type(value)
        specials = [name for name in PASSED_ON if getattr(kind, name, None) is not getattr(base, name, None)]
        if isinstance(value, type):
            return self.peer.lend(value), "class", value.__name__, builtin_error(value)
        if kind.__name__ in _FUNCTIONS:
            return self.peer.lend(value), "function", str(getattr(value, "__name__", "?")), None
        if "__next__" in specials:
            return self.peer.lend(value), "iterator", kind.__name__, None
        return self.peer.lend(value), "object", kind.__name__, (self.peer.lend(kind), specials)

    def _noted(self, value):
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

    def _at(self, index, value):
        """Register a value under the index that the other side gave it."""
        while len(self.objects) <= index:
            self.objects.append(None)
        self.objects[index] = value
        self.indices[id(value)] = index
        return value

    def _same(self, index):
        return self.objects[index]

    def _tuple(self, items):
        return tuple([self.unpacked(item) for item in items])

    def _list(self, index, items):
        value = self._at(index, [])
        value.extend([self.unpacked(item) for item in items])
        return value

    def _set(self, index, items):
        value = self._at(index, set())
        value.update([self.unpacked(item) for item in items])
        return value

    def _dict(self, index, items):
        value = self._at(index, {})
        for key, item in items:
            value[self.unpacked(key)] = self.unpacked(item)
        return value

    def _constructed(self, index, name, arguments):
        self._at(index, None)
        kind = getattr(__import__(name[0]), name[1]) if name in _CONSTRUCTED else None
        return self._at(index, kind(*self.unpacked(arguments)))

    def _holder(self, index, name, held):
        value = self._at(index, getattr(__import__(name[0]), name[1])() if name in HOLDERS else None)
        replace_content(value, [self.unpacked(held)])
        return value

    def _view(self, index, view, items):
        self._at(index, None)
        content = self.unpacked(items)
        return self._at(index, getattr(dict.fromkeys(content) if view == "keys" else dict(content), view)())

    def _builtin(self, name):
        return vars(builtins)[name]

    def _array(self, index, kind, shape, data, single):
        import numpy

        array = numpy.frombuffer(data, dtype=numpy.dtype(kind)).reshape(shape)
        return self._at(index, array[()] if single else array.copy())

    def _objects(self, index, items, shape):
        import numpy

        array = self._at(index, numpy.empty(shape, dtype=object))
        array[...] = object_array(numpy, self.unpacked(items), shape)
        return array

    def _child(self, index, base, content, mine):
        self._at(index, None)
        return self._at(index, self.peer.child(vars(builtins)[base], self.unpacked(content), *mine))

    def _mine_there(self, *mine):
        return self.peer.stand_in(*mine)

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
                changed.append((index, [self.packed(item) for item in now]))
        return changed

    def change(self, changes):
        """Apply the other side's `changes` to the objects on this side."""
        for index, items in changes:
            replace_content(self.objects[index], [self.unpacked(item) for item in items])


_UNPACKED = {
    "same": Graph._same,
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
    "mine": Graph._mine_there,
    "yours": Graph._yours,
}


def _as_base(value, base):
    """A value of a subclass of a builtin class as a value of the builtin class."""
    conversions = {int: "__int__", float: "__float__", complex: "__complex__", str: "__str__"}
    if base in conversions:
        return getattr(base, conversions[base])(value)
    if base is dict:
        return dict(dict.items(value))
    return base(base.__iter__(value))


def builtin_error(kind):
    """The name of the builtin exception that a class derives from; None for other classes."""
    names = [each.__name__ for each in kind.__mro__ if each.__module__ == "builtins"]
    return names[0] if issubclass(kind, BaseException) else None
