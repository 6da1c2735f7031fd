"""What becomes of each source in each variant, before texts are looked at: its compilation and its cluster decide."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from scripts.lib.job import InputError
from scripts.lib.parquet import iter_rows, read_table
from scripts.lib.schemas.ir import CompileStatus


@dataclass
class Language:
    """All sources of a language in order of id.

    `ids` (n,) uint64 are the hexadecimal ids as numbers, `clusters` (n,) numbers of clusters, `compiled` (n,) in how
    many variants each compiled, `names` the clusters' names. `statuses` counts outcomes of compilation by variant,
    `chosen` (n,) marks those that stand for their clusters in a variant, `tools` are versions of compiler and LLVM.
    """

    ids: np.ndarray
    clusters: np.ndarray
    names: list[str]
    compiled: np.ndarray
    statuses: dict[str, Counter[str]] = field(default_factory=dict)
    chosen: dict[str, np.ndarray] = field(default_factory=dict)
    tools: set[tuple[str, str]] = field(default_factory=set)

    def place(self, name: str) -> int:
        """The place of a source; raise `InputError` for an id that has no cluster."""
        value = np.uint64(int(name, 16))
        place = int(np.searchsorted(self.ids, value))
        if place == len(self.ids) or self.ids[place] != value:
            raise InputError(f"source {name} has no cluster; delete the language's clusters.parquet and run again")
        return place


def numbers(ids: list[str]) -> np.ndarray:
    """Hexadecimal ids as numbers, shape (n,) uint64."""
    return np.array([int(name, 16) for name in ids], dtype=np.uint64)


def read_clusters(path: str) -> Language:
    """The sources of a clusters table."""
    table = read_table(path, ["id", "cluster", "variants_ok"])
    names = table["cluster"].combine_chunks().dictionary_encode()
    return Language(
        numbers(table["id"].to_pylist()),
        names.indices.to_numpy(),
        names.dictionary.to_pylist(),
        table["variants_ok"].to_numpy(),
    )


def representatives(language: Language, ok: np.ndarray) -> np.ndarray:
    """Which sources stand for their clusters among those that compiled, `ok` (n,) bool; shape (n,) bool.

    The one that compiled in most variants, then the smallest id: the cluster's kept one wherever that compiled.
    """
    places = np.flatnonzero(ok)
    order = np.lexsort((places, -language.compiled[places], language.clusters[places]))
    _, first = np.unique(language.clusters[places][order], return_index=True)
    chosen = np.zeros(len(ok), dtype=bool)
    chosen[places[order[first]]] = True
    return chosen


def read_outcomes(language: Language, ir: list[str], variants: list[str]) -> None:
    """Fill `statuses`, `chosen` and `tools` from the IR tables; raise `InputError` when a row is missing or doubled."""
    rows = {variant: np.zeros(len(language.ids), dtype=np.int8) for variant in variants}
    ok = {variant: np.zeros(len(language.ids), dtype=bool) for variant in variants}
    language.statuses = {variant: Counter() for variant in variants}
    for path in ir:
        for row in iter_rows(path, ["id", "variant", "status", "compiler", "llvm"], batch_size=4096):
            place, variant = language.place(row["id"]), row["variant"]
            rows[variant][place] += 1
            language.statuses[variant][row["status"]] += 1
            if row["status"] == CompileStatus.OK:
                ok[variant][place] = True
                language.tools.add((row["compiler"] or "", row["llvm"] or ""))
    for variant, counts in rows.items():
        if (counts != 1).any():
            bad = f"{language.ids[np.flatnonzero(counts != 1)[0]]:016x}"
            raise InputError(f"{ir[0]}: not one {variant} row for source {bad}; delete the tables and run again")
    language.chosen = {variant: representatives(language, ok[variant]) for variant in variants}
