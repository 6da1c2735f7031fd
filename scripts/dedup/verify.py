"""True Jaccard similarity of candidate pairs, from the shingles of their texts, in bounded memory."""

from collections.abc import Iterator
from typing import Any, cast

import numpy as np

from scripts.dedup.candidates import components, distinct
from scripts.lib.parquet import open_table
from scripts.lib.shingles import shingles

# Maximum number of shingles in memory: 2^25 hashes of 8 bytes, 256 MB.
MOST_HASHES = 1 << 25
# A document that is compared with at least this many is put into a hash table of 2^16 slots (512
# kB).
_MANY = 16
_TABLE_BITS = 16
_TABLE_MASK = np.uint64((1 << _TABLE_BITS) - 1)


def jaccard(first: np.ndarray, second: np.ndarray) -> float:
    """Jaccard similarity of two sets given as sorted arrays without repetition; 1 for two empty
    ones.
    """
    if len(first) == len(second) and np.array_equal(first, second):
        return 1.0
    merged = np.concatenate([first, second])
    merged.sort()
    shared = int(np.count_nonzero(merged[1:] == merged[:-1]))
    return shared / (len(merged) - shared)


def jaccard_to_many(one: np.ndarray, others: list[np.ndarray]) -> np.ndarray:
    """Jaccard similarity of a set to each of several, shape (others,); for many others faster than
    one by one.

    The set is put into a table by the low bits of its hashes, in which the members of all others
    are looked up at once. Members whose slot is taken by another, which is rare, are compared
    separately.
    """
    # An empty slot contains the complement of its index, which no hash of this slot equals.
    table = ~np.arange(1 << _TABLE_BITS, dtype=np.uint64)
    slots = one & _TABLE_MASK
    table[slots] = one
    displaced = one[table[slots] != one]
    merged = np.concatenate(others)
    is_shared = (table[merged & _TABLE_MASK] == merged) | np.isin(merged, displaced)
    sizes = np.array([len(other) for other in others])
    sums = np.concatenate([[0], np.cumsum(is_shared)])
    ends = np.cumsum(sizes)
    shared = sums[ends] - sums[ends - sizes]
    union = len(one) + sizes - shared
    return np.divide(shared, union, out=np.ones(len(others)), where=union > 0)


class ShingleStore:
    """Shingle sets of documents, read from their shards when needed.

    `tables` are the shards' sources tables, in order; document d is row d of their concatenation.
    `sizes`, shape (n,), are upper bounds of the number of shingles of each.
    """

    def __init__(self, tables: list[str], sizes: np.ndarray, settings: dict[str, Any]) -> None:
        self.tables, self.sizes, self.settings = tables, sizes, settings
        self.sets: dict[int, np.ndarray] = {}
        self.groups = [group for table in tables for group in self._groups_of(table)]
        self.starts = np.cumsum([0] + [rows for _, _, rows in self.groups])

    @staticmethod
    def _groups_of(table: str) -> Iterator[tuple[str, int, int]]:
        with open_table(table) as file:
            for group in range(file.num_row_groups):
                yield table, group, file.metadata.row_group(group).num_rows

    def load(self, documents: np.ndarray) -> None:
        """Load the sets of these (unique, sorted) documents, and drop others when there is not
        enough memory.
        """
        missing = documents[[document not in self.sets for document in documents.tolist()]]
        held = sum(map(len, self.sets.values()))
        if held + int(self.sizes[missing].sum()) > MOST_HASHES:
            wanted = set(documents.tolist())
            self.sets = {document: hashes for document, hashes in self.sets.items() if document in wanted}
        groups = np.searchsorted(self.starts, missing, side="right") - 1
        for index in np.unique(groups).tolist():
            self._read(index, missing[groups == index])

    def _read(self, index: int, documents: np.ndarray) -> None:
        """Load the sets of some documents of one row group."""
        table, group, _ = self.groups[index]
        with open_table(table) as file:
            texts = file.read_row_group(group, columns=["source"])["source"].take(documents - self.starts[index])
        encoded = [text.encode() for text in cast(list[str], texts.to_pylist())]
        hashes = shingles(encoded, self.settings["ngram"], empty=self.settings["tokens"] == "split")
        for row, document in enumerate(documents.tolist()):
            self.sets[document] = distinct(hashes.of(row))

    def _chunks(self, first: np.ndarray, second: np.ndarray) -> Iterator[np.ndarray]:
        """Indices of pairs in chunks whose documents fit in memory, with connected documents
        together.
        """
        labels = components(len(self.sizes), first, second)
        used: set[int] = set()
        start = size = 0
        order = np.lexsort((second, first, labels[first]))
        for at, pair in enumerate(order.tolist()):
            added = {int(first[pair]), int(second[pair])} - used
            size += sum(int(self.sizes[document]) for document in added)
            if size > MOST_HASHES and at > start:
                yield order[start:at]
                start, used, added = at, set(), {int(first[pair]), int(second[pair])}
                size = sum(int(self.sizes[document]) for document in added)
            used |= added
        if start < len(order):
            yield order[start:]

    def similarities(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """True Jaccard similarity of each pair of documents, shape (pairs,)."""
        result = np.zeros(len(first))
        for chunk in self._chunks(first, second):
            self.load(np.unique(np.concatenate([first[chunk], second[chunk]])))
            for group in np.split(chunk, np.flatnonzero(np.diff(first[chunk])) + 1):
                result[group] = self._similarities(int(first[group[0]]), second[group].tolist())
        return result

    def _similarities(self, one: int, others: list[int]) -> np.ndarray | list[float]:
        """Similarity of one loaded document to others."""
        sets = [self.sets[other] for other in others]
        if len(sets) < _MANY:
            return [jaccard(self.sets[one], other) for other in sets]
        return jaccard_to_many(self.sets[one], sets)
