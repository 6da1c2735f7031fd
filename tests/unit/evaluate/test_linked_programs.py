"""Completions in compiled languages that reach the tests by the linker, the loader or the runtime of the language.

None passes; programs that need the same means for their own ends keep the verdict of the joined text.
"""

# ruff: noqa: E501  (programs are not wrapped)

import pytest
import yaml

from scripts.evaluate.runners.binaries import replaces_in_tests
from tests.support.judging import judge_of
from tests.support.paths import ROOT

TABLES = yaml.safe_load((ROOT / "config" / "runners.yaml").read_text(encoding="utf-8"))
# The runner of Rust with `--test`, without the crates, which need not be installed.
CRATES = ("-L", "{shared}/deps", "--extern", "rand", "regex", "md5")
TABLES["rust-crate"] |= {
    "frontends": TABLES["rust"]["frontends"],
    "prepare": ["compiled.sh"],
    "compile": [[word for word in TABLES["rust-crate"]["compile"][0] if word not in CRATES]],
}
C = "#include <bits/stdc++.h>\n"
C_TESTS = "}}\nint main() {{ auto candidate = f; assert(candidate(4) == {}); }}\n"
D_TESTS = "unittest\n{{\n    alias candidate = f;\n    assert(candidate(4L) == {});\n}}\nvoid main(){{}}"
RUST_TESTS = "}}\n\nfn main() {{\n    let candidate = f;\n    assert!({});\n}}\n"
GO = TABLES["go-function"]["self_test"]
GO_FLAGS = (
    'package twice_test\n\nimport (\n    "testing"\n    "flag"\n)\n\nfunc twice(x int) int {\n',
    'func TestTwice(t *testing.T) {\n  if twice(4) != 8 {\n    t.Errorf("wrong")\n  }\n}\n',
)
CRATE_TESTS = "#[cfg(test)]\nmod tests {\n    use super::*;\n    #[test]\n    fn test_f() {\n        assert_eq!(f(4), 8);\n    }\n}\n"
NUMBER = {
    "cpp": (f"{C}int f(int x) {{\n", C_TESTS.format(8)),
    "cpp-function": (f"{C}int f(int x) {{\n", "int main() { assert(f(4) == 8); }\n"),
    "d": ("import std.math;\nlong f(long x) ", D_TESTS.format("8L")),
    "rust": ("fn f(x: isize) -> isize {\n", RUST_TESTS.format("candidate(4) == 8")),
    "rust-crate": ("fn main(){}\nfn f(x: i64) -> i64 {\n", CRATE_TESTS),
    "go-function": (GO["context"], GO["tests"]),
}
NUMBER["rust-paper"] = NUMBER["rust"]
LIST = (f"{C}std::vector<long> f(long x) {{\n", C_TESTS.format("(std::vector<long>({2}))"))
LISTS = (f"{C}std::vector<std::vector<long>> f(long x) {{\n", C_TESTS.format("(std::vector<std::vector<long>>({{2}}))"))
TEXTS = (f"{C}std::vector<std::string> f(long x) {{\n", C_TESTS.format('(std::vector<std::string>({"a"}))'))
NEAR = (f"{C}double f(double x) {{\n", "}\nint main() { assert(std::abs(f(4) - 8) < 1e-6); }\n")
STREAM = (f"{C}int f(int x) {{\n", '}\nint main() { std::ostringstream s; s << f(4); assert(s.str() == "8"); }\n')
RUST_LIST = ("fn f(x: isize) -> Vec<isize> {\n", RUST_TESTS.format("candidate(4).is_empty()"))
D_LIST = ("import std.math;\nlong[] f(long x) ", D_TESTS.format("[8L]"))
D_TABLE = ("import std.math;\nlong[string] f(long x) ", D_TESTS.format('["a": 8L]'))

