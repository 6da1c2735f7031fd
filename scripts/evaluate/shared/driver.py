"""Judge one Python program by its tests, inside the sandbox, in place of `__main__`; arguments are folders.

Two processes share the sandbox. The judge runs the tests, which it alone has read; the candidate runs the program and
answers calls of its functions. Only plain values pass between them, so a program cannot end, skip, redefine or answer
the tests: it can do no more than return values.

The file `head` has, marshalled, the beginning of the program, which comes from the data set and not from a model. It is
run before the two part, so that what both import is imported once. The file `request` has, as one marshalled tuple, a
word to prove that the verdict is the judge's own, the program, the name of the tested function, and the tests. It is
deleted before the program runs; standard input would stay open in the sandbox's first process, where programs can reach
it. Standard output gets `<word> <status> <detail>`. Folders are put on the module path.
"""

import _ctypes
import builtins
import marshal
import os
import sys

_LENGTH = 8
_PR_SET_DUMPABLE = 4
_PLAIN = (bool, int, float, complex, str, bytes, type(None))
_MOST_ITEMS = 1_000_000


class ProgramError(Exception):
    """What the program raised while it was loaded or called."""


class Unknown:
    """A value of a type that cannot pass; equal to nothing."""

    __hash__ = None

    def __eq__(self, other):
        return False


def send(channel, value):
    """Write a value, with its length before it."""
    data = marshal.dumps(value)
    data = len(data).to_bytes(_LENGTH, "big") + data
    while data:
        data = data[os.write(channel, data) :]


def receive(channel):
    """Read a value; raise `EOFError` when the other side is gone."""
    return marshal.loads(_read(channel, int.from_bytes(_read(channel, _LENGTH), "big")))


def _read(channel, length):
    parts = bytearray()
    while len(parts) < length:
        block = os.read(channel, min(1 << 20, length - len(parts)))
        if not block:
            raise EOFError
        parts += block
    return bytes(parts)


def packed(value):
    """A value as a tuple of its kind and plain content, all the way down."""
    for kind in (list, tuple, set, frozenset):
        if isinstance(value, kind):
            return kind.__name__, [packed(item) for item in value]
    if isinstance(value, dict):
        return "dict", [(packed(key), packed(item)) for key, item in value.items()]
    for kind in _PLAIN:
        if isinstance(value, kind):
            return "plain", value if type(value) is kind else kind(value)
    return _packed_other(value)


def _packed_other(value):
    """Iterators by what they yield, numbers of other types by their nearest plain number."""
    if hasattr(value, "__next__"):
        return "iterator", [packed(item) for _, item in zip(range(_MOST_ITEMS), value, strict=False)]
    if isinstance(value, range):
        return "range", (value.start, value.stop, value.step)
    if hasattr(value, "item") and hasattr(value, "dtype") and not getattr(value, "shape", None):
        return packed(value.item())
    if hasattr(value, "__index__"):
        return "plain", value.__index__()
    if hasattr(value, "__float__"):
        return "plain", float(value)
    return "unknown", None


def unpacked(pair):
    """The value that `packed` made a tuple of."""
    kind, content = pair
    if kind == "plain":
        return content
    if kind == "dict":
        return {unpacked(key): unpacked(item) for key, item in content}
    if kind == "range":
        return range(*content)
    if kind == "unknown":
        return Unknown()
    make = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset, "iterator": iter}[kind]
    return make([unpacked(item) for item in content])


def answer(requests, replies):
    """The candidate: load the program, then serve calls until the judge is done with it."""
    main = type(sys)("__main__")
    sys.modules["__main__"] = main

    def load(source):
        exec(compile(source, "program.py", "exec"), main.__dict__)

    def call(name, arguments, keywords):
        function = main.__dict__[name] if name in main.__dict__ else getattr(builtins, name)
        return function(*unpacked(arguments), **unpacked(keywords))

    while True:
        name, *rest = receive(requests)
        try:
            reply = True, packed((load if name is None else call)(*([] if name is None else [name]), *rest))
        except BaseException as error:
            reply = False, (type(error).__name__, isinstance(error, SyntaxError), isinstance(error, MemoryError))
        send(replies, reply)


class Candidate:
    """The judge's side of the candidate."""

    def __init__(self, requests, replies):
        self.requests, self.replies = requests, replies

    def ask(self, *request):
        """Send a request; return the answer's value, or raise `ProgramError` with what the program raised."""
        try:
            send(self.requests, request)
            good, content = receive(self.replies)
        except (EOFError, BrokenPipeError):
            raise ProgramError("ended", False, False) from None
        if not good:
            raise ProgramError(*content)
        return unpacked(content)

    def function(self, name):
        """A stand-in for the program's function of this name."""
        return lambda *arguments, **keywords: self.ask(name, packed(arguments), packed(keywords))


def names_in(code):
    """Every name that a code object and those inside it look up."""
    found = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, type(code)):
            found |= names_in(constant)
    return found


def trusted_names(head):
    """What the program's head defines; nothing when it cannot be run by itself."""
    names = {"__name__": "__main__"}
    try:
        exec(compile(head, "head.py", "exec"), names)
    except Exception:
        return {"__name__": "__main__"}
    return names


def judge(candidate, names, program, entry_point, tests):
    """Load the program, run its tests with the `names` of its head; return status and detail."""
    try:
        candidate.ask(None, program)
        code = compile(tests, "tests.py", "exec")
        for name in {entry_point} | names_in(code) - names.keys() - vars(builtins).keys():
            names[name] = candidate.function(name)
        exec(code, names)
    except ProgramError as error:
        name, syntax, memory = error.args
        return ("compile_error" if syntax else "memory_limit" if memory else "runtime_error"), name
    except AssertionError:
        return "wrong", "AssertionError"
    except Exception as error:
        return "runtime_error", type(error).__name__
    return "passed", ""


def close_memory():
    """Let no other process look into the memory or the open files of this one."""
    # Not by `ctypes` itself, whose import takes a third as long as the start of Python.
    prctl = _ctypes.dlsym(_ctypes.dlopen(None, 0), "prctl")
    if _ctypes.call_function(prctl, (_PR_SET_DUMPABLE, 0, 0, 0, 0)) != 0:
        raise OSError("prctl")


def read(name):
    """A marshalled file's value; the file is deleted."""
    with open(name, "rb") as stream:  # noqa: PTH123 (pathlib would take longer to import than most programs run)
        value = marshal.loads(stream.read())
    os.unlink(name)  # noqa: PTH108
    return value


def main():
    """Split into judge and candidate; write the verdict."""
    sys.path.extend(sys.argv[1:])
    names = trusted_names(read("head"))
    requests_end, requests = os.pipe()
    replies, replies_end = os.pipe()
    if os.fork() == 0:
        nothing = os.open(os.devnull, os.O_RDWR)
        for channel in (0, 1, 2):
            os.dup2(nothing, channel)
        os.close(requests)
        os.close(replies)
        try:
            answer(requests_end, replies_end)
        finally:
            os._exit(1)
    os.close(requests_end)
    os.close(replies_end)
    close_memory()
    word, *request = read("request")
    status, detail = judge(Candidate(requests, replies), names, *request)
    os.write(1, f"{word} {status} {detail}".encode())
    os._exit(0)


if __name__ == "__main__":
    main()
