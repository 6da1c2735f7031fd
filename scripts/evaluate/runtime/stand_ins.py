"""What represents the objects of the other side (see `peers.py`)."""

from errors import SHOWN
from exchange import COMPARISONS, OPERATORS, PASSED_ON


class StandIn:
    """Represents an object of the other side.

    It has the object's attributes, and equals nothing but other stand-ins.
    """


class StandIns:
    """The objects that one side has lent to the other, and the stand-ins for what it has borrowed."""

    def __init__(self):
        self.lent, self.numbers = [], {}
        self.stand_ins, self.theirs = {}, {}
        self.kind = self._kind()

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
                "coroutine": self._coroutine,
                "class": self._class,
                "error": self._error_class,
            }
            self.keep(number, makers.get(form, self._object)(number, str(name), more))
        return self.stand_ins[number]

    def keep(self, number, stand_in):
        """Register what represents a value of the other side."""
        self.stand_ins[number] = stand_in
        self.theirs[id(stand_in)] = number

    def _function(self, number, name, text):
        def function(*arguments, **keywords):
            return self.ask("call", number, arguments, keywords)

        function.__name__, function.__doc__ = name, text
        return function

    def _iterator(self, number, *_):
        action, argument = "next", None
        while True:
            more, value = self.ask(action, number, argument)
            if not more:
                return value
            try:
                action, argument = "next", (yield value)
            # Not GeneratorExit: it can occur at any time, even while a message is sent.
            except Exception as error:
                action, argument = "throw", error

    async def _coroutine(self, number, *_):
        return self.ask("await", number)

    def _kind(self):
        """The class of the classes that represent the other side's classes."""

        def number(kind, member):
            for each in kind.__mro__:
                if id(each) in self.theirs:
                    return self.theirs[id(each)]
            raise AttributeError(member)

        def call(kind, *arguments, **keywords):
            # A class that the program derives from an exception class of the tests, or the other way round.
            if issubclass(kind, BaseException) and id(kind) not in self.theirs:
                return type.__call__(kind, *arguments, **keywords)
            return self.ask("call", number(kind, "__call__"), arguments, keywords)

        def attribute(kind, member):
            return self.ask("attribute", number(kind, member), member)

        return type("type", (type,), {"__call__": call, "__getattr__": attribute})

    def _class(self, _, name, bases):
        if not all(issubclass(base, StandIn) for base in bases):
            raise TypeError(name)
        return self.kind(name, bases or (StandIn,), {})

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
        return self.kind(name, bases, {"__getattr__": attribute, **members})

    def _object(self, number, name, more):
        kind, specials = more
        if not issubclass(kind, StandIn):
            raise TypeError(name)
        return object.__new__(self.kind(name, (kind,), self._members(number, specials)))

    def _members(self, number, specials):
        """The members of the class of one stand-in."""

        def special(member):
            return lambda _, *arguments: self.ask("special", number, member, arguments)

        def operator(member):
            def operate(_, other):
                return self.ask("special", number, member, (other,)) if isinstance(other, StandIn) else NotImplemented

            return operate

        operators = [*COMPARISONS, *(member for member in specials if member in OPERATORS)]
        return {
            "__hash__": object.__hash__,
            **{member: special(member) for member in specials if member in PASSED_ON},
            **{member: operator(member) for member in operators},
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
