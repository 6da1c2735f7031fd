"""The outcome of each source in each variant as far as compilation and clusters determine it."""

from dataclasses import dataclass, field
from typing import cast

import numpy as np
import pyarrow as pa

from scripts.lib.job import InputError
from scripts.lib.parquet import iter_batches, iter_rows, read_table
from scripts.lib.schemas.ir import CompileStatus


@dataclass
class Language:
    """All sources of a language in order of id.

    `ids` (n,) uint64 are the hexadecimal ids as numbers, `clusters` (n,) numbers of clusters,
    `compiled` (n,) in how many variants each compiled, `names` the clusters' names. `kept` (n,) are
    the indices of the clusters' representatives over all variants, `similarity` (n,) the
    similarities to these, NaN where not compared. `representatives` (n,) int32 are, by variant, the
    indices of the sources that represent the clusters in it, -1 where no member compiled.
    """

    ids: np.ndarray
    clusters: np.ndarray
    names: list[str]
    compiled: np.ndarray
    kept: np.ndarray
    similarity: np.ndarray
    representatives: dict[str, np.ndarray] = field(default_factory=dict)

    def index(self, name: str) -> int:
        """The index of a source; raise `InputError` for an id without a cluster."""
        value = np.uint64(int(name, 16))
        index = int(np.searchsorted(self.ids, value))
        if index == len(self.ids) or self.ids[index] != value:
            raise InputError(f"source {name} has no cluster; delete the language's clusters.parquet and run again")
        return index

    def name(self, index: int) -> str:
        """The id of the source with an index."""
        return f"{self.ids[index]:016x}"

    def representing(self) -> np.ndarray:
        """Which sources represent their clusters in a variant, shape (n,) bool."""
        every = np.arange(len(self.ids))
        return np.any([every == indices for indices in self.representatives.values()], axis=0)


def numbers(ids: list[str]) -> np.ndarray:
    """Hexadecimal ids as numbers, shape (n,) uint64."""
    return np.array([int(name, 16) for name in ids], dtype=np.uint64)


def read_clusters(path: str) -> Language:
    """The sources of a clusters table."""
    table = read_table(path, ["id", "cluster", "kept", "similarity", "variants_ok"])
    names = table["cluster"].combine_chunks().dictionary_encode()
    ids = numbers(cast(list[str], table["id"].to_pylist()))
    return Language(
        ids,
        names.indices.to_numpy(),
        cast(list[str], names.dictionary.to_pylist()),
        table["variants_ok"].to_numpy(),
        np.searchsorted(ids, numbers(cast(list[str], table["kept"].to_pylist()))).astype(np.int32),
        table["similarity"].to_numpy(),
    )


def representatives(language: Language, ok: np.ndarray) -> np.ndarray:
    """For each source the index of the one that represents its cluster among those that compiled,
    `ok` (n,) bool; shape (n,) int32, -1 where no member of the cluster compiled.

    It is the one that compiled in most variants, then has the smallest id: the same as `kept` in
    the table of clusters wherever that compiled.
    """
    compiled = np.flatnonzero(ok)
    order = np.lexsort((compiled, -language.compiled[compiled], language.clusters[compiled]))
    clusters, first = np.unique(language.clusters[compiled][order], return_index=True)
    best = np.full(len(language.names), -1, dtype=np.int32)
    best[clusters] = compiled[order[first]]
    return best[language.clusters]


def read_outcomes(language: Language, ir: list[str], variants: list[str]) -> None:
    """Fill `representatives` from the IR tables; raise `InputError` when a row is missing or
    repeated.
    """
    rows = {variant: np.zeros(len(language.ids), dtype=np.int8) for variant in variants}
    ok = {variant: np.zeros(len(language.ids), dtype=bool) for variant in variants}
    for path in ir:
        for row in iter_rows(path, ["id", "variant", "status"], batch_size=4096):
            index, variant = language.index(row["id"]), row["variant"]
            rows[variant][index] += 1
            ok[variant][index] |= row["status"] == CompileStatus.OK
    for variant, counts in rows.items():
        if (counts != 1).any():
            bad = language.name(np.flatnonzero(counts != 1)[0])
            raise InputError(f"{ir[0]}: not one {variant} row for source {bad}; delete the tables and run again")
    language.representatives = {variant: representatives(language, ok[variant]) for variant in variants}


class RepresentativePaths:
    """Paths of the sources that represent another one in a variant, without those of all others."""

    def __init__(self, language: Language, sources: list[str]) -> None:
        """`sources` are the tables of the language's sources, in order of id."""
        every = np.arange(len(language.ids))
        others = [indices[(indices != every) & (indices >= 0)] for indices in language.representatives.values()]
        self._indices = np.unique(np.concatenate([np.zeros(0, dtype=np.int32), *others]))
        parts = []
        for table in sources if len(self._indices) else []:
            for batch in iter_batches(table, ["id", "path"], batch_size=4096):
                indices = np.searchsorted(language.ids, numbers(cast(list[str], batch["id"].to_pylist())))
                parts.append(batch["path"].filter(pa.array(np.isin(indices, self._indices))))
        self._paths = pa.chunked_array(parts, pa.string())

    def of(self, index: int) -> str:
        """The path of a source that represents another one, by its index."""
        return str(self._paths[int(np.searchsorted(self._indices, index))].as_py())
