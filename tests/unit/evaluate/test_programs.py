"""Programs composed of a problem and a completion, and how they are run and calibrated."""

import pytest

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.benchmarks.stop_sequences import Stop
from scripts.evaluate.calibrate import sample_problems, scale_for
from scripts.evaluate.execute import executions, programs_of, verdicts
from scripts.evaluate.generations import Generation, Sampling
from scripts.evaluate.runners.base import Verdict
from scripts.evaluate.runners.go_imports import used_packages, with_imports
from scripts.evaluate.runners.programs import COMPOSERS, Prelude, composer
from scripts.evaluate.runners.signatures import functions
from scripts.lib.job import InputError

PLAIN = composer({"kind": "compiled", "program": "program.swift"})


def compose(name, context, completion, tests, prelude=None, **fields):
    problem = Problem("p", "p", "the prompt", Stop(), context, tests, **fields)
    return COMPOSERS[name](prelude or Prelude(), problem, completion)


def test_python_programs_have_separate_tests_and_head():
    own = compose("python", "import math\n\ndef helper(): pass\n\ndef f(x):", "\n  return x", "check(f)")
    assert own.files == (("program.py", "import math\n\ndef helper(): pass\n\ndef f(x):\n  return x\n"),)
    assert (own.head, own.entry_point, own.tests) == ("import math\n\ndef helper(): pass\n\n", "f", "check(f)")


def test_a_conditional_prelude_precedes_programs_that_match():
    prelude = Prelude("import re\n", {r"\bnp\b": "import numpy as np\n"})
    plain = compose("python", "def f(x):", "\n  return x", "", prelude)
    matching = compose("python", "def f(x):", "\n  return np.sum(x)", "", prelude)
    assert plain.files[0][1].startswith("import re\ndef f")
    assert matching.files[0][1].startswith("import re\nimport numpy as np\ndef f")


def test_plain_programs_are_prompt_completion_newline_tests():
    assert PLAIN(Prelude(), Problem("p", "p", "", Stop(), "func f() {", "}\nprint(f())"), " 1").files == (
        ("program.swift", "func f() { 1\n}\nprint(f())"),
    )


def test_scripts_are_apart_from_their_tests():
    compose = composer({"kind": "script", "program": "program.lua", "entry_point": r"^(?:local )?function (\w+)"})
    context = "local function helper()\nend\nlocal function f(x)"
    own = compose(Prelude(), Problem("p", "p", "", Stop(), context, "check(f)"), " end")
    assert (own.files, own.tests, own.entry_point) == ((("program.lua", f"{context} end\n"),), "check(f)", "f")
    with pytest.raises(InputError, match="p: no function in the prompt matches the runner's entry_point"):
        compose(Prelude(), Problem("p", "p", "", Stop(), "x = 1", ""), "")


def test_d_tests_are_functions_of_another_module_that_the_sentinel_calls():
    files = dict(compose("d", "import std.math;\nlong f(long x)", "{ return x; }", "unittest {}\nvoid main(){}").files)
    assert files["program.d"] == "module program;\nimport std.math;\nlong f(long x){ return x; }\n"
    assert "static import program;\nimport std.math;\nlong f(long x) { return program.f(x); }" in files["tests.d"]
    assert "void data_set_test_0() {}" in files["tests.d"]
    assert "unittest" not in files["tests.d"].replace("FAILED unittests", "")


def test_old_ranges_in_rust_tests_are_rewritten():
    tests = "#[cfg(test)]\nmod tests {\nuse super::*; fn t() { r.gen_range(0, 3); r.gen_range(0..3); } }"
    text = compose("rust-crate", "fn f(mut x: &str, y: i32) -> i32 {", "}\n#[cfg(any())]", tests).files[0][1]
    assert "r.gen_range(0..3); r.gen_range(0..3);" in text
    assert "fn f(mut x: &str, y: i32) -> i32 { return super::f(x, y); }" in text
    assert "use super::*" not in text
    assert text.startswith("#[cfg(test)]\nmod tests {\n")
    assert text.endswith("#[cfg(any())]\n")


