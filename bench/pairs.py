"""Measures the pairs stage: pairs per CPU second and peak memory, by the number of synthetic
sources.

Run: python -m bench.pairs [sources …]

Output: one JSON object per number of sources: `pairs`, `pairs_per_cpu_s` (higher is better),
`peak_mb`, the peak memory of the process in MB, which should grow much less than the number of
sources, and `file_mb`, the size of the pair files in MB.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from bench.dedup_memory import programs
from bench.memory import peak_mb
from scripts.lib.files import sha256_text
from scripts.lib.ledger import counted
from scripts.lib.parquet import parts_of, write_table
from scripts.lib.schemas.dedup import CLUSTERS
from scripts.lib.schemas.ir import IR
from scripts.lib.schemas.ledger import Outcome
from scripts.lib.schemas.pairs import NGRAMS
from scripts.lib.schemas.sources import ALIASES, SOURCES
from scripts.pairs import ngrams
from scripts.pairs.contamination import Benchmarks
from scripts.pairs.language import Builder, build
from scripts.pairs.outcomes import RepresentativePaths, read_clusters, read_outcomes
from scripts.sources.record import Record

VARIANTS = ("perf", "size")
# As pairs.part_mb of config.yaml.
PART_BYTES = 500_000_000
SHARD_SIZE = 2000
IR_LINES = 600
SETTINGS = {
    "limits": {"max_source_bytes": None, "max_source_tokens": None, "max_ir_bytes": None, "max_ir_tokens": None},
    "normalise_newlines": True,
    "validation_share": 0.1,
    "seed": 484,
}


def module(source: str, variant: str) -> str:
    """Text of about 20 kB that looks like IR and differs for each source and variant."""
    generator = np.random.default_rng(int(sha256_text(source + variant)[:8], 16))
    numbers = generator.integers(0, 10_000, IR_LINES)
    return "".join(f"  %v{index} = add nsw i32 %v{value}, {value}\n" for index, value in enumerate(numbers))


def prepare(count: int, folder: Path) -> None:
    """Sources, outcome and clusters tables of `count` programs; the n-grams of HumanEval."""
    texts = sorted((sha256_text(text), text) for text in programs(count))
    names = []
    for start in range(0, count, SHARD_SIZE):
        chunk = texts[start : start + SHARD_SIZE]
        name = f"{start // SHARD_SIZE:05d}.parquet"
        rows = [Record(digest, digest, len(text), text, "utf-8").row("C") for digest, text in chunk]
        write_table(folder / f"sources-{name}", rows, SOURCES.schema)
        outcomes = (
            {key: row[key] for key in ("id", "language", "source_sha256")}
            | {"variant": variant, "status": "ok", "ir": (ir := module(row["source"], variant))}
            | {"ir_sha256": sha256_text(ir), "compiler": "none", "llvm": "none"}
            for row in rows
            for variant in VARIANTS
        )
        write_table(folder / f"ir-{name}", outcomes, IR.schema)
        names += [row["id"] for row in rows]
    alone = ({"id": i, "cluster": i, "kept": i, "similarity": 1.0, "members": 1, "variants_ok": 2} for i in names)
    write_table(folder / "clusters", alone, CLUSTERS.schema)
    write_table(folder / "aliases", [], ALIASES.schema)
    write_table(folder / "ngrams", ngrams.all_ngrams({}, 13, 3), NGRAMS.schema)


def make(folder: Path) -> dict[str, float]:
    """Make the pairs of the tables of a folder, in this process."""
    start = time.process_time()
    sources, ir = (sorted(map(str, folder.glob(f"{kind}-*"))) for kind in ("sources", "ir"))
    known = read_clusters(str(folder / "clusters"))
    read_outcomes(known, ir, list(VARIANTS))
    builder = Builder("C", known, Benchmarks(str(folder / "ngrams"), 13), SETTINGS, RepresentativePaths(known, sources))
    outputs, ledger = {variant: str(folder / variant) for variant in VARIANTS}, str(folder / "ledger")
    build(builder, list(zip(sources, ir, strict=True)), str(folder / "aliases"), outputs, ledger, PART_BYTES)
    seconds = time.process_time() - start
    pairs = counted(ledger, ["outcome"])[(str(Outcome.PAIR),)]
    size = sum(part.stat().st_size for path in outputs.values() for part in parts_of(path)) / 1e6
    return {"pairs": pairs, "pairs_per_cpu_s": round(pairs / seconds), "peak_mb": peak_mb(), "file_mb": round(size)}


def measure(count: int) -> dict[str, float]:
    """Make the pairs of `count` sources in a separate process."""
    with tempfile.TemporaryDirectory() as name:
        prepare(count, Path(name))
        command = [sys.executable, "-m", "bench.pairs", "--make", name]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {"sources": count, **json.loads(done.stdout)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", type=int, nargs="*", default=[2000, 8000])
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.make:
        print(json.dumps(make(chosen.make)))
    else:
        for number in chosen.sources:
            print(json.dumps(measure(number)))
