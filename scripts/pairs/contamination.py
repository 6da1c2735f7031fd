"""Finds benchmark problems in programs by long token n-grams that both contain."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np

from scripts.lib.parquet import read_table
from scripts.lib.schemas.pairs import NGRAMS
from scripts.lib.shingles import shingles

_BITS = 24


@dataclass(frozen=True)
class Match:
    """What a program shares with a problem: the number of different n-grams, their parts, and the
    first of them.
    """

    benchmark: str
    problem: str
    parts: str
    ngrams: int
    text: str


class Benchmarks:
    """The n-grams of benchmarks, from the table `NGRAMS`; without a table nothing matches."""

    def __init__(self, path: str | None, ngram: int) -> None:
        self.ngram = ngram
        self.table = read_table(path) if path else NGRAMS.schema.empty_table()
        self.hashes = self.table["hash"].to_numpy()
        # A bit filter rejects most n-grams without a table lookup.
        self.seen = np.zeros(1 << _BITS, dtype=bool)
        self.seen[self.hashes >> np.uint64(64 - _BITS)] = True

    def _rows(self, values: np.ndarray) -> np.ndarray:
        """Indices of the rows of the table with these hashes, without repetition."""
        near = np.unique(values[self.seen[values >> np.uint64(64 - _BITS)]])
        rows = np.searchsorted(self.hashes, near)
        hit = rows < len(self.hashes)
        hit[hit] = self.hashes[rows[hit]] == near[hit]
        return rows[hit]

    def _matches(self, rows: np.ndarray) -> list[Match]:
        problems: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        for row in self.table.take(rows).to_pylist():
            problems[row["benchmark"], row["problem"]].append(row)
        return [
            Match(
                *key, "+".join(sorted({row["part"] for row in shared})), len(shared), min(row["text"] for row in shared)
            )
            for key, shared in sorted(problems.items())
        ]

    def match(self, texts: list[str]) -> list[list[Match]]:
        """For each program the problems with which it shares n-grams."""
        if not len(self.hashes):
            return [[] for _ in texts]
        hashes = shingles([text.encode() for text in texts], self.ngram)
        hits = [self._rows(hashes.of(index)) for index in range(len(texts))]
        return [self._matches(rows) if len(rows) else [] for rows in hits]
