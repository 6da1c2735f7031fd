"""Score files: rows, values of single problems, robustness; controls."""

from types import SimpleNamespace

import pytest

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.benchmarks.stop_sequences import Stop
from scripts.evaluate.check_controls import check, cut_references, failed_references, passing_empties
from scripts.evaluate.controls import control_generations
from scripts.evaluate.executions import Execution, read_executions
from scripts.evaluate.generations import Generation, Sampling
from scripts.evaluate.metrics import TEXT_METRICS
from scripts.evaluate.score import robust_scores, score_file, scores_of
from scripts.lib.job import InputError
from scripts.lib.parquet import write_table
from scripts.lib.schemas.evaluation import EXECUTIONS

KEY = {"benchmark": "b", "language": "Python", "model": "m", "checkpoint": "base"}
SAMPLING = Sampling(0.2, 0.95, 4, 8)


def executions(path, statuses, programs=None, details=None):
    """Executions that went through a table; a prompt's samples share its program and its detail."""
    programs, details = programs or {}, details or {}
    rows = [
        {"id": name, "sample": sample, "status": status}
        | {"detail": details.get(name, ""), "message": "", "program": programs.get(name, "")}
        for name, own in statuses.items()
        for sample, status in enumerate(own)
    ]
    write_table(path, rows, EXECUTIONS.schema)
    return read_executions(path)


def parameters(setting, pass_at=(), compiled=False, teacher_forced=False):
    """Parameters of the rule `evaluate_score`."""
    flags = {"compiled": compiled, "teacher_forced": teacher_forced, "likelihood": False}
    return SimpleNamespace(setting=setting, pass_at=list(pass_at), **flags)


def rows_by(content, *names):
    return {tuple(row[name] for name in names): row for row in content["rows"]}


def test_pass_at_k_rows(tmp_path):
    table = executions(
        tmp_path / "e.parquet", {"a": ["passed", "wrong", "killed", "timeout"], "b": ["wrong"] * 4, "c": ["passed"] * 4}
    )
    assert [execution.passed for execution in table["a"]] == [True, False, False, False]
    params = parameters("t0.2", pass_at=[1, 2, 10])
    content = score_file(scores_of("multipl-e", [], [], table, params), KEY, 484)
    rows = rows_by(content, "metric")
    assert set(rows) == {("pass@1",), ("pass@2",)}  # pass@10 needs ten samples
    first = rows[("pass@1",)]
    assert first["value"] == pytest.approx(100 * (0.25 + 0 + 1) / 3)
    assert (first["problems"], first["samples"]) == (3, 4)
    assert 0 <= first["ci_low"] <= first["value"] <= first["ci_high"] <= 100
    assert content["per_problem"]["t0.2"]["pass@2"]["a"] == pytest.approx(50)
    assert content == score_file(scores_of("multipl-e", [], [], table, params), KEY, 484)


def test_samples_without_a_compile_error_count_as_compiled(tmp_path):
    own = {
        "a": ["compile_error", "wrong", "runtime_error", "compile_error"],
        "b": ["passed", "timeout", "memory_limit", "killed"],
        "c": ["compile_error"] * 4,
    }
    table = executions(tmp_path / "e.parquet", own, details={"b": "timeout"})
    content = score_file(scores_of("multipl-e", [], [], table, parameters("t0.2", compiled=True)), KEY, 484)
    assert scores_of("multipl-e", [], [], table, parameters("t0.2")) == []
    row = rows_by(content, "metric")[("compiles@1",)]
    assert content["per_problem"]["t0.2"]["compiles@1"] == {"a": 50, "b": 100, "c": 0}
    assert (row["value"], row["problems"], row["samples"]) == (50, 3, 4)