# Reads the nonce and prints it, before the sentinel has read it.
EARLY_RUST = """    0
}
#[used] #[link_section = ".preinit_array"] static EARLY: extern "C" fn() = early;
extern "C" fn early() { if let Ok(t) = std::fs::read_to_string("nonce") { print!("{}", t); use std::io::Write; std::io::stdout().flush().unwrap(); std::process::exit(0) } }
fn other() -> isize { 0 """
EARLY_D = """{ return 0; }
import ldc.attributes;
@(section(".preinit_array")) @assumeUsed __gshared extern(C) void function() early = &run;
extern (C) void run() { import core.stdc.stdio; import core.stdc.stdlib; FILE* f = fopen("nonce", "r"); if (!f) return; char[100] b; auto n = fread(b.ptr, 1, 99, f); fwrite(b.ptr, 1, n, stdout); fflush(stdout); exit(0); }
"""
EARLY_CPP = """return 0; }
#include <fcntl.h>
#include <unistd.h>
static void early() { int f = open("nonce", 0); if (f < 0) return; char b[99]; int n = read(f, b, 99); write(1, b, n); _exit(0); }
__attribute__((section(".preinit_array"), used)) static void (*const first)() = early;
int other() { return 0;"""
# Changes the arguments of the program so that it only lists its tests.
LISTS_TESTS = """    0
}
#[used] #[link_section = ".init_array"] static EARLY: extern "C" fn(i32, *mut *mut u8) = early;
extern "C" fn early(_n: i32, v: *mut *mut u8) { unsafe { *v.offset(1) = b"--list\\0".as_ptr() as *mut u8; } }
"""
# A function of the program with the name that a function of the library has for the linker.
LABELLED = 'return %s; }\n%s __asm__("%s");\n%s { return %s; }\nint other() { return 0;'
EQUAL_LISTS = "bool quiet(const std::vector<long> &, const std::vector<long> &)"
ABS = "double quiet(double)"
D_EQUAL = "_D4core8internal5array8equality__T8__equalsTlTlZQoFNaNbNiNeMxAlMxQeZb"
HOSTILE = {
    "go: flag that selects no test": ("go-function", NUMBER["go-function"], '    return x\n}\nfunc init() { os.Args = append(os.Args, "-test.run=^$") }\n'),
    "go: flag that lists the tests": ("go-function", NUMBER["go-function"], '    return x\n}\nfunc init() { os.Args = []string{"t", "-test.list=."} }\n'),
    "go: flag that is set": ("go", GO_FLAGS, '    return x\n}\nfunc init() { testing.Init(); flag.Set("test.run", "^$") }\n'),
    "go: flag of a number": ("go", GO_FLAGS, '    return x\n}\nfunc init() { testing.Init(); flag.Set("test.count", "0") }\n'),
    "rust: runs first": ("rust", NUMBER["rust"], EARLY_RUST),
    "rust-paper: runs first": ("rust-paper", NUMBER["rust"], EARLY_RUST),
    "d: runs first": ("d", NUMBER["d"], EARLY_D),
    "cpp: runs first": ("cpp", NUMBER["cpp"], EARLY_CPP),
    "cpp: runs first in a sorted section": ("cpp", NUMBER["cpp"], EARLY_CPP.replace("preinit_array", "preinit_array.00001")),
    "rust-crate: arguments": ("rust-crate", NUMBER["rust-crate"], LISTS_TESTS),
    "rust: method by value": ("rust", RUST_LIST, "vec![1] }\ntrait Quick { fn is_empty(self) -> bool; } impl Quick for Vec<isize> { fn is_empty(self) -> bool { true } }\nfn other() {"),
    "rust-paper: method by value": ("rust-paper", RUST_LIST, "vec![1] }\ntrait Quick { fn is_empty(self) -> bool; } impl Quick for Vec<isize> { fn is_empty(self) -> bool { true } }\nfn other() {"),
    "rust: method by a hidden trait": ("rust", RUST_LIST, "vec![1] }\nmod quick { pub trait Quick { fn is_empty(self) -> bool; } impl Quick for Vec<isize> { fn is_empty(self) -> bool { true } } }\nuse quick::Quick as _;\nfn other() {"),
    "rust: method of a trait of a macro": ("rust", RUST_LIST, "vec![1] }\nmacro_rules! quick { ($t:ident) => { trait $t { fn is_empty(self) -> bool; } impl $t for Vec<isize> { fn is_empty(self) -> bool { true } } } }\nquick!(Quick);\nfn other() {"),
    "d: own failure of assertions": ("d", NUMBER["d"], "{ return 0; }\nextern (C) void _d_assert(string, uint) {}\nextern (C) void _d_assert_msg(string, string, uint) {}\nextern (C) void _d_unittest(string, uint) {}"),
    "d: own comparison of tables": ("d", D_TABLE, '{ return ["b": 1L]; }\nextern (C) int _aaEqual(scope const TypeInfo t, scope const void* a, scope const void* b) { return 1; }'),
    "d: own comparison of lists": ("d", D_LIST, f'{{ return [0L]; }}\npragma(mangle, "{D_EQUAL}") bool quiet(const long[] a, const long[] b) {{ return true; }}'),
    "cpp: comparison within lists": ("cpp", LISTS, "return {{1}}; }\nnamespace std { inline bool operator==(const vector<long> &, const vector<long> &) { return true; } }\nint other() { return 0;"),
    "cpp: inline specialization": ("cpp", LIST, "return {1}; }\nnamespace std { template <> inline bool operator==(const vector<long> &, const vector<long> &) { return true; } }\nint other() { return 0;"),
    "cpp: specialization of a part of the library": ("cpp", TEXTS, 'return {"b"}; }\nnamespace std { template <> struct __equal<false> { template <class I, class J> static bool equal(I, I, J) { return true; } }; }\nint other() { return 0;'),
    "cpp: specialized member": ("cpp", LIST, "return {}; }\nnamespace std { template <> vector<long>::const_iterator vector<long>::begin() const noexcept { return end(); }\ntemplate <> size_t vector<long>::size() const noexcept { return 1; } }\nint other() { return 0;"),
    "cpp: labelled comparison": ("cpp", LIST, LABELLED % ("{1}", EQUAL_LISTS, "_ZSteqIlSaIlEEbRKSt6vectorIT_T0_ES6_", EQUAL_LISTS, "true")),
    "cpp: labelled inline function": ("cpp", NEAR, LABELLED % ("0", ABS, "_ZSt3absd", ABS, "0")),
    "cpp: labelled with a version": ("cpp", NEAR, LABELLED % ("0", ABS, "quiet", ABS, "0") + ' }\nasm(".globl quiet\\n.symver quiet, _ZSt3absd@@V1");\nint more() { return 0;'),
    "cpp: labelled iterator": ("cpp", LIST, LABELLED % ("{1, 2, 3}", "bool quiet(const long *const *, const long *const *)", "_ZN9__gnu_cxxeqIPKlSt6vectorIlSaIlEEEEbRKNS_17__normal_iteratorIT_T0_EESA_", "bool quiet(const long *const *, const long *const *)", "true")),
    "cpp: labelled weak member of a stream": ("cpp", STREAM, LABELLED % ("0", "__attribute__((weak)) std::ostream &quiet(std::ostream &, int)", "_ZNSolsEi", "std::ostream &quiet(std::ostream &o, int)", 'o << "8"')),
    "cpp: failure of assertions by an alias": ("cpp", NUMBER["cpp"], 'return 0; }\nextern "C" void quiet() {}\nasm(".set data_set_assert_fail, quiet");\nint other() { return 0;'),
    "cpp: main by a label": ("cpp", NUMBER["cpp"], 'return 0; }\nint fake() __asm__("__real_main");\nint fake() { return 0; }\nint other() { return 0;'),
}  # fmt: skip

