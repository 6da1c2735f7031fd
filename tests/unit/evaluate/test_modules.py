"""Generated modules: valid or not, what they define and print, and how similar they are."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scripts.evaluate.benchmarks.problems import FORMS, Problem
from scripts.evaluate.benchmarks.task import Task, read_problems
from scripts.evaluate.generations import Generation, Sampling
from scripts.evaluate.module_metrics import HEAD, MODULE_METRICS, Module, similarity
from scripts.evaluate.modules import ModuleRunner, check_modules
from scripts.evaluate.score import module_scores
from scripts.lib.parquet import write_table
from scripts.lib.schemas.pairs import PAIRS

# Reads a number and prints its double.
DOUBLE = """
@in = constant [3 x i8] c"%d\\00"
@out = constant [4 x i8] c"%d\\0A\\00"
declare i32 @scanf(ptr, ...)
declare i32 @printf(ptr, ...)
define i32 @twice(i32 %x) {
  %y = mul i32 %x, 2
  ret i32 %y
}
define i32 @main() {
  %p = alloca i32
  %n = call i32 (ptr, ...) @scanf(ptr @in, ptr %p)
  %x = load i32, ptr %p
  %y = call i32 @twice(i32 %x)
  %m = call i32 (ptr, ...) @printf(ptr @out, i32 %y)
  ret i32 0
}
"""
WRONG = DOUBLE.replace("mul i32 %x, 2", "add i32 %x, 3")
OTHER_NAME = DOUBLE.replace("@twice", "@other")
ENDLESS = DOUBLE.replace("ret i32 0\n", "br label %again\nagain:\n  br label %again\n")
NO_MODULE = "define i32 @main() {"
NEEDS_RUNTIME = DOUBLE.replace("call i32 @twice(i32 %x)", "call i32 @no_such_function(i32 %x)") + (
    "declare i32 @no_such_function(i32)\n"
)


def problem(name: str, module: str, path: str | None = "C/Source_1/source.c") -> Problem:
    row = {"name": name, "prompt": "int main…", "module": module, "path": path}
    return FORMS["source-to-llvm"]([row], {}, "perf")[0]


def generation(name: str, *modules: str) -> Generation:
    reasons = ["end"] * len(modules)
    return Generation(name, "int main…", list(modules), reasons, "e", "1", [0] * len(modules), Sampling(0, 1, 1, 9))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A corpus whose one program has the input 21."""
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "C" / "Source_1").mkdir(parents=True)
    (folder / "C" / "Source_1" / "input.txt").write_text("21\n")
    return str(folder)


@pytest.fixture(scope="module")
def rows(corpus: str) -> list[dict]:
    """Checks of several modules for one program, and of one for a program that needs a runtime."""
    problems = {own.id: own for own in (problem("C/a", DOUBLE), problem("D/b", NEEDS_RUNTIME))}
    generations = [
        generation("C/a", DOUBLE, WRONG, OTHER_NAME, NO_MODULE, "", "not IR\0"),
        generation("D/b", NEEDS_RUNTIME),
    ]
    return check_modules(ModuleRunner("bubblewrap"), problems, generations, corpus, 2)


def test_the_compilers_module_passes_every_check(rows: list[dict]) -> None:
    first = {"id": "C/a", "sample": 0, "is_valid": True, "message": "", "functions": 2, "defined": 2, "run": "equal"}
    assert rows[0] == first


def test_modules_are_distinguished_by_what_they_print_and_define(rows: list[dict]) -> None:
    assert [(row["is_valid"], row["defined"], row["run"]) for row in rows[:6]] == [
        *((True, 2, "equal"), (True, 2, "different"), (True, 1, "equal")),
        *((False, 0, "invalid") for _ in range(3)),
    ]
    assert all(row["message"] for row in rows[3:6])


def test_a_program_that_needs_a_runtime_is_not_compared(rows: list[dict]) -> None:
    assert (rows[6]["id"], rows[6]["is_valid"], rows[6]["run"]) == ("D/b", True, "unknown")


def test_a_module_runs_within_limits_and_sees_its_input_only(corpus: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from scripts.evaluate import modules

    short = modules.Limits(wall_seconds=20, cpu_seconds=3, memory_mb=2000, processes=16)
    monkeypatch.setattr(modules, "_RUNNING", short)
    runner = ModuleRunner("bubblewrap")
    assert runner.output(DOUBLE, b"4") == b"8\n"
    assert runner.output(ENDLESS, b"4") is None
    assert modules.input_of(problem("x", DOUBLE), corpus) == b"21\n"
    assert modules.input_of(problem("x", DOUBLE, "C/none/source.c"), corpus) == b""
    assert modules.input_of(problem("x", DOUBLE, None), corpus) == b""


def test_metrics_of_modules() -> None:
    def values(text: str, **changes: Any) -> dict[str, float]:
        equal = Module(text, "a" * HEAD + "b" * HEAD, is_valid=True, functions=2, defined=2, run="equal")
        module = replace(equal, **changes)
        return {metric.name: metric.compute(module) for metric in MODULE_METRICS}

    whole = "a" * HEAD + "b" * HEAD
    assert set(values(whole).values()) == {1.0}
    assert values("a" * HEAD) == {**dict.fromkeys(values(whole), 1.0), "edit_similarity": 0.5}
    assert values("", is_valid=False, defined=0, run="invalid") == dict.fromkeys(values(whole), 0.0)
    assert values(whole, defined=1, run="different")["functions"] == 0
    assert similarity("kitten", "sitting") == pytest.approx(1 - 3 / 7)


def test_scores_leave_out_what_cannot_be_run(rows: list[dict]) -> None:
    checks = {(row["id"], row["sample"]): row for row in rows}
    generations = [generation("C/a", DOUBLE, WRONG), generation("D/b", NEEDS_RUNTIME)]
    targets = {"C/a": DOUBLE, "D/b": NEEDS_RUNTIME}
    scores = {score.metric: score.values for score in module_scores(targets, generations, checks, "perf")}
    assert scores["same_output"] == {"C/a": 0.5}
    assert scores["valid"] == {"C/a": 1, "D/b": 1}
    unknown = module_scores(targets, generations[1:], checks, "perf")
    assert "same_output" not in {score.metric for score in unknown}


def test_prompts_are_the_held_out_programs_in_the_template_of_training(tmp_path: Path) -> None:
    pairs = [("b", "validation"), ("a", "validation"), ("c", "train")]
    rows = [
        {
            "id": name,
            "path": f"C/{name}/source.c",
            "split": split,
            "Source_Code": f"int {name}{{}};",
            "IR_Original": "m",
        }
        for name, split in pairs
    ]
    path = tmp_path / "C" / "perf.parquet"
    path.parent.mkdir()
    blank = {"source_sha256": "", "ir_sha256": "", "license": ""}
    write_table(path, [{**blank, **row} for row in rows], PAIRS.schema)
    task = Task("source-to-llvm", "perf", [str(path)], template="{source}\n<source_to_llvm>\n")
    problems = read_problems(task)
    assert [own.id for own in problems] == ["C/a", "C/b"]
    assert problems[0].prompt == "int a{};\n<source_to_llvm>\n"
    assert [own.id for own in read_problems(task, 1)] == ["C/a"]
