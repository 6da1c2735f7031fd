"""Programs that run code while they are compiled: none of them puts another module in place of its own."""

import time

import pytest

from scripts.compile import compile_time
from scripts.compile.cache import Cache
from scripts.compile.compile_program import compile_source, run_command
from scripts.compile.compiler import Compiler
from scripts.compile.shard import outcomes
from scripts.lib.parquet import write_table
from scripts.lib.schemas.sources import SOURCES
from tests.support.compiling import build
from tests.support.cpu_time import assert_linear

TH = "{-# LANGUAGE TemplateHaskell #-}\nimport Language.Haskell.TH\n"
REPLACING = (
    TH + "import System.Process\n"
    'main = $(runIO (writeFile "replace.py" "import os\\n{text}while True:\\n  if os.path.exists(\'source.ll\'):\\n'
    "    open('b','w').write(t); os.rename('b','source.ll')\\n\""
    ' >> spawnCommand "python3 replace.py") >> [| putStr "x" |])\n'
)
VALID = "t = 'module asm \\\"# not from this program\\\"\\\\n'\\n"
CRASHING = "t = '!0 = ' + '!{' * 60000 + '}' * 60000 + chr(10)\\n"


@pytest.mark.parametrize(
    "program",
    [
        TH + "main = print $(litE (integerL (product [1 .. 10])))\n",
        "{-# LANGUAGE TemplateHaskellQuotes #-}\nmain :: IO ()\nmain = print 1 -- runIO\n",
        "{-# OPTIONS_GHC -O2 -optc-O3 -Wall -fno-warn-orphans #-}\nimport GHC.Exts\nmain = print 1\n",
        "{-# LANGUAGE CPP #-}\n#define N 3\nimport System.IO.Unsafe\nmain = print N\n",
        "{-# LANGUAGE CPP, TemplateHaskell #-}\n#if X > 800\n#endif\nmain = print $(litE (charL 'a'))\n",
        '{-# LANGUAGE CPP #-}\n#include "MachDeps.h"\n#define M(a, b) max (a) (b)\nmain = print (M(1, -2)) -- a/*.hs\n',
        TH + 'tupleOf n = do { names <- replicateM n (newName "x"); lamE (map varP names) (varE (head names)) }\n',
        '{-# OPTIONS_GHC -optc-fno-strict-aliasing -optc-Wno-all -with-rtsopts="-K8m" #-}\nmain = print 1\n',
        "{-# " * 10_000,
        "{-# LANGUAGE CPP #-}\n#if 1 /* a comment */\nmain = print 1\n#endif\n",
        '{-# LANGUAGE CPP #-}\n{-# INLINE f #-}\nf :: String\nf = "a\\\n  \\b" ++ "*/*"\nmain = print f\n',
        "{-# OPTIONS_GHC -Wall -- all warnings\n#-}\n{-# OPTIONS_HADDOCK hide #-}\nann = unsafeCoerce\n",
        "{-# LANGUAGE CPP #-}\n#define N 3\n{-# HLINT ignore #-}\n{-# OPTIONS_HADDOCK hide #-}\nmain = print N\n",
        "{-# LANGUAGE\n  CPP -- macros\n  , BangPatterns {- ! -}\n  #-}\nimport GHC.Exts\nmain = print 1\n",
    ],
)
def test_ordinary_haskell_is_not_refused(program):
    assert compile_time.haskell(program) == ""