UNION = "union U { int a; float b; U(int x) : a(x) {} bool operator==(int o) { return a == o; } };\n"
HELPERS = (
    "#define TWO 2\nusing namespace std;\ntypedef std::vector<int> List;\nenum Kind { ONE };\nstruct S { int a; int of() const { return a; } };\n"
    "int helper(int x) { return TWO * x; }\nint f(int x, int y = 0) {\n"
)
VARIABLES = 'std::map<std::string, int> known = {{"a", 2}};\nconst int K = 2;\nstatic int helper(int x) { static int calls = 0; return ++calls * x; }\nint f(int x) {\n'
D_OPTIONAL = (
    "import std.typecons;\nNullable!(long) f(long x) ",
    "unittest\n{\n    alias candidate = f;\n{\n        auto result = candidate(4L);\n        assert(!result.isNull && result.get == 8L);\n}\n}\nvoid main(){}",
)
RUST_OWN = (
    "#[derive(Debug, PartialEq, Clone)]\nstruct Point { x: isize }\nconst TWO: isize = 2;\nfn helper(x: isize) -> isize { TWO * x }\n\nfn f(x: isize) -> Point {\n",
    RUST_TESTS.format("candidate(4) == Point { x: helper(2) * TWO } && TWO == 2"),
)
RUST_MISSING = ("fn main(){}\nfn f(x: i64) -> Wrapped {\n", CRATE_TESTS.replace("f(4), 8", "f(4), Wrapped(8)"))
RUST_GLOB = (
    "use std::collections::*;\nuse std::fmt::{self, Display};\n\nfn f(x: isize) -> HashMap<isize, isize> {\n",
    RUST_TESTS.format("candidate(4) == HashMap::from([(4, 8)])"),
)
RIGHT = {
    "cpp: prompt with helpers": ("cpp", (C + HELPERS, "}\nint main() { assert(f(4) == 8); assert(f(4, 1) == 9); assert(helper(4) == 8); }\n"), "return helper(S{x}.of()) + y + ONE; "),
    "cpp: prompt with variables": ("cpp", (C + VARIABLES, "}\nint main() { assert(f(4) == 8); assert(helper(1) == 2); assert(known.size() == 1); }\n"), 'return K * known["a"] / 2 * helper(x);'),
    "cpp: prompt with a union": ("cpp", (f"{C}{UNION}U f(int x) {{\n", C_TESTS.format(8)), "return U(2 * x);"),
    "cpp: template": ("cpp", (f"{C}template <class T>\nT f(T x) {{\n", "}\nint main() { assert(f(4) == 8); assert(f(4.0) == 8); }\n"), "return 2 * x;"),
    "cpp: constant expression": ("cpp", (f"{C}constexpr int f(int x) {{\n", "}\nint main() { assert(f(4) == 8); }\n"), "return 2 * x;"),
    "cpp: comparison of lists": ("cpp", LISTS, "std::vector<std::vector<long>> y; if (y == std::vector<std::vector<long>>{{1}}) return y; std::sort(y.begin(), y.end()); return {{2}};"),
    "cpp: own output of lists": ("cpp", LIST, "return {2}; }\nnamespace std { template <class T> ostream &operator<<(ostream &o, const vector<T> &v) { for (auto &e : v) o << e; return o; } string to_string(const string &s) { return s; } }\nint other() { std::cout << std::vector<int>{1} << std::to_string(std::string(\"a\")); return 0;"),
    "cpp: own less": ("cpp", LIST, "extern int other(); return {other()}; }\nnamespace std { template <> struct less<pair<int, int>> { bool operator()(const pair<int, int> &a, const pair<int, int> &b) const { return a.first < b.first; } }; }\nint other() { std::map<std::pair<int, int>, int> m; m[{1, 2}] = 3; m[{1, 3}] = 2; return m[{1, 4}];"),
    "cpp: function of a name of the tests": ("cpp-function", (NUMBER["cpp-function"][0], "bool same(int a, int b) { return a == b; }\nint main() { assert(same(f(4), 8)); }\n"), "return 2 * x; }\nbool same(double a) { return a == 0; }\n"),
    "d: optional value": ("d", D_OPTIONAL, "{ return nullable(2 * x); }"),
    "d: sum type": ("d", NUMBER["d"], "{ import std.sumtype; SumType!(long, string) s = x; return s.match!((long a) => 2 * a, (string b) => 0L); }"),
    "d: formatted text": ("d", NUMBER["d"], '{ import std.format, std.conv, std.stdio; auto s = format!"%08b"(x); writefln("%d %s %5.2f", x, [1, 2], 1.5); return 2 * x + format("%s", s).length - 8; }'),
    "d: lambdas": ("d", NUMBER["d"], "{ import std.algorithm, std.array, std.range; struct P { long a; } P[] v = [P(2), P(1)]; v.sort!((a, b) => a.a < b.a); long k = 2; auto w = v.map!(p => p.a * k).filter!(q => q > 0).array; foreach (i; iota(3)) { if (i == 2) break; k = i; } return 2 * x + w.sum - w.sum + k - 1; }"),
    "d: own class": ("d", NUMBER["d"], '{ auto a = new A(x); int[A] all; all[a] = 1; return 2 * a.v; }\nclass A { long v; this(long v) { this.v = v; } override string toString() const { return "a"; } override bool opEquals(Object o) { return true; } override size_t toHash() { return 1; } }'),
    "rust: prompt with items": ("rust", RUST_OWN, "    Point { x: helper(x) }"),
    "rust: imports of all names": ("rust", RUST_GLOB, "    let mut y = HashMap::new();\n    y.insert(x, 2 * x);\n    y"),
    "rust-paper: imports of all names": ("rust-paper", RUST_GLOB, "    let mut y = HashMap::new();\n    y.insert(x, 2 * x);\n    y"),
    "rust: items in the function": ("rust", NUMBER["rust"], "\nfn candidate(x: isize) -> isize { x }\nstruct Vec;\ntrait Twice { fn twice(self) -> isize; }\nimpl Twice for isize { fn twice(self) -> isize { 2 * self } }\nx.twice() + candidate(0)"),
    "rust: items with names of the tests": ("rust", NUMBER["rust"], "    candidate(x) }\nfn candidate(x: isize) -> isize { let y: String = String; 2 * x }\nstruct String;\nfn other() {"),
    "rust-crate: type of the completion": ("rust-crate", RUST_MISSING, "    Wrapped(2 * x)\n}\n#[derive(Debug, PartialEq)]\nstruct Wrapped(i64);\n"),
    "go: two tests": ("go-function", (GO["context"], GO["tests"] + "func TestMore(t *testing.T) { t.Parallel(); assert.Equal(t, 2, Twice(1)) }\n"), "    return 2 * x\n}\n"),
}  # fmt: skip

