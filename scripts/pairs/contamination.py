"""Finds benchmark problems in programs by the long token n-grams that both have."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from scripts.lib.parquet import read_table
from scripts.lib.shingles import shingles

_BITS = 24


@dataclass(frozen=True)
class Match:
    """What a program shares with one problem: how many different n-grams, in which parts, and the first of them."""

    benchmark: str
    problem: str
    parts: str
    ngrams: int
    text: str


class Benchmarks:
    """The benchmarks' n-grams, from the table of `scripts/pairs/ngrams.py`; without one, nothing ever matches."""

    def __init__(self, path: str | None, ngram: int) -> None:
        self.ngram = ngram
        self.table = read_table(path) if path else None
        self.hashes = self.table["hash"].to_numpy() if path else np.zeros(0, dtype=np.uint64)
        # Most n-grams of a program are told to be harmless by one bit.
        self.seen = np.zeros(1 << _BITS, dtype=bool)
        self.seen[self.hashes >> np.uint64(64 - _BITS)] = True

    def _rows(self, values: np.ndarray) -> np.ndarray:
        """Rows of the table that some n-grams match, each once."""
        near = np.unique(values[self.seen[values >> np.uint64(64 - _BITS)]])
        places = np.searchsorted(self.hashes, near)
        hit = places < len(self.hashes)
        hit[hit] = self.hashes[places[hit]] == near[hit]
        return places[hit]

    def _matches(self, rows: np.ndarray) -> list[Match]:
        problems: dict[tuple[str, str], list[dict]] = defaultdict(list)
        for row in self.table.take(rows).to_pylist():
            problems[row["benchmark"], row["problem"]].append(row)
        return [
            Match(*key, "+".join(sorted({row["part"] for row in found})), len(found), min(row["text"] for row in found))
            for key, found in sorted(problems.items())
        ]

    def match(self, texts: list[str]) -> list[list[Match]]:
        """For each program the problems that it shares n-grams with; an empty list for a clean one."""
        if not len(self.hashes):
            return [[] for _ in texts]
        found = shingles([text.encode() for text in texts], self.ngram)
        hits = [self._rows(found.of(index)) for index in range(len(texts))]
        return [self._matches(rows) if len(rows) else [] for rows in hits]