@pytest.mark.parametrize(
    "context, completion, names",
    [
        ("fn f() {", "}", ""),
        ("use std::fmt;\npub use self::a::*;\nfn f() {", "}", "std::fmt super::a::*"),
        ("use std::{\n  fmt,\n  any::Any,\n};\nfn f() {", "}", "std::{\n  fmt,\n  any::Any,\n}"),
        (
            "mod a {\nstruct B;\n}\npub trait C {}\nconst D: i32 = 1;\nfn g() {}\nfn f() {",
            "}",
            "super::C super::D super::a",
        ),
        ("// struct A;\nfn f() {", "}\nstruct A;\nstruct B;\nfn main() {}", "super::A"),
        ("fn f() {", "\nstruct A;\n}", ""),
        ("fn f() {", "}\ntrait A {}\nimpl A for i32 {}\nmod std {}\nstruct Vec;", ""),
        ("use std::fmt::A;\nfn f() {", "}\nstruct A;", "std::fmt::A"),
        ("use std::fmt::*;\nfn f() {", "}\nstruct A;", "std::fmt::*"),
    ],
)
def test_rust_tests_see_listed_names(context, completion, names):
    tests = 'fn main() { let a: A = f(); std::f(Vec::new(), "B"); }'
    text = compose("rust", context, completion, tests).files[0][1]
    module = text.partition("mod data_set_names {\n    #![allow(unused_imports)]\n")[2].partition(";\n}\n")[0]
    listed = module.replace("    pub(crate) use ", "").replace(";\n", " ")
    assert (listed if names else "") == names


@pytest.mark.parametrize(
    "text, header, parameters",
    [
        (
            "// f(x) {\nint f(vector<int> a,\n  pair<int, int> b) {\n /* { */ int c;",
            "int f(vector<int> a,\n  pair<int, int> b)",
            ("vector<int> a", "pair<int, int> b"),
        ),
        ("#include <x>\nusing namespace std;\nany f(any a){", "any f(any a)", ("any a",)),
        (
            "import a;\nNullable!(long[string]) f(string test) ",
            "Nullable!(long[string]) f(string test)",
            ("string test",),
        ),
        (
            "fn main(){}\npub fn f<'a>(a: &'a dyn Any) -> Kind<i32, f64>{",
            "fn f<'a>(a: &'a dyn Any) -> Kind<i32, f64>",
            ("a: &'a dyn Any",),
        ),
        (
            "func F(a, b interface{}, c ...int) []interface{} {",
            "func F(a, b interface{}, c ...int) []interface{}",
            ("a", "b interface{}", "c ...int"),
        ),
        (
            "fn f(g: fn(i32, i32) -> bool) -> bool {",
            "fn f(g: fn(i32, i32) -> bool) -> bool",
            ("g: fn(i32, i32) -> bool",),
        ),
    ],
)
def test_the_signature_of_a_prompt_is_parsed(text, header, parameters):
    function = functions(text)[-1]
    assert (function.header, function.name.lower(), function.parameters) == (header, "f", parameters)


def test_a_prompt_without_a_function_is_an_error():
    with pytest.raises(InputError, match="declares no function that tests could call"):
        compose("cpp", "int x = 1;", "", "int main() {}")


GO = """
package main
import "sort"
import (
    "fmt"
    "os"
)
// strings.Fields is not used here
func F(text string) string {
    local := struct{ X int }{1}
    _ = local.X
    return fmt.Sprint(math.Sqrt(2), "time.Now", `os.Exit`, 'r', md5.Sum(nil), rand.Intn(3))
}
"""


def test_go_programs_import_the_packages_that_they_use():
    text = with_imports(GO, 'import (\n    "crypto/rand"\n)', "main")
    assert text.startswith('package main\n\nimport (\n\t"crypto/md5"\n\t"crypto/rand"\n\t"fmt"\n\t"math"\n)\n')
    assert text.count("import") == 1
    assert text.count("package main") == 1
    assert "math/rand" in used_packages(GO, "")


@pytest.mark.parametrize(
    "code, packages",
    [
        ("scanner := bufio.NewScanner(os.Stdin)\nfor scanner.Scan() {}", ["bufio", "os"]),
        ('hash, text := md5.New(), "a"\nhash.Write(nil)', ["crypto/md5"]),
        ("for _, list := range lists { list.Len() }", []),
        ("var time other\ntime.Now()", []),
        ("func F(url *other, hash other) { url.Parse(); hash.Sum() }", []),
        ("list := list.New()\nlist.Len()", ["container/list"]),
        ("var hash hash.Hash = md5.New()\nhash.Sum()", ["crypto/md5", "hash"]),
        ("func F(hash hash.Hash) { hash.Sum() }", ["hash"]),
        ("os.\n    Exit(fmt .Sprint())", ["fmt", "os"]),
        (
            "slices.SortFunc(x, func(a, b int) int { return cmp.Compare(a, b) }); maps.Keys(y)",
            ["cmp", "maps", "slices"],
        ),
        ("func F(cmp func(int) int) { cmp.Run() }", []),
        ("text.scanner.Scan(); f(time, url); x.time := 1; time.Now()", ["time"]),
    ],
)
def test_go_variables_with_the_name_of_a_package_import_nothing(code, packages):
    assert used_packages(code, "") == packages


