"""How a signature is divided into bands of rows for locality-sensitive hashing.

Method: Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, section 3.4.
"""

from dataclasses import dataclass

import numpy as np

_STEPS = 1000


@dataclass(frozen=True)
class Bands:
    """`count` bands of `rows` signature slots each."""

    count: int
    rows: int

    def recall(self, similarity: np.ndarray) -> np.ndarray:
        """Probability that two documents of this Jaccard similarity share at least one band."""
        return 1 - (1 - np.power(similarity, self.rows)) ** self.count


def balanced(threshold: float, permutations: int) -> Bands:
    """The bands with the least sum of false positive and false negative areas on the two sides of
    the threshold.

    The original uses these, computed by datasketch: 25 bands of 10 rows for 0.7 and 256
    permutations, 42 of 6 for 0.5.
    """
    below = (np.arange(_STEPS) + 0.5) / _STEPS * threshold
    above = threshold + (np.arange(_STEPS) + 0.5) / _STEPS * (1 - threshold)

    def error(bands: Bands) -> float:
        wrong = bands.recall(below).mean() * threshold + (1 - bands.recall(above)).mean() * (1 - threshold)
        return float(wrong)

    choices = (Bands(c, r) for c in range(1, permutations + 1) for r in range(1, permutations // c + 1))
    return min(choices, key=error)


def recalling(threshold: float, permutations: int, recall: float) -> Bands:
    """The bands with the most rows that find a pair at the threshold with probability `recall` or
    more.

    Verification removes the pairs below the threshold. Falls back to bands of a single slot.
    """
    for rows in range(permutations, 0, -1):
        for count in range(1, permutations // rows + 1):
            bands = Bands(count, rows)
            if bands.recall(np.array(threshold)) >= recall:
                return bands
    return Bands(permutations, 1)
