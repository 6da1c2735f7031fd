"""Contents of mutable values, which a call may change (see `exchange.py`).

A content is a flat list. Only methods of Python's own classes read and replace it, so that a
subclass with other methods, such as `Counter.update`, has the same content on both sides.
"""

import sys

from arrays import array_content, masked_content, replace_array, replace_masked

# Classes of the standard library that keep their content in one attribute, and its type.
HOLDERS = {
    ("collections", "UserList"): ("data", list),
    ("collections", "UserDict"): ("data", dict),
    ("collections", "UserString"): ("data", str),
    ("collections", "ChainMap"): ("maps", list),
}


def is_class(kind, name):
    """Whether a class is the one with this module and name, and not another of the same name."""
    module = sys.modules.get(name[0])
    return module is not None and vars(module).get(name[1]) is kind


def class_in(kind, table):
    """The name of the first class in the method resolution order that a table contains; None without one."""
    names = ((each, (each.__module__, each.__qualname__)) for each in kind.__mro__)
    return next((name for each, name in names if name in table and is_class(each, name)), None)


def content(value):
    """The content of a mutable value; None for an immutable one."""
    methods = _methods(type(value))
    return None if methods is None else methods[0](value)


def replace_content(value, items):
    """Replace the content of a mutable value by one that `content` returned."""
    _methods(type(value))[1](value, items)


def renewed(value, base, new):
    """A value of a subclass of the builtin class `base` with a new content: the same object if that is possible."""
    if not isinstance(value, base):
        raise TypeError
    if _methods(type(value)) is not None:
        replace_content(value, content(new))
        return value
    if base not in (tuple, frozenset) or not differ(list(base.__iter__(value)), list(new)):
        return value
    other = base.__new__(type(value), new)
    getattr(other, "__dict__", {}).update(getattr(value, "__dict__", {}))
    return other


def _methods(kind):
    """The functions that read and replace the content of a class's values; None for other classes."""
    return _BUILTIN.get(kind) or _CONTENTS.get(class_in(kind, _CONTENTS))


def differ(before, now):
    """Whether a content has changed; buffers are compared by their bytes, all else by identity."""
    if len(before) != len(now):
        return True
    return any(
        one is not other and (type(one) is not bytes or one != other) for one, other in zip(before, now, strict=True)
    )


def _replace_list(value, items):
    list.__setitem__(value, slice(None), items)


def _replace_set(value, items):
    set.clear(value)
    set.update(value, items)


def _dict_class(value):
    """`OrderedDict` or `dict`: methods of `dict` do not see the order of an `OrderedDict`."""
    if type(value) is dict:
        return dict
    ordered = class_in(type(value), [("collections", "OrderedDict")])
    return sys.modules["collections"].OrderedDict if ordered else dict


def _dict_content(value):
    return [part for item in _dict_class(value).items(value) for part in item]


def _replace_dict(value, items):
    kind = _dict_class(value)
    kind.clear(value)
    for key, item in zip(items[::2], items[1::2], strict=True):
        kind.__setitem__(value, key, item)


def _replace_deque(value, items):
    value.clear()
    value.extend(items)


def _replace_bytes(value, items):
    value[:] = items[0]


def _replace_array(value, items):
    if len(items[0]) == len(value) * value.itemsize:
        # Also possible while a memoryview of the array exists.
        memoryview(value).cast("B")[:] = items[0]
        return
    del value[:]
    value.frombytes(items[0])


def _held(attribute, kind):
    def replace(value, items):
        if type(items[0]) is not kind:
            raise TypeError
        setattr(value, attribute, items[0])

    return lambda value: [getattr(value, attribute)], replace


# How the content of a value is read, and how it is replaced.
_CONTENTS = {
    ("builtins", "list"): (lambda value: list(list.__iter__(value)), _replace_list),
    ("builtins", "set"): (lambda value: list(set.__iter__(value)), _replace_set),
    ("builtins", "dict"): (_dict_content, _replace_dict),
    ("builtins", "bytearray"): (lambda value: [bytes(value)], _replace_bytes),
    ("collections", "deque"): (list, _replace_deque),
    ("array", "array"): (lambda value: [value.tobytes()], _replace_array),
    # Its module is the second in numpy before 2.4.
    ("numpy.ma", "MaskedArray"): (masked_content, replace_masked),
    ("numpy.ma.core", "MaskedArray"): (masked_content, replace_masked),
    ("numpy", "ndarray"): (array_content, replace_array),
    **{name: _held(*held) for name, held in HOLDERS.items()},
}
_BUILTIN = {kind: _CONTENTS["builtins", kind.__name__] for kind in (list, set, dict, bytearray)}
