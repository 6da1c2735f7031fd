"""Clusters of near-duplicates of one language, from the signatures of its programs."""

import logging
from collections import Counter
from collections.abc import Iterable
from itertools import islice
from typing import Any, cast

import numpy as np
import pyarrow as pa

from scripts.dedup.bands import Bands, balanced, recalling
from scripts.dedup.candidates import Buckets, band_buckets, components, estimates, pairs_by_distance, unique_pairs
from scripts.dedup.verify import ShingleStore
from scripts.lib.job import InputError, job
from scripts.lib.parquet import iter_rows, open_table, read_table, write_table
from scripts.lib.schemas.dedup import CLUSTERS
from scripts.lib.schemas.ir import CompileStatus

# A pair whose estimated similarity is this many standard errors below the threshold is not a
# candidate: it reaches the threshold with a probability of three in a hundred thousand, much less
# than the probability that the bands miss it.
_ERRORS = 4


class Documents:
    """All sources of a language in order of id: `ids`, `tokens` (n,), `exact` keys, and their
    signatures.

    `signed` (m,) are the indices of the documents with a signature, `signatures` (m, permutations)
    uint32.
    """

    def __init__(self, paths: list[str], permutations: int) -> None:
        table = pa.concat_tables([read_table(path, ["id", "tokens", "exact"]) for path in paths])
        self.ids = cast(list[str], table["id"].to_pylist())
        self.tokens = table["tokens"].to_numpy()
        self.exact = table["exact"]
        self._read_signatures(paths, permutations)
        if any(first >= second for first, second in zip(self.ids, self.ids[1:], strict=False)):
            raise InputError(f"{paths[0]}: ids are not unique and in order; delete the signatures and run again")

    def _read_signatures(self, paths: list[str], permutations: int) -> None:
        """Fill a matrix shard by shard, which avoids a second copy of all signatures."""
        self.signatures = np.zeros((len(self.ids), permutations), dtype=np.uint32)
        self.signed = np.zeros(len(self.ids), dtype=np.int64)
        start = filled = 0
        for path in paths:
            with open_table(path) as file:
                for batch in file.iter_batches(1024, columns=["signature"]):
                    column = batch["signature"]
                    present = np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))
                    rows = b"".join(cast(list[bytes], column.drop_null().to_pylist()))
                    stop = filled + len(present)
                    self.signatures[filled:stop] = np.frombuffer(rows, dtype="<u4").reshape(-1, permutations)
                    self.signed[filled:stop] = present + start
                    start, filled = start + len(column), stop
        self.signatures, self.signed = self.signatures[:filled], self.signed[:filled]


def near_links(documents: Documents, store: ShingleStore, settings: dict[str, Any]) -> np.ndarray:
    """Labels of clusters by true similarity: only pairs that reach the threshold are joined."""
    bands = recalling(settings["threshold"], settings["permutations"], settings["recall"])
    logging.info("%d bands of %d rows", bands.count, bands.rows)
    spread = np.sqrt(settings["threshold"] * (1 - settings["threshold"]) / settings["permutations"])
    least = settings["threshold"] - _ERRORS * spread
    candidates = pairs_by_distance(band_buckets(documents.signatures, bands))
    labels = np.arange(len(documents.ids))
    # Neighbours first, because they connect most of each cluster, so that few of the other pairs
    # must be checked.
    for rounds in (islice(candidates, 1), candidates):
        first, second = _open(documents, labels, rounds, least)
        joined = store.similarities(first, second) >= settings["threshold"]
        labels = components(len(labels), first[joined], second[joined], labels)
        logging.info("%d candidate pairs checked, %d joined", len(first), joined.sum())
    return labels


