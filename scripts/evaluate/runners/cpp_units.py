"""C++ programs in two translation units: the program with the completion, and the tests.

In one unit, templates are instantiated at its end, with every overload and specialization that the completion adds,
also where the tests use them. In two units, the instances of the tests are their own: the linker takes the first of
several definitions (`-z muldefs`), and the tests are the first input.
"""

import re
from collections.abc import Iterator

from scripts.evaluate.runners.signatures import DIRECTIVE, declared_functions, functions, masked, split_brace

# A failed assertion of the tests ends in the sentinel, not in a function that a program may define itself.
_TESTS = """
#undef NDEBUG
#undef assert
#include <assert.h>
extern "C" [[noreturn]] void data_set_assert_fail(const char *, const char *, unsigned, const char *) noexcept;
#define __assert_fail data_set_assert_fail
%s
#undef __assert_fail
"""
# Functions that another unit cannot see, or of which it has a copy with variables of its own.
_LOCAL = re.compile(r"\b(?:template|auto|static|inline|constexpr|consteval|requires)\b")
_TYPE = re.compile(r"(?:struct|class|union|enum)\b[^=(]*\Z")
_ALIAS = re.compile(r"(?:using|typedef)\b")


def cpp_files(context: str, completion: str, tests: str) -> dict[str, str]:
    """The program with the completion, and in another file what precedes the function, its declaration and the tests.

    After the completion, the program has empty functions with the signatures of those of the tests, `main` among them.
    A completion that defines one of them is refused by the compiler, as in the joined text.

    Prompts that two units cannot share, such as templates and variables, stay in one, in which the tests come first.
    """
    function = declared_functions(context)[-1]
    before = context[: function.start]
    brace, checks = split_brace(tests)
    declared = f"{before}{function.header};{_TESTS % checks}"
    program = f"{context[function.start :]}{completion}\n{brace}"
    if _LOCAL.search(function.header) or not (_can_be_shared(before) and _has_functions_only(checks)):
        return {"program.cpp": declared + program, "tests.cpp": ""}
    defined = "".join(f"{each.header} {{}}\n" for each in functions(checks))
    # A completion could have renamed its own `main` by a macro.
    return {"program.cpp": f"{before}{program}\n#undef main\n{defined}", "tests.cpp": declared}


def _can_be_shared(code: str) -> bool:
    """Whether two units may both have this code: functions, types and names for types, but no variables."""
    return all(
        not head or _ALIAS.match(head) or (not _LOCAL.search(head) and (_TYPE.match(head) or _is_body(head, sign)))
        for head, sign in _heads(code)
    )


def _has_functions_only(code: str) -> bool:
    return all(not head or (not _LOCAL.search(head) and _is_body(head, sign)) for head, sign in _heads(code))


def _is_body(head: str, sign: str) -> bool:
    """Whether the body of a function follows."""
    return sign == "{" and head.endswith(")")


def _heads(code: str) -> Iterator[tuple[str, str]]:
    """The beginning of each statement outside of braces, and the sign that ends it: `{`, `;` or none."""
    plain = DIRECTIVE.sub("", masked(code))
    depth, start = 0, 0
    for index, sign in enumerate(plain):
        if depth == 0 and sign in "{;":
            yield plain[start:index].strip(), sign
        depth += (sign == "{") - (sign == "}")
        if depth == 0 and sign in "};":
            start = index + 1
    yield plain[start:].strip(), ""
