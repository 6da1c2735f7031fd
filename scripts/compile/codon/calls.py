"""What calls show about the slots of a program."""

import ast
from abc import abstractmethod

from scripts.compile.codon import methods
from scripts.compile.codon.rewrite import is_name
from scripts.compile.codon.slots import Slot
from scripts.compile.codon.store import Class, ConstraintStore, Function

_RESULTS = {"int": "int", "len": "int", "ord": "int", "float": "float", "str": "str", "chr": "str", "input": "str"}
_RESULTS |= {"bool": "bool", "hash": "int", "repr": "str", "bin": "str", "hex": "str", "isinstance": "bool"}
_RESULTS |= {"any": "bool", "all": "bool", "callable": "bool"}
# Modules whose functions neither keep nor change their arguments.
_HARMLESS = ("math", "sys", "time", "os", "string", "re")


class Calls(ConstraintStore):
    """Follows values through calls of functions, classes, methods and builtins."""

    @abstractmethod
    def expression(self, node: ast.expr) -> Slot:
        """Follow an expression; return the slot of its value."""

    def _of_call(self, node: ast.Call) -> Slot:
        starred = any(isinstance(word, ast.Starred) for word in node.args)
        words = {word.arg or "": self.expression(word.value) for word in node.keywords}
        result, function = self.slot(), node.func
        known = self.variable(function.id) if isinstance(function, ast.Name) else None
        tested = known is None and is_name(function, "isinstance")
        mapped = known is None and is_name(function, "map") and len(node.args) == 2 and self._is_simple(node.args[0])
        followed = node.args[:1] if tested else node.args
        arguments = [self.slot() if mapped and word is node.args[0] else self.expression(word) for word in followed]
        if starred:
            words[""] = self.unknown()
        if isinstance(known, Function):
            self.bind(known, arguments, words, result)
        elif isinstance(known, Class):
            self._construct(known, arguments, words, result)
        elif isinstance(function, ast.Name) and known is None:
            if function.id == "map" and len(node.args) == 2 and not words:
                self._map(node.args[0], arguments[1], result)
            else:
                self._builtin(function.id, arguments, words, result)
                self.operands[id(node)] = result
        elif isinstance(function, ast.Attribute):
            self._method(function, arguments, words, result)
        else:
            for slot in [self.expression(function), result, *arguments, *words.values()]:
                slot.mark_unclear()
        return result

    def _method(self, node: ast.Attribute, arguments: list[Slot], words: dict[str, Slot], result: Slot) -> None:
        """Follow a call of an attribute."""
        owner = self.variable(node.value.id) if isinstance(node.value, ast.Name) else None
        if isinstance(owner, Class):
            function = owner.methods.get(node.attr)
            if function and function.static:
                self.bind(function, arguments, words, result)
                return
            self.mark_methods_unclear(node.attr)
            for slot in [*arguments, *words.values(), result]:
                slot.mark_unclear()
            return
        module = node.value
        if is_name(module, *_HARMLESS) and self.names.imported(module.id, module.id):
            result.mark_unclear()
            return
        self.defer(self.learn_call, self.expression(node.value), node.attr, arguments, words, result)

    def _construct(self, kind: Class, arguments: list[Slot], words: dict[str, Slot], result: Slot) -> None:
        """Follow a call of a class."""
        if kind.plain:
            result.set_type(kind.node.name)
        else:
            result.mark_unclear()
        if "__init__" in kind.methods:
            self.bind(kind.methods["__init__"], arguments, words, self.slot())
        else:
            for slot in [*arguments, *words.values()]:
                slot.mark_unclear()

    def _is_simple(self, node: ast.expr) -> bool:
        """Whether an expression is the name of a known function, or of a builtin one."""
        if not isinstance(node, ast.Name):
            return False
        known = self.variable(node.id)
        return isinstance(known, Function) or (known is None and node.id in _RESULTS)

    def _map(self, function: ast.expr, items: Slot, result: Slot) -> None:
        """Follow `map(function, items)`."""
        item, one = self.slot(), self.slot()
        self.defer(methods.element, items, item)
        result.set_type("Iterator", one)
        known = self.variable(function.id) if isinstance(function, ast.Name) else None
        if isinstance(known, Function):
            self.bind(known, [item], {}, one)
        elif isinstance(function, ast.Name) and known is None and function.id in _RESULTS:
            one.set_type(_RESULTS[function.id])
        else:
            one.mark_unclear()
            item.mark_unclear()

    def _builtin(self, name: str, arguments: list[Slot], words: dict[str, Slot], result: Slot) -> None:
        """Follow a call of a builtin function."""
        first = arguments[0] if arguments else self.unknown()
        if name in _RESULTS:
            result.set_type(_RESULTS[name])
        elif name in ("dict", "list", "set") and not arguments and not words:
            parts = [self.slot() for _ in range(2 if name == "dict" else 1)]
            result.set_type(name.title(), *parts)
        elif name == "print":
            result.none = True
        elif name == "range":
            result.set_type("Iterator", self.slot("int"))
        elif name in ("list", "sorted", "set", "reversed", "enumerate", "iter", "min", "max"):
            one = self.slot()
            if arguments and (len(arguments) == 1 or name not in ("min", "max")):
                self.defer(methods.element, first, one)
            for other in arguments if len(arguments) > 1 and name in ("min", "max") else []:
                other.flow_to(one)
            if name in ("min", "max"):
                words.get("default", one).flow_to(one)
                one.flow_to(result)
            elif name == "enumerate":
                result.set_type("Iterator", self.slot("Tuple", self.slot("int"), one))
            else:
                result.set_type({"list": "List", "sorted": "List", "set": "Set"}.get(name, "Iterator"), one)
        elif name == "zip":
            parts = [self.slot() for _ in arguments]
            for whole, part in zip(arguments, parts, strict=True):
                self.defer(methods.element, whole, part)
            result.set_type("Iterator", self.slot("Tuple", *parts))
        elif name == "next":
            self.defer(methods.element, first, result)
            for default in arguments[1:]:
                default.flow_to(result)
        elif name == "abs":
            self.defer(methods.number, first, result)
        else:
            result.mark_unclear()
            # Unknown functions may change their arguments.
            for slot in [*arguments, *words.values()] if name not in ("sum", "round", "map", "filter") else []:
                slot.mark_unclear()