@pytest.mark.parametrize("result", ["(int, error)", "(sum int)", "[2]int", "func(int)"])
def test_go_wrappers_return_what_the_function_returns(result):
    files = dict(compose("go", f"package f_test\nfunc F(x int) {result} {{", "}", "").files)
    assert f"func F(x int) {result} {{ return program.Tested_F(x); }}" in files["tests.go"]


def test_go_wrappers_of_functions_without_a_result_return_nothing():
    files = dict(compose("go", "package f_test\nfunc F(x []int) {", "}", "").files)
    assert "func F(x []int) { program.Tested_F(x); }" in files["tests.go"]


def test_go_main_runs_only_the_tests_of_the_data_set():
    tests = "func TestF(t *testing.T) {\n}\nfunc helper() {}\n"
    files = dict(compose("go", "package f_test\nfunc F() {", "}\nfunc TestMine(t *testing.T) {}", tests).files)
    assert '{Name: "TestF", F: counted(TestF)}' in files["main.go"]
    assert "TestMine" not in files["main.go"]


def test_go_imports_move_with_the_tests_if_only_these_use_them():
    context = 'package f_test\n\nimport (\n    "testing"\n    "fmt"\n    "sort"\n)\n\nfunc f(x []int) []int {\n'
    tests = "func TestF(t *testing.T) {\n  fmt.Println(f(nil))\n}\n"
    files = dict(compose("go", context, '    fmt.Println("sort.Ints")\n    return x\n}', tests).files)
    # An unused import stays, and remains a compile error.
    assert files["program.go"].startswith('package f_test\n\nimport (\n\t"fmt"\n\t"sort"\n)\n')
    assert files["tests.go"].startswith('package main\n\nimport (\n\tprogram "program"\n\t"fmt"\n\t"testing"\n)\n')
    assert "func f(x []int) []int { return program.Tested_f(x); }" in files["tests.go"]


def test_go_completions_get_no_import_of_unsafe_or_syscall():
    assert used_packages("unsafe.Pointer(nil); syscall.Exit(0); os.Exit(0)", "") == ["os"]
    assert used_packages("syscall.Exit(0)", 'import "syscall"') == ["syscall"]


class CountingRunner:
    """Passes programs that contain `good`, and counts how many it runs."""

    def __init__(self):
        self.count = 0

    def judge(self, program):
        self.count += 1
        return Verdict("passed" if "good" in program.files[0][1] else "wrong", "", 0.1)


def generation(name, completions):
    return Generation(name, "the prompt", completions, [], "e", "1", [], Sampling(0, 1, len(completions), 1))


def test_equal_programs_run_once():
    problems = {name: Problem(name, name, "the prompt", Stop(), "f") for name in "ab"}
    generations = [generation("b", ["good", "bad"]), generation("a", ["good", "good", "bad"])]
    programs = programs_of(problems, generations, PLAIN, Prelude())
    runner = CountingRunner()
    rows = executions(runner, programs, workers=2)
    assert runner.count == 2
    assert [(row["id"], row["sample"], row["status"]) for row in rows] == [
        ("a", 0, "passed"),
        ("a", 1, "passed"),
        ("a", 2, "wrong"),
        ("b", 0, "passed"),
        ("b", 1, "wrong"),
    ]
    assert verdicts(runner, [program for _, _, program in programs], 1).keys() == {row["program"] for row in rows}


def test_a_generation_for_another_prompt_is_an_error():
    with pytest.raises(InputError, match="the problem a has changed since it was generated for"):
        programs_of({"a": Problem("a", "a", "new prompt", Stop())}, [generation("a", [""])], PLAIN, Prelude())


def test_limits_grow_by_whole_factors_if_references_need_it():
    assert scale_for([0.1, 0.4], 10, 10) == 1
    assert scale_for([0.1, 1.4], 10, 10) == 2
    assert scale_for([], 10, 10) == 1


def test_calibration_draws_solved_problems_independently_of_their_order():
    problems = [Problem(str(n), str(n), "", Stop(), solution="x" if n % 2 else None) for n in range(20)]
    sample = sample_problems(problems, 4, 484)
    assert len(sample) == 4
    assert all(problem.solution for problem in sample)
    assert sample_problems(problems[::-1], 4, 484) == sample
