"""The outcome of each source in each variant as far as compilation and clusters determine it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import cast

import numpy as np

from scripts.lib.job import InputError
from scripts.lib.parquet import iter_rows, read_table
from scripts.lib.schemas.ir import CompileStatus


@dataclass
class Language:
    """All sources of a language in order of id.

    `ids` (n,) uint64 are the hexadecimal ids as numbers, `clusters` (n,) numbers of clusters,
    `compiled` (n,) in how many variants each compiled, `names` the clusters' names. `statuses`
    counts outcomes of compilation by variant, `represents` (n,) marks those that represent their
    clusters in a variant, `tools` are versions of compiler and LLVM.
    """

    ids: np.ndarray
    clusters: np.ndarray
    names: list[str]
    compiled: np.ndarray
    statuses: dict[str, Counter[str]] = field(default_factory=dict)
    represents: dict[str, np.ndarray] = field(default_factory=dict)
    tools: set[tuple[str, str]] = field(default_factory=set)

    def index(self, name: str) -> int:
        """The index of a source; raise `InputError` for an id without a cluster."""
        value = np.uint64(int(name, 16))
        index = int(np.searchsorted(self.ids, value))
        if index == len(self.ids) or self.ids[index] != value:
            raise InputError(f"source {name} has no cluster; delete the language's clusters.parquet and run again")
        return index


def numbers(ids: list[str]) -> np.ndarray:
    """Hexadecimal ids as numbers, shape (n,) uint64."""
    return np.array([int(name, 16) for name in ids], dtype=np.uint64)


def read_clusters(path: str) -> Language:
    """The sources of a clusters table."""
    table = read_table(path, ["id", "cluster", "variants_ok"])
    names = table["cluster"].combine_chunks().dictionary_encode()
    return Language(
        numbers(cast(list[str], table["id"].to_pylist())),
        names.indices.to_numpy(),
        cast(list[str], names.dictionary.to_pylist()),
        table["variants_ok"].to_numpy(),
    )


def representatives(language: Language, ok: np.ndarray) -> np.ndarray:
    """Which of the sources that compiled, `ok` (n,) bool, represent their clusters; shape (n,)
    bool.

    It is the one that compiled in most variants, then has the smallest id: the same as `kept` in
    the table of clusters wherever that compiled.
    """
    compiled = np.flatnonzero(ok)
    order = np.lexsort((compiled, -language.compiled[compiled], language.clusters[compiled]))
    _, first = np.unique(language.clusters[compiled][order], return_index=True)
    represents = np.zeros(len(ok), dtype=bool)
    represents[compiled[order[first]]] = True
    return represents


def read_outcomes(language: Language, ir: list[str], variants: list[str]) -> None:
    """Fill `statuses`, `represents` and `tools` from the IR tables; raise `InputError` when a row
    is missing or repeated.
    """
    rows = {variant: np.zeros(len(language.ids), dtype=np.int8) for variant in variants}
    ok = {variant: np.zeros(len(language.ids), dtype=bool) for variant in variants}
    language.statuses = {variant: Counter() for variant in variants}
    for path in ir:
        for row in iter_rows(path, ["id", "variant", "status", "compiler", "llvm"], batch_size=4096):
            index, variant = language.index(row["id"]), row["variant"]
            rows[variant][index] += 1
            language.statuses[variant][row["status"]] += 1
            if row["status"] == CompileStatus.OK:
                ok[variant][index] = True
                language.tools.add((row["compiler"] or "", row["llvm"] or ""))
    for variant, counts in rows.items():
        if (counts != 1).any():
            bad = f"{language.ids[np.flatnonzero(counts != 1)[0]]:016x}"
            raise InputError(f"{ir[0]}: not one {variant} row for source {bad}; delete the tables and run again")
    language.represents = {variant: representatives(language, ok[variant]) for variant in variants}
