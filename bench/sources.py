"""Measures the sources stage: CPU time and peak memory, by size and layout of the corpus.

Run: python -m bench.sources [megabytes …] [--layout tree|jsonl|parquet]

Layouts: files of a tree, rows of a JSON-lines file, rows of a parquet file. Output: one JSON object
per layout and
size: `cpu_s` is CPU seconds, which should grow in proportion to `megabytes`; `peak_mb` is the peak
memory of the process in MB, which should hardly grow.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from bench.memory import peak_mb
from scripts.lib.parquet import write_table
from scripts.sources.corpus import Corpus
from scripts.sources.read import read
from scripts.workflow.validation import read_yaml

ROOT = Path(__file__).resolve().parents[1]
SHARD_SIZE = 4000
LAYOUTS = ("tree", "jsonl", "parquet")


def programs(megabytes: int) -> Iterator[str]:
    """Different programs of about 20 kB, about `megabytes` MB in total."""
    body = "".join(f"int f{number}(int a) {{ return a * {number}; }}\n" for number in range(500))
    for number in range(megabytes * 1_000_000 // len(body)):
        yield f"// {number}\n{body}"


def prepare(megabytes: int, layout: str, folder: Path) -> None:
    """Write a corpus of C of some size and layout."""
    if layout == "tree":
        for number, text in enumerate(programs(megabytes)):
            path = folder / "C" / f"Source_{number}" / "source.c"
            path.parent.mkdir(parents=True)
            path.write_text(text)
    elif layout == "jsonl":
        with (folder / "rows.jsonl").open("w") as stream:
            stream.writelines(json.dumps({"code": text}) + "\n" for text in programs(megabytes))
    else:
        rows = ({"code": text} for text in programs(megabytes))
        write_table(folder / "rows.parquet", rows, pa.schema([("code", pa.string())]))


def make(layout: str, folder: Path) -> dict[str, float]:
    """Read the corpus of a folder, in this process."""
    settings = read_yaml(ROOT / "config/config.yaml")["corpus"]
    changes = {"columns": settings["columns"] | {"source": "code"}, "files": f"rows.{layout}"}
    corpus = Corpus(folder, "C", settings | ({} if layout == "tree" else {"format": "tables", **changes}), ["c"])
    (folder / "out").mkdir()
    start = time.process_time()
    read(corpus, SHARD_SIZE, folder / "out" / "shards.json", str(folder / "out" / "aliases.parquet"))
    seconds = time.process_time() - start
    return {"cpu_s": round(seconds, 2), "peak_mb": peak_mb()}


def measure(megabytes: int, layout: str) -> dict[str, object]:
    """Read a corpus in a separate process."""
    with tempfile.TemporaryDirectory() as name:
        prepare(megabytes, layout, Path(name))
        command = [sys.executable, "-m", "bench.sources", "--make", name, "--layout", layout]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return {"layout": layout, "megabytes": megabytes, **json.loads(done.stdout)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("megabytes", type=int, nargs="*", default=[100, 500])
    parser.add_argument("--layout", choices=LAYOUTS, help="measure only this layout")
    parser.add_argument("--make", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.make:
        print(json.dumps(make(chosen.layout, chosen.make)))
    else:
        for kind in [chosen.layout] if chosen.layout else LAYOUTS:
            for size in chosen.megabytes:
                print(json.dumps(measure(size, kind)), flush=True)
