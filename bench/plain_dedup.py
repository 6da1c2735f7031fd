"""The original's deduplication in plain Python and NumPy: the baseline of `bench.dedup`.

Tokens between separators, shingles of five of them, SHA-1 cut to 32 bits, random linear
permutations modulo the Mersenne prime 2^61 - 1, bands in hash tables, union-find without checking
any candidate (Broder, 1997; BigCode's near-deduplication works this way).
"""

import hashlib
import re
from collections import defaultdict

import numpy as np

_SEPARATOR = re.compile(r"[^A-Za-z_0-9]")
_PRIME = np.uint64((1 << 61) - 1)
_LARGEST = np.uint64((1 << 32) - 1)


def shingles(text: str, ngram: int = 5) -> set[str]:
    """All runs of `ngram` pieces of a text."""
    pieces = _SEPARATOR.split(text)
    return {" ".join(pieces[start : start + ngram]) for start in range(len(pieces) - ngram + 1)}


def permutations(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Factors and offsets of `count` random permutations."""
    generator = np.random.default_rng(seed)
    return (
        generator.integers(1, int(_PRIME), count, dtype=np.uint64),
        generator.integers(0, int(_PRIME), count, dtype=np.uint64),
    )


def signature(text: str, factors: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """The smallest permuted hash of a text's shingles under each permutation, shape
    (permutations,).
    """
    digests = [hashlib.sha1(shingle.encode()).digest()[:4] for shingle in shingles(text)]
    hashes = np.array([int.from_bytes(digest, "little") for digest in digests], dtype=np.uint64)
    permuted = ((hashes[:, None] * factors + offsets) % _PRIME) & _LARGEST
    return permuted.min(axis=0, initial=_LARGEST)


def clusters(texts: list[str], bands: int = 25, rows: int = 10, count: int = 256) -> list[int]:
    """For each text the smallest index of its cluster."""
    factors, offsets = permutations(count, seed=42)
    parents = list(range(len(texts)))

    def find(node: int) -> int:
        while parents[node] != node:
            parents[node] = parents[parents[node]]
            node = parents[node]
        return node

    tables: list[dict[bytes, list[int]]] = [defaultdict(list) for _ in range(bands)]
    for index, text in enumerate(texts):
        values = signature(text, factors, offsets)
        for band, table in enumerate(tables):
            table[values[band * rows : (band + 1) * rows].tobytes()].append(index)
    for table in tables:
        for members in table.values():
            for member in members[1:]:
                low, high = sorted((find(members[0]), find(member)))
                parents[high] = low
    return [find(index) for index in range(len(texts))]
