"""The imports of a Go program whose completion repeats itself or leaves literals open."""

import pytest

from scripts.evaluate.runners.go_imports import used_packages, with_imports
from tests.support.cpu_time import assert_linear

HOSTILE_GO = {
    "comments": lambda n: "/* " * n,
    "strings": lambda n: '"\\' * n,
    "runes": lambda n: "'\\" * n,
    "uses of a package": lambda n: "fmt.Println " * n,
    "uses of many names": lambda n: " ".join(f"a{number}.B" for number in range(n)),
    "names in a list": lambda n: "fmt.Println " + "fmt, " * n,
    "imports": lambda n: "import (\n" * n,
    "blank lines": lambda n: "\n" * 4 * n,
}


@pytest.mark.parametrize("text", HOSTILE_GO.values(), ids=HOSTILE_GO)
def test_imports_of_a_completion_that_repeats_itself_take_linear_time(text):
    assert_linear(lambda completion: with_imports(completion, "", "main"), text)


@pytest.mark.parametrize(
    ("code", "packages"),
    [
        ("fmt.Println(1) /* never ended; os.Exit", ["fmt"]),
        ('x := "os.Exit never ended\nfmt.Println(x)', ["fmt"]),
        ("r := '\\U0001F600'; fmt.Println(r, 'x', '\\'')", ["fmt"]),
        ("a, fmt, sort := f()\nfmt.Println()\nos.Exit(0)", ["os"]),
    ],
)
def test_packages_are_found_around_literals_and_declarations(code, packages):
    assert used_packages(code, "") == packages


def test_two_lists_of_imports_are_read():
    text = 'package main\nimport (\n\t"fmt" // f(x\n\t"os"\n)\nimport "sort"\nfunc f() {}\n'
    assert with_imports(text, "", "main").count("import") == 1
