"""What expressions tell of the places of a program."""

import ast

from scripts.compile.codon import methods
from scripts.compile.codon.known import Class, Function, Known
from scripts.compile.codon.names import bindings
from scripts.compile.codon.places import SCALARS, Place
from scripts.compile.codon.rewrite import is_name

_RESULTS = {"int": "int", "len": "int", "ord": "int", "float": "float", "str": "str", "chr": "str", "input": "str"}
_RESULTS |= {"bool": "bool", "hash": "int", "repr": "str", "bin": "str", "hex": "str", "isinstance": "bool"}
_RESULTS |= {"any": "bool", "all": "bool", "callable": "bool"}
_ANNOTATIONS = {"List": 1, "list": 1, "Set": 1, "set": 1, "Dict": 2, "dict": 2}
# Modules whose functions keep and change nothing of what they get.
_HARMLESS = ("math", "sys", "time", "os", "string", "re")


class Expressions(Known):
    """What expressions give, and what targets, loops and annotations tell."""

    def loop(self, target: ast.expr, items: ast.expr) -> None:
        """Follow `for target in items`."""
        value = self.place()
        self.wait(methods.element, self.expression(items), value)
        self.assign(target, value)

    def assign(self, target: ast.expr, value: Place) -> None:
        """Follow a value into a target."""
        owner = self.variable(target.value.id) if _is_field_of_name(target) else None
        if isinstance(target, ast.Name):
            value.flow(self.target(target.id))
        elif isinstance(owner, Class):
            owner.fields.setdefault(target.attr, self.place()).blur()
            value.blur()
        elif isinstance(target, ast.Attribute):
            self.wait(self.learn_store, self.expression(target.value), target.attr, value)
        elif isinstance(target, ast.Subscript):
            key = self.expression(target.slice)
            self.wait(methods.store_item, self.expression(target.value), target.slice, key, value)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, self.unknown())
        elif isinstance(target, ast.Tuple | ast.List):
            starred = any(isinstance(part, ast.Starred) for part in target.elts)
            for index, part in enumerate(target.elts):
                one = self.unknown() if starred else self.place()
                if not starred:
                    self.wait(_distribute, value, index, len(target.elts), one)
                self.assign(part, one)

    def annotated(self, place: Place, annotation: ast.expr) -> None:
        """Learn from an annotation, if it is simple."""
        if isinstance(annotation, ast.Constant):
            if annotation.value is None:
                place.none = True
            else:
                place.blur()
        elif isinstance(annotation, ast.Name) and annotation.id in (*SCALARS, *self.classes):
            place.typed(annotation.id)
        elif isinstance(annotation, ast.Subscript) and isinstance(annotation.value, ast.Name):
            word, inside = annotation.value.id, annotation.slice
            parts = inside.elts if isinstance(inside, ast.Tuple) else [inside]
            if word == "Optional":
                place.none = True
                self.annotated(place, inside)
            elif _ANNOTATIONS.get(word, len(parts)) == len(parts) and word.title() in ("List", "Set", "Dict", "Tuple"):
                places = [self.place() for _ in parts]
                for part, one in zip(parts, places, strict=True):
                    self.annotated(one, part)
                place.typed(word.title(), *places)
            else:
                place.blur()
        else:
            place.blur()

    def condition(self, node: ast.expr) -> None:
        """Follow an expression of which only the truth matters."""
        if isinstance(node, ast.BoolOp):
            for part in node.values:
                self.condition(part)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            self.condition(node.operand)
        else:
            self.expression(node)

    def expression(self, node: ast.expr) -> Place:
        """Follow an expression; what it gives."""
        follow = getattr(self, f"_of_{type(node).__name__.lower()}", None)
        if follow:
            return follow(node)
        for part in ast.iter_child_nodes(node):
            if isinstance(part, ast.expr):
                self.expression(part).blur()
        return self.unknown()

    def _of_constant(self, node: ast.Constant) -> Place:
        if node.value is None:
            return self.place(none=True)
        name = {int: "int", float: "float", str: "str", bool: "bool"}.get(type(node.value))
        return self.place(name) if name else self.unknown()

    def _of_name(self, node: ast.Name) -> Place:
        known = self.variable(node.id)
        if isinstance(known, Place):
            return known
        self.escape(known)
        return self.unknown()

    def _of_attribute(self, node: ast.Attribute) -> Place:
        if isinstance(node.value, ast.Name):
            if self.names.imported(node.value.id, "sys") and node.attr in ("argv", "maxsize"):
                return self.place("int") if node.attr == "maxsize" else self.place("List", self.place("str"))
            if isinstance(self.variable(node.value.id), Class):
                self.blur_methods(node.attr)
                return self.unknown()
        result = self.place()
        self.wait(self.learn_load, self.expression(node.value), node.attr, result)
        return result

    def _of_call(self, node: ast.Call) -> Place:
        starred = any(isinstance(word, ast.Starred) for word in node.args)
        words = {word.arg or "": self.expression(word.value) for word in node.keywords}
        result, function = self.place(), node.func
        known = self.variable(function.id) if isinstance(function, ast.Name) else None
        tested = known is None and is_name(function, "isinstance")
        mapped = known is None and is_name(function, "map") and len(node.args) == 2 and self._is_simple(node.args[0])
        words_read = node.args[:1] if tested else node.args
        arguments = [self.place() if mapped and word is node.args[0] else self.expression(word) for word in words_read]
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
            for place in [self.expression(function), result, *arguments, *words.values()]:
                place.blur()
        return result

    def _method(self, node: ast.Attribute, arguments: list[Place], words: dict[str, Place], result: Place) -> None:
        """Follow a call of an attribute."""
        owner = self.variable(node.value.id) if isinstance(node.value, ast.Name) else None
        if isinstance(owner, Class):
            function = owner.methods.get(node.attr)
            if function and function.static:
                self.bind(function, arguments, words, result)
                return
            self.blur_methods(node.attr)
            for place in [*arguments, *words.values(), result]:
                place.blur()
            return
        if is_name(node.value, *_HARMLESS) and self.names.imported(node.value.id, node.value.id):
            result.blur()
            return
        self.wait(self.learn_call, self.expression(node.value), node.attr, arguments, words, result)

    def _construct(self, kind: Class, arguments: list[Place], words: dict[str, Place], result: Place) -> None:
        """Follow a call of a class."""
        if kind.plain:
            result.typed(kind.node.name)
        else:
            result.blur()
        if "__init__" in kind.methods:
            self.bind(kind.methods["__init__"], arguments, words, self.place())
        else:
            for place in [*arguments, *words.values()]:
                place.blur()

    def _is_simple(self, node: ast.expr) -> bool:
        """Whether an expression is a known function by its name, or a builtin one."""
        known = self.variable(node.id) if isinstance(node, ast.Name) else self
        return isinstance(known, Function) or (known is None and node.id in _RESULTS)

    def _map(self, function: ast.expr, items: Place, result: Place) -> None:
        """Follow `map(function, items)`."""
        given, one = self.place(), self.place()
        self.wait(methods.element, items, given)
        result.typed("Iterator", one)
        known = self.variable(function.id) if isinstance(function, ast.Name) else None
        if isinstance(known, Function):
            self.bind(known, [given], {}, one)
        elif isinstance(function, ast.Name) and known is None and function.id in _RESULTS:
            one.typed(_RESULTS[function.id])
        else:
            one.blur()
            given.blur()

    def _builtin(self, name: str, arguments: list[Place], words: dict[str, Place], result: Place) -> None:
        """Follow a call of a builtin function."""
        first = arguments[0] if arguments else self.unknown()
        if name in _RESULTS:
            result.typed(_RESULTS[name])
        elif name in ("dict", "list", "set") and not arguments and not words:
            parts = [self.place() for _ in range(2 if name == "dict" else 1)]
            result.typed(name.title(), *parts)
        elif name == "print":
            result.none = True
        elif name == "range":
            result.typed("Iterator", self.place("int"))
        elif name in ("list", "sorted", "set", "reversed", "enumerate", "iter", "min", "max"):
            one = self.place()
            if arguments and (len(arguments) == 1 or name not in ("min", "max")):
                self.wait(methods.element, first, one)
            for other in arguments if len(arguments) > 1 and name in ("min", "max") else []:
                other.flow(one)
            if name in ("min", "max"):
                words.get("default", one).flow(one)
                one.flow(result)
            elif name == "enumerate":
                result.typed("Iterator", self.place("Tuple", self.place("int"), one))
            else:
                result.typed({"list": "List", "sorted": "List", "set": "Set"}.get(name, "Iterator"), one)
        elif name == "zip":
            parts = [self.place() for _ in arguments]
            for whole, part in zip(arguments, parts, strict=True):
                self.wait(methods.element, whole, part)
            result.typed("Iterator", self.place("Tuple", *parts))
        elif name == "next":
            self.wait(methods.element, first, result)
            for default in arguments[1:]:
                default.flow(result)
        elif name == "abs":
            self.wait(_number, first, result)
        else:
            result.blur()
            # Unknown functions may put anything into what they get.
            for place in [*arguments, *words.values()] if name not in ("sum", "round", "map", "filter") else []:
                place.blur()

    def _of_binop(self, node: ast.BinOp) -> Place:
        result = self.place()
        self.wait(methods.operation, self.expression(node.left), node.op, self.expression(node.right), result)
        return result

    def _of_unaryop(self, node: ast.UnaryOp) -> Place:
        if isinstance(node.op, ast.Not):
            self.condition(node.operand)
            return self.place("bool")
        result = self.place()
        self.wait(_number, self.expression(node.operand), result)
        return result

    def _of_boolop(self, node: ast.BoolOp) -> Place:
        result = self.place()
        for part in node.values:
            value = self.expression(part)
            if isinstance(node.op, ast.Or) and part is not node.values[-1]:
                value.same_type(result)
            else:
                value.flow(result)
        return result

    def _of_compare(self, node: ast.Compare) -> Place:
        for part in [node.left, *node.comparators]:
            self.operands[id(part)] = self.expression(part)
        return self.place("bool")

    def _of_ifexp(self, node: ast.IfExp) -> Place:
        self.condition(node.test)
        result = self.place()
        for part in (node.body, node.orelse):
            self.expression(part).flow(result)
        return result

    def _of_list(self, node: ast.List | ast.Set) -> Place:
        one = self.place()
        for part in node.elts:
            if isinstance(part, ast.Starred):
                self.wait(methods.element, self.expression(part.value), one)
            else:
                self.expression(part).flow(one)
        whole = self.operands[id(node)] = self.place("List" if isinstance(node, ast.List) else "Set", one)
        return whole

    _of_set = _of_list

    def _of_tuple(self, node: ast.Tuple) -> Place:
        starred = any(isinstance(part, ast.Starred) for part in node.elts)
        parts = [self.expression(part) for part in node.elts]
        return self.unknown() if starred or not parts else self.place("Tuple", *parts)

    def _of_dict(self, node: ast.Dict) -> Place:
        key, value = self.place(), self.place()
        for one, other in zip(node.keys, node.values, strict=True):
            self.expression(other).flow(value) if one is not None else self.expression(other).blur()
            (self.expression(one) if one is not None else self.unknown()).flow(key)
        whole = self.operands[id(node)] = self.place("Dict", key, value)
        return whole

    def _of_subscript(self, node: ast.Subscript) -> Place:
        result = self.place()
        self.expression(node.slice)
        self.wait(methods.item, self.expression(node.value), node.slice, result)
        return result

    def _of_slice(self, node: ast.Slice) -> Place:
        for part in filter(None, (node.lower, node.upper, node.step)):
            self.expression(part)
        return self.place()

    def _of_joinedstr(self, node: ast.JoinedStr) -> Place:
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.expression(part.value)
        return self.place("str")

    def _of_yield(self, node: ast.Yield) -> Place:
        value = self.expression(node.value) if node.value else self.place(none=True)
        if self.current:
            value.flow(self.current.yielded)
        return self.unknown()

    def _of_yieldfrom(self, node: ast.YieldFrom) -> Place:
        one = self.place()
        self.wait(methods.element, self.expression(node.value), one)
        if self.current:
            one.flow(self.current.yielded)
        return self.unknown()

    def _of_namedexpr(self, node: ast.NamedExpr) -> Place:
        value = self.expression(node.value)
        self.assign(node.target, value)
        return value

    def _of_lambda(self, node: ast.Lambda) -> Place:
        arguments = node.args
        own = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        self.stack.append({one.arg: self.unknown() for one in own if one})
        self.expression(node.body)
        self.stack.pop()
        return self.unknown()

    def _of_listcomp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Place:
        targets = {name for one in node.generators for part in ast.walk(one.target) for name in bindings(part)}
        self.stack.append({name: self.place() for name in targets})
        for one in node.generators:
            self.loop(one.target, one.iter)
            for test in one.ifs:
                self.condition(test)
        if isinstance(node, ast.DictComp):
            result = self.place("Dict", self.expression(node.key), self.expression(node.value))
        else:
            one = self.place()
            self.expression(node.elt).flow(one)
            word = {ast.ListComp: "List", ast.SetComp: "Set"}.get(type(node), "Iterator")
            result = self.place(word, one)
        self.stack.pop()
        return result

    _of_setcomp = _of_generatorexp = _of_dictcomp = _of_listcomp


def _is_field_of_name(node: ast.expr) -> bool:
    """Whether an expression is `name.field`."""
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)


def _distribute(whole: Place, index: int, count: int, part: Place) -> bool:
    """Learn what one of several targets gets."""
    if whole.name == "Tuple" and len(whole.parts) == count:
        whole.parts[index].flow(part)
        return True
    return methods.element(whole, part)


def _number(value: Place, result: Place) -> bool:
    """Learn what an operation on a number gives."""
    if value.name in ("int", "float"):
        result.typed(value.name)
    elif value.name:
        result.blur()
    return bool(value.name)
