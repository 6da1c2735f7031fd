"""The date and time of compiling are the same on any day, in every language that can ask for them."""

import datetime
import time

import pytest

from scripts.compile.build import make_build
from scripts.compile.compile_program import compile_source
from tests.support.compiling import SETTINGS, TABLE, build

C = "const char *when = __DATE__ __TIME__ __TIMESTAMP__;\nint main(void) { return when[0]; }\n"
PROGRAMS = {
    "C": C,
    "C++": f"#include <cstdio>\n{C}",
    "Objective-C": C,
    "D": 'immutable when = __DATE__ ~ " " ~ __TIME__ ~ " " ~ __TIMESTAMP__;\nvoid main() { assert(when.length); }\n',
    "Nim": 'echo CompileDate, " ", CompileTime\n',
    "Fortran": "program p\n  print *, __DATE__, __TIME__, __TIMESTAMP__\nend program\n",
    "Haskell": "{-# LANGUAGE CPP #-}\nmain :: IO ()\nmain = mapM_ putStrLn [__DATE__, __TIME__, __TIMESTAMP__]\n",
    "Rust": 'fn main() { println!("{:?}", option_env!("SOURCE_DATE_EPOCH")); }\n',
}


@pytest.mark.parametrize("language", PROGRAMS)
def test_the_time_of_compiling_is_in_no_module(language):
    made = build(language)
    modules = []
    for _ in range(2):
        [result] = compile_source(PROGRAMS[language], made, ["perf"]).values()
        assert (result.status, result.diagnostics) == ("ok", "")
        modules.append(result.ir)
        time.sleep(1.1)
    assert modules[0] == modules[1]
    assert str(datetime.datetime.now(datetime.UTC).year) not in modules[0]
    assert "1980" in modules[0] or "315532800" in modules[0]


def test_without_a_sandbox_files_have_the_same_time():
    made = make_build("C", TABLE["C"], SETTINGS | {"sandbox": "off"})
    [result] = compile_source(C, made, ["perf"]).values()
    assert "Tue Jan  1 00:00:00 1980" in result.ir


def test_outcomes_depend_on_the_environment_of_compilers():
    assert "SOURCE_DATE_EPOCH" in build("C").key()
