"""Measures deduplication on real source files: CPU time against a plain implementation, recall, memory.

python -m bench.dedup [documents] [--compare] prints a line for each method. Documents are Python files and C
headers of the machine. With --compare all truly similar pairs are found, too: `recall` is the share of them in one
cluster, `unfounded` how many texts no chain of truly similar pairs links to their cluster.
"""

import argparse
import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

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

SETTINGS = {
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
PLACES = (Path(sys.prefix, "lib"), Path("/usr/include"), Path("/usr/lib"), Path(os.__file__).parent)
MOST_BYTES = 262_144
# More texts than this are not all compared with each other.
MOST_BY_FORCE = 3000


def real_files() -> Iterator[Path]:
    """Source files of this machine, in a fixed order."""
    for place in PLACES:
        for suffix in ("*.py", "*.h", "*.hpp"):
            yield from sorted(path for path in place.rglob(suffix) if path.is_file())


def documents(count: int) -> list[str]:
    """Different texts of real files, spread over all that there are."""
    files = list(dict.fromkeys(path.resolve() for path in real_files()))
    texts: dict[str, str] = {}
    order = np.random.default_rng(0).permutation(len(files))
    for place in order.tolist():
        data = files[place].read_bytes()
        if 64 <= len(data) <= MOST_BYTES and (text := data.decode("utf-8", "ignore")).encode() == data:
            texts[hashlib.sha256(data).hexdigest()] = text
        if len(texts) == count:
            break
    return [texts[digest] for digest in sorted(texts)]


def write_sources(texts: list[str], folder: Path, shard_size: int) -> list[str]:
    """The texts as sources tables; their paths."""
    digests = sorted((hashlib.sha256(text.encode()).hexdigest(), text) for text in texts)
    paths = []
    for start in range(0, len(digests), shard_size):
        chunk = digests[start : start + shard_size]
        rows = (Record(digest, digest, len(text), text, "utf-8").row("C") for digest, text in chunk)
        paths.append(str(folder / f"{start // shard_size:03d}.parquet"))
        write_table(paths[-1], rows, SOURCES.schema)
    return paths


def ours(sources: list[str], folder: Path, settings: dict) -> pa.Table:
    """The clusters table of sources tables, made the way the rules make it."""
    schema = signatures_table(settings["permutations"]).schema
    made = [str(folder / f"signatures-{Path(path).name}") for path in sources]
    for path, target in zip(sources, made, strict=True):
        write_table(target, signatures.signatures(path, settings), schema)
    empty = str(folder / "ir")
    write_table(empty, [], IR.schema)
    return clusters.clusters(made, sources, [empty], settings)


def true_pairs(texts: list[str], settings: dict) -> np.ndarray:
    """All pairs whose true Jaccard similarity reaches the threshold, shape (pairs, 2)."""
    find = brute_force if len(texts) <= MOST_BY_FORCE else join
    return find(shingle_sets(texts, settings), settings["threshold"])


def recall(pairs: np.ndarray, labels: list) -> float:
    """Share of the pairs that are in one cluster."""
    names = np.array(labels)
    return float((names[pairs[:, 0]] == names[pairs[:, 1]]).mean()) if len(pairs) else 1.0


def unfounded(pairs: np.ndarray, labels: list) -> int:
    """How many texts are in a cluster to which no chain of truly similar pairs leads from its first member."""
    names = np.array(labels)
    within = pairs[names[pairs[:, 0]] == names[pairs[:, 1]]]
    linked = components(len(names), within[:, 0], within[:, 1])
    _, first, clusters_of = np.unique(names, return_index=True, return_inverse=True)
    return int((linked != linked[first][clusters_of]).sum())


def timed(work, *arguments):
    """Result and CPU seconds of a call."""
    start = time.process_time()
    result = work(*arguments)
    return result, time.process_time() - start


def measure(count: int, compare: bool) -> list[dict[str, object]]:
    """Both implementations on the same documents, in turn."""
    texts = documents(count)
    rows = []
    with tempfile.TemporaryDirectory() as name:
        sources = write_sources(texts, Path(name), 2000)
        table, seconds = timed(ours, sources, Path(name), SETTINGS)
        peak = peak_mb()
        labels = table["cluster"].to_pylist()
        rows.append({"method": "this workflow", "cpu_s": seconds, "clusters": len(set(labels)), "peak_mb": peak})
        ordered = [row["source"] for path in sources for row in clusters.iter_rows(path, ["source"])]
    plain, plain_seconds = timed(plain_dedup.clusters, ordered)
    rows.append({"method": "plain", "cpu_s": plain_seconds, "clusters": len(set(plain)), "peak_mb": None})
    pairs = true_pairs(ordered, SETTINGS) if compare else None
    for row, found in zip(rows, (labels, plain), strict=True):
        row["documents"], row["mean_bytes"] = len(texts), round(sum(map(len, texts)) / len(texts))
        if compare:
            row["similar_pairs"], row["recall"] = len(pairs), recall(pairs, found)
            row["unfounded"] = unfounded(pairs, found)
        row["ratio"] = plain_seconds / row["cpu_s"]
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("documents", type=int, nargs="?", default=2000)
    parser.add_argument("--compare", action="store_true", help="compare with all truly similar pairs")
    chosen = parser.parse_args()
    for line in measure(chosen.documents, chosen.compare):
        print(json.dumps(line))
