"""The table of executions keeps what is needed to judge a program, and the same in every run."""

import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.benchmarks.stop_sequences import Stop
from scripts.evaluate.execute import executions, program_rows
from scripts.evaluate.prepare_runner import build_shared
from scripts.evaluate.runners.factory import make_runner, toolchain_of
from scripts.evaluate.runners.programs import Prelude, Program, composer
from scripts.evaluate.runners.records import Recorder, clipped, error_line, signal_name
from scripts.lib.parquet import write_table
from scripts.lib.sandbox.run import Outcome
from scripts.lib.schemas.evaluation import EXECUTIONS, PROGRAMS
from tests.support.paths import ROOT

RUNNERS = yaml.safe_load((ROOT / "config" / "runners.yaml").read_text(encoding="utf-8"))
PYTHON = Problem("p", "p", "", Stop(), "def f(x):\n", "assert f(1) == 2", "f", row={"test_setup": "", "import": ""})
CPP_TESTS = "}\nint main() { assert(f(1) == 2); }\n"
CPP = Problem("p", "p", "", Stop(), "int f(int x) {\n", CPP_TESTS, "f", row={"test_setup": "", "import": ""})


def outcome(status: str = "exited", code: int = 1, stdout: str = "", stderr: str = "") -> Outcome:
    """How a run ended."""
    return Outcome(status, code, stdout.encode(), stderr.encode(), 1.0, 0.5, 10.0)


def record(name: str, problem: Problem, completion: str, shared: Path, characters: int = 400) -> dict[str, object]:
    """The row of a completion, without id and digest."""
    settings = {"mode": "bubblewrap", "wall_factor": 8, "scale": 1, "shared": str(shared)}
    runner = make_runner(name, RUNNERS[name], {**settings, "output_characters": characters})
    program = composer(RUNNERS[name])(Prelude(), problem, completion)
    [row] = executions(runner, [("p", 0, program)], 1)
    assert row.pop("program") == program.digest
    return row


@pytest.mark.parametrize(
    "text, expected",
    [
        (
            "program.cpp: In function 'int f(int)':\nprogram.cpp:4:12: error: 'x' bad\n",
            "program.cpp:4:12: error: 'x' bad",
        ),
        ("# a/program\n./program.go:5:2: undefined: y\n", "./program.go:5:2: undefined: y"),
        ("warning: unused\nerror[E0425]: cannot find value `y`\n", "error[E0425]: cannot find value `y`"),
        ("\n\nSegmentation fault\n", "Segmentation fault"),
        ("", ""),
    ],
)
def test_the_first_error_line_is_that_of_the_compiler(text: str, expected: str) -> None:
    assert error_line(text) == expected


@pytest.mark.parametrize(
    "one, other",
    [
        ("at 0x7ffd12", "at 0x55aa"),
        ("/tmp/ccAbC1.o: undefined", "/tmp/ccXyZ2.o: undefined"),
        ("thread 'main' (4711) panicked", "thread 'main' (12) panicked"),
        ("==17==ERROR", "==99==ERROR"),
        ("FAIL (0.02s)", "FAIL (1.37s)"),
        ("at 2026-11-26 01:02:03.5", "at 2027-01-01 23:59:59"),
        ("started 1764118000.123456", "started 1764118999.654321"),
        ("\x1b[31mred", "red"),
    ],
)
def test_equal_runs_give_equal_text(one: str, other: str) -> None:
    assert Recorder().stable(one) == Recorder().stable(other)


def test_numbers_of_a_program_stay() -> None:
    text = "expected 1234567890, got 5 of 7 items 3.25 in [1, 2]"
    assert Recorder().stable(text) == text


def test_paths_of_the_machine_are_shortened() -> None:
    recorder = Recorder(100, ("/home/me/results/toolkits/cpp/shared", "/usr/lib/x"))
    text = "/home/me/results/toolkits/cpp/shared/header.h:1: error; /usr/lib/x/y.h"
    assert recorder.stable(text) == "shared/header.h:1: error; /usr/lib/x/y.h"


def test_long_output_keeps_its_start_and_its_end() -> None:
    text = clipped("a" * 500 + "b" * 500, 10)
    assert (text[:5], text[-5:], len(text)) == ("aaaaa", "bbbbb", 15)
    assert clipped("abc", 3) == "abc"


def test_a_run_that_was_ended_at_a_limit_keeps_no_end() -> None:
    ending = Recorder(10).ending(outcome("timeout", 137, stdout="0123456789" * 3))
    assert (ending.exit_code, ending.signal, ending.stdout) == (None, "SIGKILL", "01234")


def test_codes_of_signals_are_named() -> None:
    assert [signal_name(code) for code in (0, 1, 134, 139, 250)] == ["", "", "SIGABRT", "SIGSEGV", ""]


def test_python_keeps_what_it_printed_and_the_test_that_failed(tmp_path: Path) -> None:
    row = record("python", PYTHON, "    print('seen', x)\n    return 3\n", tmp_path)
    assert (row["status"], row["message"]) == ("wrong", "AssertionError: assert f(1) == 2")
    assert (row["stdout"], row["exit_code"], row["signal"]) == ("seen 1\n", None, "")
    assert 0 < float(str(row["seconds"])) < 10


def test_a_flood_of_output_is_cut_and_changes_no_verdict(tmp_path: Path) -> None:
    row = record("python", PYTHON, "    print('a' * 300_000 + 'z')\n    return 2\n", tmp_path)
    assert row["status"] == "passed"
    assert str(row["stdout"]).endswith("az\n")
    assert len(str(row["stdout"])) < 410


def test_a_compiler_and_a_crash_leave_line_code_and_signal(tmp_path: Path) -> None:
    shared = cpp_shared(tmp_path / "shared")
    broken = record("cpp", CPP, "return y;", shared)
    assert (broken["status"], broken["exit_code"]) == ("compile_error", 1)
    assert re.fullmatch(r"program.cpp:\d+:8: error: .y. was not declared in this scope", str(broken["message"]))
    assert str(tmp_path) not in json.dumps(broken)
    crash = record("cpp", CPP, "volatile int *p = 0; return *p;", shared)
    assert (crash["status"], crash["signal"], crash["exit_code"]) == ("runtime_error", "SIGSEGV", 139)
    failed = record("cpp", CPP, "return 3;", shared)
    assert failed["message"] == "Assertion `f(1) == 2' failed."


def cpp_shared(folder: Path) -> Path:
    """What C++ programs share: the sentinel and a small header."""
    folder.mkdir(mode=0o755)
    build_shared(folder, RUNNERS["cpp"]["prepare"], toolchain_of("cpp", RUNNERS["cpp"], "off"))
    return folder


def test_texts_are_stored_once_and_make_their_digest(tmp_path: Path) -> None:
    one, other = Program((("a.py", "x"),), "t", "h", "f"), Program((("a.py", "y"),))
    write_table(tmp_path / "programs.parquet", program_rows([one, other, one]), PROGRAMS.schema)
    rows = pq.read_table(tmp_path / "programs.parquet").to_pylist()
    assert [row["program"] for row in rows] == sorted([one.digest, other.digest])
    for row in rows:
        files = tuple((file["name"], file["text"]) for file in row["files"])
        assert Program(files, row["tests"], row["head"], row["entry_point"]).digest == row["program"]


def test_rows_have_the_columns_of_the_table(tmp_path: Path) -> None:
    row = record("python", PYTHON, "    return 2\n", tmp_path)
    assert [*row, "program"] == list(EXECUTIONS.names)
