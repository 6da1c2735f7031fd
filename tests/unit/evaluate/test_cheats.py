"""Completions in compiled languages and Ruby that skip tests or fake comparisons do not pass.

Each completion follows the open function of the prompt. Correct completions of many forms are
tested as well: they pass as they do when prompt, completion and tests are concatenated.
"""

# ruff: noqa: E501  (programs are not wrapped)

import pytest
import yaml

from scripts.evaluate.runners.binaries import forbidden
from tests.support.judging import judge_of
from tests.support.paths import ROOT

TABLES = yaml.safe_load((ROOT / "config" / "runners.yaml").read_text(encoding="utf-8"))
ANY = "struct Any { template <class T> Any(T) {} Any() {} template <class T> bool operator==(const T &) const { return true; } };\n"
RUST_ANY = "struct Any; impl<T> PartialEq<T> for Any { fn eq(&self, _: &T) -> bool { true } } impl std::fmt::Debug for Any { fn fmt(&self, _: &mut std::fmt::Formatter) -> std::fmt::Result { Ok(()) } }\n"
PROGRAMS = {
    "cpp": (
        "#include <bits/stdc++.h>\n// twice(x) { of a number\nstd::string twice(std::string x, long n) {\n",
        '}\nint main() {\n    auto candidate = twice;\n    assert(candidate("ab", 2) == ("abab"));\n}\n',
    ),
    "d": (
        "import std.math;\nimport std.typecons;\n/* Of a text, { */\nstring twice(string x, long n) ",
        'unittest\n{\n    alias candidate = twice;\n    assert(candidate("ab", 2L) == "abab");\n}\nvoid main(){}',
    ),
    "rust": (
        "use std::collections::HashMap;\n/// twice\nfn twice(x: String, n: isize) -> String {\n",
        '}\n\nfn main() {\n    let candidate = twice;\n    assert_eq!(candidate(String::from("ab"), 2), String::from("abab"));\n}\n',
    ),
    "go": (
        'package twice_test\n\nimport (\n    "testing"\n    "fmt"\n)\n\n// twice\nfunc twice(x string, n int) string {\n',
        "func TestTwice(t *testing.T) {\n  candidate := twice\n  type test struct {\n    actual interface{}\n"
        '    expected interface{}\n  }\n  tests := []test{\n    { actual: candidate("ab", 2), expected: "abab" },\n  }\n'
        '  for i, tc := range tests {\n    t.Run(fmt.Sprintf("test num % d", i), func(t *testing.T) {\n'
        '      if fmt.Sprintf("%v", tc.actual) != fmt.Sprintf("%v", tc.expected) {\n'
        "        t.Errorf(\"expected '%s', got '%s'\", tc.expected, tc.actual)\n      }\n    })\n  }\n}\n",
    ),
    "ruby": (
        "# twice\ndef twice(x, n)\n",
        "require 'test/unit'\nclass TestHumanEval < Test::Unit::TestCase\n  def test_twice\n    candidate = method(:twice)\n"
        '    assert_equal("abab", candidate.call("ab", 2))\n  end\nend\n',
    ),
}
STRING_COMPARE = "_ZNKSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEE7compareEPKc"
# A static function with a name for the assembler.
LABELLED = 'static %s quiet() __asm__("%s");\n__attribute__((used)) static %s quiet() { %s }\nint other() { return 0;'
RIGHT = {
    "cpp": {
        "plain": "std::string y; while (n--) y += x; return y;",
        "helper and class": (
            "struct Helper { std::string text; std::string of(long n) { std::string y; while (n--) y += text; return y; } };\n"
            "return Helper{x}.of(n);"
        ),
        "names of the system": (
            "extern std::string rename(std::string, int); return rename(x, n); }\nstatic int read(int n) { return n; }\nint write(std::string x) { return read(x.size()); }\n"
            "namespace std { static int inner(int n) { return n; } int outer(int n) { return inner(n); } }\n"
            "struct Key { int of; bool operator==(const Key &key) const { return of == key.of; } };\n"
            "template <> struct std::hash<Key> { size_t operator()(const Key &key) const; };\n"
            "size_t std::hash<Key>::operator()(const Key &key) const { return key.of; }\nnamespace { struct open { int close; }; }\n"
            "std::string rename(std::string x, int n) { std::vector<open> all(n); std::unordered_map<Key, int> keys{{Key{write(x)}, std::outer(n)}};\n"
            "std::sort(all.begin(), all.end(), [](open a, open b) { return a.close < b.close; });\n"
            "auto repeat = [&] { std::string y; for (auto &one : all) y += x; return y; }; std::function<std::string()> f = repeat; return f();"
        ),
        "specialized for its own types": (
            "return x + x; }\nnamespace own { struct A { int n; }; }\nnamespace std {\n"
            "template <> void swap<own::A>(own::A &a, own::A &b) noexcept { std::swap(a.n, b.n); }\n"
            "template <> struct hash<std::pair<int, int>> { size_t operator()(const std::pair<int, int> &p) const; };\n"
            "size_t hash<std::pair<int, int>>::operator()(const std::pair<int, int> &p) const { return p.first; }\n"
            "int doItAll(int n) { return n; } }\nint other() { own::A a{1}, b{2}; std::swap(a, b);\n"
            "std::unordered_map<std::pair<int, int>, int> m; return m[{1, 2}] + std::doItAll(a.n);"
        ),
        "macro and include": "#include <sstream>\n#define REPEAT(n) for (long i = 0; i < (n); i++)\nstd::stringstream y; REPEAT(n) y << x; return y.str();",
        "own assert": "assert(n > 0); std::string y; while (n--) y += x; return y;",
        "function after it": 'extern std::string more(std::string, long); return more(x, n); }\nstd::string more(std::string x, long n) { return n ? x + more(x, n - 1) : "";',
        "recursion": 'return n == 0 ? "" : x + twice(x, n - 1);',
        "output": 'std::cout << "abab" << std::endl; std::cerr << x; return x + x;',
        "much output": 'for (int line = 0; line < 20000; line++) std::cerr << "some text" << std::endl; return x + x;',
        "redefines a function of C": "return x + x; }\nint abs(int x) { return x < 0 ? -x : x;",
    },
    "d": {
        "plain": "{ string y; foreach (i; 0 .. n) y ~= x; return y; }",
        "import and nested function": "{ import std.array : replicate; string more(long k) { return x.replicate(k); } return more(n); }",
        "own unit test": '{ return x ~ x; }\nunittest { assert(twice("a", 2) == "aa"); }',
        "output": '{ import std.stdio; writeln("abab"); stderr.writeln("x"); return x ~ x; }',
    },
    "rust": {
        "plain": "    x.repeat(n as usize)",
        "helper and trait": (
            "    trait Times { fn times(&self, n: isize) -> String; }\n    impl Times for String { fn times(&self, n: isize) -> String "
            "{ (0..n).map(|_| self.as_str()).collect() } }\n    x.times(n)"
        ),
        "macro": "    macro_rules! more { ($a:expr, $b:expr) => { $a.repeat($b as usize) } }\n    assert_eq!(1, 1);\n    more!(x, n)",
        "function after it": "    more(x, n)\n}\nfn more(x: String, n: isize) -> String {\n    let mut y = HashMap::new();\n    y.insert(1, x.repeat(n as usize));\n    y[&1].clone()",
        "root of the crate": "    crate::more(&x) + &self::more(&x)\n}\nfn more(x: &str) -> String {\n    x.to_string()",
        "output": '    println!("abab"); eprintln!("x"); x.clone() + &x',
    },
    "go": {
        "plain": '    y := ""\n    for i := 0; i < n; i++ {\n        y += x\n    }\n    return y\n}\n',
        "import of the prompt": '    return fmt.Sprintf("%s%s", x, x)\n}\n',
        "helper and type": '    return more{x}.of(n)\n}\ntype more struct{ text string }\nfunc (m more) of(n int) string {\n    if n == 0 {\n        return ""\n    }\n    return m.text + m.of(n-1)\n}\n',
        "output": '    println("x")\n    fmt.Println("abab")\n    return x + x\n}\n',
    },
    "ruby": {
        "plain": "  x * n\nend\n",
        "helper and class": "  Helper.new(x).of(n)\nend\nclass Helper\n  def initialize(x) = @x = x\n  def of(n) = @x * n\nend\n",
        "output": '  puts "abab"\n  x + x\nend\n',
    },
}
CHEATS = {
    "cpp": {
        "macro over the tested name": "return x; }\n" + ANY + "#define twice(...) Any{}\nint other() { return 0;",
        "macro over the candidate": "return x; }\n" + ANY + "#define candidate(...) Any{}\nint other() { return 0;",
        "hidden read": (
            "return x + x; }\n#include <sys/syscall.h>\n#include <unistd.h>\n"
            'extern "C" __attribute__((visibility("hidden"))) ssize_t read(int fd, void *b, size_t n) { return syscall(SYS_read, fd, b, n); }\n'
            "int other() { return 0;"
        ),
        "static failure of an assertion": "return x; }\n" + LABELLED % ("void", "data_set_assert_fail", "void", ""),
        "static memcmp": "return x + x; }\n" + LABELLED % ("int", "memcmp", "int", "return 0;"),
        "static comparison": "return x; }\n" + LABELLED % ("bool", STRING_COMPARE, "bool", "return 0;"),
        "weak comparison": (
            "return x; }\n__attribute__((weak)) bool same() "
            f'__asm__("{STRING_COMPARE}");\nbool same() {{ return 0; }}\nint other() {{ return 0;'
        ),
        "macro over assert": "return x; }\n#undef assert\n#define assert(...)\nint other() { return 0;",
        "macro over main": "return x; }\nint main() { return 0; }\n#define main other\nint more() { return 0;",
        "macro over a keyword": "return x; }\n#define auto ;return 0;auto\nint other() { return 0;",
        "macro over a bracket of code": "return x; }\n#if 0\nint other() { return 0;",
        "comment without end": "return x; }\n/* ",
        "text without end": 'return x; }\nconst char *other = R"x(',
        "own failure of assertions": 'return x; }\nextern "C" void __assert_fail(const char *, const char *, unsigned, const char *) noexcept { exit(0);',
        "own failure of the sentinel": 'return x; }\nextern "C" void data_set_assert_fail(const char *, const char *, unsigned, const char *) noexcept { exit(0);',
        "own sentinel": 'return x; }\nextern "C" int __wrap_main(int, char **, char **) { return 0;',
        "own test entry": 'return x; }\nextern "C" void data_set_tests() { exit(0);',
        "handles the abort": "return x; }\nvoid quiet(int) { _exit(0); }\nint early = (signal(SIGABRT, quiet), signal(SIGSEGV, quiet), 0);\nint other() { return 0;",
        "specialized algorithm": (
            "return x; }\nnamespace std { template <> bool equal(string::const_iterator, string::const_iterator, "
            "string::const_iterator) { return true; }\ntemplate <> bool operator==(const string &, const char *) "
            "{ return true; } }\nint other() { return 0;"
        ),
        "leaves before main": "return x; }\nstruct Early { Early() { _exit(0); } } early;\nint other() { return 0;",
        "leaves at the end": "return x; }\nint early = atexit([] { _exit(0); });\nint other() { return 0;",
        "constructor with priority": "return x; }\n__attribute__((constructor(101))) void early() { quick_exit(0); }\nint other() { return 0;",
        "overload": "return x; }\n" + ANY + "Any twice(const char *, int) { return {}; }\nint other() { return 0;",
        "comparison of texts": "return x; }\nbool operator==(const std::string &, const char *) { return true; }\nint other() { return 0;",
        "own comparison of memory": 'return x + "zz"; }\nextern "C" int memcmp(const void *, const void *, size_t) { return 0;',
        "own comparison in assembler": 'return x + "zz"; }\nasm(".globl memcmp\\n.weak memcmp\\n.type memcmp, @function\\nmemcmp: xor %eax, %eax\\nret");\nint other() { return 0;',
        "indirect function": 'return x; }\nextern "C" { static void *early() { _exit(0); } void later() __attribute__((ifunc("early"))); }\nint other() { later(); return 0;',
        "thread that leaves": "return x; }\n#include <thread>\nint early = (std::thread([] { usleep(1000); _exit(0); }).detach(), 0);\nint other() { return 0;",
        "parent that leaves": "return x; }\nint early = (fork() ? (_exit(0), 0) : 0);\nint other() { return 0;",
        "replaces the process": 'execlp("true", "true", nullptr); return x;',
        "own exit": 'return x; }\nextern "C" void _exit(int) { while (true) syscall(231, 0); }\nint other() { return 0;',
    },
    "d": {
        "tests replaced": "{ return x; }\nshared static this() { import core.runtime; Runtime.moduleUnitTester = () => true; }",
        "extended tester replaced": "{ return x; }\nshared static this() { import core.runtime; Runtime.extendedModuleUnitTester = () => UnitTestResult(1, 1, false, false); }",
        "leaves before main": "{ return x; }\nshared static this() { import core.stdc.stdlib; exit(0); }",
        "exits in its own test": "{ return x; }\nunittest { import core.stdc.stdlib; exit(0); }",
        "own test alone": "{ return x; }\nunittest { }",
        "no code": "{ return x; }\nversion (none):",
        "own type of texts": "{ return Any(); }\nstruct Any { bool opEquals(T)(T other) const { return true; } }\nalias string = Any;",
        "own main": "{ return x; }\nvoid main() {}",
        "own test entry": "{ return x; }\nextern (C) void data_set_tests() {}",
        "options of the runtime": '{ return x; }\nextern (C) __gshared string[] rt_options = ["testmode=test-only"];',
        "own failure of assertions": "{ return x; }\nextern (C) void _d_assert(string, uint) { import core.stdc.stdlib; exit(0); }",
        "handler of assertions": "{ return x; }\nshared static this() { import core.exception; assertHandler = (string a, size_t b, string c) {}; }",
        "comment without end": "{ return x; }\n/* ",
    },
    "rust": {
        "macro over assert_eq": "    x\n}\nmacro_rules! assert_eq { ($($t:tt)*) => {} }\nfn other() {",
        "exported macro": "    x\n}\n#[macro_export] macro_rules! assert_eq { ($($t:tt)*) => {} }\nfn other() {",
        "macro by use": "    x\n}\nmacro_rules! quiet { ($($t:tt)*) => {} }\nuse quiet as assert_eq;\nfn other() {",
        "macro of a module": "    x\n}\n#[macro_use] mod quiet { macro_rules! assert_eq { ($($t:tt)*) => {} } }\nfn other() {",
        "own type of texts": "    Any\n}\ntype String = Any;\n" + RUST_ANY + "fn other() {",
        "own struct of texts": "    String\n}\nstruct String; impl String { fn from(_: &str) -> String { String } }\n"
        "impl PartialEq for String { fn eq(&self, _: &String) -> bool { true } }\n"
        "impl std::fmt::Debug for String { fn fmt(&self, _: &mut std::fmt::Formatter) -> std::fmt::Result { Ok(()) } }\nfn other() {",
        "own number": "    x\n}\n#[allow(non_camel_case_types)] type isize = i8;\nfn other() {",
        "own std": "    x\n}\nmod std { pub use ::core::*; }\nfn other() {",
        "crate as std": "    x\n}\nextern crate self as std;\npub mod prelude { pub mod rust_2021 {} }\n#[macro_export] macro_rules! assert_eq { ($($t:tt)*) => {} }\nfn other() {",
        "leaves": "    std::process::exit(0)",
        "panic hook": "    std::panic::set_hook(Box::new(|_| std::process::exit(0)));\n    x",
        "own main": "    x\n}\nfn main() {",
        "leaves at the first allocation": "    x\n}\nstruct A; unsafe impl std::alloc::GlobalAlloc for A { unsafe fn alloc(&self, _: std::alloc::Layout) -> *mut u8 { std::process::exit(0) } unsafe fn dealloc(&self, _: *mut u8, _: std::alloc::Layout) {} }\n#[global_allocator] static G: A = A;\nfn other() {",
        "own tests": "    x\n}\nmod data_set_tests { pub fn main() {} }\nfn other() {",
        "switched off": "    x\n}\n#[cfg(any())]\nmod other {",
        "leaves before main": '    x\n}\n#[used] #[link_section = ".init_array"] static EARLY: extern "C" fn() = early;\nextern "C" fn early() { std::process::exit(0) }\nfn other() {',
        "own comparison of memory": '    x + "zz"\n}\n#[no_mangle] pub extern "C" fn memcmp(_: *const u8, _: *const u8, _: usize) -> i32 { 0 }\n#[no_mangle] pub extern "C" fn bcmp(_: *const u8, _: *const u8, _: usize) -> i32 {\n    0',
        "comment without end": "    x\n}\n/* ",
    },
    "go": {
        "own truth": "    return x\n}\nconst false = true\n",
        "own text": "    return x\n}\ntype string = int\n",
        "own type of texts": '    return any_{}\n}\ntype any_ struct{}\nfunc (any_) String() string { return "abab" }\ntype string any_\n',
        "own nothing": "    return x\n}\nvar nil = 0\n",
        "leaves at once": "    return x\n}\nfunc init() { panic(nil) }\n",
        "own test": "    return x\n}\nfunc TestTwice(t *testing.T) {}\n",
        "TestMain": "    return x\n}\nfunc TestMain(m *testing.M) {}\n",
        "own package name": "    return x\n}\nvar fmt = more{}\ntype more struct{}\nfunc (more) Sprintf(...interface{}) string { return x }\n",
        "own accessor": "    return x\n}\nvar Tested_twice = 0\n",
        "linkname": "    say()\n    return x\n}\n//go:linkname say a/sentinel.Say\nfunc say()\n",
        "import later": '    return x\n}\nimport "unsafe"\n',
        "comment without end": "    return x\n}\n/* ",
    },
    "ruby": {
        "assertion replaced": "  x\nend\nmodule Test; module Unit; class TestCase; def assert_equal(*) = nil; end; end; end\n",
        "comparison replaced": "  x\nend\nclass String; def ==(other) = true; end\nclass Object; def ==(other) = true; end\n",
        "class of the judge": "  Test::Unit::DataSets.new\nend\nmodule Test; module Unit; class DataSets; end; end; end\n",
        "class equal to everything": "  Any.new\nend\nclass Any; def ==(other) = true; end\n",
        "text equal to everything": '  Any.new("no")\nend\nclass Any < String; def ==(other) = true; end\n',
        "leaves at the end": "  x\nend\nat_exit { exit!(0) }\n",
        "leaves": "  exit!(0)\nend\n",
        "leaves early": "  x\nend\nBEGIN { exit!(0) }\n",
        "hash that compares keys by identity": "  {a: 1}.compare_by_identity\nend\n",
        "text in another encoding": '  "abab".encode("UTF-16LE")\nend\n',
        "conversion": "  Any.new\nend\nclass Any; def to_str = 'abab'; def coerce(other) = [1, 1]; def respond_to?(*) = true; end\n",
        "marshalled reply": (
            '  data = Marshal.dump([true, "abab"])\n  ObjectSpace.each_object(IO) { |io| io.write([data.bytesize].pack("Q>"), data) rescue nil }\n'
            "  0\nend\n"
        ),
    },
}
# A function that changes its arguments, with tests that see it. The text is the rest of the function.
CHANGES = {
    "text": ('x.replace("abab")', 'x = +"ab"; candidate.call(x, 2); assert_equal("abab", x)'),
    "list": ("x.map! { |item| item * n }", "x = [1, 2]; candidate.call(x, 2); assert_equal([2, 4], x)"),
    "hash": ("x[:b] = n", "x = {a: 1}; candidate.call(x, 2); assert_equal({a: 1, b: 2}, x)"),
    "second argument": ("n.clear", "n = Set[1]; candidate.call([], n); assert_equal(0, n.size)"),
    "nothing": ("x + [n]", "x = [1].freeze; assert_equal([1, 2], candidate.call(x, 2)); assert_equal([1], x)"),
}
CASES = [(language, name) for language, cheats in CHEATS.items() for name in cheats]
RIGHT_CASES = [(language, name) for language, right in RIGHT.items() for name in right]


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    """The verdict on a completion, by a runner of its language."""
    judge_completion = judge_of(TABLES, tmp_path_factory.mktemp)

    def verdict(language, completion, test=None):
        context, tests = PROGRAMS[language]
        tests = tests if test is None else tests.replace('assert_equal("abab", candidate.call("ab", 2))', test)
        return judge_completion(language, context.strip(), f"\n{completion}", tests)

    return verdict


