"""Pairs of documents whose signatures share a band, found by sorting."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scripts.dedup.bands import Bands
from scripts.lib.shingles import mix

# In a larger bucket each document is paired with this many that follow it, so that the number of
# pairs is linear and similar documents are still connected through others.
WINDOW = 64
_BLOCK = 4096
# Pairs of several bands are sorted together when there are this many (8 MB), or as many as are
# known already.
_WAITING = 1 << 20


@dataclass(frozen=True)
class Buckets:
    """The documents that share the value of a band with others: `members` grouped by `buckets`,
    both (m,) int32.
    """

    members: np.ndarray
    buckets: np.ndarray

    def pairs(self, distance: int) -> tuple[np.ndarray, np.ndarray]:
        """Pairs of documents that are `distance` positions apart in the same bucket."""
        same = self.buckets[:-distance] == self.buckets[distance:]
        return self.members[:-distance][same], self.members[distance:][same]


def _band_keys(signatures: np.ndarray, start: int, rows: int) -> np.ndarray:
    """A 64-bit hash of slots `start` to `start + rows` of each signature, shape (n,)."""
    keys = np.zeros(len(signatures), dtype=np.uint64)
    for slot in range(start, start + rows):
        keys = mix(keys + signatures[:, slot] + np.uint64(1))
    return keys


def _buckets(keys: np.ndarray) -> Buckets:
    """Group equal keys, with documents in order within a group; groups of one document are left
    out.
    """
    order = np.argsort(keys, kind="stable").astype(np.int32)
    keys = keys[order]
    new = np.concatenate([[True], keys[1:] != keys[:-1]])
    alone = new & np.concatenate([new[1:], [True]])
    numbers = np.cumsum(new, dtype=np.int32)
    return Buckets(order[~alone], numbers[~alone])


def band_buckets(signatures: np.ndarray, bands: Bands) -> list[Buckets]:
    """Buckets of each band; `signatures` is (n, permutations) uint32."""
    if not len(signatures):
        return []
    return [_buckets(_band_keys(signatures, band * bands.rows, bands.rows)) for band in range(bands.count)]


def distinct(numbers: np.ndarray) -> np.ndarray:
    """The numbers in order, without repetition; faster than `np.unique`, which hashes them first."""
    ordered = np.sort(numbers)
    first = np.ones(len(ordered), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return ordered[first]


def _codes(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """One number for each pair, sorted without repetition, with the smaller document in the upper
    half.
    """
    low, high = np.minimum(first, second).astype(np.int64), np.maximum(first, second).astype(np.int64)
    return distinct((low << 32) | high)


def _decoded(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return codes >> 32, codes & 0xFFFFFFFF


def unique_pairs(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pairs sorted without repetition, with the smaller document first."""
    return _decoded(_codes(first, second))


def pairs_by_distance(bands: list[Buckets]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Unique pairs of all bands by their distance in the buckets, from 1 to `WINDOW`."""
    for distance in range(1, WINDOW + 1):
        parts, waiting = [np.zeros(0, dtype=np.int64)], 0
        for bucket in bands:
            if len(bucket.members) > distance:
                parts.append(_codes(*bucket.pairs(distance)))
                waiting += len(parts[-1])
            # Most pairs are in many bands, so the pairs of all bands together would need far more
            # memory.
            if waiting > max(len(parts[0]), _WAITING):
                parts, waiting = [distinct(np.concatenate(parts))], 0
        codes = distinct(np.concatenate(parts))
        if not len(codes):
            return
        yield _decoded(codes)


def estimates(signatures: np.ndarray, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Share of equal slots, an unbiased estimate of each pair's Jaccard similarity, shape (pairs,)."""
    parts = [
        (signatures[first[start : start + _BLOCK]] == signatures[second[start : start + _BLOCK]]).mean(axis=1)
        for start in range(0, len(first), _BLOCK)
    ]
    return np.concatenate(parts) if parts else np.zeros(0)


def components(count: int, first: np.ndarray, second: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
    """Connected components: for each of `count` documents the smallest connected one, shape
    (count,).

    `labels` are those of earlier links. Hooking and pointer jumping (Shiloach and Vishkin, 1982).
    """
    labels = np.arange(count) if labels is None else labels.copy()
    while len(first):
        low, high = np.minimum(labels[first], labels[second]), np.maximum(labels[first], labels[second])
        open_links = low != high
        if not open_links.any():
            break
        np.minimum.at(labels, high[open_links], low[open_links])
        while (labels[labels] != labels).any():
            labels = labels[labels]
    return labels
