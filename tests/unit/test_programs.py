"""Programs put together from problem and completion."""

import pytest

from scripts.evaluate.calibrate import chosen, scale_for
from scripts.evaluate.execute import executions, programs_of, verdicts
from scripts.evaluate.generations import Generation, Sampling
from scripts.evaluate.go_imports import used_packages, with_imports
from scripts.evaluate.problems import Problem
from scripts.evaluate.programs import COMPOSERS, Prelude
from scripts.evaluate.runners import Verdict
from scripts.evaluate.stops import Stop
from scripts.lib.job import InputError


def compose(name, context, completion, tests, prelude=None, **fields):
    problem = Problem("p", "p", "the prompt", Stop(), context, tests, **fields)
    return COMPOSERS[name](prelude or Prelude(), problem, completion)


def test_python_keeps_tests_and_head_apart():
    own = compose("python", "import math\n\ndef helper(): pass\n\ndef f(x):", "\n  return x", "check(f)")
    assert own.files == (("program.py", "import math\n\ndef helper(): pass\n\ndef f(x):\n  return x\n"),)
    assert (own.head, own.entry_point, own.tests) == ("import math\n\ndef helper(): pass\n\n", "f", "check(f)")


def test_prelude_where_it_is_needed():
    prelude = Prelude("import re\n", {r"\bnp\b": "import numpy as np\n"})
    plain = compose("python", "def f(x):", "\n  return x", "", prelude)
    needing = compose("python", "def f(x):", "\n  return np.sum(x)", "", prelude)
    assert plain.files[0][1].startswith("import re\ndef f")
    assert needing.files[0][1].startswith("import re\nimport numpy as np\ndef f")


def test_joined_programs_are_prompt_completion_newline_tests():
    assert compose("rust", "fn f() {", " 1", "}\nfn main() {}").files == (
        ("program.rs", "fn f() { 1\n}\nfn main() {}"),
    )


def test_cpp_sets_names_of_the_tests_anew_and_cuts_main():
    text = compose("cpp-function", "int f(){", "return 1;}\nint main() { return 0; }", "int main() {}").files[0][1]
    assert text == (
        "int f(){return 1;}\n\n#undef main\n#undef NDEBUG\n#undef assert\n#include <assert.h>\nint main() {}"
    )
    assert "int main() { return 0; }" in compose("cpp", "int f(){", "}\nint main() { return 0; }", "").files[0][1]


def test_d_tests_are_a_module_with_the_imports_of_the_prompt():
    files = dict(compose("d", "import std.math;\nlong f(long x)", "{ return x; }", "unittest {}\nvoid main(){}").files)
    assert files["program.d"] == "module program;\nimport std.math;\nlong f(long x){ return x; }\n"
    assert files["tests.d"] == "module tests;\nimport program;\nimport std.math;\nunittest {}\nvoid main(){}\n"


def test_rust_tests_get_ranges_and_no_dangling_attribute():
    tests = "#[cfg(test)]\nmod tests { fn t() { r.gen_range(0, 3); r.gen_range(0..3); } }"
    text = compose("rust-crate", "fn f() {", "}\n#[cfg(any())]", tests).files[0][1]
    assert "r.gen_range(0..3); r.gen_range(0..3);" in text
    assert "#[cfg(any())]\n#[allow(dead_code)] fn between_program_and_tests() {}\n#[cfg(test)]" in text


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


def test_go_imports_are_what_is_used():
    text = with_imports(GO, 'import (\n    "crypto/rand"\n)')
    assert text.startswith(
        'package main\n\nimport (\n\t"crypto/md5"\n\t"crypto/rand"\n\t"fmt"\n\t"math"\n\t"testing"\n)\n'
    )
    assert text.count("import") == 1
    assert text.count("package main") == 1
    assert "math/rand" in used_packages(GO, "")


def test_go_main_runs_the_tests_of_the_data_set_alone():
    tests = "func TestF(t *testing.T) {\n}\nfunc helper() {}\n"
    files = dict(compose("go", "package f_test\nfunc F() {", "}\nfunc TestMine(t *testing.T) {}", tests).files)
    assert '{Name: "TestF", F: program.TestF}' in files["main.go"]
    assert "TestMine" not in files["main.go"]


class CountingRunner:
    """Says of every program how long it is, and counts."""

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
    programs = programs_of(problems, generations, "rust", Prelude())
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


def test_generation_for_another_prompt_is_refused():
    with pytest.raises(InputError, match="the problem a has changed since it was generated for"):
        programs_of({"a": Problem("a", "a", "new prompt", Stop())}, [generation("a", [""])], "rust", Prelude())


def test_limits_grow_by_whole_factors_where_references_need_it():
    assert scale_for([0.1, 0.4], 10, 10) == 1
    assert scale_for([0.1, 1.4], 10, 10) == 2
    assert scale_for([], 10, 10) == 1


def test_problems_to_calibrate_with():
    problems = [Problem(str(n), str(n), "", Stop(), solution="x" if n % 2 else None) for n in range(20)]
    few = chosen(problems, 4, 484)
    assert len(few) == 4
    assert all(problem.solution for problem in few)
    assert chosen(problems[::-1], 4, 484) == few
