"""Judge one Python program by its tests, inside the sandbox.

Arguments are folders for the module path.

Two processes share the sandbox. The judge runs the tests, which only it has read; the candidate
runs the program and answers calls of its functions. They exchange values (see `exchange.py`) and no
code, so a program cannot end, skip, redefine or read the tests: it can only return values.

The file `head` has the first part of the program, marshalled, which comes from the data set and not
from a model. It runs before the process forks, so that modules that both import are imported once.
The file `request` has a marshalled tuple: a nonce that proves that the verdict is the judge's, the
program, the name of the tested function, and the tests. It is deleted before the program runs.
Standard input is not used, because it would stay open in the sandbox's first process, where
programs can read it. Standard output gets `<nonce> <status> <detail>`, on a second line a message,
and from the third line on what the program and the tests printed.

`posix` is used instead of `os`, whose import takes a tenth as long as the start of Python.
"""

import _ctypes
import builtins
import io
import marshal
import posix
import sys

from peers import Peer

_PR_SET_DUMPABLE = 4
_MOST_MESSAGE = 200
# Bytes of output that are kept of its start, and of its end.
_HEAD, _TAIL = 20_000, 20_000
_PLAIN = (str, int, float, bool, type(None))
_OF_JUDGE = ("call", "next", "throw", "await", "attribute", "set", "delete", "special")
_OF_CANDIDATE = ("load", "global", "item", *_OF_JUDGE)
# Names that Python defines only if it loads the module `site`.
_OF_SITE = {"exit": sys.exit, "quit": sys.exit}
# Types of the values that a program may assign to a name of its head again.
_DATA = (*_PLAIN, complex, bytes, bytearray, tuple, list, dict, set, frozenset)


class Names(dict):
    """Global names of the tests; other names that are not builtin are looked up in the program."""

    candidate = None

    def __missing__(self, name):
        if name in vars(builtins):
            raise KeyError(name)
        known, value = self.candidate.ask("global", name)
        if not known:
            return _OF_SITE[name]
        return value


def main_module(names):
    """The module `__main__` of the tests, in which `unittest.main` and `pickle`, for example, look for classes."""

    def attribute(_, name):
        if name == "__dict__":
            return names
        try:
            return names[name]
        except KeyError:
            raise AttributeError(name) from None

    members = {"__getattribute__": attribute, "__setattr__": lambda _, name, value: names.update({name: value})}
    return type("module", (type(sys),), {**members, "__dir__": lambda _: list(names)})("__main__")


def answer(requests, replies):
    """The candidate: load the program, then answer the judge's requests until it ends."""
    main = type(sys)("__main__")
    sys.modules["__main__"] = main
    candidate = Peer(requests, replies, _OF_CANDIDATE, public=False)
    candidate.names = main.__dict__
    candidate.redirect()
    candidate.serve()


def trusted_names(head):
    """The names that the program's head defines; none when it cannot run by itself."""
    names = Names(__name__="__main__")
    try:
        exec(compile(head, "head.py", "exec"), names)
    except Exception:
        return Names(__name__="__main__")
    for name in [name for name, value in names.items() if not name.startswith("__") and _is_shared(value)]:
        del names[name]
    return names


def _is_shared(value):
    """Whether program and tests share what the head defines: its classes, whose objects the program makes, and data.

    Its functions and imports are those of the head, also if the program defines them again.
    """
    return value.__module__ == "__main__" if isinstance(value, type) else isinstance(value, _DATA)


def judge(candidate, names, program, entry_point, tests):
    """Load the program and run its tests with the `names` of its head.

    Returns status, detail and message.
    """
    candidate.names, names.candidate = names, candidate
    names.pop(entry_point, None)
    sys.modules["__main__"] = main_module(names)
    try:
        candidate.ask("load", program)
        exec(compile(tests, "tests.py", "exec"), names)
    except BaseException as error:
        if not candidate.ended and not (_is_exit(error) and not error.code):
            return verdict_of(error, tests)
    return ("runtime_error", "ended", "") if candidate.ended else ("passed", "", "")


