"""Judge one Python program by its tests, inside the sandbox, in place of `__main__`; arguments are folders.

Two processes share the sandbox. The judge runs the tests, which it alone has read; the candidate runs the program and
answers calls of its functions. Values pass between them (see `exchange.py`), code does not, so a program cannot end,
skip, redefine or answer the tests: it can do no more than return values.

The file `head` has, marshalled, the beginning of the program, which comes from the data set and not from a model. It is
run before the two part, so that what both import is imported once. The file `request` has, as one marshalled tuple, a
nonce that proves that the verdict is the judge's, the program, the name of the tested function, and the tests. It is
deleted before the program runs; standard input would stay open in the sandbox's first process, where programs can reach
it. Standard output gets `<nonce> <status> <detail>`. Folders are put on the module path.
"""

import _ctypes
import builtins
import marshal
import os
import sys

from peers import ExchangeError, Peer

_PR_SET_DUMPABLE = 4
_MOST_MESSAGE = 200
_OF_CANDIDATE = ("load", "global", "call", "next", "attribute", "set", "special")
_OF_JUDGE = ("call", "next", "attribute", "set", "special")


class Names(dict):
    """Global names of the tests: their own, and those of the program where these are neither theirs nor builtin."""

    candidate = None

    def __missing__(self, name):
        if name in vars(builtins):
            raise KeyError(name)
        known, value = self.candidate.ask("global", name)
        if not known:
            raise KeyError(name)
        return value


def answer(requests, replies):
    """The candidate: load the program, then do what the judge asks until it is done."""
    main = type(sys)("__main__")
    sys.modules["__main__"] = main
    candidate = Peer(requests, replies, _OF_CANDIDATE, public=False)
    candidate.names = main.__dict__
    candidate.redirect()
    candidate.serve()


def trusted_names(head):
    """What the program's head defines; nothing when it cannot be run by itself."""
    names = Names(__name__="__main__")
    try:
        exec(compile(head, "head.py", "exec"), names)
    except Exception:
        return Names(__name__="__main__")
    return names


def judge(candidate, names, program, entry_point, tests):
    """Load the program, run its tests with the `names` of its head; return status, detail and message."""
    candidate.names, names.candidate = names, candidate
    names.pop(entry_point, None)
    try:
        candidate.ask("load", program)
        exec(compile(tests, "tests.py", "exec"), names)
    except ExchangeError:
        return "runtime_error", "ended", ""
    except BaseException as error:
        return verdict_of(error)
    return "passed", "", ""


def verdict_of(error):
    """Status, detail and message for an exception that came out of the tests."""
    name = type(error).__name__
    detail = name if vars(builtins).get(name) is type(error) else "other_exception"
    if not vars(error).get("of_program"):
        return ("wrong" if isinstance(error, AssertionError) else "runtime_error"), detail, name
    if isinstance(error, SyntaxError):
        return "compile_error", detail, name
    return ("memory_limit" if isinstance(error, MemoryError) else "runtime_error"), detail, name


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
    nonce, *request = read("request")
    # What tests print, or have the program print, must not stand before the verdict.
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    status, detail, message = judge(Peer(replies, requests, _OF_JUDGE, public=True), names, *request)
    os.write(1, f"{nonce} {status} {detail}\n{message[:_MOST_MESSAGE]}".encode("utf-8", "replace"))
    os._exit(0)


if __name__ == "__main__":
    main()
