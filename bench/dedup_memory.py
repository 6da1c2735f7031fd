"""Measures memory and time of clustering by the number of synthetic programs, and extrapolates to a
million.

Run: python -m bench.dedup_memory [documents …]

Output: one JSON object per number of documents (`cpu_s`, `peak_mb` of the process, `clusters`),
then one with the growth from the first to the last: `bytes_beyond_signature` is the memory per
document without its signature of four bytes per permutation, `million_documents_mb` the memory in
MB that a million documents would need at that rate.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from bench.dedup import SETTINGS
from bench.memory import peak_mb
from scripts.dedup import clusters, signatures
from scripts.lib.files import sha256_text
from scripts.lib.parquet import write_table
from scripts.lib.schemas.dedup import signatures_table
from scripts.lib.schemas.ir import IR
from scripts.lib.schemas.sources import SOURCES
from scripts.sources.record import Record

WORDS = 150
SHARD_SIZE = 4000
# Every program starts as contest programs in C++ do; a quarter are near-copies of others.
START = "#include <bits/stdc++.h>\nusing namespace std;\nint main() {\n    ios::sync_with_stdio(false);\n"
COPIES = 4


def programs(count: int) -> Iterator[str]:
    """Synthetic programs of some 150 random identifiers; each fourth is the one before it with two
    words changed.
    """
    words: list[str] = []
    for number in range(count):
        generator = np.random.default_rng(number)
        if number % COPIES:
            words = [f"v{value}" for value in generator.integers(0, 5000, WORDS)]
        else:
            words = [*words]
            for index in generator.integers(0, WORDS, 2) if words else []:
                words[index] = f"changed{number}"
        lines = (" = ".join(words[start : start + 5]) + ";" for start in range(0, len(words), 5))
        yield START + "\n".join(lines) + "\n}\n"


def prepare(count: int, folder: Path) -> None:
    """Sources and signatures of `count` programs, by shards."""
    texts = sorted((sha256_text(text), text) for text in programs(count))
    for start in range(0, count, SHARD_SIZE):
        name = f"{start // SHARD_SIZE:05d}.parquet"
        rows = [Record(d, d, len(text), text, "utf-8").row("C") for d, text in texts[start : start + SHARD_SIZE]]
        write_table(folder / f"sources-{name}", rows, SOURCES.schema)
        signed = signatures.signatures([str(folder / f"sources-{name}")], SETTINGS)
        write_table(folder / f"signatures-{name}", signed, signatures_table(SETTINGS["permutations"]).schema)
    write_table(folder / "ir", [], IR.schema)


def cluster(folder: Path) -> dict[str, float]:
    """Cluster the tables of a folder, in this process; return CPU seconds, peak memory in MB,
    number of clusters.
    """
    sources, signed = (sorted(map(str, folder.glob(f"{kind}-*"))) for kind in ("sources", "signatures"))
    start = time.process_time()
    table = clusters.clusters(signed, sources, [str(folder / "ir")], SETTINGS)
    seconds = time.process_time() - start
    return {"cpu_s": round(seconds, 2), "peak_mb": peak_mb(), "clusters": len(table["cluster"].unique())}


def measure(count: int) -> dict[str, float]:
    """Cluster `count` programs in a separate process."""
    with tempfile.TemporaryDirectory() as name:
        prepare(count, Path(name))
        command = [sys.executable, "-m", "bench.dedup_memory", "--cluster", name]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {"documents": count, **json.loads(done.stdout)}


def growth(rows: list[dict[str, float]]) -> dict[str, float]:
    """Bytes per document beyond its signature, and the memory of a million documents at that rate,
    in MB.
    """
    more = rows[-1]["documents"] - rows[0]["documents"]
    per_document = (rows[-1]["peak_mb"] - rows[0]["peak_mb"]) * 1e6 / more
    beyond = per_document - 4 * SETTINGS["permutations"]
    million = rows[0]["peak_mb"] + per_document * (1_000_000 - rows[0]["documents"]) / 1e6
    return {"bytes_beyond_signature": round(beyond), "million_documents_mb": round(million)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("documents", type=int, nargs="*", default=[50_000, 200_000])
    parser.add_argument("--cluster", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.cluster:
        print(json.dumps(cluster(chosen.cluster)))
    else:
        measured = [measure(count) for count in chosen.documents]
        for line in [*measured, growth(measured)]:
            print(json.dumps(line))
