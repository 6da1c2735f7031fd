"""How large a difference an evaluation can see, against simulated evaluations."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from scripts.lib.schemas.scores import KEY
from scripts.tables import power
from scripts.tables.variances import (
    Criterion,
    Design,
    Variances,
    assumed,
    detectable,
    measured,
    problems_needed,
    samples_needed,
    seeds_needed,
    training_variance,
)
from tests.support.paths import ROOT

TEST = Criterion()


def rates(generator: np.random.Generator, problems: int, difference: float) -> tuple[np.ndarray, np.ndarray]:
    """Rates of two checkpoints over problems, which differ by `difference` on average."""
    base = generator.beta(2, 2, problems) * 0.7 + 0.1
    return base, base + difference + generator.uniform(-0.15, 0.15, problems)


def shares(generator: np.random.Generator, rate: np.ndarray, samples: int) -> np.ndarray:
    """The share of samples that pass of each problem, in points."""
    return 100 * generator.binomial(samples, np.clip(rate, 0, 1)) / samples


def test_variances_are_those_of_a_simulated_evaluation() -> None:
    generator = np.random.default_rng(1)
    base, other = rates(generator, 20_000, 0.05)
    found = measured(shares(generator, base, 5), shares(generator, other, 5), 5, is_share=True)
    assert found.between == pytest.approx(1e4 * np.var(other - base), rel=0.1)
    noise = 1e4 * (np.mean(base * (1 - base)) + np.mean(other * (1 - other)))
    assert found.sampling == pytest.approx(noise, rel=0.02)


def test_a_difference_is_seen_as_often_as_computed() -> None:
    generator, design = np.random.default_rng(2), Design(150, 4, 1)
    base, other = rates(generator, 100_000, 0.0)
    population = measured(shares(generator, base, 4), shares(generator, other, 4), 4, is_share=True)
    effect, hits, runs = detectable(population, design, TEST) / 100, 0, 2000
    for _ in range(runs):
        base, other = rates(generator, design.problems, effect)
        difference = shares(generator, other, 4) - shares(generator, base, 4)
        hits += abs(difference.mean()) > 1.96 * difference.std(ddof=1) / np.sqrt(design.problems)
    assert hits / runs == pytest.approx(0.8, abs=0.04)


def test_the_needed_numbers_are_the_smallest_that_see_the_difference() -> None:
    variances, design = Variances(400, 1200, 1), Design(164, 10, 2)
    for difference in (4.0, 6.0, 10.0):
        needed = {
            "problems": problems_needed(variances, difference, design, TEST),
            "samples": samples_needed(variances, difference, design, TEST),
            "seeds": seeds_needed(variances, difference, design, TEST),
        }
        for name, number in needed.items():
            if number is None:
                unlimited = design._replace(**{name: 10**9})
                assert detectable(variances, unlimited, TEST) >= difference
                continue
            assert detectable(variances, design._replace(**{name: number}), TEST) <= difference + 1e-6
            if number > 1:
                assert detectable(variances, design._replace(**{name: number - 1}), TEST) > difference
    assert seeds_needed(variances, 4.0, design, TEST) is None


def test_one_sample_cannot_tell_sampling_from_problems() -> None:
    base, other = np.array([0.0, 100, 0, 100]), np.array([100.0, 100, 0, 0])
    expected = Variances(float(np.var(other - base, ddof=1)), 0.0)
    assert measured(base, other, 1, is_share=True) == measured(base, other, 5, is_share=False) == expected
    assert samples_needed(expected, 1.0, Design(4, 1, 1), TEST) is None


def test_assumed_variances_add_up_to_that_of_single_results() -> None:
    independent = assumed(0.3, 0.25, correlation=0.0, training=4.0)
    assert independent.between + independent.sampling == pytest.approx(2 * 0.3 * 0.7 * 1e4)
    assert independent.training == 4.0
    assert assumed(0.3, 0.25, 1.0, 0.0).between == 0


def test_the_variance_between_trainings_is_without_that_of_sampling() -> None:
    design = Design(100, 2, 1)
    assert training_variance([10, 12, 14], 0.0, design) == pytest.approx(4)
    assert training_variance([10, 12, 14], 400.0, design) == pytest.approx(3)
    assert training_variance([10, 10], 400.0, design) == 0


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A run with base, IRCoder and another seed of it, in which one of two metrics varies."""
    values = {"base": [0, 50, 100, 0], "ircoder": [50, 50, 100, 50], "seed-2": [50, 100, 100, 100]}
    for checkpoint, points in values.items():
        keys = {"benchmark": "humaneval", "language": "Python", "model": "m", "checkpoint": checkpoint}
        problems = {f"p{number}": value for number, value in enumerate(points)}
        metrics = {"pass@1": problems, "constant": dict.fromkeys(problems, 0)}
        rows = [
            {**keys, "setting": "t0.2", "metric": metric, "value": float(np.mean(list(own.values()))), "samples": 2}
            for metric, own in metrics.items()
        ]
        assert set(KEY) <= rows[0].keys()
        path = tmp_path / "scores" / f"m.{checkpoint}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"rows": rows, "per_problem": {"t0.2": metrics}}))
    (tmp_path / "provenance").mkdir()
    ablations = {"seed-2": {"seed": 2}, "shuffled": {"seed": 2, "modules": "shuffled"}}
    (tmp_path / "provenance" / "config.yaml").write_text(yaml.safe_dump({"ablations": ablations}))
    return tmp_path


def test_the_rows_of_a_run_are_those_that_vary(results: Path) -> None:
    (row,) = power.FinishedRun(results, training=1.0).rows()
    assert row.name == "humaneval Python m ircoder t0.2 pass@1"
    assert row.design == Design(4, 2, 1)
    noise = row.variances.sampling / 2 / 2 / 4
    assert row.variances.training == pytest.approx(np.var([62.5, 87.5], ddof=1) - noise)
    (results / "provenance" / "config.yaml").unlink()
    assert power.FinishedRun(results, training=1.0).rows()[0].variances.training == 1.0


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, *arguments: str) -> str:
    """What the command prints."""
    monkeypatch.setattr(sys, "argv", ["power", *arguments])
    power.main()
    return str(capsys.readouterr().out)


def test_the_plans_use_the_variances_of_a_run(
    results: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    printed = run(monkeypatch, capsys, "--results", str(results))
    assert "| humaneval pass@1, measured" in printed
    assert "| fixdocs pass@1, assumed" in printed
    assert "| humaneval Python m ircoder t0.2 pass@1" in printed
    assert "constant" not in printed


def test_a_wrong_argument_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for arguments in (["--results", str(tmp_path)], ["--power", "1"], ["--difference", "0"], ["--seeds", "0"]):
        monkeypatch.setattr(sys, "argv", ["power", *arguments])
        with pytest.raises(SystemExit, match=r"^error: [^\n]+$"):
            power.main()


def test_the_page_has_what_the_command_prints(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    page = (ROOT / "docs" / "reference" / "power.md").read_text(encoding="utf-8")
    tables = [line for line in run(monkeypatch, capsys).splitlines() if line.startswith("| ")]
    assert tables
    assert [line for line in tables if line not in page] == []
