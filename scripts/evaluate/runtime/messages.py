"""Messages of judge and candidate as bytes (see `peers.py`), from which a reader constructs plain values only.

`marshal` is the fastest reader, but its format also has code objects and references, and Python does not promise that
it survives bytes of an attacker. So a message is first checked in one pass, in which only numbers, texts, bytes, tuples
and lists may occur. For large messages this pass would take longer than the reading itself: they are pickled, which is
as fast, and read without classes and functions. Small ones are not, because the import of `_pickle` takes a tenth of
the time that most programs run.
"""

import marshal
import sys

# Bytes from which a message is large.
_LARGE = 4096
_MARSHALLED, _PICKLED = b"m", b"p"
# Version 2 has neither references nor short forms.
_VERSION = 2
# By the first byte of a value: its length, for tuples and lists without their items.
_LENGTHS = {**dict.fromkeys(b"NTF", 1), **dict.fromkeys(b"i([", 5), ord("g"): 9, ord("y"): 17}
_COUNTED = frozenset(b"stu")
_LARGE_INTEGER = ord("l")
# Calls of Python by which values can be nested deeper than the program's own calls; `marshal` reads
# and writes fewer levels.
_DEPTH = 6000


def written(message):
    """A message as bytes; raise ValueError if it is nested too deeply."""
    data = marshal.dumps(message, _VERSION)
    return _MARSHALLED + data if len(data) < _LARGE else _PICKLED + deep(_pickled, message)


def read(data):
    """The message that bytes represent; raise an exception of any class if they represent none."""
    if data[:1] == _PICKLED:
        message = _unpickled(data[1:])
    else:
        check(data)
        message = marshal.loads(data[1:])
    if type(message) is not tuple or not message:
        raise TypeError
    return message


def check(data):
    """Raise ValueError if the marshalled values after the first byte are not plain."""
    position, end = 1, len(data)
    while position < end:
        kind = data[position]
        if kind in _LENGTHS:
            position += _LENGTHS[kind]
        elif kind in _COUNTED:
            position += 5 + int.from_bytes(data[position + 1 : position + 5], "little")
        elif kind == _LARGE_INTEGER:
            position += 5 + 2 * abs(int.from_bytes(data[position + 1 : position + 5], "little", signed=True))
        else:
            raise ValueError(kind)
    if position != end or data[:1] != _MARSHALLED:
        raise ValueError


def deep(function, *values):
    """The result of a function that may nest its calls deeper than the program may."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + _DEPTH)
    try:
        return function(*values)
    finally:
        sys.setrecursionlimit(limit)


def _pickled(message):
    import _pickle
    import io

    stream = io.BytesIO()
    pickler = _pickle.Pickler(stream, 5)
    # Without a record of all parts; none occurs within itself.
    pickler.fast = True
    pickler.dump(message)
    return stream.getvalue()


def _unpickled(data):
    import _pickle
    import io

    class Reader(_pickle.Unpickler):
        """Finds no function and no class but that of complex numbers, which have no form of their own."""

        def find_class(self, module, name):
            if (module, name) == ("builtins", "complex"):
                return complex
            raise ValueError(name)

    return Reader(io.BytesIO(data)).load()