def test_a_limit_exceeded_while_compiling_counts_as_not_compiled(tmp_path):
    own = {"a": ["timeout"], "b": ["timeout"], "c": ["memory_limit"]}
    details = {"a": "compiling: timeout", "b": "timeout", "c": "compiling: memory_limit"}
    table = executions(tmp_path / "e.parquet", own, details=details)
    compiled = {name: [execution.compiled for execution in samples] for name, samples in table.items()}
    assert compiled == {"a": [False], "b": [True], "c": [False]}


def test_a_registered_text_metric_is_scored(monkeypatch):
    def exact_match(prediction, reference):
        return {"exact_match": float(prediction == reference)}

    monkeypatch.setitem(TEXT_METRICS, "codexglue", (*TEXT_METRICS["codexglue"], exact_match))
    problem = Problem("p", "p", "", Stop(), target="Adds one.")
    generation = Generation("p", "", ["Adds one.\nMore.", "No."], ["end"] * 2, "e", "1", [0, 1], SAMPLING)
    content = score_file(scores_of("codexglue", [problem], [generation], None, parameters("greedy")), KEY, 484)
    assert {name: row["value"] for (name,), row in rows_by(content, "metric").items()}["exact_match"] == 50


def test_the_ceiling_is_the_reference_cut_like_a_completion():
    stop = Stop(("\nfunc",), braces=True)
    problems = [
        Problem("whole", "whole", "", stop, solution="\n  x()\n}\n"),
        Problem("cut", "cut", "", stop, solution="\n  s := '}'\n}\n"),
        Problem("unsolved", "unsolved", "", stop),
    ]
    texts = {
        name: {own.id: own.completions for own in control_generations(problems, name)}
        for name in ("reference", "ceiling", "empty")
    }
    assert texts["reference"] == {"whole": ["\n  x()\n}\n"], "cut": ["\n  s := '}'\n}\n"]}
    assert texts["ceiling"] == {"whole": ["\n  x()\n}\n"], "cut": ["\n  s := '}"]}
    assert texts["empty"] == {"whole": [""], "cut": [""], "unsolved": [""]}


def test_solutions_that_stop_sequences_cut_are_named_with_their_status(tmp_path):
    # The test of `random` fails at random; nothing is cut from its solution.
    reference = {"a": ["passed"], "b": ["passed"], "c": ["passed"], "random": ["passed"]}
    ceiling = {"a": ["passed"], "b": ["compile_error"], "c": ["passed"], "random": ["wrong"]}
    tables = [
        executions(tmp_path / "reference.parquet", reference, {name: name for name in reference}),
        executions(tmp_path / "ceiling.parquet", ceiling, {"a": "a", "b": "b cut", "c": "c cut", "random": "random"}),
    ]
    assert cut_references(*tables) == {"b": "compile_error", "c": "passed"}


def prompt(name, perturbation, seed):
    return Problem(f"{name}/{perturbation}/{seed}", name, "", Stop(), perturbation=perturbation, seed=seed)


def test_robust_scores_have_rows_by_perturbation_and_a_mean():
    problems = [prompt(name, "nominal", 0) for name in "AB"]
    problems += [prompt(name, "Swap", seed) for name in "AB" for seed in (0, 1)]
    passed = {problem.id: [True] for problem in problems} | {"B/Swap/1": [False]}
    content = score_file(robust_scores(problems, passed, "func_name"), KEY, 484)
    rows = rows_by(content, "setting", "metric")
    assert rows["func_name", "nominal_pass@1"]["value"] == 100
    assert rows["func_name.Swap", "robust_pass@1"]["value"] == 50
    assert rows["func_name", "robust_pass@1"]["value"] == 50
    assert rows["func_name.Swap", "relative_drop"]["value"] == pytest.approx(50)
    assert "relative_drop" not in content["per_problem"]["func_name"]


def test_relative_drop_without_nominal_passes_is_left_out():
    problems = [prompt("A", "nominal", 0), prompt("A", "Swap", 0)]
    content = score_file(robust_scores(problems, {problem.id: [False] for problem in problems}, "s"), KEY, 484)
    assert {row["metric"] for row in content["rows"]} == {"nominal_pass@1", "robust_pass@1", "robust_pass@1_product"}


