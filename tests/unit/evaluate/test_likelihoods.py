"""Metrics of likelihoods and their controls, of which the result is known."""

import math
from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.benchmarks.stop_sequences import Stop
from scripts.evaluate.generations import Generation, Sampling, read_generations, to_line, write_generations
from scripts.evaluate.likelihoods import Measured, accuracy, accuracy_per_byte, bits_per_byte, loss, right_is_likeliest
from scripts.evaluate.score import score_file, scores_of
from scripts.evaluate.scorers import control_likelihoods
from scripts.lib.job import InputError

KEY = {"benchmark": "choice", "language": "Python", "model": "m", "checkpoint": "base"}
PARAMS = SimpleNamespace(setting="humaneval", likelihood=True)


def choice(number: int, wrong: int = 3) -> Problem:
    """A problem whose wrong programs are longer than the right one."""
    texts = tuple(f"return {number + 1}{'0' * rank}" for rank in range(wrong + 1))
    return Problem(id=f"p{number}", group="", prompt="def f():", stop=Stop(), solution=texts[0], wrong=texts[1:])


def rows_of(generations: list[Generation]) -> dict[str, dict]:
    return {
        row["metric"]: row for row in score_file(scores_of("choices", [], generations, None, PARAMS), KEY, 1)["rows"]
    }


@pytest.mark.parametrize("wrong", [1, 3])
def test_a_random_scorer_is_at_chance_and_the_reference_at_100(wrong: int) -> None:
    problems = [choice(number, wrong) for number in range(40)]
    chance = 100 / (wrong + 1)
    random = rows_of(control_likelihoods(problems, "random", 484))["accuracy"]
    assert random["value"] == pytest.approx(chance, abs=2)
    assert random["samples"] == 200
    reference = rows_of(control_likelihoods(problems, "reference", 484))
    assert {name: row["value"] for name, row in reference.items()} == {"accuracy": 100, "accuracy_per_byte": 100}


def test_a_scorer_without_knowledge_needs_eight_bits_per_byte() -> None:
    problems = [choice(number, 0) for number in range(5)]
    random = rows_of(control_likelihoods(problems, "random", 484))
    assert set(random) == {"bits_per_byte"}  # a control has no tokens
    assert random["bits_per_byte"]["value"] == pytest.approx(8, abs=1e-3)
    assert rows_of(control_likelihoods(problems, "reference", 484))["bits_per_byte"]["value"] == 0


def test_metrics_of_one_problem_by_hand() -> None:
    # The right text has 4 bytes and 2 tokens, the wrong ones 4 and 8 bytes.
    measured = Measured(nats=[[6.0, 7.0, 5.0]], sizes=[4, 4, 8], tokens=[2, 2, 3])
    assert (accuracy(measured), accuracy_per_byte(measured)) == (0, 0)  # 1.5, 1.75 and 0.625 nats per byte
    longer = Measured(nats=[[6.0, 7.0, 5.0]], sizes=[12, 4, 8], tokens=[2, 2, 3])
    assert (accuracy(longer), accuracy_per_byte(longer)) == (0, 1)
    assert loss(measured) == 3
    assert bits_per_byte(measured) == pytest.approx(6 / math.log(2) / 4)


def test_equal_likelihoods_share_the_point() -> None:
    assert [right_is_likeliest(costs) for costs in ([1, 2], [2, 1], [1, 1], [1, 1, 1, 2])] == [1, 0, 1 / 2, 1 / 3]


def test_losses_are_no_percentages(tmp_path: Path) -> None:
    own = Generation("p", "def", ["äb"], ["forced"], "e", "1", [0], Sampling(0, 1, 1, 0), nats=[[3.0]], tokens=[2])
    path = tmp_path / "g.jsonl.zst"
    write_generations(path, [own])
    assert read_generations(path) == [own]
    content = score_file(scores_of("humaneval", [], read_generations(path), None, PARAMS), KEY, 1)
    values = {row["metric"]: row["value"] for row in content["rows"]}
    assert values == {"loss": pytest.approx(1.5), "bits_per_byte": pytest.approx(1 / math.log(2))}  # 3 bytes
    assert content["per_problem"]["humaneval"]["loss"] == {"p": 1.5}


def test_generated_completions_are_stored_as_before() -> None:
    line = to_line(Generation("p", "def", ["x"], ["stop"], "e", "1", [0], Sampling(0, 1, 1, 0)))
    assert "nats" not in line and "tokens" not in line.replace("new_tokens", "")


def test_a_file_without_problems_is_one_line() -> None:
    with pytest.raises(InputError, match="no problem fits in the model's context"):
        scores_of("choices", [], [], None, PARAMS)
