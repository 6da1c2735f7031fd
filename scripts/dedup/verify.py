"""True Jaccard similarity of candidate pairs, over the shingles of their texts, in bounded memory."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from scripts.dedup.candidates import components, distinct
from scripts.lib.parquet import open_table
from scripts.lib.shingles import shingles

# Shingles held at a time: 2^25 hashes of 8 bytes, 256 MB.
MOST_HASHES = 1 << 25
# From this many documents to compare with, one is laid out in a table of 2^16 places (512 kB).
_MANY = 16
_TABLE_BITS = 16
_TABLE_MASK = np.uint64((1 << _TABLE_BITS) - 1)


def jaccard(first: np.ndarray, second: np.ndarray) -> float:
    """Jaccard similarity of two sets given as sorted arrays without repetition; 1 for two empty ones."""
    if len(first) == len(second) and np.array_equal(first, second):
        return 1.0
    merged = np.concatenate([first, second])
    merged.sort()
    shared = int(np.count_nonzero(merged[1:] == merged[:-1]))
    return shared / (len(merged) - shared)


def jaccard_to_many(one: np.ndarray, others: list[np.ndarray]) -> np.ndarray:
    """Jaccard similarity of a set to each of several, shape (others,); for many others faster than one by one.

    The set is laid out in a table by its hashes' low bits, and all others are looked up at once. What two of its
    members claim the same place for, which is rare, is looked for by itself.
    """
    # No hash equals the complement of the place where it belongs.
    table = ~np.arange(1 << _TABLE_BITS, dtype=np.uint64)
    places = one & _TABLE_MASK
    table[places] = one
    displaced = one[table[places] != one]
    merged = np.concatenate(others)
    found = (table[merged & _TABLE_MASK] == merged) | np.isin(merged, displaced)
    sizes = np.array([len(other) for other in others])
    sums = np.concatenate([[0], np.cumsum(found)])
    ends = np.cumsum(sizes)
    shared = sums[ends] - sums[ends - sizes]
    union = len(one) + sizes - shared
    return np.divide(shared, union, out=np.ones(len(others)), where=union > 0)


class ShingleStore:
    """Shingle sets of documents, read from their shards when needed.

    `tables` are the shards' sources tables, in order; document d is row d of them laid end to end. `sizes`, shape (n,),
    bounds the number of shingles of each.
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
        """Have the sets of these (unique, sorted) documents in memory; forgets others when there is no room."""
        missing = documents[[document not in self.sets for document in documents.tolist()]]
        held = sum(map(len, self.sets.values()))
        if held + int(self.sizes[missing].sum()) > MOST_HASHES:
            wanted = set(documents.tolist())
            self.sets = {document: found for document, found in self.sets.items() if document in wanted}
        places = np.searchsorted(self.starts, missing, side="right") - 1
        for place in np.unique(places).tolist():
            self._read(place, missing[places == place])

    def _read(self, place: int, documents: np.ndarray) -> None:
        """Read the texts of some documents of one row group."""
        table, group, _ = self.groups[place]
        with open_table(table) as file:
            texts = file.read_row_group(group, columns=["source"])["source"].take(documents - self.starts[place])
        encoded = [text.encode() for text in texts.to_pylist()]
        found = shingles(encoded, self.settings["ngram"], empty=self.settings["tokens"] == "split")
        for index, document in enumerate(documents.tolist()):
            self.sets[document] = distinct(found.of(index))

    def _chunks(self, first: np.ndarray, second: np.ndarray) -> Iterator[np.ndarray]:
        """Indices of pairs in stretches whose documents fit in memory, related documents together."""
        labels = components(len(self.sizes), first, second)
        start, used, size = 0, set(), 0
        order = np.lexsort((second, first, labels[first]))
        for at, pair in enumerate(order.tolist()):
            fresh = {int(first[pair]), int(second[pair])} - used
            size += sum(int(self.sizes[document]) for document in fresh)
            if size > MOST_HASHES and at > start:
                yield order[start:at]
                start, used, fresh = at, set(), {int(first[pair]), int(second[pair])}
                size = sum(int(self.sizes[document]) for document in fresh)
            used |= fresh
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
