"""Parts from which values of Python and its standard library are constructed (see `exchange.py`)."""

from contents import is_class

# Types of the standard library whose values are constructed from arguments, and how the arguments
# are computed from a value.
CONSTRUCTED = {
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
    ("zoneinfo", "ZoneInfo"): lambda value: (value.key,),
    ("uuid", "UUID"): lambda value: (str(value),),
    ("pathlib", "PosixPath"): lambda value: (str(value),),
    ("pathlib", "PurePosixPath"): lambda value: (str(value),),
    ("builtins", "range"): lambda value: (value.start, value.stop, value.step),
    ("builtins", "slice"): lambda value: (value.start, value.stop, value.step),
    ("builtins", "bytearray"): lambda value: (bytes(value),),
    ("builtins", "memoryview"): lambda value: (_viewed(value),),
    ("builtins", "frozenset"): lambda value: (list(value),),
}


def _viewed(view):
    """The object of which a memoryview shows all items; a copy of them for any other memoryview."""
    whole = type(view.obj) in (bytes, bytearray) or is_class(type(view.obj), ("array", "array"))
    if (
        whole
        and view.c_contiguous
        and memoryview(view.obj).format == view.format
        and view.nbytes == _bytes_of(view.obj)
    ):
        return view.obj
    return view.tobytes() if view.readonly else bytearray(view.tobytes())


def _bytes_of(buffer):
    return memoryview(buffer).nbytes


def is_constructed(value, kind):
    """Whether the other side can construct a value of this class.

    It cannot construct a time zone of another class or of a file, nor a time in such a zone.
    """
    name = (kind.__module__, kind.__qualname__)
    if name not in CONSTRUCTED or not is_class(kind, name):
        return False
    zone = value.tzinfo if name in (("datetime", "datetime"), ("datetime", "time")) else None
    return getattr(value, "key", "") is not None and (zone is None or is_constructed(zone, type(zone)))


def as_base(value, base):
    """A value of a subclass of a builtin class as a value of the builtin class."""
    conversions = {int: "__int__", float: "__float__", complex: "__complex__", str: "__str__"}
    if base in conversions:
        return getattr(base, conversions[base])(value)
    if base is dict:
        return dict(dict.items(value))
    return base(base.__iter__(value))
