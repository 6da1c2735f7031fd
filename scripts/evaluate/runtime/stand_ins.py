"""What represents the objects of the other side (see `peers.py`)."""

from errors import SHOWN

# The methods that a stand-in passes on to its object. None of them could compare it with a value of
# the tests, or reveal that value to the program.
PASSED_ON = [
    "__len__",
    "__iter__",
    "__next__",
    "__bool__",
    "__int__",
    "__float__",
    "__complex__",
    "__index__",
    "__str__",
    "__repr__",
    "__call__",
    "__getitem__",
    "__missing__",
    "__setitem__",
    "__delitem__",
    "__enter__",
    "__exit__",
    "__neg__",
    "__pos__",
    "__abs__",
    "__invert__",
    "__round__",
    "__trunc__",
    "__floor__",
    "__ceil__",
    "__format__",
    "__bytes__",
    "__fspath__",
    "__aiter__",
    "__anext__",
    "__aenter__",
    "__aexit__",
    "__reversed__",
    "__hash__",
]
# Builtin classes without content that could change.
_SCALARS = (int, float, complex, str, bytes)
# Methods that a copy of an object of a subclass of a builtin class passes on.
_OF_CHILDREN = {"__str__", "__repr__", "__call__", "__missing__"}
COMPARISONS = ["__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"]
_NUMERIC = ("add", "sub", "mul", "truediv", "floordiv", "mod", "divmod", "pow", "matmul")
_BITWISE = ("and", "or", "xor", "lshift", "rshift")
# Methods that a stand-in passes on only if the other operand is a stand-in as well.
OPERATORS = [f"__{way}{name}__" for name in (*_NUMERIC, *_BITWISE) for way in ("", "r", "i")]
SPECIALS = (*PASSED_ON, *OPERATORS)


class StandIn:
    """Represents an object of the other side.

    It has the object's attributes, and equals nothing but other stand-ins.
    """


class StandIns:
    """The objects that one side has lent to the other, and the stand-ins for what it has borrowed."""

    def __init__(self):
        self.lent, self.numbers = [], {}
        self.stand_ins, self.theirs = {}, {}
        # By the class of a copy that `child` made: the number of its object, and the stand-in for its class.
        self.children = {}
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
                "coroutine function": self._coroutine_function,
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

    def _coroutine_function(self, number, name, text):
        async def function(*arguments, **keywords):
            return await self.ask("call", number, arguments, keywords)

        function.__name__, function.__doc__ = name, text
        return function

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

        def assign(kind, member, value):
            self.ask("set", number(kind, member), member, value)

        def item(kind, key):
            return self.ask("item", number(kind, "__getitem__"), key)

        def special(member):
            return lambda kind: self.ask("special", number(kind, member), member, (), {})

        def is_instance(kind, value):
            return type.__instancecheck__(kind, value) or issubclass(
                self.children.get(type(value), (0, object))[1], kind
            )

        # An enumeration is a class with items and a length.
        return type(
            "type",
            (type,),
            {
                "__call__": call,
                "__getattr__": attribute,
                "__setattr__": assign,
                "__getitem__": item,
                "__iter__": special("__iter__"),
                "__len__": special("__len__"),
                "__bool__": lambda _: True,
                "__instancecheck__": is_instance,
            },
        )

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
                return self.ask("special", self.theirs[id(error)], member, (), {})

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
            return lambda _, *arguments, **keywords: self.ask("special", number, member, arguments, keywords)

        def operator(member):
            def operate(_, other):
                if not isinstance(other, StandIn):
                    return NotImplemented
                return self.ask("special", number, member, (other,), {})

            return operate

        def attribute(member):
            return property(lambda _: self.ask("attribute", number, member))

        operators = [*COMPARISONS, *(member for member in specials if member in OPERATORS)]
        members = {
            "__hash__": object.__hash__,
            **{member: special(member) for member in specials if member in PASSED_ON},
            **{member: operator(member) for member in operators},
            "__getattr__": lambda _, member: self.ask("attribute", number, member),
            "__setattr__": lambda _, member, value: self.ask("set", number, member, value),
            "__delattr__": lambda _, member: self.ask("delete", number, member),
        }
        if self.public:  # the program may not read such attributes
            members |= {name: attribute(name) for name in ("__dict__", "__doc__")}
        return members

    def child(self, base, content, number, name, represented, specials):
        """The stand-in for an object of a subclass of a builtin class, with its content.

        represented: the stand-in for its class.
        """
        if number in self.stand_ins:
            return self.stand_ins[number]
        members = self._members(number, _OF_CHILDREN & set(specials))
        for member in ("__hash__", "__setattr__", "__delattr__", "__dict__", *COMPARISONS):
            members.pop(member, None)
        kind = type(name, (base,), members)
        if not issubclass(represented, StandIn):
            raise TypeError(name)
        self.children[kind] = number, represented
        copy = kind(content)
        if base in _SCALARS:
            self.keep(number, copy)
        return copy
