"""LLVM IR as text: what differs from machine to machine taken out, then parsed, verified and printed by one LLVM.

The one LLVM is llvmlite's. It reads the output of every frontend here, typed pointers included, and prints it in one
dialect. What stands in the text only because of who compiled it, where, is removed before that, so that nothing that
was edited by hand is ever stored: the stored text is the verified module's own print.
"""

import re
from collections.abc import Collection

import llvmlite
from llvmlite import binding

PARTS = ("debug", "identifiers", "cpu", "reprint")
READER = f"llvmlite {llvmlite.__version__}, LLVM {'.'.join(map(str, binding.llvm_version_info))}"

_MODULE_ID = re.compile(r"; ModuleID = .*\n")
_SOURCE_NAME = re.compile(r"^source_filename = .*\n", re.MULTILINE)
_IDENT = re.compile(r"^!llvm\.(?:ident|commandline) = .*\n", re.MULTILINE)
_ATTRIBUTE_GROUP = re.compile(r"^attributes #\d+ = .*$", re.MULTILINE)
_ATTRIBUTE_GROUP_BYTES = re.compile(_ATTRIBUTE_GROUP.pattern.encode(), re.MULTILINE)
_EMPTY_GROUP = re.compile(rb"^attributes #(\d+) = \{ \}$", re.MULTILINE)
_CPU = re.compile(r' "(?:target-cpu|tune-cpu|target-features)"="[^"]*"')
_FLAGS = re.compile(r"^!llvm\.module\.flags = !\{(.*)\}$", re.MULTILINE)
_DEBUG_VERSION = re.compile(r'^!(\d+) = !\{i32 \d+, !"(?:Debug Info Version|Dwarf Version)", i32 \d+\}$', re.MULTILINE)
# Old flang writes the size of N elements as a constant product with the size of one, which LLVM >= 22 no longer reads.
_SIZE_OF = r"ptrtoint \((?:ptr|[^()]+\*) getelementptr \(([^(),]+), (?:ptr|[^(),]+\*) null, i32 1\) to i64\)"
_OPERAND = rf"i64 (?:(\d+)|{_SIZE_OF})"
_PRODUCT = re.compile(rf"mul(?: nuw| nsw)* \({_OPERAND}, {_OPERAND}\)")
# Swift marks the address of a constant string in its highest bit, with an `or` that LLVM >= 18 no longer reads. No
# global of a program lies so high, so there addition is the same.
_MARKED = re.compile(
    r"\bor \((i64 sub \(i64 ptrtoint \(ptr @(?:\"[^\"]*\"|[\w.$-]+) to i64\), i64 \d+\), i64 -9223372036854775808)\)"
)
_ARRAY = re.compile(r"\[(\d+) x (.+)\]")
_SIZES = {"i8": 1, "i16": 2, "i32": 4, "i64": 8, "half": 2, "bfloat": 2, "float": 4, "double": 8, "fp128": 16, "ptr": 8}


class InvalidIRError(Exception):
    """Text that is no valid module; the message is the reader's, in one line."""


def _without_cpu(match: re.Match[str]) -> str:
    """An attribute group without the CPU that was compiled for; one of nothing else gets the neutral CPU."""
    group = _CPU.sub("", match[0])
    return group.replace("{ }", '{ "target-cpu"="generic" }')


def _without_debug_flags(text: str) -> str:
    """Drop the module flags that declare debug information.

    A reader that finds no version of it strips all of it by itself (LLVM's UpgradeDebugInfo), and keeps every name of a
    value and block.
    """
    numbers = {f"!{number}" for number in _DEBUG_VERSION.findall(text)}

    def rest(match: re.Match[str]) -> str:
        kept = [flag for flag in match[1].split(", ") if flag not in numbers]
        return f"!llvm.module.flags = !{{{', '.join(kept)}}}" if kept else ""

    return _FLAGS.sub(rest, text) if numbers else text


def _size(kind: str) -> int | None:
    """Bytes from one element of a type to the next, the same on every 64-bit target; None for what has a layout."""
    array = _ARRAY.fullmatch(kind)
    if array is None:
        return _SIZES.get(kind)
    element = _size(array[2])
    return None if element is None else int(array[1]) * element


def _folded(match: re.Match[str]) -> str:
    """The value of a constant product, or the product itself where its value is not known for certain."""
    left, right = (int(number) if number else _size(kind) for number, kind in (match.groups()[:2], match.groups()[2:]))
    if left is None or right is None or left * right >= 1 << 63:
        return match[0]
    return str(left * right)


def _without_products(text: str) -> str:
    """`text` with constant products worked out, the inner ones first."""
    before = ""
    while before != text and " mul (" in text:
        before, text = text, _PRODUCT.sub(_folded, text)
    return text


def neutral(text: str, parts: Collection[str]) -> str:
    """`text` without what the named parts of `PARTS` stand for, and in a form that the reader accepts."""
    text = _MARKED.sub(r"add (\1)", _without_products(text))
    if "debug" in parts:
        text = _without_debug_flags(text)
    if "identifiers" in parts:
        text = _IDENT.sub("", _SOURCE_NAME.sub("", text, count=1))
    if "cpu" in parts:
        text = _ATTRIBUTE_GROUP.sub(_without_cpu, text)
    return text


def without_attributes(text: bytes, names: Collection[str]) -> bytes:
    """`text` of a module without some plain attributes, such as `minsize`, and without groups of nothing else."""
    words = re.compile(rb"\b(?:" + "|".join(names).encode() + rb") ")
    text = _ATTRIBUTE_GROUP_BYTES.sub(lambda match: words.sub(b"", match[0]), text)
    empty = b"|".join(_EMPTY_GROUP.findall(text))
    if not empty:
        return text
    uses = re.compile(rb"^((?: |define|declare).*) #(?:" + empty + rb")(?=$|, !| \{$| to label)", re.MULTILINE)
    return uses.sub(rb"\1", _EMPTY_GROUP.sub(b"", text))


def shrink(module: binding.ModuleRef) -> None:
    """Optimise a module for size, for the generic CPU of its target.

    LLVM's way to that, and from LLVM 23 on the only one: its default pipeline on functions marked `minsize`.
    """
    binding.initialize_native_target()
    for function in module.functions:
        if not function.is_declaration:
            function.add_function_attribute("optsize")
            function.add_function_attribute("minsize")
    machine = binding.Target.from_triple(module.triple).create_target_machine(cpu="generic", features="")
    with machine:
        builder = binding.create_pass_builder(machine, binding.create_pipeline_tuning_options(speed_level=2))
        builder.getModulePassManager().run(module, builder)


def _printed(module: binding.ModuleRef, parts: Collection[str]) -> str:
    """A module's print without the lines that the reader added."""
    text = _MODULE_ID.sub("", str(module), count=1)
    return _SOURCE_NAME.sub("", text, count=1) if "identifiers" in parts else text


def verified(text: str, parts: Collection[str] = PARTS, for_size: bool = False) -> str:
    """The module that `text` describes, verified and normalised in the named parts of `PARTS`.

    With `for_size` LLVM's pipeline for size is run on it, too. Without that and any part `text` itself is returned.

    Raise `InvalidIRError` when the reader rejects it. Each module has an LLVM context of its own, so that names never
    depend on what was read before.
    """
    given, text = text, neutral(text, parts)
    context = binding.create_context()
    try:
        with binding.parse_assembly(text, context=context) as module:
            module.verify()
            if for_size:
                shrink(module)
            if for_size or "reprint" in parts:
                return _printed(module, parts)
            return text if parts else given
    except RuntimeError as error:
        raise InvalidIRError(" ".join(str(error).split())) from error
