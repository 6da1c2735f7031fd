"""Normalise LLVM IR: remove what differs between machines, then parse, verify and print it with one
LLVM.

That LLVM is llvmlite's. It reads the output of every frontend of this project, typed pointers
included, and prints it in one dialect. Text that depends on the machine is removed before parsing,
so that the stored text is always the print of a verified module, never text that was edited.
"""

import base64
import itertools
import re
from collections.abc import Collection

import llvmlite
from llvmlite import binding

from scripts.lib.constant_expressions import with_usual_spacing, without_dropped
from scripts.lib.hoisted_expressions import with_instructions
from scripts.lib.older_ir import with_current_syntax, with_line_feeds

PARTS = ("debug", "identifiers", "cpu", "reprint")
READER = f"llvmlite {llvmlite.__version__}, LLVM {'.'.join(map(str, binding.llvm_version_info))}"

_MODULE_ID = re.compile(r"; ModuleID = .*\n")
_SOURCE_NAME = re.compile(r"^source_filename = .*\n", re.MULTILINE)
_IDENT = re.compile(r"^!llvm\.(?:ident|commandline)\s*=\s*!\{[^}\n]*\}.*\n?", re.MULTILINE)
_ATTRIBUTE_GROUP = re.compile(r"^attributes #\d+ = .*$", re.MULTILINE)
_ATTRIBUTE_GROUP_BYTES = re.compile(_ATTRIBUTE_GROUP.pattern.encode(), re.MULTILINE)
_EMPTY_GROUP = re.compile(rb"^attributes #(\d+) = \{ \}$", re.MULTILINE)
_GROUP_USE = re.compile(rb"^((?: |define|declare).*) #(\d+)(?=$|, !| \{$| to label)", re.MULTILINE)
_CPU = re.compile(r' "(?:target-cpu|tune-cpu|target-features)"="[^"]*"')
_FLAGS = re.compile(r"^!llvm\.module\.flags = !\{(.*)\}$", re.MULTILINE)
_DEBUG_VERSION = re.compile(r'^!(\d+) = !\{i32 \d+, !"(?:Debug Info Version|Dwarf Version)", i32 \d+\}$', re.MULTILINE)
# An attribute, or any other string, with its value; and comments, in which quotes have no meaning.
_STRING_OR_COMMENT = re.compile(r'"[^"]*"|;[^\n]*')
_STRING = re.compile(r';[^\n]*|( ?)"([^"]*)"(?:\s*=\s*"[^"]*")?')
_CPU_NAMES = ("target-cpu", "tune-cpu", "target-features")
_HAS_CPU = re.compile(r'"(?:target-cpu|tune-cpu|target-features)"\s*=(?!"generic" \})')
_NO_ATTRIBUTES = re.compile(r'"[^"]*"|;[^\n]*|(\battributes\s+#\d+\s*=\s*)\{\s*\}')
_NEUTRAL_GROUP = '{ "target-cpu"="generic" }'
_NUL = "the text has a NUL character"
_EMPTY = "the module is empty: it has no function and no variable"
_SYMBOL_OR_ASSEMBLY = re.compile(r"^(?:@|module asm )", re.MULTILINE)
_REJECTED = "constexprs are no longer supported"


class InvalidIRError(Exception):
    """The text is not a valid module; the message is the reader's, in one line."""


def _without_cpu(match: re.Match[str]) -> str:
    """An attribute group without the target CPU; a group without other attributes gets the neutral
    CPU.
    """
    group = _CPU.sub("", match[0])
    return group.replace("{ }", _NEUTRAL_GROUP).replace("{}", _NEUTRAL_GROUP)


def _without_debug_flags(text: str) -> str:
    """Remove the module flags that declare debug information.

    A reader that finds no version of it strips all debug information (LLVM's UpgradeDebugInfo) and
    keeps the names of values and blocks.
    """
    numbers = {f"!{number}" for number in _DEBUG_VERSION.findall(text)}

    def rest(match: re.Match[str]) -> str:
        flags = [flag for flag in match[1].split(", ") if flag not in numbers]
        return f"!llvm.module.flags = !{{{', '.join(flags)}}}" if flags else ""

    return _FLAGS.sub(rest, text) if numbers else text


def _in_one_line(match: re.Match[str]) -> str:
    """A string with its line breaks escaped; a comment unchanged."""
    return match[0].replace("\n", "\\0A") if match[0][0] == '"' else match[0]


def _with_strings_in_lines(text: str) -> str:
    """`text` with each string in one line, so that no line of a string is taken for a line of the
    module.
    """
    if all(line.count('"') % 2 == 0 for line in text.split("\n")):
        return text
    return _STRING_OR_COMMENT.sub(_in_one_line, text)


def _without_inline_cpu(match: re.Match[str]) -> str:
    """An empty text for an attribute that names the target CPU; any other string unchanged."""
    named = match[2] in _CPU_NAMES and "=" in match[0]
    neutral_group = match.string.startswith(_NEUTRAL_GROUP, match.start() - 1)
    return "" if named and not neutral_group else match[0]


def _without_cpu_anywhere(text: str) -> str:
    """`text` without target CPUs in any spelling; a group without other attributes gets the neutral CPU."""
    text = _STRING.sub(_without_inline_cpu, text)
    return _NO_ATTRIBUTES.sub(lambda match: f"{match[1]}{_NEUTRAL_GROUP}" if match[1] else match[0], text)


