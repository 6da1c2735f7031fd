"""Where a program is not accepted in a frontend's first way, others are tried, and which one worked is recorded."""

import pytest

from scripts.compile.cache import Cache
from scripts.compile.compile_program import compile_source
from scripts.compile.compiler import Compiler
from scripts.compile.pragmas import header_end, with_pragma
from tests.support.compiling import build

VARIANTS = ["perf", "size"]
FIXED = """C     comments of fixed form
      PROGRAM P
      INTEGER I, S
      S = 0
      DO 10 I = 1, 10
   10 S = S + I
      WRITE(*,*) 'sum',
     &   S
      END
"""
ACCEPTED = {
    "a name that later editions keep": (
        "Rust",
        'fn main() { let async = 1; println!("{}", async); }\n',
        "--edition 2015",
    ),
    "trait objects of the first edition": (
        "Rust",
        'fn f(x: Box<Fn(i32) -> i32>) -> i32 { x(1) }\nfn main() { println!("{}", f(Box::new(|x| x))); }\n',
        "--edition 2015",
    ),
    "async functions": ("Rust", "async fn f() -> i32 { 1 }\nfn main() { let _ = f(); }\n", "--edition 2018"),
    "the last edition's prelude": (
        "Rust",
        'fn main() { let x: i32 = 5i64.try_into().unwrap(); println!("{x}"); }\n',
        "--edition 2021",
    ),
    "free form": ("Fortran", "program p\n  print *, 1\nend program\n", "-ffree-form source"),
    "fixed form": ("Fortran", FIXED, "-ffixed-form source"),
    "free form with macros": ("Fortran", "program p\n  print *, __LINE__\nend program\n", "-ffree-form -cpp"),
    "fixed form with macros": ("Fortran", FIXED.replace("'sum'", "__FILE__"), "-ffixed-form -cpp"),
    "no options": ("Haskell", "main :: IO ()\nmain = print 1\n", "source.hs"),
    "harmless options": ("Haskell", "{-# OPTIONS_GHC -O2 -Wall #-}\nmain :: IO ()\nmain = print 1\n", "source.hs"),
    **{
        f"Haskell's {option}": (
            "Haskell",
            f"{{-# OPTIONS_GHC -Wall {option} #-}}\nmain :: IO ()\nmain = print 1\n",
            "#-})",
        )
        for option in (
            "-fasm",
            "-fobject-code",
            "-fno-code",
            "-fllvm -fasm",
            "-fasm -o x",
        )
    },
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_the_alternative_that_worked_is_recorded_and_the_same_in_both_variants(case):
    language, program, expected = ACCEPTED[case]
    results = compile_source(program, build(language), VARIANTS)
    assert [(result.status, result.diagnostics) for result in results.values()] == [("ok", "")] * 2
    assert all(expected in result.command for result in results.values())
    assert all(result.command.endswith("source.hs") for result in results.values()) == (expected == "source.hs")


OF_FLANG = "#ifdef __flang__\n      PRINT *, 41\n#else\n      PRINT *, 43\n#endif\n"


@pytest.mark.parametrize(
    ("program", "expected", "value"),
    [
        (f"program p\n{OF_FLANG}end program\n", "-ffree-form -cpp", "i32 41"),
        (f"program p\n{OF_FLANG.replace('#', '  # ')}end program\n", "-ffree-form -cpp", "i32 41"),
        (FIXED.replace("      WRITE", f"{OF_FLANG}      WRITE"), "-ffixed-form -cpp", "i32 41"),
        ("program p\n#define N 41\n  print *, N\nend program\n", "-ffree-form -cpp", "i32 41"),
        ("program p\n  print *, '#endif', 41 ! #if\nend program\n", "-ffree-form source", "i32 41"),
        (
            FIXED.replace("     &   S", "     &   S,\n     #define") + "      FUNCTION F()\n      END\n",
            "-ffixed-form source",
            "",
        ),
    ],
    ids=["free form", "indented", "fixed form", "a definition", "no directive", "a continued line"],
)
def test_fortran_with_directives_has_the_compilers_macros(program, expected, value):
    result = compile_source(program, build("Fortran"), ["perf"])["perf"]
    assert (result.status, result.diagnostics) == ("ok", "")
    assert expected in result.command
    assert value in result.ir and "i32 43" not in result.ir


def test_the_message_of_a_program_with_directives_is_that_of_its_first_alternative():
    program = "program p\n#define print write\n  print *, 1\nend program\n"
    result = compile_source(program, build("Fortran"), ["perf"])["perf"]
    assert result.status == "compile_error"
    assert result.command == build("Fortran").alternatives[2].command("perf")


@pytest.mark.parametrize(
    ("language", "program", "expected"),
    [
        ("Rust", "fn main() { let x: i32 = ; }\n", "expected expression"),
        ("Fortran", "program p\n  print *, 'a' +\nend program\n", "expected"),
        ("Haskell", "{-# OPTIONS_GHC -fasm #-}\nmodule Main where\nmain = putStrLn 1\n", "source.hs:3:17"),
    ],
)
def test_a_program_that_no_alternative_accepts_has_the_first_ones_message(language, program, expected):
    results = compile_source(program, build(language), VARIANTS)
    assert {result.status for result in results.values()} == {"compile_error"}
    assert all(expected in result.diagnostics for result in results.values())
    first = build(language)
    assert {variant: result.command for variant, result in results.items()} == {v: first.command(v) for v in VARIANTS}


def test_cached_outcomes_name_the_alternative_that_worked(tmp_path):
    made = build("Rust")
    row = {
        "id": "x",
        "language": "Rust",
        "source_sha256": "y",
        "rejected": None,
        "source": "async fn f() -> i32 { 1 }\nfn main() { let _ = f(); }\n",
    }
    rows = [Compiler(made, VARIANTS, Cache(tmp_path)).rows(row, {}, VARIANTS) for _ in range(2)]
    assert rows[0] == rows[1]
    assert ["--edition 2018" in each["command"] for each in rows[0]] == [True, True]
    # A variant that is asked for later gets the same way as the one before.
    [later] = Compiler(made, ["size"], Cache(tmp_path)).rows(row, {}, ["size"])
    assert later == rows[0][1]
    assert Compiler(made, VARIANTS, Cache(None)).tasks() == [VARIANTS]


@pytest.mark.parametrize(
    "header",
    [
        "",
        "{-# LANGUAGE CPP #-}\n",
        "-- a comment {-\n",
        "{- a {- nested -} comment -}\n{-# OPTIONS_GHC -fasm #-}\n",
        "#!/usr/bin/env runghc\n\n",
        "#define X {-\n",
        "  \t\n{-# OPTIONS_GHC -fasm #-} ",
    ],
)
def test_the_first_token_of_a_haskell_program_is_found(header):
    text = f'{header}module Main where\nmain = putStrLn "{{-# OPTIONS_GHC -fasm #-}}"\n'
    assert header_end(text) == len(header)
    changed = with_pragma(text, "{-# OPTIONS_GHC -fllvm #-}")
    assert (changed == text) == ("OPTIONS" not in header)


def test_a_pragma_leaves_lines_and_columns_of_errors_as_they_are():
    start = "{-# OPTIONS_GHC -fasm #-} "
    program = f"{start}main :: IO ()\n{' ' * len(start)}main = print 1\n"
    [result] = compile_source(program, build("Haskell"), ["perf"]).values()
    assert (result.status, result.diagnostics) == ("ok", "")
    assert with_pragma("main = print 1\n", "{-# X #-}") == "main = print 1\n"
    assert with_pragma("main = print 1\n", None) == "main = print 1\n"
    assert header_end("{- never closed") == len("{- never closed")