@pytest.mark.parametrize("forced, names", [(True, "rougeL"), (False, "generated_rougeL")])
def test_generated_messages_have_metrics_with_their_own_names(forced, names):
    problem = Problem("p", "p", "", Stop(), target="fix the parser")
    own = Generation("p", "", ["fix the parser"], ["end"], "e", "1", [0], SAMPLING)
    params = parameters("greedy", teacher_forced=forced)
    rows = rows_by(score_file(scores_of("commits", [problem], [own], None, params), KEY, 484), "metric")
    assert rows[(names,)]["value"] == 100


def test_teacher_forced_predictions_are_compared_with_the_message_as_given():
    problem = Problem("p", "p", "", Stop(), target="fix the parser and all")
    own = Generation("p", "", ["fix the parser"], ["forced"], "e", "1", [0], SAMPLING, target="fix the parser")
    params = parameters("teacher-forced", teacher_forced=True)
    rows = rows_by(score_file(scores_of("commits", [problem], [own], None, params), KEY, 484), "metric")
    assert rows[("rouge1",)]["value"] == 100


def outcomes(statuses):
    """Executions with these statuses."""
    return {name: [Execution(status, "", "") for status in own] for name, own in statuses.items()}


DAMAGED = "the perturbed prompt and the solution make no program"


@pytest.mark.parametrize(
    "statuses, form, faults, failed",
    [
        ({"a": ["passed"], "b": ["wrong"]}, "humaneval", {}, {"b": ""}),
        ({"a": ["passed"], "b": ["wrong"]}, "humaneval", {"b": "random test"}, {"b": "random test"}),
        ({"a": ["compile_error"]}, "humaneval", {}, {"a": ""}),
        ({"a/nominal/0": ["compile_error"]}, "recode", {}, {"a/nominal/0": ""}),
        ({"a/Swap/0": ["compile_error"], "a/Swap/1": ["wrong"]}, "recode", {}, {"a/Swap/0": DAMAGED, "a/Swap/1": ""}),
        ({"a/1/Swap/0": ["wrong"]}, "recode", {"a/1": "renamed"}, {"a/1/Swap/0": "renamed"}),
        ({"a/1/Swap/0": ["wrong"]}, "recode", {"a/1/Swap": "renamed"}, {"a/1/Swap/0": "renamed"}),
        ({"a/12/Swap/0": ["wrong"]}, "recode", {"a/1": "renamed"}, {"a/12/Swap/0": ""}),
        ({"a/1/nominal/0": ["wrong"]}, "recode", {"a/1": "renamed"}, {"a/1/nominal/0": ""}),
    ],
)
def test_references_that_fail_have_a_cause_or_none(statuses, form, faults, failed):
    assert failed_references(outcomes(statuses), form, faults) == failed


def test_empty_completions_that_pass_are_named():
    statuses = {"a": ["passed"], "b": ["wrong"], "c": ["passed"]}
    assert passing_empties(outcomes(statuses), "humaneval", {"c": "tests nothing"}) == ["a"]
    perturbed = outcomes({"a/nominal/0": ["wrong"], "a/Swap/0": ["passed"]})
    assert passing_empties(perturbed, "recode", {}) == []


def test_a_wrong_control_stops_the_run_and_names_problems():
    with pytest.raises(InputError, match=r"humaneval python: solutions that do not pass: HumanEval/1, HumanEval/2;"):
        check("solutions that do not pass", ["HumanEval/1", "HumanEval/2"], "humaneval python")
    with pytest.raises(InputError, match=r"empty completions that pass: .* and 5 more"):
        check("empty completions that pass", [f"P/{n}" for n in range(15)], "humaneval python")
    check("empty completions that pass", [], "humaneval python")
