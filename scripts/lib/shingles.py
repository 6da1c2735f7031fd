"""Hashes of all shingles of many texts at once, in NumPy, for deduplication and decontamination.

Tokens are separated by the characters at which the original pipeline splits, `[^A-Za-z_0-9]`; a
shingle is a run of n tokens. The hash of a token is a polynomial over its bytes modulo 2^64, that
of a shingle a polynomial over the hashes of its tokens (Karp and Rabin, 1987). Both are computed as
differences of running sums, and mixed by the finaliser of SplitMix64 (Steele et al., 2014).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

# Texts are hashed in blocks of about this many bytes, which fit the processor's cache.
_BLOCK_BYTES = 1 << 17
_BASE = 0x9E3779B97F4A7C15
_SHINGLE_BASE = 0xD1B54A32D192ED03
_WORD_BYTES = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Shingles:
    """Shingle hashes of n texts, joined, repetitions included.

    `values` of shape (total,) uint64, `offsets` of shape (n + 1,) int64, `tokens` of shape (n,)
    int64 counts tokens.
    """

    values: np.ndarray
    offsets: np.ndarray
    tokens: np.ndarray

    def of(self, index: int) -> np.ndarray:
        """The hashes of one text, in order."""
        return self.values[self.offsets[index] : self.offsets[index + 1]]


def mix(values: np.ndarray) -> np.ndarray:
    """SplitMix64's finaliser: spreads every bit of 64-bit values over all bits."""
    mixed = values ^ (values >> np.uint64(30))
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    mixed ^= mixed >> np.uint64(31)
    return mixed


@cache
def _byte_values() -> np.ndarray:
    """A fixed random 64-bit value for each byte that is part of tokens, zero for separators, shape
    (256,).
    """
    values = np.zeros(256, dtype=np.uint64)
    word = np.frombuffer(_WORD_BYTES, dtype=np.uint8)
    values[word] = mix((word.astype(np.uint64) + np.uint64(1)) * np.uint64(_BASE))
    return values


@cache
def _cached_powers(base: int, count: int) -> np.ndarray:
    """base^0, base^1, … modulo 2^64, shape (count,), by doubling."""
    powers = np.ones(count, dtype=np.uint64)
    done = 1
    while done < count:
        step = np.uint64(pow(base, done, 1 << 64))
        powers[done : 2 * done] = powers[: min(done, count - done)] * step
        done *= 2
    return powers


def _powers(base: int, count: int) -> np.ndarray:
    """The first `count` powers of `base`; cached for blocks of ordinary size, computed for a huge
    text.
    """
    size = 2 * _BLOCK_BYTES
    if count <= size:
        return _cached_powers(base, size)[:count]
    return _cached_powers.__wrapped__(base, count)


def _inverse(base: int) -> int:
    """The multiplicative inverse of an odd `base` modulo 2^64."""
    return pow(base, -1, 1 << 64)


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


def _token_hashes(texts: Sequence[bytes], empty: bool) -> tuple[np.ndarray, np.ndarray]:
    """Hash of each token of a block, and number of tokens of each text; `empty` as in `shingles`.

    Separators add nothing to the running sum, so a token's hash is the difference of the sums at
    its two separators.
    """
    data = np.frombuffer(b"\n".join(texts) + b"\n", dtype=np.uint8)
    values = _byte_values().take(data)
    ends = np.flatnonzero(values == 0)
    values *= _powers(_BASE, len(data))
    sums = np.cumsum(values, out=values)[ends]
    starts = np.concatenate([[0], ends[:-1] + 1])
    hashes = np.diff(sums, prepend=np.uint64(0)) * _powers(_inverse(_BASE), len(data))[starts]
    hashes ^= hashes >> np.uint64(32)
    last = np.searchsorted(ends, np.cumsum([len(text) + 1 for text in texts]) - 1)
    if empty:
        return hashes, np.diff(last, prepend=-1)
    full = ends > starts
    return hashes[full], np.diff(np.cumsum(full)[last], prepend=0)


def _shingle_hashes(tokens: np.ndarray, counts: np.ndarray, ngram: int) -> np.ndarray:
    """Hash of each run of `ngram` tokens within one text; `tokens` are hashes, `counts` tokens of
    each text.
    """
    total = len(tokens) - ngram + 1
    if total <= 0:
        return np.zeros(0, dtype=np.uint64)
    weighted = (tokens + np.uint64(_BASE)) * _powers(_SHINGLE_BASE, len(tokens))
    sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(weighted)])
    hashes = (sums[ngram:] - sums[:-ngram]) * _powers(_inverse(_SHINGLE_BASE), total)
    # A run that starts in the last n - 1 tokens of a text ends in the next text.
    over = (np.cumsum(counts)[:, None] - np.arange(1, ngram)).ravel()
    within = np.ones(total, dtype=bool)
    within[over[(over >= 0) & (over < total)]] = False
    return mix(hashes[within])


def shingles(texts: Sequence[bytes], ngram: int, empty: bool = False) -> Shingles:
    """Hashes of all runs of `ngram` tokens within each of some UTF-8 texts.

    With `empty`, empty strings between adjacent separators count as tokens, as in the original's
    `re.split`, so layout matters; without it, tokens are runs of word characters. A text of fewer
    than `ngram` tokens has no shingle.
    """
    if empty:
        # A character is one separator, regardless of its number of bytes.
        texts = [text if text.isascii() else text.decode().encode("ascii", "replace") for text in texts]
    values, counts = [np.zeros(0, dtype=np.uint64)], [np.zeros(0, dtype=np.int64)]
    for block in _blocks(texts):
        tokens, per_text = _token_hashes(block, empty)
        counts.append(per_text)
        values.append(_shingle_hashes(tokens, per_text, ngram))
    total = np.concatenate(counts)
    offsets = np.concatenate([[0], np.cumsum(np.maximum(total - ngram + 1, 0))])
    return Shingles(np.concatenate(values), offsets.astype(np.int64), total)
