"""Requests between the two processes that judge one Python program (see `harness.py`)."""

import io
import marshal
import os
import sys

from errors import SHOWN
from exchange import COMPARISONS, PASSED_ON, Graph

_LENGTH = 8
_MOST_OUTPUT = 1_000_000
# Calls of Python by which values can be nested deeper than the program's own calls; `marshal` reads
# and writes fewer levels.
_DEPTH = 6000


class ExchangeError(Exception):
    """The other side has ended, or has sent something that is not a valid message."""


class StandIn:
    """Represents an object of the other side.

    It has the object's attributes, and equals nothing but other stand-ins.
    """


class Peer:
    """One of the two sides. It sends requests, and answers the other side's requests meanwhile.

    actions: names of the requests that the other side may send.
    public: whether the other side may read only attributes whose name does not start with `_`.
    """

    def __init__(self, incoming, outgoing, actions, public):
        self.incoming, self.outgoing, self.actions, self.public = incoming, outgoing, actions, public
        self.names, self.output = {}, None
        self.lent, self.numbers = [], {}
        self.stand_ins, self.theirs = {}, {}

    def ask(self, action, *values):
        """Send a request to the other side.

        Returns its result, or raises the exception that it raises.
        """
        shared = Graph(self)
        self._send(("ask", action, deep(shared.packed_all, values)))
        while True:
            kind, *rest = self._receive()
            if kind == "ask":
                self._serve(*rest)
            else:
                return self._outcome(shared, kind, *rest)

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

    def do_next(self, number):
        try:
            return True, next(self.lent[number])
        except StopIteration as end:
            return False, end.value

    def do_attribute(self, number, name):
        return getattr(self.lent[self._open(number, name)], name)

    def do_set(self, number, name, value):
        setattr(self.lent[self._open(number, name)], name, value)

    def do_special(self, number, name, arguments):
        if name not in PASSED_ON and name not in COMPARISONS:
            raise AttributeError(name)
        return getattr(type(self.lent[number]), name)(self.lent[number], *arguments)

    def _open(self, number, name):
        """The number of an object whose attribute `name` the other side may read.

        Attributes of functions and generators are refused, because they lead to every other object.
        """
        value = self.lent[number]
        if self.public and (name.startswith("_") or type(value).__module__ != self.names["__name__"]):
            raise AttributeError(name)
        return number

    def lend(self, value):
        """The number by which the other side refers to a value that stays here."""
        if id(value) not in self.numbers:
            self.numbers[id(value)] = len(self.lent)
            self.lent.append(value)
        return self.numbers[id(value)]

    def stand_in(self, number, form, name, more):
        """The stand-in for a value of the other side; always the same one for a value."""
        if number not in self.stand_ins:
            makers = {
                "function": self._function,
                "iterator": self._iterator,
                "class": self._class,
                "error": self._error_class,
            }
            self.keep(number, makers.get(form, self._object)(number, str(name), more))
        return self.stand_ins[number]

    def keep(self, number, stand_in):
        """Register what represents a value of the other side."""
        self.stand_ins[number] = stand_in
        self.theirs[id(stand_in)] = number

    def _function(self, number, name, _):
        def function(*arguments, **keywords):
            return self.ask("call", number, arguments, keywords)

        function.__name__ = name
        return function

    def _iterator(self, number, *_):
        while True:
            more, value = self.ask("next", number)
            if not more:
                return value
            yield value

    def _class(self, number, name, _):
        def call(_, *arguments, **keywords):
            return self.ask("call", number, arguments, keywords)

        def attribute(_, member):
            return self.ask("attribute", number, member)

        return type(name, (type,), {"__call__": call, "__getattr__": attribute})(name, (StandIn,), {})

    def _error_class(self, _, name, more):
        bases, specials = more

        def attribute(error, member):
            if id(error) not in self.theirs:
                raise AttributeError(member)
            return self.ask("attribute", self.theirs[id(error)], member)

        def shown(member):
            def show(error):
                if id(error) not in self.theirs:
                    return getattr(bases[0], member)(error)
                return self.ask("special", self.theirs[id(error)], member, ())

            return show

        members = {member: shown(member) for member in specials if member in SHOWN}
        return type(name, bases, {"__getattr__": attribute, **members})

    def _object(self, number, name, more):
        kind, specials = more
        base = self.stand_in(kind, "class", name, None)
        return object.__new__(type(base)(name, (base,), self._members(number, specials)))

    def _members(self, number, specials):
        """The members of the class of one stand-in."""

        def special(member):
            return lambda _, *arguments: self.ask("special", number, member, arguments)

        def comparison(member):
            def compare(_, other):
                return self.ask("special", number, member, (other,)) if isinstance(other, StandIn) else NotImplemented

            return compare

        return {
            **{member: special(member) for member in specials if member in PASSED_ON},
            **{member: comparison(member) for member in COMPARISONS},
            "__hash__": object.__hash__,
            "__getattr__": lambda _, member: self.ask("attribute", number, member),
            "__setattr__": lambda _, member, value: self.ask("set", number, member, value),
        }

    def child(self, base, content, number, form, name, more):
        """The stand-in for an object of a subclass of a builtin class, with its content."""
        del form
        specials = {"__str__", "__repr__", "__call__"} & set(more[1] if more else ())
        members = self._members(number, specials)
        for member in ("__hash__", "__setattr__", *COMPARISONS):
            del members[member]
        return type(name, (base,), members)(content)

    def _send(self, message):
        try:
            data = marshal.dumps(message)
            data = memoryview(len(data).to_bytes(_LENGTH, "big") + data)
            while data:
                data = data[os.write(self.outgoing, data) :]
        except (OSError, ValueError):
            raise ExchangeError from None

    def _receive(self):
        try:
            return marshal.loads(_read(self.incoming, int.from_bytes(_read(self.incoming, _LENGTH), "big")))
        except (ValueError, TypeError) as fault:
            raise ExchangeError from fault


def deep(function, *values):
    """The result of a function that may nest its calls deeper than the program may."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + _DEPTH)
    try:
        return function(*values)
    finally:
        sys.setrecursionlimit(limit)


def _read(channel, length):
    parts = bytearray()
    while len(parts) < length:
        block = os.read(channel, min(1 << 20, length - len(parts)))
        if not block:
            raise ExchangeError
        parts += block
    return bytes(parts)