@pytest.mark.parametrize(
    "program",
    [
        TH + 'main = $(runIO (putStr "x") >> [| putStr "x" |])\n',
        TH + 'import Control.Monad.IO.Class\nmain = $(liftIO (putStr "x") >> [| print 1 |])\n',
        TH + "import System.IO.Unsafe as U\nmain = print $(litE (integerL (U.unsafePerformIO (return 1))))\n",
        "{-# language\n QuasiQuotes #-}\nimport GHC.IO\nmain = print [q|x|]\n",
        "{-# OPTIONS_GHC -XTemplateHaskell #-}\nmain = print $(runIO undefined)\n",
        "import System.IO.Unsafe\n{-# ANN module (unsafePerformIO (return ())) #-}\nmain = print 1\n",
        "{-# OPTIONS_GHC -F -pgmF python3 #-}\nmain = print 1\n",
        "{-# OPTIONS_GHC -O2 -pgmlo=python3 #-}\nmain = print 1\n",
        "{-# OPTIONS_GHC -fplugin=Evil #-}\nmain = print 1\n",
        "{-# LANGUAGE CPP #-}\n#define E TemplateHaskell\n{-# LANGUAGE E #-}\nmain = print 1\n",
        "{-# LANGUAGE CPP, TemplateHaskell #-}\n#define R run\nmain = print $(R/**/IO undefined)\n",
        "{-# LANGUAGE CPP, TemplateHaskell #-}\nmain = print $(run/**/IO undefined)\n",
        "{-# LANGUAGE CPP, TemplateHaskell #-}\nmain = print $(run\\\nIO undefined)\n",
        "{-# LANGUAGE CPP #-}\n{-# LANGUAGE Template/**/Haskell #-}\nmain = print $(runIO undefined)\n",
        "{-# LANGUAGE CPP #-}\n{-/**/# LANGUAGE TemplateHaskell #-}\nmain = print $(runIO undefined)\n",
        "{-# LANGUAGE CPP #-}\n#define O {-\nO# LANGUAGE TemplateHaskell #-}\nmain = print $(runIO undefined)\n",
        "{-# LANGUAGE CPP #-}\n#define f(x) x\n{-# LANGUAGE f(Template)Haskell #-}\nmain = $(f(run)IO undefined)\n",
        "{-# LANGUAGE CPP #-}\n#define f(x,y) x-y\nf({,# OPTIONS_GHC -F -pgmF python3 #-})\nmain = print 1\n",
        "{-# LANGUAGE CPP, TemplateHaskell #-}\n#include <sys/cdefs.h>\nmain = print $(__CONCAT(run,IO) undefined)\n",
        "{-# OPTIONS_GHC -cpp -DE=TemplateHaskell -XE #-}\nmain = print 1\n",
        '{-# OPTIONS_GHC "-\\112gmF" python3 -F #-}\nmain = print 1\n',
        '{-# OPTIONS_GHC "-fth" #-}\nmain = print $(runIO undefined)\n',
        "{-# OPTIONS_GHC -optc-wrapper -optcpython3 #-}\nmain = print 1\n",
        TH + 'main = $(qRunIO (putStr "x") >> [| putStr "x" |])\n',
        TH + "import Language.Haskell.TH.Syntax as S\nmain = $(S.Q (S.qRunIO undefined))\n",
        TH + "main = $(qAddForeignFilePath undefined undefined >> [| print 1 |])\n",
        TH + "import Data.ByteString.Builder.Prim.Internal\nmain = print 1\n",
        TH + "import GHCi.TH\nmain = print 1\n",
        # Pragmas that GHC reads although their kind is not a word by itself, or goes on after `#-}`.
        "{-# OPTIONS_GHC-XTemplateHaskell #-}\nmain = $(runIO undefined)\n",
        "{-# LANGUAGE{-x-}TemplateHaskell #-}\nmain = $(runIO undefined)\n",
        "{-# LANGUAGE {-# x #-} TemplateHaskell #-}\nmain = $(runIO undefined)\n",
        "{-# LANGUAGE {- #-} -} TemplateHaskell #-}\nmain = $(runIO undefined)\n",
        "{-# OPT\u0130ONS_GHC -XTemplateHaskell #-}\nmain = $(runIO undefined)\n",
        "{-# ANN{--}main (unsafePerformIO undefined) #-}\nmain = print 1\n",
        "{-# aNn(main) (unsafePerformIO undefined) #-}\nmain = print 1\n",
        "{-# OPTIONS_GHC -odir - -pgmlo-/../../bin/echo #-}\nmain = print 1\n",
        "{-# LANGUAGE{-x-}CPP #-}\n#define T TemplateHaskell\n{-# LANGUAGE T #-}\nmain = print 1\n",
    ],
)
def test_haskell_that_can_do_input_and_output_while_it_is_compiled_is_refused(program):
    assert compile_time.haskell(program)