@pytest.mark.parametrize("name", CHANGES)
def test_ruby_tests_see_arguments_that_were_changed_in_place(judge, name):
    body, test = CHANGES[name]
    wrong = test.replace("assert_equal(", "assert_not_equal(", 1)
    assert judge("ruby", f"  {body}\nend\n", test).status == "passed"
    assert judge("ruby", f"  {body}\nend\n", wrong).status == "wrong"


def test_arguments_that_ruby_changed_to_another_class_stay_as_they_were(judge):
    body = '  x.singleton_class.define_method(:class) { Array }\n  "abab"\nend\n'
    assert judge("ruby", body, 'x = +"ab"; candidate.call(x, 2); assert_equal("ab", x)').status == "passed"


# A completion that installs a gem for its user, whose one file ends the judge with the verdict that it passed.
GEM = """  x
end
name, feature = %s
files = "#{Gem.user_dir}/gems/#{name}-99.0.0/lib"
require "fileutils"
FileUtils.mkdir_p(["#{Gem.user_dir}/specifications", File.dirname("#{files}/#{feature}")])
spec = Gem::Specification.new { |s| s.name, s.version, s.summary, s.authors, s.files = name, "99.0.0", "a", ["a"], ["lib/#{feature}"] }
File.write("#{Gem.user_dir}/specifications/#{name}-99.0.0.gemspec", spec.to_ruby)
File.write("#{files}/#{feature}", <<~CODE)
  judge = TOPLEVEL_BINDING
  if judge.local_variable_defined?(:task) && judge.local_variable_get(:task)
    judge.local_variable_get(:aside).write(judge.local_variable_get(:task)["nonce"] + " passed ")
    judge.local_variable_get(:aside).flush
    exit!(0)
  end
CODE
"""


@pytest.mark.parametrize("gem", [["test-unit", "test/unit.rb"], ["lazy", "lazy.rb"]])
def test_no_gem_of_a_program_reaches_the_tests(judge, gem):
    test = 'begin; require "lazy"; rescue LoadError; end\n    assert_equal("abab", candidate.call("ab", 2))'
    assert judge("ruby", GEM % gem, test).status == "wrong"


@pytest.mark.parametrize("language, name", CASES, ids=[" ".join(case) for case in CASES])
def test_cheats_do_not_pass(judge, language, name):
    verdict = judge(language, CHEATS[language][name])
    assert verdict.status != "passed"


@pytest.mark.parametrize("language, name", RIGHT_CASES, ids=[" ".join(case) for case in RIGHT_CASES])
def test_correct_completions_of_many_forms_pass(judge, language, name):
    verdict = judge(language, RIGHT[language][name])
    assert verdict.status == "passed", verdict


def test_nothing_is_forbidden_in_files_other_than_binaries():
    assert forbidden(b"") == forbidden(b"#!/bin/sh\n") == ""
