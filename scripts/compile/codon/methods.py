"""The results of operations on Python's builtin types, in terms of slots."""

import ast

from scripts.compile.codon.slots import Slot

_TEXT = {"split": "List", "splitlines": "List", "rsplit": "List"}
_TEXT |= dict.fromkeys(("strip", "lstrip", "rstrip", "lower", "upper", "join", "format", "replace", "zfill"), "str")
_TEXT |= dict.fromkeys(("title", "capitalize", "ljust", "rjust", "center", "swapcase"), "str")
_TEXT |= dict.fromkeys(("find", "rfind", "index", "rindex", "count"), "int")
_TEXT |= dict.fromkeys(("startswith", "endswith", "isdigit", "isalpha", "isalnum", "isspace", "isupper"), "bool")
# For each method: its result, and a letter per argument that says where its values flow: to the
# elements (e), the values (v), as an iterable to the elements (i), or to the whole (w); `-` means
# nowhere.
_METHODS = {
    "List": {
        "append": ("none", "e"),
        "insert": ("none", "-e"),
        "pop": ("element", "-"),
        "remove": ("none", "-"),
        "index": ("int", "---"),
        "count": ("int", "-"),
        "copy": ("whole", ""),
        "sort": ("none", ""),
        "reverse": ("none", ""),
        "clear": ("none", ""),
        "extend": ("none", "i"),
    },
    "Set": {
        "add": ("none", "e"),
        "discard": ("none", "-"),
        "remove": ("none", "-"),
        "pop": ("element", ""),
        "clear": ("none", ""),
        "copy": ("whole", ""),
        "update": ("none", "i"),
    },
    "Dict": {
        "get": ("value?", "-v"),
        "pop": ("value?", "-v"),
        "setdefault": ("value?", "ev"),
        "keys": ("keys", ""),
        "values": ("values", ""),
        "items": ("items", ""),
        "clear": ("none", ""),
        "copy": ("whole", ""),
        "update": ("none", "w"),
    },
}
_ITERABLE = frozenset({"List", "Set", "Dict", "Iterator"})


def element(whole: Slot, result: Slot) -> bool:
    """Learn the type of the items of a loop over `whole`; return whether the type of `whole` is
    known.
    """
    if whole.name == "str":
        result.set_type("str")
    elif whole.name in _ITERABLE:
        whole.parts[0].flow_to(result)
    elif whole.name:
        result.mark_unclear()
    return bool(whole.name)


def item(whole: Slot, index: ast.expr, result: Slot) -> bool:
    """Learn the type of `whole[index]`; return whether the type of `whole` is known."""
    name = whole.name
    if isinstance(index, ast.Slice):
        if name in ("str", "List"):
            whole.unify(result)
        elif name:
            result.mark_unclear()
    elif name == "str":
        result.set_type("str")
    elif name in ("List", "Dict"):
        whole.parts[-1].flow_to(result)
    elif name == "Tuple" and isinstance(index, ast.Constant) and isinstance(index.value, int):
        inside = -len(whole.parts) <= index.value < len(whole.parts)
        (whole.parts[index.value].flow_to if inside else Slot(unclear=True).flow_to)(result)
    elif name:
        result.mark_unclear()
    return bool(name)


def store_item(whole: Slot, index: ast.expr, key: Slot, value: Slot) -> bool:
    """Learn from `whole[index] = value`; return whether the type of `whole` is known."""
    name = whole.name
    if name == "Dict":
        key.flow_to(whole.parts[0])
        value.flow_to(whole.parts[1])
    elif name == "List" and isinstance(index, ast.Slice):
        value.unify(whole)
    elif name == "List":
        value.flow_to(whole.parts[0])
    return bool(name)


def operation(left: Slot, operator: ast.operator, right: Slot, result: Slot) -> bool:
    """Learn the type of a binary operation; return whether the types of its operands are known."""
    names = (left.name, right.name)
    if not all(names):
        return False
    numbers = set(names) <= {"int", "float"}
    if numbers and not isinstance(operator, ast.Pow):
        result.set_type("float" if "float" in names or isinstance(operator, ast.Div) else "int")
    elif left.name == "str" and _gives_text(operator, right.name):
        result.set_type("str")
    elif names == ("List", "int") and isinstance(operator, ast.Mult):
        left.unify(result)
    elif names in (("List", "List"), ("Set", "Set")) and not isinstance(operator, ast.Mult):
        left.unify(right)
        left.unify(result)
    else:
        result.mark_unclear()
    return True


def _gives_text(operator: ast.operator, right: str) -> bool:
    """Whether an operation on a text and an operand of the type `right` gives a text."""
    if isinstance(operator, ast.Add):
        return right == "str"
    return isinstance(operator, ast.Mod) or (isinstance(operator, ast.Mult) and right == "int")


def method(whole: Slot, name: str, arguments: list[Slot], result: Slot) -> bool:
    """Learn from a call of a method of a builtin type; return False if the method is not known."""
    if whole.name == "str":
        kind = _TEXT.get(name)
        if kind:
            result.set_type(kind, *([Slot("str")] if kind == "List" else []))
        return bool(kind)
    gives, takes = _METHODS.get(whole.name, {}).get(name, (None, ""))
    if gives is None or len(arguments) > len(takes):
        return False
    for argument, letter in zip(arguments, takes, strict=False):
        if letter == "e":
            argument.flow_to(whole.parts[0])
        elif letter == "v" and name == "setdefault":
            argument.flow_to(whole.parts[1])
        elif letter == "v":
            argument.flow_to(result)
        elif letter == "w":
            argument.unify(whole)
        elif letter == "i":
            argument.unify(Slot("List", whole.parts[0]))
    _set_result(whole, gives, len(arguments), name, result)
    return True


def _set_result(whole: Slot, gives: str, passed: int, name: str, result: Slot) -> None:
    """Learn the type of a method's result."""
    parts = whole.parts
    if gives == "none":
        result.none = True
    elif gives == "element":
        parts[0].flow_to(result)
    elif gives == "value?":
        parts[1].flow_to(result)
        result.none |= name == "get" and passed < 2
    elif gives == "whole":
        whole.unify(result)
    elif gives == "items":
        result.set_type("Iterator", Slot("Tuple", parts[0], parts[1]))
    elif gives in ("keys", "values"):
        result.set_type("Iterator", parts[gives == "values"])
    else:
        result.set_type(gives)


def number(value: Slot, result: Slot) -> bool:
    """Learn the type of an operation on a number; return whether the type of `value` is known."""
    if value.name in ("int", "float"):
        result.set_type(value.name)
    elif value.name:
        result.mark_unclear()
    return bool(value.name)
