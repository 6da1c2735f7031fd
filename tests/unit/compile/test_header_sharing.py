"""Leading includes are what the preprocessor sees: generated beginnings of programs, read here and by clang."""

import random
import re
import subprocess
import time
from dataclasses import replace

import pytest

from scripts.compile.build import with_headers
from scripts.compile.compile_program import compile_source, first_error
from scripts.compile.headers import leading_headers, longest, precompile, worthwhile
from tests.support.compiling import build
from tests.support.cpu_time import assert_linear

HEADERS = ("cstddef", "climits", "stdint.h", "cstdarg")
# What may stand before or between includes: {} is a line with an include.
FRAGMENTS = [
    "#include <{0}>\n",
    "#include<{0}>\r\n",
    "  #  include <{0}> // why\n",
    "\t#include <{0}> /* on this line */\n",
    "#include <{0}> /* over\n lines */\n",
    "/* before */ #include <{0}>\n",
    "/* a\n b */ #include <{0}>\r",
    "%:include <{0}>\n",
    "// goes on \\\n#include <{0}>\n",
    "// goes on \\  \t\n#include <{0}>\n",
    "// goes on \\\r\n#include <{0}>\n",
    "// trigraph ??/\n#include <{0}>\n",
    "??=include <{0}>\n",
    "/* hidden *\\\n/ #include <{0}>\n/* */\n",
    "/\\\n/ a comment #include <{0}>\n",
    "/\\\n* a comment\n#include <{0}>\n*/\n",
    "#inc\\\nlude <{0}>\n",
    "#include <{0}> \\\n\n",
    "// separator \u2028#include <{0}>\n",
    "// next line \u0085#include <{0}>\n",
    "// page \f#include <{0}>\n",
    "/* unusual \v */\n#include <{0}>\n",
    "#if 0\n#include <{0}>\n#endif\n",
    "#if 1\n#include <{0}>\n#endif\n",
    "#ifdef __cplusplus\n#include <{0}>\n#endif\n",
    "#if 0 // \\\n\n#endif\n#include <{0}>\n",
    'const char *r{1} = R"(\n#include <{0}>\n)";\n',
    'const char *s{1} = "\\\n#include <{0}>\\\n";\n',
    '#pragma GCC optimize("O2")\n#include <{0}>\n',
    '#pragma GCC optimize("O2") /*\n#include <{0}>\n*/\n',
    '#pragma GCC optimize("O2") \\\n#include <{0}>\n',
    "#define NAME{1} /*\n#include <{0}>\n*/ 1\n",
    "#define NAME{1} \\\n#include <{0}>\n",
    '_Pragma("once")\n#include <{0}>\n',
    "#\n#include <{0}>\n",
    "#import <{0}>\n",
    "\n\n   \n",
    "// plain\n",
    "/**/",
    "/*/ still open #include <{0}>\n/*/\n",
]


def beginning(generator: random.Random) -> str:
    """A random beginning of a program."""
    chosen = [generator.choice(FRAGMENTS) for _ in range(generator.randint(1, 5))]
    return "".join(text.format(generator.choice(HEADERS), number) for number, text in enumerate(chosen))


def included(source: str) -> list[str]:
    """The headers that clang takes from a program itself, in order; `…` where other tokens come between.

    Output of `-E -dI` has each include directive and the tokens; those of headers are cut by its line markers.
    """
    command = ["clang++-19", "-E", "-dI", "-x", "c++", "-"]
    text = subprocess.run(command, input=source.encode(), capture_output=True, check=False).stdout.decode(
        "utf-8", "replace"
    )
    found, own = [], True
    for line in text.splitlines():
        marker = re.match(r'# \d+ "([^"]*)"', line)
        directive = re.match(r"#(?:include|import) <([^>]+)>", line)
        if marker:
            own = marker[1] == "<stdin>"
        elif own and directive:
            found.append(directive[1])
        elif own and line.strip() and not line.startswith("#"):
            found.append("…")
    return found


@pytest.mark.parametrize("seed", range(6))
def test_leading_includes_are_includes_to_clang(seed):
    generator, taken = random.Random(seed), 0
    for _ in range(25):
        source = beginning(generator) + "int main() { return 0; }\n"
        headers = list(leading_headers(source))
        assert included(source)[: len(headers)] == headers, source
        taken += len(headers)
    assert taken > 3


def test_plain_includes_are_all_read():
    comments = "// a\r\n/* b\n */ "
    source = (
        f'{comments}#include <cstddef>\r\n#include <climits> // c\n#pragma GCC optimize("O3")\n#import <map>\nint x;'
    )
    assert leading_headers(source) == ("cstddef", "climits", "map")


@pytest.mark.parametrize("language", ["C++", "C"])
def test_a_shared_header_changes_no_byte(language, tmp_path):
    tmp_path.chmod(0o755)
    plain = build(language)
    shared = with_headers(replace(plain), tmp_path)
    names = HEADERS if language == "C++" else ("stddef.h", "limits.h", "assert.h", "stdio.h")
    generator = random.Random(language)
    used = 0
    for number in range(16):
        chosen = [generator.choice(FRAGMENTS) for _ in range(3)]
        start = "".join(
            text.format(generator.choice(names), place) for place, text in enumerate(["#include <{0}>\n", *chosen])
        )
        source = (
            f"{start}\nint y1 = sizeof(size_t) + {number};\nint main(void) {{ return y1 + __LINE__ + __COUNTER__; }}\n"
        )
        headers = leading_headers(source)
        name = precompile(headers, shared, "perf")
        assert name
        used += len(headers) > 1
        [apart], [together] = (
            compile_source(source, made, ["perf"], given).values()
            for made, given in ((plain, {}), (shared, {"perf": name}))
        )
        assert (together.status, together.ir) == (apart.status, apart.ir), source
    assert used > 2


def test_comparing_long_lists_of_headers_takes_linear_time():
    lists = [leading_headers("#include <a.h>\n" * 70_000), leading_headers("#include <a.h>\n" * 60_000)]
    start = time.process_time()
    (shared,) = worthwhile(lists, 2)
    assert longest(lists[0], {shared}) == shared
    assert time.process_time() - start < 1
    assert 50 < len(shared) < 100


@pytest.mark.parametrize("line", ["source.c:1:2: error: x\n", "error: x\n source.c:3\n"])
def test_the_first_error_of_many_is_found_in_linear_time(line):
    assert_linear(first_error, lambda number: line * number)
