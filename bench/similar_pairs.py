"""All pairs of texts whose true Jaccard similarity reaches a threshold, by two methods that do not
use MinHash.
"""

import numpy as np

from scripts.dedup.verify import distinct, jaccard
from scripts.lib.shingles import shingles

_BLOCK = 1 << 22
# Products that are whole numbers may be off by a rounding error.
_SLACK = 1e-6


def shingle_sets(texts: list[str], settings: dict) -> list[np.ndarray]:
    """The distinct shingles of each text, in order."""
    all_shingles = shingles([text.encode() for text in texts], settings["ngram"], empty=settings["tokens"] == "split")
    return [distinct(all_shingles.of(index)) for index in range(len(texts))]


def brute_force(sets: list[np.ndarray], threshold: float) -> np.ndarray:
    """Compare every set with every other; shape (pairs, 2), the smaller index first."""
    sizes = np.array([len(each) for each in sets])
    _, codes = np.unique(np.concatenate(sets), return_inverse=True)
    starts = np.concatenate([[0], np.cumsum(sizes)])
    full = np.flatnonzero(sizes)
    marked = np.zeros(codes.max() + 1, dtype=bool)
    near_pairs = []
    for index in full.tolist():
        own = codes[starts[index] : starts[index + 1]]
        marked[own] = True
        shared = np.add.reduceat(marked[codes], starts[full], dtype=np.int64)
        marked[own] = False
        near = full[shared / (sizes[index] + sizes[full] - shared) >= threshold]
        near_pairs += [(index, other) for other in near.tolist() if other > index]
    return np.array(near_pairs, dtype=np.int64).reshape(-1, 2)


def _prefixes(sets: list[np.ndarray], threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Rare shingles and the sets that have them: of each set as many that a similar set shares at
    least one.
    """
    values, codes, counts = np.unique(np.concatenate(sets), return_inverse=True, return_counts=True)
    ranks = np.empty(len(values), dtype=np.int64)
    ranks[np.argsort(counts, kind="stable")] = np.arange(len(values))
    starts = np.concatenate([[0], np.cumsum([len(each) for each in sets])])
    rare, owners = [], []
    for index, each in enumerate(sets):
        count = len(each) - int(np.ceil(threshold * len(each) - _SLACK)) + 1 if len(each) else 0
        rare.append(np.sort(ranks[codes[starts[index] : starts[index + 1]]])[:count])
        owners.append(np.full(count, index))
    shingle, owner = np.concatenate(rare), np.concatenate(owners)
    order = np.argsort(shingle, kind="stable")
    return shingle[order], owner[order]


def _sharing(shingle: np.ndarray, owner: np.ndarray, sizes: np.ndarray, threshold: float) -> np.ndarray:
    """Pairs of sets that share a rare shingle and whose sizes allow the similarity, shape (pairs,
    2).
    """
    found, waiting, held = np.zeros(0, dtype=np.int64), [], 0
    for distance in range(1, len(shingle)):
        same = np.flatnonzero(shingle[:-distance] == shingle[distance:])
        if not len(same):
            break
        first, second = owner[same], owner[same + distance]
        small, large = np.minimum(sizes[first], sizes[second]), np.maximum(sizes[first], sizes[second])
        fit = small >= threshold * large - _SLACK
        waiting.append((first[fit] << 32) | second[fit])
        held += len(waiting[-1])
        if held > _BLOCK:
            found, waiting, held = np.unique(np.concatenate([found, *waiting])), [], 0
    found = np.unique(np.concatenate([found, *waiting]))
    return np.stack([found >> 32, found & 0xFFFFFFFF], axis=1)


def join(sets: list[np.ndarray], threshold: float) -> np.ndarray:
    """The same pairs for more sets than can all be compared, by prefix filtering; shape (pairs, 2).

    Two sets of similarity t or more share one of the |x| - ceil(t |x|) + 1 rarest shingles of each
    (Chaudhuri, Ganti and Kaushik, A Primitive Operator for Similarity Joins in Data Cleaning,
    2006).
    """
    sizes = np.array([len(each) for each in sets])
    pairs = _sharing(*_prefixes(sets, threshold), sizes, threshold)
    near = [jaccard(sets[first], sets[second]) >= threshold for first, second in pairs.tolist()]
    return pairs[np.array(near, dtype=bool)]