def _edited(text: str, parts: Collection[str]) -> str:
    """`text` in the current syntax and without the named parts of `PARTS`."""
    text = with_current_syntax(_with_strings_in_lines(with_line_feeds(text)))
    if "debug" in parts:
        text = _without_debug_flags(text)
    if "identifiers" in parts:
        text = _IDENT.sub("", _SOURCE_NAME.sub("", text, count=1))
    if "cpu" in parts:
        text = _ATTRIBUTE_GROUP.sub(_without_cpu, text)
        text = _without_cpu_anywhere(text) if _HAS_CPU.search(text) else text
    return text


def _with_values(text: str) -> str:
    """`text` without the constant expressions that the reader rejects."""
    return with_instructions(without_dropped(text))


def neutral(text: str, parts: Collection[str]) -> str:
    """`text` without the named parts of `PARTS`, in a form that the reader accepts."""
    return _with_values(_edited(text, parts))


def without_attributes(text: bytes, names: Collection[str]) -> bytes:
    """The `text` of a module without some plain attributes, such as `minsize`, and without groups
    left empty.
    """
    words = re.compile(rb"\b(?:" + "|".join(names).encode() + rb") ")
    text = _ATTRIBUTE_GROUP_BYTES.sub(lambda match: words.sub(b"", match[0]), text)
    empty = set(_EMPTY_GROUP.findall(text))
    if not empty:
        return text
    return _GROUP_USE.sub(lambda match: match[1 if match[2] in empty else 0], _EMPTY_GROUP.sub(b"", text))


def defined_functions(text: str) -> list[str]:
    """Names of the functions that a module defines, sorted; raise `InvalidIRError` as `verified` does.

    Crafted text may crash the reader, as in `verified`.
    """
    if "\0" in text:
        raise InvalidIRError(_NUL)
    try:
        with binding.parse_assembly(text, context=binding.create_context()) as module:
            module.verify()
            if _is_empty(module):
                raise InvalidIRError(_EMPTY)
            return sorted(function.name for function in module.functions if not function.is_declaration)
    except RuntimeError as error:
        raise InvalidIRError(" ".join(str(error).split())) from error


def defines(bitcode: str, name: str) -> bool:
    """Whether a module, as bitcode in base64, defines a function; False if the reader rejects it.

    Crafted bitcode may crash the reader, as in `verified`.
    """
    try:
        with binding.parse_bitcode(base64.b64decode(bitcode), context=binding.create_context()) as module:
            return any(each.name == name and not each.is_declaration for each in module.functions)
    except RuntimeError:
        return False


def shrink(module: binding.ModuleRef) -> None:
    """Optimise a module for size, for the generic CPU of its target.

    This runs LLVM's default pipeline on functions marked `minsize`, from LLVM 23 on the only way to
    do so.
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
    """The print of a module without the lines that the reader added."""
    text = _MODULE_ID.sub("", str(module), count=1)
    return _SOURCE_NAME.sub("", text, count=1) if "identifiers" in parts else text


def _is_empty(module: binding.ModuleRef) -> bool:
    """Whether a module is empty: no function, no variable, no other name of an address, and no
    assembly.

    Declared intrinsics do not count: flang declares some in every module.
    """
    functions = (each for each in module.functions if not (each.is_declaration and each.name.startswith("llvm.")))
    values = itertools.chain(functions, module.global_variables)
    return next(values, None) is None and _SYMBOL_OR_ASSEMBLY.search(str(module)) is None


def _read(text: str, parts: Collection[str], for_size: bool) -> str:
    """The print of a module whose `text` is in a form that the reader accepts, or without reprinting
    the text itself.
    """
    with binding.parse_assembly(text, context=binding.create_context()) as module:
        module.verify()
        if _is_empty(module):
            raise InvalidIRError(_EMPTY)
        if for_size:
            shrink(module)
        return _printed(module, parts) if for_size or "reprint" in parts else text


def _read_any(text: str, parts: Collection[str], for_size: bool) -> str:
    """`_read` of a text that may have constant expressions that the reader rejects.

    They are rare and looking for them takes time, so they are searched where the reader found one.
    """
    for change in (_with_values, lambda text: _with_values(with_usual_spacing(text))):
        try:
            return _read(text, parts, for_size)
        except RuntimeError as error:
            if _REJECTED not in str(error):
                raise
            text = change(text)
    return _read(text, parts, for_size)


def _has_unusual_parts(text: str, parts: Collection[str]) -> bool:
    """Whether the print of a module has something that `_edited` should have removed, which was
    written in a way that LLVM does not write it, such as with another indentation.
    """
    return (
        ("cpu" in parts and any(f'"{name}"=' in text for name in _CPU_NAMES) and _HAS_CPU.search(text) is not None)
        or ("identifiers" in parts and ("\n!llvm.ident = " in text or "\n!llvm.commandline = " in text))
        or ("debug" in parts and "\n!llvm.dbg.cu = " in text)
    )


def verified(text: str, parts: Collection[str] = PARTS, for_size: bool = False) -> str:
    """The module that `text` describes, verified and normalised in the named parts of `PARTS`.

    With `for_size`, LLVM's pipeline for size is run on it as well. Without `for_size` and parts,
    `text` is returned.

    Raise `InvalidIRError` if the reader rejects the module or it is empty. Each module gets a new
    LLVM context, so that names never depend on modules that were read before. Crafted text may
    crash the reader: read untrusted modules through `isolation.isolated`.
    """
    if "\0" in text:
        # The reader's C interface would take it as the end of the text and silently ignore the
        # rest.
        raise InvalidIRError(_NUL)
    try:
        read = _read_any(_edited(text, parts), parts, for_size)
        if "reprint" in parts and _has_unusual_parts(read, parts):
            read = _read(_edited(read, parts), parts, for_size=False)
        return read if parts or for_size else text
    except RuntimeError as error:
        raise InvalidIRError(" ".join(str(error).split())) from error
