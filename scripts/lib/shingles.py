"""Token and n-gram hashes of many texts at once, in NumPy: what deduplication and decontamination compare.

Tokens are the pieces between the characters that the original pipeline splits at, `[^A-Za-z_0-9]`; a shingle is a run
of n tokens. Both are hashed to 64 bits. A token's hash is a polynomial over its bytes modulo 2^64 (Karp and Rabin,
1987), taken from one running sum over all texts, then mixed (finaliser of SplitMix64, Steele et al., 2014).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

# Texts are hashed in blocks of about this many bytes, which keeps the work in the processor's cache.
_BLOCK_BYTES = 1 << 18
_BASE = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1
_WORD_BYTES = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Hashes:
    """Hashes of n texts one after the other: `values` of shape (total,) uint64, `offsets` of shape (n + 1,) int64."""

    values: np.ndarray
    offsets: np.ndarray

    def counts(self) -> np.ndarray:
        """How many hashes each text has, shape (n,)."""
        return np.diff(self.offsets)

    def of(self, index: int) -> np.ndarray:
        """The hashes of one text."""
        return self.values[self.offsets[index] : self.offsets[index + 1]]


def mix(values: np.ndarray) -> np.ndarray:
    """SplitMix64's finaliser: spreads every bit of 64-bit values over all bits."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


@cache
def _byte_values() -> np.ndarray:
    """A fixed random 64-bit value for each byte, shape (256,)."""
    return mix(np.arange(1, 257, dtype=np.uint64) * np.uint64(_BASE))


@cache
def _separators() -> np.ndarray:
    """Which bytes stand between tokens, shape (256,)."""
    flags = np.ones(256, dtype=bool)
    flags[np.frombuffer(_WORD_BYTES, dtype=np.uint8)] = False
    return flags


@cache
def _powers(base: int, count: int) -> np.ndarray:
    """base^0, base^1, … modulo 2^64, shape (count,), by doubling."""
    powers = np.ones(count, dtype=np.uint64)
    done = 1
    while done < count:
        step = np.uint64(pow(base, done, 1 << 64))
        powers[done : 2 * done] = powers[: min(done, count - done)] * step
        done *= 2
    return powers


def _blocks(texts: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Consecutive texts, about `_BLOCK_BYTES` of them at a time, at least one."""
    start, size = 0, 0
    for index, text in enumerate(texts):
        if size and size + len(text) > _BLOCK_BYTES:
            yield texts[start:index]
            start, size = index, 0
        size += len(text) + 1
    if start < len(texts):
        yield texts[start:]


def _pieces(texts: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """All texts' bytes, each text ended by a separator; start and end of each piece in them; pieces per text."""
    data = np.frombuffer(b"\n".join(texts) + b"\n", dtype=np.uint8)
    ends = np.flatnonzero(_separators().take(data))
    starts = np.empty_like(ends)
    starts[0], starts[1:] = 0, ends[:-1] + 1
    last = np.cumsum([len(text) + 1 for text in texts]) - 1
    return data, starts, ends, np.diff(np.searchsorted(ends, last, side="right"), prepend=0)


def _piece_hashes(data: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Hash of the bytes between each start and end, wherever in `data` they stand."""
    size = max(_BLOCK_BYTES * 2, 1 << len(data).bit_length())
    sums = np.zeros(len(data) + 1, dtype=np.uint64)
    np.cumsum(_byte_values().take(data) * _powers(_BASE, size)[: len(data)], out=sums[1:])
    inverse = _powers(pow(_BASE, -1, 1 << 64), size)
    return mix((sums[ends] - sums[starts]) * inverse[starts] + (ends - starts).astype(np.uint64))


def _block_hashes(texts: Sequence[bytes], empty: bool) -> tuple[np.ndarray, np.ndarray]:
    """Token hashes of one block and tokens per text."""
    if empty:
        texts = [text if text.isascii() else text.decode().encode("ascii", "replace") for text in texts]
    data, starts, ends, counts = _pieces(texts)
    if empty:
        return _piece_hashes(data, starts, ends), counts
    full = ends > starts
    counts = np.add.reduceat(full, np.cumsum(counts) - counts, dtype=np.int64)
    return _piece_hashes(data, starts[full], ends[full]), counts


def token_hashes(texts: Sequence[bytes], empty: bool = False) -> Hashes:
    """Hashes of the tokens of UTF-8 texts.

    With `empty`, the empty pieces between two adjacent separators count as tokens, as in the original's `re.split`, so
    that layout matters; without, only runs of word characters do.
    """
    parts = [_block_hashes(block, empty) for block in _blocks(texts)]
    values = np.concatenate([part[0] for part in parts]) if parts else np.zeros(0, dtype=np.uint64)
    counts = np.concatenate([part[1] for part in parts]) if parts else np.zeros(0, dtype=np.int64)
    return Hashes(values, np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))


def shingle_hashes(tokens: Hashes, ngram: int) -> Hashes:
    """Hashes of all runs of `ngram` tokens within each text, in order, repetitions included."""
    total = len(tokens.values) - ngram + 1
    counts = np.maximum(tokens.counts() - ngram + 1, 0)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    if total <= 0:
        return Hashes(np.zeros(0, dtype=np.uint64), offsets)
    weights = _powers(_BASE, ngram + 1)[1:]
    sums = np.zeros(total, dtype=np.uint64)
    for place in range(ngram):
        sums += tokens.values[place : place + total] * weights[place]
    within = np.ones(total, dtype=bool)
    # A window that starts in the last n - 1 tokens of a text runs over into the next one.
    over = (tokens.offsets[1:, None] - np.arange(1, ngram)).ravel()
    within[over[(over >= 0) & (over < total)]] = False
    return Hashes(mix(sums[within]), offsets)