# What the preprocessor makes of a program that has CPP.
HIDDEN = {
    "a comment before the kind": "{-# /* */ LANGUAGE TemplateHaskell #-}\n",
    "a comment next to the opening": "#if 1\n{-#/* */ LANGUAGE TemplateHaskell #-}\n#endif\n",
    "an escaped line end before the kind": "{-# \\\n LANGUAGE TemplateHaskell #-}\n",
    "a directive before the kind": "#if 1\n{-#\n#if 1\nLANGUAGE TemplateHaskell #-}\n#endif\n#endif\n",
    "an end in a comment": "#if 1\n{-# LANGUAGE /* #-} */ TemplateHaskell #-}\n#endif\n",
    "an end that is left out": "#if 1\n{-# LANGUAGE CPP\n#if 0\n #-}\n#endif\n , TemplateHaskell #-}\n#endif\n",
    "an opening in a comment": "#if 0\n{-# LANGUAGE X\n#elif 1\n{-# LANGUAGE TemplateHaskell #-}\n#endif\n",
    "an empty macro of the compiler": "#if 1\n{-# __GHCVERSION_H__ LANGUAGE TemplateHaskell #-}\n#endif\n",
    "an empty macro of a header": '#include "MachDeps.h"\n{-# MACHDEPS_H LANGUAGE TemplateHaskell #-}\n',
    "a comment and a line end": "#if 1\n{-# LANGUAGE Template/**/\\\nHaskell #-}\n#endif\n",
    "a line end and a comment": "#if 1\n{-# LANGUAGE Template\\\n/**/Haskell #-}\n#endif\n",
    "a line end in a comment's opening": "#if 1\n{-# LANGUAGE Template/\\\n**/Haskell #-}\n#endif\n",
    "two line ends": "#if 1\n{-# LANGUAGE Template\\\n\\\nHaskell #-}\n#endif\n",
    "a line end after a blank": "#if 1\n{-# LANGUAGE Template\\ \nHaskell #-}\n#endif\n",
    "a comment in a directive": "# /* */ define T TemplateHaskell\n{-# LANGUAGE T #-}\n",
    "a comment before a macro": "#define /**/ T TemplateHaskell\n{-# LANGUAGE T #-}\n",
    "a line end in a directive": "# \\ \ndefine T TemplateHaskell\n{-# LANGUAGE T #-}\n",
    "a line end before a macro": "#define \\\n T TemplateHaskell\n{-# LANGUAGE T #-}\n",
    "a form feed in a directive": "#\fdefine T TemplateHaskell\n{-# LANGUAGE T #-}\n",
}
ANNOTATED = {
    "a macro as the kind": "#define A ANN\n{-# A",
    "a macro with arguments": "#define A(x) x\n{-# A(ANN)",
    "an opening of two arguments": "#define A(x, y) x-y\nA({,# ANN",
    "a comment before the kind": "{-# /* */ ANN",
    "an escaped line end before the kind": "{-# \\\n ANN",
    "a directive before the kind": "{-#\n#if 0\n#endif\n ANN",
    "an empty macro of the compiler": "{-# __GHCVERSION_H__ ANN",
}


@pytest.mark.parametrize("head", HIDDEN.values(), ids=HIDDEN)
def test_what_the_preprocessor_could_make_an_extension_is_refused(head):
    program = "import Language.Haskell.TH\nmain = $(runIO (print 1) >> [| print 1 |])\n"
    assert compile_time.haskell(f"{{-# LANGUAGE CPP #-}}\n{head}{program}")


@pytest.mark.parametrize("head", ANNOTATED.values(), ids=ANNOTATED)
def test_what_the_preprocessor_could_make_an_annotation_is_refused(head):
    program = f"import System.IO.Unsafe\n{head} main (unsafePerformIO (print 1)) #-}}\nmain = print 1\n"
    assert compile_time.haskell(f"{{-# LANGUAGE CPP #-}}\n{program}")


def test_macros_of_options_are_macros():
    program = "import System.IO.Unsafe\n{-# A main (unsafePerformIO (print 1)) #-}\nmain = print 1\n"
    assert compile_time.haskell("{-# OPTIONS_GHC -cpp -DA=ANN #-}\n" + program)
    assert compile_time.haskell("{-# OPTIONS_GHC-XCPP-DA=ANN #-}\n" + program)


