"""How large a difference of two checkpoints' scores an evaluation can see, and the variances that
decide it.

A difference of scores varies for three reasons: its problems are a sample of all that could be
asked, each problem is answered by a few samples, and another training of the same model would give
other weights. With n problems, m samples each and s trainings, its variance is

    between / n  +  sampling / (n m)  +  training / s

where `between` is the variance over problems of the true difference, `sampling` the variance of a
single sample's result around its problem's rate, summed over both checkpoints, and `training` the
variance of the difference between trainings. A two-sided test of level a sees a true difference d
with power p where d is at least (z(1 - a/2) + z(p)) times the square root of that (normal
approximation; Cohen, Statistical Power Analysis for the Behavioral Sciences, 1988, chapter 2).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

# Scores run from 0 to 100 points.
_MOST = 100.0


@dataclass(frozen=True)
class Variances:
    """Variances of a difference of scores, in points²; see the head of this module."""

    between: float
    sampling: float
    training: float = 0.0


@dataclass(frozen=True)
class Criterion:
    """A two-sided test of a difference: its level, and the power that is wanted."""

    level: float = 0.05
    power: float = 0.8

    @property
    def factor(self) -> float:
        """How many standard errors a difference must have."""
        normal = NormalDist()
        return normal.inv_cdf(1 - self.level / 2) + normal.inv_cdf(self.power)


class Design(NamedTuple):
    """Size of an evaluation: problems, samples of each, and trainings with seeds of their own."""

    problems: int
    samples: int
    seeds: int


def detectable(variances: Variances, design: Design, test: Criterion) -> float:
    """The smallest true difference in points that the test sees with its power."""
    problems = (variances.between + variances.sampling / design.samples) / design.problems
    return test.factor * math.sqrt(problems + variances.training / design.seeds)


def _whole(needed: float, room: float) -> int | None:
    """How many are needed so that `needed` divided by it is at most `room`; None where no number is
    enough.
    """
    return max(1, math.ceil(round(needed / room, 9))) if room > 0 else None


def problems_needed(variances: Variances, difference: float, design: Design, test: Criterion) -> int | None:
    """Problems that show a difference; None where only more trainings can."""
    room = (difference / test.factor) ** 2 - variances.training / design.seeds
    return _whole(variances.between + variances.sampling / design.samples, room)


def samples_needed(variances: Variances, difference: float, design: Design, test: Criterion) -> int | None:
    """Samples of each problem that show a difference; None where samples alone cannot."""
    room = (difference / test.factor) ** 2 - variances.training / design.seeds
    return _whole(variances.sampling / design.problems, room - variances.between / design.problems)


def seeds_needed(variances: Variances, difference: float, design: Design, test: Criterion) -> int | None:
    """Trainings that show a difference; None where trainings alone cannot."""
    problems = (variances.between + variances.sampling / design.samples) / design.problems
    return _whole(variances.training, (difference / test.factor) ** 2 - problems)


def measured(base: np.ndarray, other: np.ndarray, samples: int, is_share: bool) -> Variances:
    """Variances from the values of n problems, in points, of two checkpoints in the same order.

    Only shares of several samples separate the variance of sampling from that of problems.
    Otherwise all of the variance counts as that of problems, so that more samples appear not to
    help.
    """
    total = float(np.var(other - base, ddof=1)) if len(base) > 1 else 0.0
    sampling = 0.0
    if is_share and samples > 1:
        noise = [float(np.mean(values * (_MOST - values))) for values in (base, other)]
        sampling = sum(noise) * samples / (samples - 1)
    between = max(0.0, total - sampling / samples)
    return Variances(between, sampling)


def assumed(rate: float, sampled: float, correlation: float, training: float) -> Variances:
    """Variances of two checkpoints that both solve a share `rate` of all samples.

    sampled: the part of the variance of a single result, rate · (1 - rate), that is due to sampling.
    correlation: of the two checkpoints' rates over problems.
    """
    single = rate * (1 - rate) * _MOST**2
    return Variances(2 * (1 - correlation) * (1 - sampled) * single, 2 * sampled * single, training)


def training_variance(scores: Sequence[float], sampling: float, design: Design) -> float:
    """Variance between trainings, in points², from the scores of models that differ in their seed.

    scores: in points, of the same problems. sampling: as in `Variances`, of which one checkpoint has
    half; it is part of what the scores differ by.
    """
    noise = sampling / 2 / design.samples / design.problems
    return max(0.0, float(np.var(scores, ddof=1)) - noise)
