"""What expressions show about the slots of a program."""

import ast
from collections.abc import Callable

from scripts.compile.codon import methods
from scripts.compile.codon.calls import Calls
from scripts.compile.codon.names import bindings
from scripts.compile.codon.slots import SCALARS, Slot
from scripts.compile.codon.store import Class

_ANNOTATIONS = {"List": 1, "list": 1, "Set": 1, "set": 1, "Dict": 2, "dict": 2}


class Expressions(Calls):
    """Follows values through expressions, targets, loops and annotations."""

    def loop(self, target: ast.expr, items: ast.expr) -> None:
        """Follow `for target in items`."""
        value = self.slot()
        self.defer(methods.element, self.expression(items), value)
        self.assign(target, value)

    def assign(self, target: ast.expr, value: Slot) -> None:
        """Follow a value into a target."""
        if isinstance(target, ast.Name):
            value.flow_to(self.target(target.id))
        elif isinstance(target, ast.Attribute):
            self._assign_field(target, value)
        elif isinstance(target, ast.Subscript):
            key = self.expression(target.slice)
            self.defer(methods.store_item, self.expression(target.value), target.slice, key, value)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, self.unknown())
        elif isinstance(target, ast.Tuple | ast.List):
            starred = any(isinstance(part, ast.Starred) for part in target.elts)
            for index, part in enumerate(target.elts):
                one = self.unknown() if starred else self.slot()
                if not starred:
                    self.defer(_distribute, value, index, len(target.elts), one)
                self.assign(part, one)

    def _assign_field(self, target: ast.Attribute, value: Slot) -> None:
        """Follow a value into a field of an object or of a class."""
        owner = self.variable(target.value.id) if isinstance(target.value, ast.Name) else None
        if isinstance(owner, Class):
            owner.fields.setdefault(target.attr, self.slot()).mark_unclear()
            value.mark_unclear()
        else:
            self.defer(self.learn_store, self.expression(target.value), target.attr, value)

    def annotated(self, slot: Slot, annotation: ast.expr) -> None:
        """Learn from an annotation if it is simple; otherwise the slot is unclear."""
        if isinstance(annotation, ast.Constant):
            if annotation.value is None:
                slot.none = True
            else:
                slot.mark_unclear()
        elif isinstance(annotation, ast.Name) and annotation.id in (*SCALARS, *self.classes):
            slot.set_type(annotation.id)
        elif isinstance(annotation, ast.Subscript) and isinstance(annotation.value, ast.Name):
            word, inside = annotation.value.id, annotation.slice
            parts = inside.elts if isinstance(inside, ast.Tuple) else [inside]
            if word == "Optional":
                slot.none = True
                self.annotated(slot, inside)
            elif _ANNOTATIONS.get(word, len(parts)) == len(parts) and word.title() in ("List", "Set", "Dict", "Tuple"):
                slots = [self.slot() for _ in parts]
                for part, one in zip(parts, slots, strict=True):
                    self.annotated(one, part)
                slot.set_type(word.title(), *slots)
            else:
                slot.mark_unclear()
        else:
            slot.mark_unclear()

    def condition(self, node: ast.expr) -> None:
        """Follow an expression of which only the truth value matters."""
        if isinstance(node, ast.BoolOp):
            for part in node.values:
                self.condition(part)
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            self.condition(node.operand)
        else:
            self.expression(node)

    def expression(self, node: ast.expr) -> Slot:
        """Follow an expression; return the slot of its value."""
        follow: Callable[[ast.expr], Slot] | None = getattr(self, f"_of_{type(node).__name__.lower()}", None)
        if follow:
            return follow(node)
        for part in ast.iter_child_nodes(node):
            if isinstance(part, ast.expr):
                self.expression(part).mark_unclear()
        return self.unknown()

    def _of_constant(self, node: ast.Constant) -> Slot:
        if node.value is None:
            return self.slot(none=True)
        name = {int: "int", float: "float", str: "str", bool: "bool"}.get(type(node.value))
        return self.slot(name) if name else self.unknown()

    def _of_name(self, node: ast.Name) -> Slot:
        known = self.variable(node.id)
        if isinstance(known, Slot):
            return known
        self.escape(known)
        return self.unknown()

    def _of_attribute(self, node: ast.Attribute) -> Slot:
        if isinstance(node.value, ast.Name):
            if self.names.imported(node.value.id, "sys") and node.attr in ("argv", "maxsize"):
                return self.slot("int") if node.attr == "maxsize" else self.slot("List", self.slot("str"))
            if isinstance(self.variable(node.value.id), Class):
                self.mark_methods_unclear(node.attr)
                return self.unknown()
        result = self.slot()
        self.defer(self.learn_load, self.expression(node.value), node.attr, result)
        return result

    def _of_binop(self, node: ast.BinOp) -> Slot:
        result = self.slot()
        self.defer(methods.operation, self.expression(node.left), node.op, self.expression(node.right), result)
        return result

    def _of_unaryop(self, node: ast.UnaryOp) -> Slot:
        if isinstance(node.op, ast.Not):
            self.condition(node.operand)
            return self.slot("bool")
        result = self.slot()
        self.defer(methods.number, self.expression(node.operand), result)
        return result

    def _of_boolop(self, node: ast.BoolOp) -> Slot:
        result = self.slot()
        for part in node.values:
            value = self.expression(part)
            if isinstance(node.op, ast.Or) and part is not node.values[-1]:
                value.unify(result)
            else:
                value.flow_to(result)
        return result

    def _of_compare(self, node: ast.Compare) -> Slot:
        for part in [node.left, *node.comparators]:
            self.operands[id(part)] = self.expression(part)
        return self.slot("bool")

    def _of_ifexp(self, node: ast.IfExp) -> Slot:
        self.condition(node.test)
        result = self.slot()
        for part in (node.body, node.orelse):
            self.expression(part).flow_to(result)
        return result

    def _of_list(self, node: ast.List | ast.Set) -> Slot:
        one = self.slot()
        for part in node.elts:
            if isinstance(part, ast.Starred):
                self.defer(methods.element, self.expression(part.value), one)
            else:
                self.expression(part).flow_to(one)
        whole = self.operands[id(node)] = self.slot("List" if isinstance(node, ast.List) else "Set", one)
        return whole

    _of_set = _of_list

    def _of_tuple(self, node: ast.Tuple) -> Slot:
        starred = any(isinstance(part, ast.Starred) for part in node.elts)
        parts = [self.expression(part) for part in node.elts]
        return self.unknown() if starred or not parts else self.slot("Tuple", *parts)

    def _of_dict(self, node: ast.Dict) -> Slot:
        key, value = self.slot(), self.slot()
        for one, other in zip(node.keys, node.values, strict=True):
            self.expression(other).flow_to(value) if one is not None else self.expression(other).mark_unclear()
            (self.expression(one) if one is not None else self.unknown()).flow_to(key)
        whole = self.operands[id(node)] = self.slot("Dict", key, value)
        return whole

    def _of_subscript(self, node: ast.Subscript) -> Slot:
        result = self.slot()
        self.expression(node.slice)
        self.defer(methods.item, self.expression(node.value), node.slice, result)
        return result

    def _of_slice(self, node: ast.Slice) -> Slot:
        for part in filter(None, (node.lower, node.upper, node.step)):
            self.expression(part)
        return self.slot()

    def _of_joinedstr(self, node: ast.JoinedStr) -> Slot:
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                self.expression(part.value)
        return self.slot("str")

    def _of_yield(self, node: ast.Yield) -> Slot:
        value = self.expression(node.value) if node.value else self.slot(none=True)
        if self.current:
            value.flow_to(self.current.yielded)
        return self.unknown()

    def _of_yieldfrom(self, node: ast.YieldFrom) -> Slot:
        one = self.slot()
        self.defer(methods.element, self.expression(node.value), one)
        if self.current:
            one.flow_to(self.current.yielded)
        return self.unknown()

    def _of_namedexpr(self, node: ast.NamedExpr) -> Slot:
        value = self.expression(node.value)
        self.assign(node.target, value)
        return value

    def _of_lambda(self, node: ast.Lambda) -> Slot:
        arguments = node.args
        parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        self.stack.append({one.arg: self.unknown() for one in parameters if one})
        self.expression(node.body)
        self.stack.pop()
        return self.unknown()

    def _of_listcomp(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Slot:
        targets = {name for one in node.generators for part in ast.walk(one.target) for name in bindings(part)}
        self.stack.append({name: self.slot() for name in targets})
        for clause in node.generators:
            self.loop(clause.target, clause.iter)
            for test in clause.ifs:
                self.condition(test)
        if isinstance(node, ast.DictComp):
            result = self.slot("Dict", self.expression(node.key), self.expression(node.value))
        else:
            one = self.slot()
            self.expression(node.elt).flow_to(one)
            word = {ast.ListComp: "List", ast.SetComp: "Set"}.get(type(node), "Iterator")
            result = self.slot(word, one)
        self.stack.pop()
        return result

    _of_setcomp = _of_generatorexp = _of_dictcomp = _of_listcomp


def _distribute(whole: Slot, index: int, count: int, part: Slot) -> bool:
    """Learn the type of one of several targets; return whether the type of `whole` is known."""
    if whole.name == "Tuple" and len(whole.parts) == count:
        whole.parts[index].flow_to(part)
        return True
    return methods.element(whole, part)