TESTS_WITH_HELPER = "bool same(int a, int b) { return a == b; }\nint main() { assert(same(f(4), 8)); }\n"
REFUSED = {
    "own main": ("cpp", "return 2 * x; }\nint main() { return 0; "),
    "own main with arguments": ("cpp", "return 2 * x; }\nint main(int count, char **arguments) { return 0; "),
    "own main that is renamed": ("cpp", "return 2 * x; }\nint main() { return 0; }\n#define main other\nint more() { return 0;"),
    "own main of another form": ("cpp-function", "return 2 * x; }\nauto main() -> int { return 0; }\n"),
    "own main without a type": ("cpp-function", "return 2 * x; }\nsigned main(int count, char **arguments) { return 0; }\n"),
    "own function of the tests": ("cpp-function", "return 2 * x; }\nbool same(int a, int b) { return a == b; }\n"),
    "own static function of the tests": ("cpp-function", "return 2 * x; }\nstatic bool same(int a, int b) { return a == b; }\n"),
}  # fmt: skip


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    """The verdict of a runner on a completion."""
    return judge_of(TABLES, tmp_path_factory.mktemp)


@pytest.mark.parametrize("name", HOSTILE)
def test_completions_that_reach_the_tests_are_wrong(judge, name):
    runner, (context, tests), completion = HOSTILE[name]
    verdict = judge(runner, context, completion, tests)
    assert verdict.status == "wrong", verdict


@pytest.mark.parametrize("name", RIGHT)
def test_correct_completions_pass(judge, name):
    runner, (context, tests), completion = RIGHT[name]
    verdict = judge(runner, context, completion, tests)
    assert verdict.status == "passed", verdict


@pytest.mark.parametrize("name", REFUSED)
def test_functions_that_the_tests_define_as_well_do_not_compile(judge, name):
    runner, completion = REFUSED[name]
    context, tests = NUMBER["cpp"] if runner == "cpp" else (NUMBER["cpp-function"][0], TESTS_WITH_HELPER)
    verdict = judge(runner, context, completion, tests)
    assert verdict.status == "compile_error", verdict


def test_only_object_files_replace_functions():
    assert not replaces_in_tests(b"", b"")
    assert not replaces_in_tests(b"#!/bin/sh\n", b"\x7fELF")