def _is_exit(error):
    """Whether the tests, and not the program, have ended the process."""
    return type(error) is SystemExit and "of_program" not in vars(error)


def verdict_of(error, tests):
    """Status, detail and message for an exception that the tests raised."""
    name = type(error).__name__
    detail = name if vars(builtins).get(name) is type(error) else "other_exception"
    message = f"{name}: {said(error) or failed_line(error, tests)}".removesuffix(": ")
    if not vars(error).get("of_program"):
        return ("wrong" if isinstance(error, AssertionError) else "runtime_error"), detail, message
    if isinstance(error, SyntaxError):
        return "compile_error", detail, message
    return ("memory_limit" if isinstance(error, MemoryError) else "runtime_error"), detail, message


def said(error):
    """The text of an exception in one line.

    Only plain arguments are shown: the text of an object could be asked of the candidate.
    """
    arguments = error.args[1][1:3] if isinstance(error, SyntaxError) and len(error.args) > 1 else error.args
    if not all(type(argument) in _PLAIN for argument in arguments):
        return ""
    try:
        return " ".join(str(error).split())
    except Exception:
        return ""


def failed_line(error, tests):
    """The line of the tests in which an exception was raised."""
    line, frame = 0, error.__traceback__
    while frame is not None:
        line = frame.tb_lineno if frame.tb_frame.f_code.co_filename == "tests.py" else line
        frame = frame.tb_next
    return tests.splitlines()[line - 1].strip() if line else ""


class Output(io.RawIOBase):
    """What is printed: the first bytes and the last, in bounded memory."""

    def __init__(self):
        self.head, self.tail, self.dropped = bytearray(), bytearray(), False

    def writable(self):
        return True

    def write(self, data):
        data = bytes(data)
        room = _HEAD - len(self.head)
        self.head += data[:room]
        self.tail += data[room:]
        if len(self.tail) > 2 * _TAIL:
            del self.tail[:-_TAIL]
            self.dropped = True
        return len(data)

    def text(self):
        gap = b"\n" if self.dropped else b""
        return bytes(self.head + gap + self.tail[-_TAIL:]).decode("utf-8", "replace")


def close_memory():
    """Deny other processes access to the memory and the open files of this one."""
    # The import of `ctypes` itself takes a third as long as the start of Python.
    prctl = _ctypes.dlsym(_ctypes.dlopen(None, 0), "prctl")
    if _ctypes.call_function(prctl, (_PR_SET_DUMPABLE, 0, 0, 0, 0)) != 0:
        raise OSError("prctl")


def read(name):
    """The value in a marshalled file, which is deleted."""
    with open(name, "rb") as stream:  # noqa: PTH123 (importing pathlib takes longer than most programs run)
        value = marshal.loads(stream.read())
    posix.unlink(name)
    return value


def main():
    """Fork into judge and candidate, and write the verdict."""
    sys.path.extend(sys.argv[1:])
    sys.argv[:] = ["program.py"]
    names = trusted_names(read("head"))
    requests_end, requests = posix.pipe()
    replies, replies_end = posix.pipe()
    if posix.fork() == 0:
        nothing = posix.open("/dev/null", posix.O_RDWR)
        for channel in (0, 1, 2):
            posix.dup2(nothing, channel)
        posix.close(requests)
        posix.close(replies)
        try:
            answer(requests_end, replies_end)
        finally:
            posix._exit(1)
    posix.close(requests_end)
    posix.close(replies_end)
    close_memory()
    nonce, *request = read("request")
    # Output of the tests or of the program must not precede the verdict.
    output = Output()
    sys.stdout = io.TextIOWrapper(output, "utf-8", "replace", write_through=True)
    status, detail, message = judge(Peer(replies, requests, _OF_JUDGE, public=True), names, *request)
    line = " ".join(message[:_MOST_MESSAGE].split())
    report = f"{nonce} {status} {detail}\n{line}\n{output.text()}".encode("utf-8", "replace")
    while report:
        report = report[posix.write(1, report) :]
    posix._exit(0)


if __name__ == "__main__":
    main()