def _open(
    documents: Documents, labels: np.ndarray, rounds: Iterable[tuple[np.ndarray, np.ndarray]], least: float
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of documents in different clusters whose estimated similarity is at least `least`, from
    pairs of signatures.
    """
    pairs = [(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))]
    for first, second in rounds:
        apart = labels[documents.signed[first]] != labels[documents.signed[second]]
        first, second = first[apart], second[apart]
        near = estimates(documents.signatures, first, second) >= least
        pairs.append((documents.signed[first[near]], documents.signed[second[near]]))
    return unique_pairs(np.concatenate([first for first, _ in pairs]), np.concatenate([second for _, second in pairs]))


def paper_links(documents: Documents, settings: dict[str, Any]) -> np.ndarray:
    """Labels of the original's clusters: documents that share a band are joined without
    verification.
    """
    bands: Bands = balanced(settings["threshold"], settings["permutations"])
    labels = np.arange(len(documents.ids))
    buckets: list[Buckets] = band_buckets(documents.signatures, bands)
    for bucket in buckets:
        first, second = bucket.pairs(1)
        labels = components(len(labels), documents.signed[first], documents.signed[second], labels)
    return labels


def short_links(documents: Documents, labels: np.ndarray, mode: str) -> np.ndarray:
    """Join short documents: those of equal text (`keep`), or all of them, as in the original
    (`paper`).
    """
    short = np.flatnonzero(documents.exact.is_valid().to_numpy())
    keys = documents.exact.drop_null().to_numpy(zero_copy_only=False) if mode == "keep" else np.zeros(len(short))
    _, leaders, groups = np.unique(keys, return_index=True, return_inverse=True)
    return components(len(labels), short[leaders][groups], short, labels) if len(short) else labels


def variants_compiled(paths: list[str]) -> Counter[str]:
    """In how many variants each source compiled."""
    rows = (row for path in paths for row in iter_rows(path, ["id", "status"]))
    return Counter(row["id"] for row in rows if row["status"] == CompileStatus.OK)


def representatives(labels: np.ndarray, compiled: np.ndarray) -> np.ndarray:
    """For each document the representative of its cluster, shape (n,): compiled in most variants,
    then smallest id.
    """
    order = np.lexsort((np.arange(len(labels)), -compiled, labels))
    first = np.concatenate([[True], labels[order][1:] != labels[order][:-1]]) if len(order) else np.zeros(0, bool)
    best = np.zeros(len(labels), dtype=np.int64)
    best[labels[order[first]]] = order[first]
    return best[labels]


def similarity_to_kept(
    documents: Documents, representative_indices: np.ndarray, store: ShingleStore, settings: dict[str, Any]
) -> list[float | None]:
    """Similarity of each document to the representative of its cluster, in `representative_indices`.

    It is the true Jaccard similarity, or the estimate of the signatures without verification. Short
    documents have 1 if they were compared as texts, None if they were not compared.
    """
    indices = np.arange(len(representative_indices))
    result: list[float | None] = [1.0] * len(representative_indices)
    slot = np.full(len(representative_indices), -1)
    slot[documents.signed] = np.arange(len(documents.signed))
    dropped = np.flatnonzero((representative_indices != indices) & (slot >= 0))
    if settings["verify"]:
        values = store.similarities(dropped, representative_indices[dropped])
    else:
        values = estimates(documents.signatures, slot[dropped], slot[representative_indices[dropped]])
    for index, value in zip(dropped.tolist(), values.tolist(), strict=True):
        result[index] = value
    if settings["short_documents"] == "paper":
        for index in np.flatnonzero((representative_indices != indices) & (slot < 0)).tolist():
            result[index] = None
    return result


def cluster_labels(documents: Documents, store: ShingleStore, settings: dict[str, Any]) -> np.ndarray:
    """For each document the smallest index in its cluster, shape (n,); its own where nothing is
    deduplicated.
    """
    if not settings.get("enabled", True):
        return np.arange(len(documents.ids))
    labels = near_links(documents, store, settings) if settings["verify"] else paper_links(documents, settings)
    return short_links(documents, labels, settings["short_documents"])


def clusters(signatures: list[str], sources: list[str], ir: list[str], settings: dict[str, Any]) -> pa.Table:
    """The clusters table of a language; the tables of its shards are given in the shards' order."""
    documents = Documents(signatures, settings["permutations"])
    store = ShingleStore(sources, documents.tokens, settings)
    labels = cluster_labels(documents, store, settings)
    counts = variants_compiled(ir)
    compiled = np.array([counts[name] for name in documents.ids], dtype=np.int8)
    representative_indices = representatives(labels, compiled)
    ids = pa.array(documents.ids, pa.string())
    columns = {
        "id": ids,
        "cluster": ids.take(pa.array(labels)),
        "kept": ids.take(pa.array(representative_indices)),
        "similarity": similarity_to_kept(documents, representative_indices, store, settings),
        "members": np.bincount(labels, minlength=len(labels))[labels],
        "tokens": documents.tokens,
        "variants_ok": compiled,
    }
    logging.info("%d sources in %d clusters", len(labels), len(np.unique(labels)))
    return pa.table(columns, schema=CLUSTERS.schema)


if __name__ == "__main__":
    with job() as snakemake:
        inputs = snakemake.input
        table = clusters([inputs.signatures], inputs.sources, inputs.ir, snakemake.params.settings)
        write_table(snakemake.output[0], table, CLUSTERS.schema)
