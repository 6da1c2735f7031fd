"""What a compiled program must not have: code that runs before the sentinel, and its own versions of system functions.

The dynamic linker runs resolvers of indirect functions (ifunc) and the functions of `.preinit_array` before anything
else, when the sentinel has not read the nonce yet. And a program's own `memcmp`, for example, replaces that of the C
library in every comparison of the tests. So does a hidden or static function with the same name for the assembler,
which is no dynamic symbol. The check reads the relocations, the dynamic section and all symbols of a 64-bit ELF file,
as the System V ABI defines them:
https://refspecs.linuxfoundation.org/elf/gabi4+/contents.html
"""

import re
import struct
from collections import Counter
from collections.abc import Iterator

FUNCTION_REPLACED = "a function of the system defined again"
_ELF_64 = b"\x7fELF\x02\x01"
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_RELOCATION = struct.Struct("<QQq")
_ENTRY = struct.Struct("<QQ")
_SYMTAB, _RELA, _DYNAMIC, _DYNSYM = 2, 4, 6, 11
# DT_PREINIT_ARRAYSZ: bytes of the list of functions that run first, and how many they are where the sentinel's function
# is the only one.
_PREINIT_SIZE, _OF_SENTINEL_ALONE = 33, 8
# R_X86_64_IRELATIVE, R_AARCH64_IRELATIVE.
_INDIRECT = {62: 37, 183: 1032}
_FUNCTION, _INDIRECT_FUNCTION, _LOCAL, _GLOBAL, _WEAK = 2, 10, 0, 1, 2
# Tests compare results, and programs and the sentinel end, by calls of these.
_COMPARING = frozenset(("memcmp", "bcmp", "strcmp", "strlen", "wmemcmp", "__memcmpeq"))
_ENDING = frozenset(("__assert_fail", "abort", "exit", "_exit", "quick_exit", "raise", "__libc_start_main"))
_UNWINDING = frozenset(("__cxa_atexit", "__cxa_throw", "_Unwind_RaiseException"))
_FILES = frozenset(("write", "read", "open", "open64", "close", "dup2", "fcntl", "fcntl64", "unlink"))
_OF_TESTS = _COMPARING | _ENDING | _UNWINDING | _FILES
# Functions of the sentinel or of the tests that it calls. A binary has one of each.
_OF_SENTINEL = frozenset(("data_set_assert_fail", "data_set_tests", "sentinel_tests", "__wrap_main"))
# Functions of the C++ and D libraries. Instances of their templates in a program are weak symbols, or local ones if an
# argument is a lambda, a local type or a static function. A function that the program itself adds to `std` is a
# global symbol, or a local one without such a mark in its name. Lambdas and bodies of loops are local symbols of D.
_OF_CPP_LIBRARY = ("_ZNS", "_ZNKS", "_ZS", "_ZNVS", "_ZN9__gnu_cxx", "_ZNK9__gnu_cxx")
_OF_LIBRARIES = ("_ZNS", "_ZNKS", "_ZS", "_ZNVS", "_D3std", "_D4core", "_D6object")
_STATIC = re.compile(r"Z\d|Z[NL]|L\d|U[lt]|_GLOBAL__N_|__(?:lambda|dgliteral|funcliteral|foreachbody)\d")
# Functions of the D runtime that compiled code calls: for assertions, comparisons of lists (`_ad…`) and of associative
# arrays (`_aa…`), and exceptions.
_OF_D_RUNTIME = re.compile(r"_d_|_a[ad][A-Z]|rt_|onAssert")
# A function template of `std` that the program specializes for types that are not its own, or a function of the program
# in an internal class of `std`. Instances that the compiler makes are weak symbols.
_SPECIALIZED = re.compile(r"_ZSt(?:(?P<length>\d+)|[a-z]{2}(?=I))|_ZNK?St\d+__")
_NOT_OWN = re.compile(r"I[PRKO]*(?:[a-z]|S|L|N(?:K?St|9__gnu_cxx))")
# Const members of std::string that are not templates: compilers use the library's
# instances of them.
_OF_STRING = re.compile(r"_ZNKSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEE(?:\d+[a-z_]+|[a-z]{2})E")


def forbidden(binary: bytes) -> str:
    """A phrase for what of this kind an executable has; empty for none, and for a file that is no 64-bit ELF file."""
    if not binary.startswith(_ELF_64):
        return ""
    sections = list(_sections(binary))
    indirect = _INDIRECT.get(struct.unpack_from("<H", binary, 18)[0])
    for kind, start, size, _ in sections:
        if kind == _RELA and any(
            info & 0xFFFFFFFF == indirect for _, info, _ in _table(binary, _RELOCATION, start, size)
        ):
            return "code that runs before the tests"
        if kind == _DYNAMIC and any(
            tag == _PREINIT_SIZE and value != _OF_SENTINEL_ALONE for tag, value in _table(binary, _ENTRY, start, size)
        ):
            return "code that runs before the tests"
    for kind, start, size, link in sections:
        if kind in (_DYNSYM, _SYMTAB) and _replacing(list(_symbols(binary, start, size, sections[link])), kind):
            return FUNCTION_REPLACED
    return ""


