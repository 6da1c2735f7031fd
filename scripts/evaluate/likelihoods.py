"""Metrics of likelihoods: how likely solutions are, and whether the right program is the likeliest.

docs/reference/metrics.md defines them.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from scripts.evaluate.generations import Generation


@dataclass(frozen=True)
class Measured:
    """Texts of one problem, the right one first.

    nats: negative logarithms of their probabilities, of shape (measurements, texts).
    sizes: number of bytes of each text. tokens: number of tokens of each; empty for a control.
    """

    nats: Sequence[Sequence[float]]
    sizes: Sequence[int]
    tokens: Sequence[int]


def right_is_likeliest(costs: Sequence[float]) -> float:
    """1 if the first of some costs is the smallest, 0 if it is not, and 1/n if n costs are the
    smallest and the first is among them.
    """
    lowest = min(costs)
    return 1 / costs.count(lowest) if costs[0] == lowest else 0.0


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def accuracy(measured: Measured) -> float:
    """Share of measurements in which the right text has the highest probability."""
    return _mean([right_is_likeliest(list(costs)) for costs in measured.nats])


def accuracy_per_byte(measured: Measured) -> float:
    """Share of measurements in which the right text has the highest probability per byte."""
    rows = [[cost / size for cost, size in zip(costs, measured.sizes, strict=True)] for costs in measured.nats]
    return _mean([right_is_likeliest(costs) for costs in rows])


def bits_per_byte(measured: Measured) -> float:
    """Negative binary logarithm of the right text's probability, by its number of bytes."""
    return _mean([costs[0] for costs in measured.nats]) / math.log(2) / measured.sizes[0]


def loss(measured: Measured) -> float:
    """Mean loss of the right text in nats per token."""
    return _mean([costs[0] for costs in measured.nats]) / measured.tokens[0]


@dataclass(frozen=True)
class LikelihoodMetric:
    """A metric of one problem's likelihoods.

    scale: by what its values are multiplied in tables. needs_tokens: whether a control, which has
    no tokens, lacks it.
    """

    name: str
    compute: Callable[[Measured], float]
    scale: float = 100.0
    needs_tokens: bool = False


OF_SOLUTIONS = (
    LikelihoodMetric("bits_per_byte", bits_per_byte, scale=1.0),
    LikelihoodMetric("loss", loss, scale=1.0, needs_tokens=True),
)
OF_CHOICES = (
    LikelihoodMetric("accuracy", accuracy),
    LikelihoodMetric("accuracy_per_byte", accuracy_per_byte),
)


def measured_texts(generations: Sequence[Generation]) -> Mapping[str, Measured]:
    """The likelihoods of each problem's texts, by the problem's id."""
    return {
        row.id: Measured(row.nats or [], [len(text.encode()) for text in row.completions], row.tokens or [])
        for row in generations
    }


def metrics_for(problems: Mapping[str, Measured]) -> list[LikelihoodMetric]:
    """The metrics of problems: those of choices where there are several texts."""
    first = next(iter(problems.values()))
    metrics = OF_CHOICES if len(first.sizes) > 1 else OF_SOLUTIONS
    return [metric for metric in metrics if first.tokens or not metric.needs_tokens]
