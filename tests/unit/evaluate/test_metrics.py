"""Metrics, compared with values computed by hand.

tests/conformance compares them with reference implementations.
"""

import math

import pytest

from scripts.evaluate.metrics import (
    bleu_tokens,
    pass_at_k,
    robust_pass_at_1,
    robust_product,
    rouge,
    sentence_bleu,
)


@pytest.mark.parametrize(
    "samples, passed, k, expected",
    [(1, 0, 1, 0), (1, 1, 1, 1), (4, 1, 1, 0.25), (4, 2, 2, 1 - 1 / 6), (5, 3, 3, 1), (10, 1, 10, 1), (5, 0, 5, 0)],
)
def test_pass_at_k_is_unbiased(samples, passed, k, expected):
    assert pass_at_k(samples, passed, k) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("samples, passed, k", [(3, 4, 1), (3, -1, 1), (3, 1, 0)])
def test_pass_at_k_of_impossible_counts_is_an_error(samples, passed, k):
    with pytest.raises(ValueError, match="not defined"):
        pass_at_k(samples, passed, k)


def test_robust_pass_at_1_requires_every_seed():
    # Two seeds, three samples: only the last sample passes under both.
    passed = [[True, False, True], [False, False, True]]
    assert robust_pass_at_1(passed) == pytest.approx(1 / 3)
    assert robust_product(passed) == pytest.approx(2 / 3 * 1 / 3)


def test_bleu_tokens_are_words_and_punctuation_before_a_tab():
    assert bleu_tokens("Find_zero(X), it's\tdropped") == ["find", "_", "zero", "(", "x", ")", ",", "it", "'", "s"]


def test_bleu_of_equal_texts_and_of_an_empty_one():
    assert sentence_bleu("sum of two numbers", "sum of two numbers") == pytest.approx(1, abs=1e-12)
    assert sentence_bleu("", "three more words") == pytest.approx(math.exp(-3), abs=1e-12)


def test_bleu_adds_one_to_counts_of_longer_ngrams():
    # 2 of 3 words, 1 of 2 bigrams, no trigram, no 4-gram; one is added to all but the words. The
    # lengths are equal, so there is no brevity penalty.
    expected = (2 / 3 * (1 + 1) / (2 + 1) * 1 / 2 * 1 / 1) ** 0.25
    assert sentence_bleu("a b c", "a b d") == pytest.approx(expected, abs=1e-12)


def test_rouge_compares_stems():
    scores = rouge("testing runs", "tests run")
    assert scores["rouge1"] == 1
    assert scores["rouge2"] == 1
    assert rouge("", "add test")["rougeL"] == 0
