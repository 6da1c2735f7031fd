"""C++ programs in two translation units, and which prompts stay in one."""

import pytest

from scripts.evaluate.runners.compiled import KeptObjects
from scripts.evaluate.runners.programs import Prelude
from scripts.lib.sandbox.run import run
from scripts.workflow.validation import read_yaml
from tests.support.judging import judge_of
from tests.support.paths import ROOT
from tests.unit.evaluate.test_programs import compose


def test_cpp_tests_are_a_file_with_the_declaration_and_the_main_of_a_cpp_function_is_cut():
    files = dict(compose("cpp-function", "int f(){", "return 1;}\nint main() { return 0; }", "int main() {}").files)
    assert list(files) == ["program.cpp", "tests.cpp"]
    assert files["program.cpp"] == "#include <cstring>\nint f(){return 1;}\n\n\n#undef main\nint main() {}\n"
    assert files["tests.cpp"].startswith(
        "#include <cstring>\nint f();\n#undef NDEBUG\n#undef assert\n#include <assert.h>\n"
    )
    assert files["tests.cpp"].endswith("\nint main() {}\n#undef __assert_fail\n")
    assert "int main() { return 0; }" in compose("cpp", "int f(){", "}\nint main() { return 0; }", "").files[0][1]


def test_a_main_in_a_comment_or_text_of_a_cpp_function_is_not_cut():
    completion = 'const char *s = "int main() {"; // int main() is below\n/* int main( */ return 1;}\n'
    text = compose("cpp-function", "int f(){", f"{completion}int main() {{}}", "").files[0][1]
    assert text.endswith(f"int f(){{{completion}\n\n#undef main\n")


def test_cpp_functions_have_c_strings_unless_the_prompt_defines_one_of_their_names():
    include = "#include <cstring>\n"
    assert all(text.startswith(include) for _, text in compose("cpp-function", "int f(){", "}", "").files)
    assert not any(include in text for _, text in compose("cpp-function", "int strlen(string str){", "}", "").files)
    assert not any(include in text for _, text in compose("cpp", "int f(){", "}", "").files)


def test_a_cpp_prelude_precedes_both_files_if_one_matches():
    prelude = Prelude("", {"md5": "#include <md5.h>\n"})
    files = compose("cpp", "int f(){", "return md5;}", "", prelude).files
    assert all(text.startswith("#include <md5.h>\n") for _, text in files)


def test_a_brace_at_the_start_of_the_tests_closes_the_function():
    tests = "}\nbool same(int a, int b) { return a == b; }\nint main() { assert(f(1) == 1); }"
    files = dict(compose("cpp", "long f(long x) {", " return x;", tests).files)
    assert files["program.cpp"] == (
        "long f(long x) { return x;\n}\n\n#undef main\nbool same(int a, int b) {}\nint main() {}\n"
    )
    assert "}" not in files["tests.cpp"].partition("bool same")[0]


TABLES = read_yaml(ROOT / "config/runners.yaml")
FUNCTION = "int f(int x) {"


@pytest.mark.parametrize(
    "before",
    [
        "",
        "#include <x>\n#define A { 1 }\nusing namespace std;\n",
        "int helper(int a, vector<int> b) { if (a) { return 1; } return 2; }\n",
        "struct A { int b; int c() { return b; } };\nint A::d() { return 1; };\n",
        "union A { int b; };\nclass B;\nenum class C { D };\ntypedef vector<int> E;\nusing G = int;\n",
        "struct A *helper(int a) { return 0; }\n// int c = 1;\n/* static int d; */\n",
    ],
)
def test_cpp_prompts_with_functions_and_types_have_two_files(before):
    files = dict(compose("cpp", f"{before}{FUNCTION}", " return x;", "}\nint main() {}").files)
    assert files["program.cpp"] == f"{before}{FUNCTION} return x;\n}}\n\n#undef main\nint main() {{}}\n"
    assert files["tests.cpp"].startswith(f"{before}int f(int x);\n")


@pytest.mark.parametrize(
    "context, tests",
    [
        (f"int a = 1;\n{FUNCTION}", ""),
        (f"vector<int> a{{1}};\n{FUNCTION}", ""),
        (f"int a(5);\n{FUNCTION}", ""),
        (f"struct A {{ int b; }} c;\n{FUNCTION}", ""),
        (f"struct A {{ static int b; }};\nint A::b = 1;\n{FUNCTION}", ""),
        (f"static int g() {{ static int a; return a++; }}\n{FUNCTION}", ""),
        (f"inline int g() {{ return 1; }}\n{FUNCTION}", ""),
        (f"namespace {{ struct A {{}}; }}\n{FUNCTION}", ""),
        (f'extern "C" {{ int g(); }}\n{FUNCTION}', ""),
        ("template <class T>\nT f(T x) {", ""),
        ("auto f(int x) {", ""),
        ("static int f(int x) {", ""),
        ("inline int f(int x) {", ""),
        ("constexpr int f(int x) {", ""),
        (FUNCTION, "struct A {}; bool same(A a) { return true; }\n"),
        (FUNCTION, "int count = 0;\n"),
        (FUNCTION, "template <class T> bool same(T a, T b) { return a == b; }\n"),
    ],
)
def test_cpp_prompts_that_two_files_cannot_share_have_one(context, tests):
    tests = f"{tests}int main() {{}}"
    files = dict(compose("cpp", context, " return x;\n}", tests).files)
    assert files["tests.cpp"] == ""
    assert files["program.cpp"].index("int main() {}") < files["program.cpp"].index("return x;")


def test_object_files_are_kept_up_to_a_number_of_bytes():
    kept = KeptObjects(10)
    for text in ("a", "b"):
        kept.keep(text, b"1234")
    assert (kept.get("a"), kept.get("c")) == (b"1234", None)
    kept.keep("c", b"123")
    assert (kept.get("a"), kept.get("b"), kept.get("c"), kept.bytes) == (b"1234", None, b"123", 7)
    kept.keep("a", b"1")
    assert (kept.get("a"), kept.bytes) == (b"1", 4)
    kept.keep("huge", b"12345678901")
    assert (kept.get("huge"), kept.get("a"), kept.bytes) == (None, None, 0)


def test_the_tests_of_a_problem_are_compiled_once(tmp_path_factory, monkeypatch):
    commands = []

    def recording(command, **options):
        commands.append(command[-1])
        return run(command, **options)

    monkeypatch.setattr("scripts.evaluate.runners.compiled.run", recording)
    judge = judge_of(TABLES, tmp_path_factory.mktemp)
    context, tests = "int twice(int x) {", "}\nint main() { assert(twice(4) == 8); }\n"
    bodies = ["return 2 * x;", "return 3;", "int main() {}", "return 2 *;", "return x + x;"]
    statuses = [judge("cpp", context, body, tests).status for body in bodies]
    assert statuses == ["passed", "wrong", "compile_error", "compile_error", "passed"]
    assert judge("cpp", context, bodies[0], tests.replace("8", "9")).status == "wrong"
    builds = [command for command in commands if "program.cpp" in command]
    assert ["tests.cpp" in command for command in builds] == [True, False, False, False, False, True]