@pytest.mark.parametrize(
    "head",
    [
        "{-# LANGUAGE{-x-}TemplateHaskell #-}\n",
        "{-# OPTIONS_GHC-XTemplateHaskell #-}\n",
        "{-# LANGUAGE CPP #-}\n# /* */ define T TemplateHaskell\n{-# LANGUAGE T #-}\n",
        "{-# LANGUAGE CPP #-}\n#if 1\n{-# LANGUAGE /* #-} */ TemplateHaskell #-}\n#endif\n",
    ],
)
def test_no_hidden_pragma_replaces_a_program_that_ghc_starts(head):
    """GHC runs `stand-in.sh` of the same folder after the code of the program."""
    script = "printf 'module asm \\\"# not from this program\\\"' > source.ll; for last; do :; done; : > $last"
    program = f'import Language.Haskell.TH\nmain = $(runIO (writeFile "stand-in.sh" "{script}") >> [| print 1 |])\n'
    result = compile_source(head + program, build("Haskell"), ["perf"])["perf"]
    assert (result.status, result.ir) == ("compile_error", "")
    assert "the module may not be the compiler's" in result.diagnostics


@pytest.mark.parametrize(
    ("check", "program", "refused"),
    [
        (compile_time.nim, 'const x = static_Exec("ls")\n', True),
        (compile_time.nim, 'let x = gorge_ex "ls"\n', True),
        (compile_time.nim, 'const x = staticRead("a")\n', False),
        (compile_time.crystal, "puts {{ `ls`.stringify }}\n", True),
        (compile_time.crystal, '{% system("ls") %}\n', True),
        (compile_time.crystal, "puts {{ %x(ls).stringify }}\n", True),
        (compile_time.crystal, '{% x = "}}" %}\nputs {{ "}}" + `ls` }}\n', True),
        (compile_time.crystal, 'macro m\n  \\{{ {{"sys".id}}tem("ls") }}\nend\n', True),
        (compile_time.crystal, 'macro m(x)\n  {{x.id}}\nend\nm "\\u007b{ \\u0060ls\\u0060 }}"\n', True),
        (compile_time.crystal, "{% if flag?(:linux) || !flag?(:release) %}\nputs `ls`\n{% else %}\n{% end %}\n", False),
    ],
)
def test_programs_that_start_others_are_known(check, program, refused):
    assert bool(check(program)) == refused


def test_no_haskell_program_stores_another_module():
    result = compile_source(REPLACING.replace("{text}", VALID), build("Haskell"), ["perf"])["perf"]
    assert result.status == "compile_error"
    assert "runIO" in result.diagnostics
    assert result.ir == ""


def test_no_nim_program_stores_another_module():
    loop = (
        "while sleep 0.01; do test -e cache/@msource.nim.c && "
        "echo 'int planted;' > b && mv b cache/@msource.nim.c; done >/dev/null 2>&1 &"
    )
    replacing = f'const x = staticExec("""{loop}""")\necho x\n'
    result = compile_source(replacing, build("Nim", {"wall_seconds": 15}), ["perf"])["perf"]
    assert result.status in ("compile_error", "tool_crash", "timeout")
    assert "planted" not in result.ir


def test_nim_starts_no_process_that_its_text_hides():
    hidden = (
        "import macros\n"
        'macro m(): untyped = parseStmt("const x = static" & "Exec(\\"echo h\\" & \\"i-there\\")\\necho x")\nm()\n'
    )
    result = compile_source(hidden, build("Nim"), ["perf"])["perf"]
    assert result.status in ("ok", "compile_error")
    assert "hi-there" not in result.ir


@pytest.mark.parametrize(
    "macro", ["{{ %x(echo 41).strip.id }}", '{% begin %} {{"{{ sys".id}}tem("echo 41").strip.id {{"}}".id}} {% end %}']
)
def test_no_macro_of_crystal_starts_a_process(macro):
    result = compile_source(f"macro m\n{macro}\nend\nputs m\n", build("Crystal"), ["size"])["size"]
    assert (result.status, result.ir) == ("compile_error", "")


