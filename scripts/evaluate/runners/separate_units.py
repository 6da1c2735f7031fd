"""Programs of compiled languages in which nothing that a completion writes changes what the tests mean.

Joined as prompt, completion and tests, a program could define macros, types, constants or overloads over the names that
the tests use. So the tests stand before the completion (Rust), in another module (Rust, D) or in another package (Go),
and reach the tested functions through the signatures of the prompt. `cpp_units.py` does the same for C++.
"""

import re
from collections.abc import Callable

from scripts.evaluate.runners.go_imports import imports_of, used_packages, with_imports, without_imports
from scripts.evaluate.runners.rust_names import IMPORT, names_module
from scripts.evaluate.runners.signatures import Function, declared_functions, split_brace

_D_IMPORT = re.compile(r"^import [^;]*;", re.MULTILINE)
_D_TEST = re.compile(r"^unittest\b", re.MULTILINE)
_D_MAIN = re.compile(r"^void main\(\)\s*\{\s*\}", re.MULTILINE)
_GO_TEST = re.compile(r"^func (Test\w*)\(\w+ \*testing\.T\)", re.MULTILINE)
_GO_PACKAGE = re.compile(r"^\s*package\s+(\w+)", re.MULTILINE)
_RUST_MAIN = re.compile(r"^fn main\(", re.MULTILINE)
_RUST_MODULE = re.compile(r"^mod tests \{\n", re.MULTILINE)
# Names of the standard library that tests use without importing them. What a module imports by name comes before what
# `use ...::*` brings, so that a program's own `assert_eq`, `isize` or `Vec` does not reach the tests.
_RUST_NAMES = """
    #[allow(unused_imports)]
    use ::std::{
        assert, assert_eq, assert_ne, format, matches, panic, print, println, vec,
        boxed::Box, clone::Clone, cmp::{Eq, Ord, PartialEq, PartialOrd}, convert::{AsRef, From, Into},
        default::Default, iter::{Extend, IntoIterator, Iterator}, option::Option::{self, None, Some},
        primitive::{bool, char, f32, f64, i128, i16, i32, i64, i8, isize, str, u128, u16, u32, u64, u8, usize},
        result::Result::{self, Err, Ok}, string::{String, ToString}, vec::Vec,
    };
"""
_RUST_GLOB = re.compile(r"^[ \t]*(?:#\[[^\]]*\]\s*)?use super::\*;", re.MULTILINE)
_WORD = re.compile(r"\w+")
_D_TESTS = """module tests;
static import program;
%s
%s
%s
extern (C) __gshared string[] rt_options = ["testmode=run-main"];
extern (C) void sentinel_tests();
extern (C) void data_set_tests()
{
    import core.stdc.stdio : fprintf, stderr;
    import core.stdc.stdlib : exit;
    try { %s }
    catch (Throwable error)
    {
        fprintf(stderr, "%%.*s\\nFAILED unittests\\n", cast(int) typeid(error).name.length, typeid(error).name.ptr);
        exit(1);
    }
}
void main() { sentinel_tests(); }
"""
_GO_MAIN = """package main

import (
	sentinel "a/sentinel"
	"os"
	"sync/atomic"
	"testing"
	"testing/internal/testdeps"
)

// ended counts the tests that came to their end: a program can set flags that select none.
var ended int32

func counted(test func(*testing.T)) func(*testing.T) {
	return func(t *testing.T) { test(t); atomic.AddInt32(&ended, 1) }
}

func main() {
	os.Args = []string{"program"}
	tests := []testing.InternalTest{%s}
	code := testing.MainStart(testdeps.TestDeps{}, tests, nil, nil, nil).Run()
	if code != 0 {
		os.Stderr.WriteString("tests failed")
		os.Exit(code)
	}
	if int(atomic.LoadInt32(&ended)) == len(tests) {
		sentinel.Say()
	}
}
"""


