"""What the operations of Python's own types give, in terms of places."""

import ast

from scripts.compile.codon.places import Place

_TEXT = {"split": "List", "splitlines": "List", "rsplit": "List"}
_TEXT |= dict.fromkeys(("strip", "lstrip", "rstrip", "lower", "upper", "join", "format", "replace", "zfill"), "str")
_TEXT |= dict.fromkeys(("title", "capitalize", "ljust", "rjust", "center", "swapcase"), "str")
_TEXT |= dict.fromkeys(("find", "rfind", "index", "rindex", "count"), "int")
_TEXT |= dict.fromkeys(("startswith", "endswith", "isdigit", "isalpha", "isalnum", "isspace", "isupper"), "bool")
# What methods give, and the elements that their arguments get to: letters for the elements, the whole and None.
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


def element(whole: Place, result: Place) -> bool:
    """Learn what a loop over something gives; whether the something is known."""
    if whole.name == "str":
        result.typed("str")
    elif whole.name in _ITERABLE:
        whole.parts[0].flow(result)
    elif whole.name:
        result.blur()
    return bool(whole.name)


def item(whole: Place, index: ast.expr, result: Place) -> bool:
    """Learn what `whole[index]` is; whether the whole is known."""
    name = whole.name
    if isinstance(index, ast.Slice):
        if name in ("str", "List"):
            whole.same_type(result)
        elif name:
            result.blur()
    elif name == "str":
        result.typed("str")
    elif name in ("List", "Dict"):
        whole.parts[-1].flow(result)
    elif name == "Tuple" and isinstance(index, ast.Constant) and isinstance(index.value, int):
        inside = -len(whole.parts) <= index.value < len(whole.parts)
        (whole.parts[index.value].flow if inside else Place(unclear=True).flow)(result)
    elif name:
        result.blur()
    return bool(name)


def store_item(whole: Place, index: ast.expr, key: Place, value: Place) -> bool:
    """Learn from `whole[index] = value`; whether the whole is known."""
    name = whole.name
    if name == "Dict":
        key.flow(whole.parts[0])
        value.flow(whole.parts[1])
    elif name == "List" and isinstance(index, ast.Slice):
        value.same_type(whole)
    elif name == "List":
        value.flow(whole.parts[0])
    return bool(name)


def operation(left: Place, operator: ast.operator, right: Place, result: Place) -> bool:
    """Learn what a binary operation gives; whether its operands are known well enough."""
    names = (left.name, right.name)
    if not all(names):
        return False
    numbers = set(names) <= {"int", "float"}
    if numbers and not isinstance(operator, ast.Pow):
        result.typed("float" if "float" in names or isinstance(operator, ast.Div) else "int")
    elif left.name == "str" and _gives_text(operator, right.name):
        result.typed("str")
    elif names == ("List", "int") and isinstance(operator, ast.Mult):
        left.same_type(result)
    elif names in (("List", "List"), ("Set", "Set")) and not isinstance(operator, ast.Mult):
        left.same_type(right)
        left.same_type(result)
    else:
        result.blur()
    return True


def _gives_text(operator: ast.operator, right: str) -> bool:
    """Whether an operation on a text and something of a type gives a text."""
    if isinstance(operator, ast.Add):
        return right == "str"
    return isinstance(operator, ast.Mod) or (isinstance(operator, ast.Mult) and right == "int")


def method(whole: Place, name: str, arguments: list[Place], result: Place) -> bool:
    """Learn from a call of a method of a type of Python's; False if the method is not known."""
    if whole.name == "str":
        kind = _TEXT.get(name)
        if kind:
            result.typed(kind, *([Place("str")] if kind == "List" else []))
        return bool(kind)
    gives, takes = _METHODS.get(whole.name, {}).get(name, (None, ""))
    if gives is None or len(arguments) > len(takes):
        return False
    for argument, letter in zip(arguments, takes, strict=False):
        if letter == "e":
            argument.flow(whole.parts[0])
        elif letter == "v" and name == "setdefault":
            argument.flow(whole.parts[1])
        elif letter == "v":
            argument.flow(result)
        elif letter == "w":
            argument.same_type(whole)
        elif letter == "i":
            argument.same_type(Place("List", whole.parts[0]))
    _give(whole, gives, len(arguments), name, result)
    return True


def _give(whole: Place, gives: str, passed: int, name: str, result: Place) -> None:
    """Learn what a method gives."""
    parts = whole.parts
    if gives == "none":
        result.none = True
    elif gives == "element":
        parts[0].flow(result)
    elif gives == "value?":
        parts[1].flow(result)
        result.none |= name == "get" and passed < 2
    elif gives == "whole":
        whole.same_type(result)
    elif gives == "items":
        result.typed("Iterator", Place("Tuple", parts[0], parts[1]))
    elif gives in ("keys", "values"):
        result.typed("Iterator", parts[gives == "values"])
    else:
        result.typed(gives)
