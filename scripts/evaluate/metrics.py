"""Scores of samples and texts: pass@k, robust pass@1, smoothed sentence BLEU-4 and ROUGE."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

BLEU_ORDER = 4
ROUGE_KINDS = ("rouge1", "rouge2", "rougeL", "rougeLsum")
# Added to every n-gram count, so that a sentence without any common n-gram has a logarithm.
_TINY = 2.2250738585072014e-308
# Words, and every other character by itself. The evaluator splits twice, which takes underscores out of names.
_TOKEN = re.compile(r"[^\W_]+|[^\w\s]|_")


def pass_at_k(samples: int, passed: int, k: int) -> float:
    """Unbiased estimate, between 0 and 1, that one of `k` samples passes when `passed` of `samples` did.

    1 - prod_{i=n-c+1..n} (1 - k/i) of Chen et al. (2021), arXiv 2107.03374.
    """
    if not 0 <= passed <= samples or k < 1:
        raise ValueError(f"pass@{k} of {passed} passes in {samples} samples is not defined")
    if samples - passed < k:
        return 1.0
    return 1.0 - math.prod(1.0 - k / i for i in range(samples - passed + 1, samples + 1))


def robust_pass_at_1(passed: Sequence[Sequence[bool]]) -> float:
    """Share of samples with which every seed of a perturbation passes, for one problem.

    `passed` has shape (seeds, samples). Wang et al. (2022), arXiv 2212.10264: RP_s@1.
    """
    return sum(map(all, zip(*passed, strict=True))) / len(passed[0])


def robust_product(passed: Sequence[Sequence[bool]]) -> float:
    """Product over seeds of the share of samples that pass, for one problem; `passed` has shape (seeds, samples)."""
    return math.prod(sum(samples) / len(samples) for samples in passed)


def bleu_tokens(text: str) -> list[str]:
    """Lower-case words and single punctuation marks, underscores among them; anything behind a tab is dropped."""
    return _TOKEN.findall(text.split("\t")[0].strip().lower())


def _ngrams(tokens: Sequence[str], order: int) -> Counter[tuple[str, ...]]:
    """How often each n-gram of this order occurs."""
    return Counter(tuple(tokens[i : i + order]) for i in range(len(tokens) - order + 1))


def sentence_bleu(prediction: str, reference: str) -> float:
    """Smoothed BLEU-4 of one sentence, between 0 and 1.

    Lin and Och (2004): one is added to matches and totals for n > 1. As in CodeXGLUE's evaluator, the reference counts
    one token more than it has, as does the prediction, in the brevity penalty.
    """
    guess, truth = bleu_tokens(prediction), bleu_tokens(reference)
    logs = 0.0
    for order in range(1, BLEU_ORDER + 1):
        found, wanted = _ngrams(guess, order), _ngrams(truth, order)
        extra = 1 if order > 1 else 0
        matches = sum((found & wanted).values()) + extra
        logs += math.log(matches + _TINY) - math.log(max(0, len(guess) - order + 1) + extra + _TINY)
    penalty = min(0.0, 1.0 - (len(truth) + 1) / (len(guess) + 1))
    return math.exp(logs / BLEU_ORDER + penalty)


@cache
def _rouge_scorer() -> Any:
    # Imported where it is needed: it brings a large library with it.
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(ROUGE_KINDS, use_stemmer=True)


def rouge(prediction: str, reference: str) -> Mapping[str, float]:
    """ROUGE-1, -2, -L and -Lsum F-measures with stemming, between 0 and 1, by name."""
    scores = _rouge_scorer().score(reference, prediction)
    return {kind: scores[kind].fmeasure for kind in ROUGE_KINDS}
