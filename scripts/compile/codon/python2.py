"""Whether a program is written in Python 2, which Codon refuses for the most part."""

import ast
import re
import warnings

from scripts.compile.codon.names import bound_names, loads

# What CPython's parser says of Python 2's syntax, and that syntax itself where it only says
# "invalid syntax".
_MESSAGES = (
    "Missing parentheses in call to 'print'",
    "Missing parentheses in call to 'exec'",
    "multiple exception types must be parenthesized",
    "leading zeros in decimal integer literals are not permitted",
)
_SYNTAX = re.compile(
    r"^[ \t]*(?:raise[ \t]+[\w.]+[ \t]*,|except[ \t]+[\w.()]+[ \t]*,[ \t]*\w+[ \t]*:|print[ \t]*>>)"
    r"|<>|`[^`\n]+`|\b0[xX]?[0-9a-fA-F]+[lL]\b|\b[1-9]\d*[lL]\b|\b[uU][rR]['\"]"
)
_BUILTINS = frozenset(
    {"raw_input", "xrange", "unicode", "unichr", "basestring", "long", "reload", "execfile", "cmp", "file"}
)
_MODULES = frozenset(
    {
        "urllib2",
        "Queue",
        "StringIO",
        "cStringIO",
        "ConfigParser",
        "Tkinter",
        "cPickle",
        "httplib",
        "urlparse",
        "HTMLParser",
    }
    | {"SocketServer", "BaseHTTPServer", "commands", "__builtin__", "sets", "itertools.izip"}
)
_METHODS = frozenset({"has_key", "iteritems", "itervalues", "iterkeys"})
_FALLBACKS = ("NameError", "ImportError", "ModuleNotFoundError", "Exception", "AttributeError")


def python2(source: str) -> bool:
    """Whether a text that Codon refused is Python 2, by its syntax or by names that Python 3 has no
    longer.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _uses_old_names(ast.parse(source))
    except SyntaxError as error:
        line = (error.text or "").rstrip("\n")
        return any(message in str(error.msg) for message in _MESSAGES) or bool(_SYNTAX.search(line))
    except (ValueError, RecursionError, MemoryError):
        return False


def _uses_old_names(tree: ast.Module) -> bool:
    """Whether a program reads names that only Python 2 has and binds them nowhere, nor provides for
    their absence.
    """
    handlers = [node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler)]
    provided = any(handler.type is None or set(loads(handler.type)) & set(_FALLBACKS) for handler in handlers)
    if provided and not _prints_old(tree):
        return False
    names = (set(loads(tree)) & _BUILTINS) - bound_names(tree)
    methods = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)} & _METHODS
    imports = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imports |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    return bool(names or methods or imports & _MODULES or _prints_old(tree))


def _prints_old(tree: ast.Module) -> bool:
    """Whether a program has `print >> file`, which Python 3 reads as a shift."""
    shifts = [node for node in ast.walk(tree) if isinstance(node, ast.BinOp) and isinstance(node.op, ast.RShift)]
    return any(isinstance(node.left, ast.Name) and node.left.id == "print" for node in shifts)
