"""Classes and exceptions that judge and candidate exchange (see `exchange.py`).

A class of Python or of its standard library is the same class on both sides, as far as both have
loaded it. A class of the program has a stand-in, and its bases have stand-ins as well, so that the
tests can catch an exception by the name of any of its classes. An exception is copied: its class,
arguments, attributes, cause and context.
"""

import sys

from arrays import is_numpy_class
from contents import HOLDERS, is_class
from values import CONSTRUCTED

# Modules outside the standard library whose exceptions have the same class on both sides.
_LIBRARIES = ("numpy",)
# An exception of a test framework, such as `unittest.SkipTest`, would decide about the verdict.
_FRAMEWORKS = ("unittest", "doctest", "test")
_UNNAMED = {kind.__name__: kind for kind in (type(None), type(...), type(NotImplemented))}
SHOWN = ("__str__", "__repr__")


def packed_class(graph, kind):
    """A class as plain parts."""
    if _UNNAMED.get(kind.__name__) is kind:
        return "unnamed", kind.__name__
    if id(kind) in graph.peer.theirs or is_class(kind, ("builtins", kind.__name__)):
        return graph.packed(kind)
    name = (kind.__module__, kind.__qualname__)
    if _is_shared(kind, name):
        return "library", *name, own_class(graph, kind)
    return own_class(graph, kind)


def own_class(graph, kind):
    """A class of the program as plain parts."""
    if not issubclass(kind, BaseException):
        own = [each for each in kind.__bases__ if each.__module__ == kind.__module__ and each is not object]
        return "mine", graph.peer.lend(kind), "class", kind.__name__, [own_class(graph, each) for each in own]
    base = _builtin_error(kind)
    specials = [name for name in SHOWN if getattr(kind, name) is not getattr(base, name)]
    bases = [packed_class(graph, each) for each in kind.__bases__ if issubclass(each, BaseException)]
    return "error class", graph.peer.lend(kind), kind.__name__, bases, specials


def _is_shared(kind, name):
    """Whether a class with this name may be the same on both sides."""
    if name in CONSTRUCTED or name in HOLDERS:
        return is_class(kind, name)
    root = str(name[0]).partition(".")[0]
    known = root in _LIBRARIES or (root in sys.stdlib_module_names and root not in _FRAMEWORKS)
    return known and (issubclass(kind, BaseException) or is_numpy_class(kind)) and is_class(kind, name)


def unnamed_class(_, name):
    """A class that Python has no name for."""
    return _UNNAMED[name]


def library_class(graph, module, name, other):
    """The class of a loaded module, or else the stand-in that `other` describes."""
    kind = vars(sys.modules[module]).get(name) if module in sys.modules else None
    known = isinstance(kind, type) and _is_shared(kind, (module, name))
    return kind if known else graph.unpacked(other)


def error_class(graph, number, name, bases, specials):
    """The stand-in for an exception class of the other side."""
    bases = tuple([graph.unpacked(base) for base in bases])
    if not all(issubclass(base, BaseException) for base in bases):
        raise TypeError(name)
    return graph.peer.stand_in(number, "error", name, (bases, specials))


def packed_error(graph, error):
    """An exception as plain parts."""
    index, kind = graph.note(error), packed_class(graph, type(error))
    number = graph.peer.lend(error) if kind[0] == "error class" and _has_members(type(error)) else None
    # `__reduce__` adds what `args` lacks, such as the name of a file.
    arguments = _builtin_error(type(error)).__reduce__(error)[1]
    parts = _passing(graph, arguments), _passing(graph, vars(error))
    reasons = graph.packed(error.__cause__), graph.packed(error.__context__), error.__suppress_context__
    return "error", index, kind, number, *parts, *reasons


def _has_members(kind):
    """Whether a class of the program defines more than a constructor."""
    own = [each for each in kind.__mro__ if each.__module__ == kind.__module__]
    return any(name in SHOWN or not name.startswith("__") for each in own for name in vars(each))


def copied_error(graph, index, kind, number, arguments, attributes, cause, context, suppressed):
    """The exception that plain parts represent."""
    graph.at(index, None)
    error = graph.peer.stand_ins.get(number) or _new_error(graph.unpacked(kind), graph.unpacked(arguments))
    if not isinstance(error, BaseException):
        raise TypeError
    graph.at(index, error)
    if number is not None:
        graph.peer.keep(number, error)
    vars(error).update(graph.unpacked(attributes))
    error.__cause__, error.__context__ = graph.unpacked(cause), graph.unpacked(context)
    error.__suppress_context__ = suppressed
    return error


def _new_error(kind, arguments):
    """An exception, made by the constructor of a builtin class: its own might need other arguments."""
    base = _builtin_error(kind)
    try:
        error = base.__new__(kind, *arguments)
        base.__init__(error, *arguments)
    except (TypeError, ValueError):
        error = base.__new__(kind)
    return error


def _passing(graph, values):
    """Values as plain parts; an empty container when one of the values cannot be packed."""
    try:
        return graph.packed(values)
    except Exception:
        return graph.packed(type(values)())


def _builtin_error(kind):
    """The builtin exception whose fields the objects of an exception class have."""
    if not issubclass(kind, BaseException):
        raise TypeError
    while not is_class(kind, ("builtins", kind.__name__)):
        kind = kind.__base__
    return kind
