"""Scores: values worked out by hand, and the tables of the reference implementations where they are at hand."""

import json
import math
from pathlib import Path

import pytest

from scripts.evaluate.metrics import (
    bleu_tokens,
    pass_at_k,
    robust_pass_at_1,
    robust_product,
    rouge,
    sentence_bleu,
)

ORACLES = Path(__file__).resolve().parents[3] / "shared" / "data" / "oracles"
with_oracles = pytest.mark.skipif(
    not ORACLES.is_dir(), reason="the tables of reference values are not beside the project"
)


def oracle(name):
    return [json.loads(line) for line in (ORACLES / name).read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize(
    "samples, passed, k, expected",
    [(1, 0, 1, 0), (1, 1, 1, 1), (4, 1, 1, 0.25), (4, 2, 2, 1 - 1 / 6), (5, 3, 3, 1), (10, 1, 10, 1), (5, 0, 5, 0)],
)
def test_pass_at_k(samples, passed, k, expected):
    assert pass_at_k(samples, passed, k) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("samples, passed, k", [(3, 4, 1), (3, -1, 1), (3, 1, 0)])
def test_pass_at_k_of_impossible_counts(samples, passed, k):
    with pytest.raises(ValueError, match="not defined"):
        pass_at_k(samples, passed, k)


def test_robust_scores():
    # Two seeds, three samples: only the last sample passes under both.
    passed = [[True, False, True], [False, False, True]]
    assert robust_pass_at_1(passed) == pytest.approx(1 / 3)
    assert robust_product(passed) == pytest.approx(2 / 3 * 1 / 3)


def test_bleu_tokens():
    assert bleu_tokens("Find_zero(X), it's\tdropped") == ["find", "_", "zero", "(", "x", ")", ",", "it", "'", "s"]


def test_bleu_of_the_same_and_of_nothing():
    assert sentence_bleu("sum of two numbers", "sum of two numbers") == pytest.approx(1, abs=1e-12)
    assert sentence_bleu("", "three more words") == pytest.approx(math.exp(-3), abs=1e-12)


def test_bleu_by_hand():
    # 2 of 3 words, 1 of 2 pairs, no triple, no quadruple; one is added to all but the words; as long as the reference.
    expected = (2 / 3 * (1 + 1) / (2 + 1) * 1 / 2 * 1 / 1) ** 0.25
    assert sentence_bleu("a b c", "a b d") == pytest.approx(expected, abs=1e-12)


def test_rouge_stems():
    scores = rouge("testing runs", "tests run")
    assert scores["rouge1"] == 1
    assert scores["rouge2"] == 1
    assert rouge("", "add test")["rougeL"] == 0


@with_oracles
def test_bleu_oracle():
    for row in oracle("bleu_pairs.jsonl"):
        value = 100 * sentence_bleu(row["prediction"], row["reference"])
        assert value == pytest.approx(row["ircoder_harness_bleu"], abs=1e-9), row["id"]


@with_oracles
def test_rouge_oracle():
    for row in oracle("rouge_pairs.jsonl"):
        for kind, value in rouge(row["prediction"], row["reference"]).items():
            assert value == pytest.approx(row[kind]["fmeasure"], abs=1e-9), (row["id"], kind)


@with_oracles
def test_pass_at_k_oracle():
    for row in oracle("pass_at_k.jsonl"):
        assert pass_at_k(row["n"], row["c"], row["k"]) == pytest.approx(row["pass_at_k"], abs=1e-12)
    for row in oracle("pass_at_k_tasks.jsonl"):
        pairs = list(zip(row["n"], row["c"], strict=True))
        for name in [key for key in row if key.startswith("pass@")]:
            mean = sum(pass_at_k(n, c, int(name.removeprefix("pass@"))) for n, c in pairs) / len(pairs)
            assert mean == pytest.approx(row[name], abs=1e-12)


@with_oracles
def test_robust_oracle():
    for row in oracle("recode_rp.jsonl"):
        tasks = [[seeds[seed] for seed in sorted(seeds, key=int)] for seeds in row["passed"].values()]
        for measure, name in ((robust_pass_at_1, "robust-pass-at-1"), (robust_product, "alt-robust-pass-at-1")):
            assert sum(map(measure, tasks)) / len(tasks) == pytest.approx(row[name], abs=1e-12)