def replaces_in_tests(tests: bytes, program: bytes) -> bool:
    """Whether the linker would take a function of the object file of the program for one of the tests' own library
    functions.

    Instances of templates and inline functions are weak symbols of the tests, which give way to a symbol of the program
    that is not weak. Others, which the tests do not define, are those of the library.
    """
    if not (tests.startswith(_ELF_64) and program.startswith(_ELF_64)):
        return False
    of_tests = {name: (binding, defined) for name, _, binding, defined in _all_symbols(tests)}
    for name, _, binding, defined in _all_symbols(program):
        # After "@" is a version.
        name = name.partition("@")[0]
        if not defined or binding == _LOCAL or name not in of_tests:
            continue
        tests_binding, tests_define = of_tests[name]
        if tests_define and tests_binding == _WEAK and binding != _WEAK:
            return True
        if not tests_define and name.startswith(_OF_CPP_LIBRARY):
            return True
    return False


def _all_symbols(binary: bytes) -> Iterator[tuple[str, int, int, bool]]:
    sections = list(_sections(binary))
    for kind, start, size, link in sections:
        if kind == _SYMTAB:
            yield from _symbols(binary, start, size, sections[link])


def _sections(binary: bytes) -> Iterator[tuple[int, int, int, int]]:
    """Kind, offset, size and linked section of each section."""
    offset, size, count = struct.unpack_from("<Q", binary, 40)[0], *struct.unpack_from("<HH", binary, 58)
    if offset and not count:
        # A number that needs more than 16 bits is the size of the first section.
        count = _SECTION.unpack_from(binary, offset)[5]
    for number in range(count):
        _, kind, _, _, start, length, link, *_ = _SECTION.unpack_from(binary, offset + number * size)
        yield kind, start, length, link


def _table(binary: bytes, form: struct.Struct, start: int, size: int) -> Iterator[tuple[int, ...]]:
    return form.iter_unpack(binary[start : start + size - size % form.size])


def _symbols(
    binary: bytes, start: int, size: int, names: tuple[int, int, int, int]
) -> Iterator[tuple[str, int, int, bool]]:
    """Name, kind, binding of each symbol, and whether it is defined in the file."""
    for name, info, _, section, _, _ in _table(binary, _SYMBOL, start, size):
        first = names[1] + name
        yield binary[first : binary.index(b"\0", first)].decode("latin-1"), info & 15, info >> 4, section != 0


def _replacing(symbols: list[tuple[str, int, int, bool]], table: int) -> bool:
    """Whether one of the symbols of a table is a function of the program that replaces one of a library or of the
    sentinel.
    """
    functions = [
        (name, kind, binding)
        for name, kind, binding, defined in symbols
        if defined and kind in (0, _FUNCTION, _INDIRECT_FUNCTION)
    ]
    sentinel = Counter(name for name, *_ in functions if name in _OF_SENTINEL)
    # Where the D runtime is a shared library, only a program of its own defines functions with its names.
    shared_d = any(name == "_d_run_main" and not defined for name, _, _, defined in symbols)
    return (
        any(count > 1 for count in sentinel.values())
        or any(_replaces(*each, table) for each in functions)
        or (shared_d and any(_replaces_d(name, binding) for name, _, binding in functions))
    )


def _replaces_d(name: str, binding: int) -> bool:
    """Whether a function of the program replaces one of the D runtime, or an instance of one of its templates."""
    return bool(_OF_D_RUNTIME.match(name)) or (binding == _GLOBAL and name.startswith(_OF_LIBRARIES))


def _replaces(name: str, kind: int, binding: int, table: int) -> bool:
    """Whether a function of the program replaces one of a library."""
    if name in _OF_TESTS or _OF_STRING.match(name):
        return True
    if kind == 0 or not name.startswith(_OF_LIBRARIES):
        return False
    if table == _SYMTAB and binding == _LOCAL:
        return not _STATIC.search(name)
    return binding == _GLOBAL and (table == _DYNSYM or _specialized(name))


def _specialized(name: str) -> bool:
    """Whether a function of the program specializes a template of `std`, by its name for the linker."""
    match = _SPECIALIZED.match(name)
    if match is None or name.startswith("_ZN"):
        return match is not None
    return _NOT_OWN.match(name, match.end() + int(match["length"] or 0)) is not None
