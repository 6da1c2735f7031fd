"""Measures the cost of adding programs to a compiled corpus: CPU seconds of the compile stage with
its cache.

Run: python -m bench.compile_rerun [programs] [--added N] [--language C]

The first run compiles `programs` programs; the second has `added` more and the first one's cache.
Both include the start of the stage's process. Programs are those of the sample corpus, repeated,
each with a different comment.

Output: one JSON object; `ratio` is the second run's CPU time divided by the first one's. The lower
bound is about added / programs; the rest is the cost of looking up cached outcomes and writing the
table.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.compile import ROOT, SETTINGS, TABLE, VARIANTS, programs_of, source_row
from scripts.compile.shard import make_compiler, write_shard
from scripts.lib.parquet import write_table
from scripts.lib.schemas.sources import SOURCES

COMMENTS = {"Fortran": "!", "Haskell": "--", "Nim": "#", "Python": "#"}


def programs(language: str, count: int) -> list[str]:
    """`count` different programs of a language."""
    samples = programs_of(ROOT / "resources/corpus", language, "", count)
    mark = COMMENTS.get(language, "//")
    return [f"{samples[number % len(samples)].rstrip()}\n{mark} {number}\n" for number in range(count)]


def stage(language: str, folder: Path) -> None:
    """Compile the sources table of a folder, with the folder's cache, in this process."""
    with tempfile.TemporaryDirectory() as headers:
        Path(headers).chmod(0o755)
        compiler = make_compiler(language, TABLE[language], VARIANTS, SETTINGS, str(folder / "cache"), Path(headers))
        write_shard(str(folder / "sources.parquet"), compiler, SETTINGS["jobs"], str(folder / "ir.parquet"), None)


def seconds(language: str, texts: list[str], folder: Path) -> float:
    """CPU seconds of the stage's process and of all that it starts, for some programs."""
    rows = sorted((source_row(language, text) for text in texts), key=lambda row: str(row["id"]))
    write_table(folder / "sources.parquet", rows, SOURCES.schema)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "bench.compile_rerun", "--language", language, "--stage", str(folder)]
    subprocess.run(command, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(language: str, count: int, added: int) -> dict[str, object]:
    """Both runs."""
    texts = programs(language, count + added)
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        first = seconds(language, texts[:count], Path(name))
        second = seconds(language, texts, Path(name))
    figures = {"first_cpu_s": round(first, 2), "rerun_cpu_s": round(second, 2), "ratio": round(second / first, 4)}
    return {"language": language, "programs": count, "added": added, **figures}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("programs", type=int, nargs="?", default=100)
    parser.add_argument("--added", type=int, help="new programs of the second run; one in a hundred by default")
    parser.add_argument("--language", default="C", choices=sorted(TABLE))
    parser.add_argument("--stage", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.stage:
        stage(chosen.language, chosen.stage)
    else:
        new = max(1, chosen.programs // 100) if chosen.added is None else chosen.added
        print(json.dumps(measure(chosen.language, chosen.programs, new)))