def test_crystal_compiles_macros_of_any_kind_and_libraries_whose_macros_start_processes():
    crystal = build("Crystal")
    macro = 'macro m(name)\n  def {{name.id}}\n    "run `system`"\n  end\nend\nm :f\nputs f\n'
    for program in (macro, 'require "http/client"\nputs HTTP::Client\n'):
        result = compile_source(program, crystal, ["size"])["size"]
        assert (result.status, result.diagnostics) == ("ok", "")


def test_nim_writes_the_same_code_without_other_processes():
    """Nim asks the C compiler for its version, and emulates overflow checks where it cannot."""
    nim = build("Nim")
    step = nim.steps[0]
    source = {"source.nim": b"import strutils\nvar n = 0\nfor i in 1 .. 9: n += i * n\necho n, parseInt($n)\n"}
    plain, alone = (run_command(nim, step["run"], source, step["keep"], alone=alone) for alone in (False, True))
    assert plain.files == alone.files
    assert b"EmulateOverflowChecks" not in b"".join(alone.files.values())


def test_a_program_that_crashes_the_reader_does_not_stop_its_shard(tmp_path):
    programs = {"a": 'main = putStr "a"\n', "b": REPLACING.replace("{text}", CRASHING), "c": 'main = putStr "c"\n'}
    rows = [
        {"id": name, "language": "Haskell", "path": name, "source_sha256": name, "encoding": "utf-8", "bytes": 1}
        | {"rejected": None, "license": None, "source": text}
        for name, text in programs.items()
    ]
    write_table(tmp_path / "sources", rows, SOURCES.schema)
    compiler = Compiler(build("Haskell"), ["perf"], Cache(None))
    statuses = {row["id"]: row["status"] for row in outcomes(str(tmp_path / "sources"), compiler, 1)}
    assert statuses == {"a": "ok", "b": "invalid_ir", "c": "ok"}


HOSTILE = {
    "quotes": lambda n: "{-# LANGUAGE " + '"' * n + " #-}",
    "brackets": lambda n: "{-# OPTIONS_GHC " + "[a] " * n + " #-}",
    "options of a C compiler": lambda n: "{-# OPTIONS_GHC " + "-optc-f" * n + " #-}",
    "macros": lambda n: "{-# LANGUAGE CPP #-}\n" + "#define a b\n" * n,
    "openings of pragmas": lambda n: "{-# LANGUAGE " * n,
    "pragmas in pragmas": lambda n: "{-# LANGUAGE {-# X #-} " * n,
    "pragmas without a kind": lambda n: "{-# LANGUAGE CPP #-}\n" + "{-# \n" * n,
    "line ends in a pragma": lambda n: "{-# LANGUAGE CPP" + " \\ \n" * n + "#-}",
    "empty lines in a pragma": lambda n: "{-# LANGUAGE CPP" + "\n" * n + "#-}",
    "escaped line ends": lambda n: "{-# LANGUAGE CPP #-}\na" + "\\ \n" * n,
    "number signs": lambda n: "{-# LANGUAGE CPP #-}\n" + "# " * n,
    "blanks": lambda n: "{-# LANGUAGE CPP #-}\n#" + " \n" * n,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_the_check_of_haskell_is_linear_in_the_text(text):
    assert_linear(compile_time.haskell, text, 15_000)


@pytest.mark.parametrize("macro", [":ifif " * 24, ":" + "if" * 12_000, "(" * 50_000, ":a " * 50_000])
def test_the_check_of_crystal_does_not_try_all_readings_of_a_macro(macro):
    start = time.process_time()
    assert compile_time.crystal("{{ " + macro + " ? }}")
    assert time.process_time() - start < 2


def test_plug_ins_are_found_after_other_options_of_a_c_compiler():
    assert compile_time.haskell("{-# OPTIONS_GHC -optc-fno-a,-optc-fb=-optc-fplugin=x.so #-}\nmain = print 1\n")
    assert not compile_time.haskell("{-# OPTIONS_GHC -optc-fno-a -optc-fb #-}\nmain = print 1 -- plugin\n")
