"""Requests between the two processes that judge one Python program (see `harness.py`)."""

import _thread
import io
import posix
import sys

from contents import is_class
from exchange import GENERATOR, Graph
from messages import deep, read, written
from stand_ins import COMPARISONS, OPERATORS, PASSED_ON, StandIns

_LENGTH = 8
_MOST_OUTPUT = 1_000_000
# Calls of Python that a request needs, apart from those of the answer and those for nested values.
_CALLS_OF_REQUEST = 16

# Classes of the standard library whose attributes the other side may read.
_OPEN = (
    ("_io", "StringIO"),
    ("_io", "BytesIO"),
    ("re", "Pattern"),
    ("re", "Match"),
    ("types", "SimpleNamespace"),
    ("random", "Random"),
    ("numpy.random._generator", "Generator"),
    ("numpy.random.mtrand", "RandomState"),
)


class ExchangeError(Exception):
    """The other side has ended, or has sent something that is not a valid message."""


class Peer(StandIns):
    """One of the two sides. It sends requests, and answers the other side's requests meanwhile.

    actions: names of the requests that the other side may send.
    public: whether the other side may read only attributes whose name does not start with `_`.
    """

    def __init__(self, incoming, outgoing, actions, public):
        super().__init__()
        self.incoming, self.outgoing, self.actions, self.public = incoming, outgoing, actions, public
        self.names, self.output, self.loop = {}, None, None
        # Threads ask one after the other.
        self.turn = _thread.RLock()
        # Whether the exchange has ended, also if the tests have caught the exception.
        self.ended = False

    def ask(self, action, *values):
        """Send a request to the other side.

        Returns its result, or raises the exception that it raises.
        """
        _make_room(_CALLS_OF_REQUEST)
        shared = Graph(self)
        with self.turn:
            try:
                self._send(("ask", action, deep(shared.packed_all, values)))
                while True:
                    kind, *rest = self._receive()
                    if kind != "ask":
                        return self._outcome(shared, kind, *rest)
                    self._serve(*rest)
            except ExchangeError:
                self.ended = True
                raise

    def serve(self):
        """Answer the other side's requests until it ends."""
        while True:
            self._serve(*self._receive()[1:])

    def _serve(self, action, content):
        shared = Graph(self)
        values = deep(shared.unpacked_all, content)
        shared.remember()
        try:
            if action not in self.actions:
                raise AttributeError(action)
            reply = "value", deep(shared.packed, getattr(self, f"do_{action}")(*values))
        except ExchangeError:
            raise
        except BaseException as error:
            reply = "error", deep(shared.packed, error)
        self._send((*reply, deep(shared.changes), self._printed()))

    def _outcome(self, shared, kind, content, changes, printed):
        try:
            result = deep(shared.unpacked, content)
            deep(shared.change, changes)
            if kind != "value" and not isinstance(result, BaseException):
                raise TypeError
        except Exception as fault:
            raise ExchangeError from fault
        if printed:
            sys.stdout.write(printed)
        if kind == "value":
            return result
        vars(result)["of_program"] = True
        raise result

    def _printed(self):
        if self.output is None:
            return ""
        text = self.output.buffer.getvalue()[:_MOST_OUTPUT].decode("utf-8", "replace")
        self.output.buffer.seek(0)
        self.output.buffer.truncate()
        return text

    def redirect(self):
        """Collect what is printed, so that the other side prints it."""
        sys.stdout = self.output = io.TextIOWrapper(io.BytesIO(), "utf-8", "replace", write_through=True)

    def do_load(self, source):
        exec(compile(source, "program.py", "exec"), self.names)

    def do_global(self, name):
        return name in self.names, self.names.get(name)

    def do_call(self, number, arguments, keywords):
        return self.lent[number](*arguments, **keywords)

    def do_next(self, number, sent):
        return self._step(GENERATOR.send, self.lent[number], sent)

    def do_throw(self, number, error):
        return self._step(GENERATOR.throw, self.lent[number], error)

    def _step(self, step, *arguments):
        """Whether a generator goes on, and what it yields or returns."""
        try:
            return True, step(*arguments)
        except StopIteration as end:
            return False, end.value

    def do_await(self, number):
        """The result of a coroutine, in an event loop that all coroutines of this side share."""
        import asyncio

        async def result():
            return await self.lent[number]

        if asyncio._get_running_loop() is not None:
            return _in_thread(lambda: asyncio.run(result()))
        self.loop = self.loop or asyncio.new_event_loop()
        return self.loop.run_until_complete(result())

    def do_attribute(self, number, name):
        return getattr(self.lent[self._open(number, name)], name)

    def do_set(self, number, name, value):
        setattr(self.lent[self._open(number, name)], name, value)

    def do_delete(self, number, name):
        delattr(self.lent[self._open(number, name)], name)

    def do_item(self, number, key):
        return self.lent[number][key]

    def do_special(self, number, name, arguments, keywords):
        if name not in PASSED_ON and name not in COMPARISONS and name not in OPERATORS:
            raise AttributeError(name)
        kind = type(self.lent[number])
        if not hasattr(kind, name):
            raise TypeError(f"{kind.__name__!r} object has no {name}")
        return getattr(kind, name)(self.lent[number], *arguments, **keywords)

    def _open(self, number, name):
        """The number of an object whose attribute `name` the other side may read.

        The program reads attributes of objects of the tests' own classes and of a few others. Those
        of functions and generators lead to every other object, and so do names with two underscores.
        """
        value = self.lent[number]
        if self.public and (name.startswith("__") or not self._is_open(type(value))):
            raise AttributeError(name)
        return number

    def _is_open(self, kind):
        name = (kind.__module__, kind.__qualname__)
        return kind.__module__ == self.names["__name__"] or (name in _OPEN and is_class(kind, name))

    def _send(self, message):
        try:
            data = written(message)
            data = memoryview(len(data).to_bytes(_LENGTH, "big") + data)
            while data:
                data = data[posix.write(self.outgoing, data) :]
        except (OSError, ValueError):
            raise ExchangeError from None

    def _receive(self):
        try:
            return read(_read(self.incoming, int.from_bytes(_read(self.incoming, _LENGTH), "big")))
        except Exception as fault:
            raise ExchangeError from fault


def _in_thread(function):
    """The result of a function in another thread, in which no event loop runs."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result()


def _make_room(calls):
    """Raise RecursionError now if fewer calls are left: within a request, it would end the exchange."""
    if calls:
        _make_room(calls - 1)


def _read(channel, length):
    parts = bytearray()
    while len(parts) < length:
        block = posix.read(channel, min(1 << 20, length - len(parts)))
        if not block:
            raise ExchangeError
        parts += block
    return bytes(parts)
