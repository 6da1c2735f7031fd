"""Measures deduplication on real source files: CPU time against a plain implementation, recall,
memory.

Run: python -m bench.dedup [documents] [--compare]

Documents are Python files and C headers of the machine. Output: one JSON object per method. `ratio`
is the plain implementation's CPU time divided by the method's (higher is faster); `peak_mb` is the
peak memory of the process in MB. With --compare, all truly similar pairs are computed as well:
`recall` is the share of them in one cluster (1 is best), `unfounded` the number of texts that no
chain of truly similar pairs links to their cluster (0 is best).
"""

import argparse
import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa

os.environ.setdefault("RAYON_NUM_THREADS", "1")

from bench import plain_dedup
from bench.memory import peak_mb
from bench.similar_pairs import brute_force, join, shingle_sets
from scripts.dedup import clusters, signatures
from scripts.dedup.candidates import components
from scripts.lib.parquet import write_table
from scripts.lib.schemas.dedup import signatures_table
from scripts.lib.schemas.ir import IR
from scripts.lib.schemas.sources import SOURCES
from scripts.sources.record import Record

Result = TypeVar("Result")
SETTINGS: dict[str, Any] = {
    "enabled": True,
    "tokens": "split",
    "ngram": 5,
    "permutations": 256,
    "min_tokens": 5,
    "threshold": 0.7,
    "verify": True,
    "recall": 0.99,
    "short_documents": "keep",
    "seed": 1,
}
FOLDERS = (Path(sys.prefix, "lib"), Path("/usr/include"), Path("/usr/lib"), Path(os.__file__).parent)
MAX_BYTES = 262_144
# With more texts than this, not all pairs are compared.
MAX_BRUTE_FORCE = 3000


def real_files() -> Iterator[Path]:
    """Source files of this machine, in a fixed order."""
    for folder in FOLDERS:
        for suffix in ("*.py", "*.h", "*.hpp"):
            yield from sorted(path for path in folder.rglob(suffix) if path.is_file())


def documents(count: int) -> list[str]:
    """`count` different texts of real files, in a random but fixed selection."""
    files = list(dict.fromkeys(path.resolve() for path in real_files()))
    texts: dict[str, str] = {}
    order = np.random.default_rng(0).permutation(len(files))
    for index in order.tolist():
        data = files[index].read_bytes()
        if 64 <= len(data) <= MAX_BYTES and (text := data.decode("utf-8", "ignore")).encode() == data:
            texts[hashlib.sha256(data).hexdigest()] = text
        if len(texts) == count:
            break
    return [texts[digest] for digest in sorted(texts)]


def write_sources(texts: list[str], folder: Path, shard_size: int) -> list[str]:
    """Write the texts as sources tables; return their paths."""
    digests = sorted((hashlib.sha256(text.encode()).hexdigest(), text) for text in texts)
    paths = []
    for start in range(0, len(digests), shard_size):
        chunk = digests[start : start + shard_size]
        rows = (Record(digest, digest, len(text), text, "utf-8").row("C") for digest, text in chunk)
        paths.append(str(folder / f"{start // shard_size:03d}.parquet"))
        write_table(paths[-1], rows, SOURCES.schema)
    return paths


def ours(sources: list[str], folder: Path, settings: dict[str, Any]) -> pa.Table:
    """The clusters table of sources tables, made like the rules make it."""
    schema = signatures_table(settings["permutations"]).schema
    signed = [str(folder / f"signatures-{Path(path).name}") for path in sources]
    for path, target in zip(sources, signed, strict=True):
        write_table(target, signatures.signatures([path], settings), schema)
    empty = str(folder / "ir")
    write_table(empty, [], IR.schema)
    return clusters.clusters(signed, sources, [empty], settings)


def true_pairs(texts: list[str], settings: dict[str, Any]) -> np.ndarray:
    """All pairs whose true Jaccard similarity reaches the threshold, shape (pairs, 2)."""
    find = brute_force if len(texts) <= MAX_BRUTE_FORCE else join
    return find(shingle_sets(texts, settings), settings["threshold"])


def recall(pairs: np.ndarray, labels: list) -> float:
    """Share of the pairs that are in one cluster."""
    names = np.array(labels)
    return float((names[pairs[:, 0]] == names[pairs[:, 1]]).mean()) if len(pairs) else 1.0


def unfounded(pairs: np.ndarray, labels: list) -> int:
    """Number of texts that no chain of truly similar pairs links to the first member of their
    cluster.
    """
    names = np.array(labels)
    within = pairs[names[pairs[:, 0]] == names[pairs[:, 1]]]
    linked = components(len(names), within[:, 0], within[:, 1])
    _, first, clusters_of = np.unique(names, return_index=True, return_inverse=True)
    return int((linked != linked[first][clusters_of]).sum())


def timed(work: Callable[[], Result]) -> tuple[Result, float]:
    """Result and CPU seconds of a call."""
    start = time.process_time()
    result = work()
    return result, time.process_time() - start


def measure(count: int, compare: bool) -> list[dict[str, object]]:
    """Both implementations on the same documents, in turn."""
    texts = documents(count)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        sources = write_sources(texts, Path(name), 2000)
        table, seconds = timed(lambda: ours(sources, Path(name), SETTINGS))
        peak = peak_mb()
        labels = table["cluster"].to_pylist()
        rows.append({"method": "this workflow", "cpu_s": seconds, "clusters": len(set(labels)), "peak_mb": peak})
        ordered = [row["source"] for path in sources for row in clusters.iter_rows(path, ["source"])]
    plain, plain_seconds = timed(lambda: plain_dedup.clusters(ordered))
    rows.append({"method": "plain", "cpu_s": plain_seconds, "clusters": len(set(plain)), "peak_mb": None})
    pairs = true_pairs(ordered, SETTINGS) if compare else None
    labelled: list[list[Any]] = [labels, plain]
    for row, method_labels in zip(rows, labelled, strict=True):
        row["documents"], row["mean_bytes"] = len(texts), round(sum(map(len, texts)) / len(texts))
        if pairs is not None:
            row["similar_pairs"], row["recall"] = len(pairs), recall(pairs, method_labels)
            row["unfounded"] = unfounded(pairs, method_labels)
        row["ratio"] = plain_seconds / row["cpu_s"]
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("documents", type=int, nargs="?", default=2000)
    parser.add_argument("--compare", action="store_true", help="compare with all truly similar pairs")
    options = parser.parse_args()
    for line in measure(options.documents, options.compare):
        print(json.dumps(line))
