"""Percentile bootstrap intervals (Efron and Tibshirani, 1993, chapter 13), over problems or documents."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 2000
LEVEL = 0.95
# Number of random indices in memory at a time, of 8 bytes each.
_INDICES = 2_000_000


@dataclass(frozen=True)
class Sample:
    """Values of n problems and their weights in the mean, both of shape (n,)."""

    values: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, values: object, weights: object = None) -> "Sample":
        """A sample of sequences of numbers, by default with equal weights.

        Raises `ValueError` when it is empty or the lengths differ.
        """
        array = np.ascontiguousarray(values, dtype=np.float64)
        weight = np.ones_like(array) if weights is None else np.ascontiguousarray(weights, dtype=np.float64)
        if array.ndim != 1 or not len(array) or weight.shape != array.shape:
            raise ValueError(f"a sample needs as many weights as values and at least one: {array.shape} {weight.shape}")
        return cls(array, weight)

    def mean(self) -> float:
        """The weighted mean."""
        return float(self.values @ self.weights / self.weights.sum())

    def means(self, indices: np.ndarray) -> np.ndarray:
        """Weighted means of resamples, shape (resamples,), from `indices` of shape (resamples, n)."""
        weights = self.weights[indices]
        return (self.values[indices] * weights).sum(axis=1) / weights.sum(axis=1)


def _identity(value: np.ndarray) -> np.ndarray:
    return value


def _resamples(count: int, seed: int) -> Iterator[np.ndarray]:
    """`RESAMPLES` rows of `count` indices drawn with replacement, in blocks of bounded size."""
    generator = np.random.default_rng(seed)
    block = max(1, min(RESAMPLES, _INDICES // count))
    for start in range(0, RESAMPLES, block):
        yield generator.integers(count, size=(min(block, RESAMPLES - start), count))


def _percentiles(parts: list[np.ndarray]) -> tuple[float, float]:
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(np.concatenate(parts), [tail, 1 - tail])
    return float(low), float(high)


def interval(sample: Sample, seed: int, transform: Callable = _identity) -> tuple[float, float]:
    """95 % interval of the elementwise `transform` of the sample's mean."""
    return _percentiles([transform(sample.means(indices)) for indices in _resamples(len(sample.values), seed)])


def paired_interval(first: Sample, second: Sample, seed: int, transform: Callable = _identity) -> tuple[float, float]:
    """95 % interval of `transform(mean of second) - transform(mean of first)` over the same n problems in order.

    Each resample draws the same problems from both, so that the difficulty of a problem cancels out.
    """
    if first.values.shape != second.values.shape:
        raise ValueError(f"samples of {len(first.values)} and {len(second.values)} problems are not paired")
    blocks = _resamples(len(first.values), seed)
    return _percentiles([transform(second.means(indices)) - transform(first.means(indices)) for indices in blocks])


def hierarchical_interval(
    first: Sequence[Sample], second: Sequence[Sample], seed: int, transform: Callable = _identity
) -> tuple[float, float]:
    """95 % interval of the difference of two means over trainings with other seeds and over problems.

    Each sample has the values of one training; all have the same n problems in order. Each resample
    draws the problems, the same for all trainings, and the trainings of each side with replacement
    (Davison and Hinkley 1997, section 3.8). With one training on each side it is `paired_interval`.
    The mean of a side is that of `transform(mean over problems)` of its trainings.
    """
    sizes = {sample.values.shape for sample in (*first, *second)}
    if len(sizes) != 1 or not first or not second:
        raise ValueError(f"samples of {sizes} problems are not paired")
    generator, parts = np.random.default_rng([seed, 1]), []
    for indices in _resamples(len(first[0].values), seed):
        sides = []
        for samples in (first, second):
            means = np.stack([transform(sample.means(indices)) for sample in samples])
            drawn = generator.integers(len(samples), size=means.shape)
            sides.append(np.take_along_axis(means, drawn, axis=0).mean(axis=0))
        parts.append(sides[1] - sides[0])
    return _percentiles(parts)


def ratio_interval(above: Sample, below: Sample, seed: int) -> tuple[float, float]:
    """95 % interval of the ratio of two samples' means, over the same n problems in order.

    Resamples in which the mean of `below` is 0 have no ratio and are left out; they can occur in
    small samples. Raises `ValueError` when `below` is 0 everywhere.
    """
    if above.values.shape != below.values.shape or not below.values.any():
        raise ValueError("a ratio needs as many values above as below, and at least one below that is not 0")
    ratios = []
    for indices in _resamples(len(above.values), seed):
        divisor = below.means(indices)
        ratios.append(above.means(indices)[divisor != 0] / divisor[divisor != 0])
    return _percentiles(ratios)
