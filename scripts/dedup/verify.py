"""True Jaccard similarity of candidate pairs, over the shingles of their texts, in bounded memory."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from scripts.dedup.candidates import components
from scripts.lib.parquet import open_table
from scripts.lib.shingles import shingles

# Shingles held at a time: 2^25 hashes of 8 bytes, 256 MB.
MOST_HASHES = 1 << 25


def jaccard(first: np.ndarray, second: np.ndarray) -> float:
    """Jaccard similarity of two sets given as sorted arrays without repetition; 1 for two empty ones."""
    if len(first) == len(second) and np.array_equal(first, second):
        return 1.0
    merged = np.concatenate([first, second])
    merged.sort()
    shared = int(np.count_nonzero(merged[1:] == merged[:-1]))
    return shared / (len(merged) - shared)


def distinct(hashes: np.ndarray) -> np.ndarray:
    """The hashes in order, each once; faster than `np.unique` for the lengths of source files."""
    ordered = np.sort(hashes)
    first = np.ones(len(ordered), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return ordered[first]


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
            pairs = zip(first[chunk].tolist(), second[chunk].tolist(), strict=True)
            result[chunk] = [jaccard(self.sets[one], self.sets[other]) for one, other in pairs]
        return result
