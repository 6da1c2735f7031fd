"""pass@k, means over problems and robust pass@1, compared with the original harness and ReCode."""

import pytest

from scripts.evaluate.benchmarks.problems import NOMINAL, Problem
from scripts.evaluate.benchmarks.stop_sequences import Stop
from scripts.evaluate.executions import Execution
from scripts.evaluate.metrics import pass_at_k, program_metrics, robust_pass_at_1, robust_product
from scripts.evaluate.score import program_scores, robust_scores, score_file
from tests.conformance.oracles import Row, Rows, with_oracles

KEY = {"benchmark": "b", "language": "Python", "model": "m", "checkpoint": "base"}


@with_oracles
def test_oracle_of_pass_at_k(rows: Rows):
    for row in rows("pass_at_k"):
        assert pass_at_k(row["n"], row["c"], row["k"]) == pytest.approx(row["pass_at_k"], abs=1e-12)


@with_oracles
def test_oracle_of_pass_at_k_over_problems_with_different_numbers_of_samples(rows: Rows):
    for row in rows("pass_at_k_tasks"):
        pairs = list(zip(row["n"], row["c"], strict=True))
        for name in [key for key in row if key.startswith("pass@")]:
            mean = sum(pass_at_k(n, c, int(name.removeprefix("pass@"))) for n, c in pairs) / len(pairs)
            assert mean == pytest.approx(row[name], abs=1e-12)


def execution(passed: bool) -> Execution:
    return Execution("passed" if passed else "wrong", "", "")


@with_oracles
def test_oracle_of_pass_at_k_in_score_files(rows: Rows):
    checked = 0
    for row in rows("pass_at_k_tasks"):
        counts = enumerate(zip(row["n"], row["c"], strict=True))
        executions = {f"p{i}": [execution(sample < c) for sample in range(n)] for i, (n, c) in counts}
        ks = [int(key.removeprefix("pass@")) for key in row if key.startswith("pass@")]
        for written in score_file(program_scores(executions, program_metrics(ks, compiled=False), "t0.2"), KEY, 484)[
            "rows"
        ]:
            assert written["value"] == pytest.approx(100 * row[written["metric"]], abs=1e-9)
            checked += 1
    assert checked


def samples(row: Row) -> dict[str, list[list[bool]]]:
    """Whether samples passed, of shape (seeds, samples), by problem, in a row of the oracle."""
    return {name: [seeds[seed] for seed in sorted(seeds, key=int)] for name, seeds in row["passed"].items()}


@with_oracles
def test_oracle_of_robust_pass_at_1(rows: Rows):
    for row in rows("recode_rp"):
        problems = samples(row).values()
        for metric, name in ((robust_pass_at_1, "robust-pass-at-1"), (robust_product, "alt-robust-pass-at-1")):
            assert sum(map(metric, problems)) / len(problems) == pytest.approx(row[name], abs=1e-12)


def prompts_of(row: Row) -> tuple[list[Problem], dict[str, list[bool]]]:
    """Nominal and perturbed prompts of a row, and whether the samples of each passed."""
    perturbation = row["perturbation"]
    own = [(name, NOMINAL, 0, [passed]) for name, passed in row["nominal"].items()]
    for name, seeds in samples(row).items():
        own += [(name, perturbation, seed, passed) for seed, passed in enumerate(seeds)]
    problems = [Problem(f"{n}/{p}/{seed}", n, "", Stop(), perturbation=p, seed=seed) for n, p, seed, _ in own]
    return problems, {problem.id: passed for problem, (*_, passed) in zip(problems, own, strict=True)}


@with_oracles
def test_oracle_of_robust_pass_at_1_and_relative_drop_in_score_files(rows: Rows):
    checked = 0
    for row in (row for row in rows("recode_rp") if "nominal" in row):
        content = score_file(robust_scores(*prompts_of(row), "s"), KEY, 484)
        written = {own["metric"]: own["value"] for own in content["rows"] if own["setting"].startswith("s.")}
        assert written["robust_pass@1"] == pytest.approx(100 * row["recode_RP@1"], abs=1e-9)
        if any(row["nominal"].values()):
            assert written["relative_drop"] == pytest.approx(100 * row["recode_RD@1_fraction"], abs=1e-9)
        checked += 1
    assert checked
