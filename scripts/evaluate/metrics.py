"""Metrics: the formulas, and the registries of what a benchmark is scored with.

To add a metric, write a function and enter it below it in the registry; nothing else has to be
edited, because `score.py` computes whatever the registries contain:

- A metric of texts compares one completion with its reference. Add the function to
  `TEXT_METRICS`, under the benchmark's `form` (config/benchmarks.yaml).
- A metric of programs sees the executions of one problem's samples. Add a `ProgramMetric` to
  `PROGRAM_METRICS`.

Every metric is computed for one problem and returns values from 0 to 1. `score.py` averages them
over problems, adds bootstrap intervals and multiplies by 100. `metrics` in config/tables.yaml
decides the order of the columns; a metric that is not listed there follows the others.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from scripts.evaluate.executions import Execution

BLEU_ORDER = 4
ROUGE_KINDS = ("rouge1", "rouge2", "rougeL", "rougeLsum")
# Added to every n-gram count, so that the logarithm of a count of 0 is defined.
_TINY = 2.2250738585072014e-308
# Words, and every other character by itself. The original evaluator splits twice, which separates
# underscores from names.
_TOKEN = re.compile(r"[^\W_]+|[^\w\s]|_")


def pass_at_k(samples: int, passed: int, k: int) -> float:
    """Unbiased estimate of the probability that at least one of `k` samples passes, from 0 to 1.

    `passed` of `samples` samples passed. The estimate is 1 - prod_{i=n-c+1..n} (1 - k/i) with
    n = `samples` and c = `passed` (Chen et al. 2021, arXiv 2107.03374). It is 1 where fewer than
    `k` samples failed. Raises `ValueError` unless 0 <= `passed` <= `samples` and `k` >= 1.
    """
    if not 0 <= passed <= samples or k < 1:
        raise ValueError(f"pass@{k} of {passed} passes in {samples} samples is not defined")
    if samples - passed < k:
        return 1.0
    return 1.0 - math.prod(1.0 - k / i for i in range(samples - passed + 1, samples + 1))


def robust_pass_at_1(passed: Sequence[Sequence[bool]]) -> float:
    """Share of samples that pass under every seed of a perturbation, for one problem.

    `passed` has shape (seeds, samples). It is RP_s@1 of Wang et al. (2022), arXiv 2212.10264.
    """
    return sum(map(all, zip(*passed, strict=True))) / len(passed[0])


def robust_product(passed: Sequence[Sequence[bool]]) -> float:
    """Product over seeds of the share of samples that pass, for one problem.

    `passed` has shape (seeds, samples).
    """
    return math.prod(sum(samples) / len(samples) for samples in passed)


def compile_rate(executions: Sequence[Execution]) -> float:
    """Share of samples that compile, whether or not their tests pass."""
    return sum(execution.compiled for execution in executions) / len(executions)


def bleu_tokens(text: str) -> list[str]:
    """Lower-case words and single punctuation marks, underscores included.

    Text after a tab is dropped.
    """
    return _TOKEN.findall(text.split("\t")[0].strip().lower())


def _ngrams(tokens: Sequence[str], order: int) -> Counter[tuple[str, ...]]:
    """How often each n-gram of this order occurs."""
    return Counter(tuple(tokens[i : i + order]) for i in range(len(tokens) - order + 1))


def sentence_bleu(prediction: str, reference: str) -> float:
    """Smoothed BLEU-4 of one sentence, from 0 to 1.

    Matches and totals of n-grams with n > 1 are increased by one (Lin and Och 2004). As in
    CodeXGLUE's evaluator, the brevity penalty counts one token more than there is, in the
    prediction and in the reference.
    """
    predicted, expected = bleu_tokens(prediction), bleu_tokens(reference)
    logs = 0.0
    for order in range(1, BLEU_ORDER + 1):
        extra = 1 if order > 1 else 0
        matches = sum((_ngrams(predicted, order) & _ngrams(expected, order)).values()) + extra
        logs += math.log(matches + _TINY) - math.log(max(0, len(predicted) - order + 1) + extra + _TINY)
    penalty = min(0.0, 1.0 - (len(expected) + 1) / (len(predicted) + 1))
    return math.exp(logs / BLEU_ORDER + penalty)


def bleu(prediction: str, reference: str) -> dict[str, float]:
    """`sentence_bleu` by name."""
    return {"bleu": sentence_bleu(prediction, reference)}


@cache
def _rouge_scorer() -> Any:
    # Imported here because it imports a large library, which most steps do not need.
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(ROUGE_KINDS, use_stemmer=True)


def rouge(prediction: str, reference: str) -> dict[str, float]:
    """F-measures of ROUGE-1, -2, -L and -Lsum with stemming (Lin 2004), from 0 to 1, by name.

    They are computed by Google's package rouge-score.
    """
    scores = _rouge_scorer().score(reference, prediction)
    return {kind: scores[kind].fmeasure for kind in ROUGE_KINDS}


# Values from 0 to 1, by the metric's name, for a prediction and its reference.
TextMetric = Callable[[str, str], Mapping[str, float]]

# The metrics of completions that are compared with a text, by the form of the benchmark.
TEXT_METRICS: Mapping[str, Sequence[TextMetric]] = {
    "codexglue": (bleu,),
    "commits": (rouge,),
}


@dataclass(frozen=True)
class ProgramMetric:
    """A metric of completions that are programs.

    compute: maps the executions of one problem's samples to a value from 0 to 1.
    compiled_only: whether the metric is reported for compiled languages only.
    min_samples: number of samples below which the metric is not reported.
    """

    name: str
    compute: Callable[[Sequence[Execution]], float]
    compiled_only: bool = False
    min_samples: int = 1


# The metrics of programs, apart from pass@k, whose values of k are set by benchmark (`pass_at`).
PROGRAM_METRICS: Sequence[ProgramMetric] = (ProgramMetric("compiles@1", compile_rate, compiled_only=True),)


def _pass_at(executions: Sequence[Execution], k: int) -> float:
    return pass_at_k(len(executions), sum(execution.passed for execution in executions), k)


def program_metrics(pass_at: Sequence[int], compiled: bool) -> list[ProgramMetric]:
    """pass@k for each `k` in `pass_at`, and the registered metrics that apply.

    `compiled` says whether the programs are of a compiled language.
    """
    passes = [ProgramMetric(f"pass@{k}", partial(_pass_at, k=k), min_samples=k) for k in pass_at]
    return passes + [metric for metric in PROGRAM_METRICS if compiled or not metric.compiled_only]