def _wrappers(declared: list[Function], callee: str, parameter: Callable[[str], str], *, always: bool = False) -> str:
    """For each function, one of the same signature that calls `callee`, in which {} is its name.

    parameter: the name of a parameter in its text. always: whether functions without a result may return as well.
    """
    texts = []
    for function in declared:
        names = ", ".join(parameter(each) for each in function.parameters)
        result = "return " if always or function.result else ""
        texts.append(f"{function.header} {{ {result}{callee.format(function.name)}({names}); }}\n")
    return "".join(texts)


def rust_text(context: str, completion: str, tests: str) -> str:
    """The tests in a separate module before the program, because macros are defined in the order of the text."""
    brace, checks = split_brace(tests)
    checks = _RUST_GLOB.sub("", checks)
    declared = [function for function in declared_functions(context) if function.name != "main"]
    known = {*_WORD.findall(_RUST_NAMES), *(function.name for function in declared)}
    inside = IMPORT + _RUST_NAMES + _wrappers(declared, "super::{}", _rust_parameter, always=True)
    program = f"{names_module(context, completion, checks, known)}{context}{completion}\n{brace}"
    if _RUST_MODULE.search(checks):
        return f"{_RUST_MODULE.sub(lambda match: match[0] + inside, checks, count=1)}\n{program}"
    checks = _RUST_MAIN.sub("pub fn main(", checks)
    module = f"mod data_set_tests {{\n{inside}{checks}}}\n"
    return f"{module}fn main() {{ data_set_tests::main() }}\n{program}"


def _rust_parameter(text: str) -> str:
    return text.partition(":")[0].removeprefix("mut ").strip()


def d_files(context: str, completion: str, tests: str) -> dict[str, str]:
    """The program as a module; the tests as functions of another, which the sentinel calls.

    The runtime runs unit tests by a function that a program can replace, and unit tests of the program could end the
    process.
    """
    wrappers = _wrappers(declared_functions(context), "program.{}", lambda text: text.split()[-1], always=True)
    count = len(_D_TEST.findall(tests))
    numbers = iter(range(count))
    checks = _D_MAIN.sub("", _D_TEST.sub(lambda _: f"void data_set_test_{next(numbers)}()", tests))
    calls = " ".join(f"data_set_test_{number}();" for number in range(count))
    imports = "\n".join(_D_IMPORT.findall(context))
    return {
        "program.d": f"module program;\n{context}{completion}\n",
        "tests.d": _D_TESTS % (imports, wrappers, checks, calls),
    }


def go_files(context: str, completion: str, tests: str) -> dict[str, str]:
    """A package of prompt and completion, and a main package with the tests of the data set.

    Imports of the prompt that only the tests use move with them, because Go refuses unused imports.
    """
    imports = imports_of(context)
    body = without_imports(context) + completion
    moved = set(used_packages(tests, "", imports)) - set(used_packages(body, "", imports))
    remaining = "".join(f'\t"{path}"\n' for path in imports if path not in moved)
    package = _GO_PACKAGE.search(context)
    name = package[1] if package else "program"
    listed = "\n".join(f'"{path}"' for path in imports)
    return _go_parts(name, f"package {name}\n\nimport (\n{remaining})\n{body}\n", context, tests, listed)


def go_function_files(context: str, completion: str, tests: str, listed: str) -> dict[str, str]:
    """As `go_files`, with the imports of both packages computed from what they use."""
    return _go_parts("program", with_imports(f"{context}{completion}\n", listed, "program"), context, tests, listed)


def _go_parts(name: str, program: str, context: str, tests: str, listed: str) -> dict[str, str]:
    declared = declared_functions(context)
    exports = "".join(f"var Tested_{function.name} = {function.name}\n" for function in declared)
    wrappers = _wrappers(declared, "program.Tested_{}", _go_parameter)
    entries = ", ".join(f'{{Name: "{test}", F: counted({test})}}' for test in _GO_TEST.findall(tests))
    return {
        "program.go": program,
        "export.go": f"package {name}\n\n{exports}",
        "tests.go": with_imports(f"{wrappers}\n{tests}", listed, "main", 'program "program"'),
        "main.go": _GO_MAIN % entries,
    }


def _go_parameter(text: str) -> str:
    name, _, kind = text.partition(" ")
    return f"{name}..." if kind.strip().startswith("...") else name
