"""Measures reading a corpus of tables in few and in many parts, and again after it was killed.

Run by `python -m bench.scale --parts ROWS`. As a program (python -m bench.scale_read CORPUS FOLDER
PARTS [--with-modules]) it reads a corpus once and prints one JSON object: CPU seconds and peak memory
in MB of reading, CPU seconds of sorting the modules, and MB of all files that were written.
"""

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.memory import peak_mb
from scripts.sources.corpus import Corpus
from scripts.sources.modules import write_modules
from scripts.sources.read import read
from scripts.workflow.validation import read_yaml

ROOT = Path(__file__).resolve().parents[1]
LANGUAGE = "C++"
FEW_PARTS, MANY_PARTS = 32, 1024
KILLED_AT = 0.9
_SHARD_SIZE = 50_000


def cpu_seconds() -> float:
    """CPU seconds of this process and of its children that have ended."""
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def used_since(start: float) -> dict[str, float]:
    """What this process has used: CPU seconds since `start`, and peak memory in MB."""
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 // 1_000_000
    return {"cpu_s": round(cpu_seconds() - start, 2), "peak_mb": max(peak_mb(), child)}


def settings(folder: Path) -> dict[str, object]:
    """The section `corpus` of the config for tables in a folder."""
    columns = {"source": "Source_Code", "ir": "IR_Original"}
    return {"path": str(folder), "format": "tables", "columns": columns, "max_bytes": 16 << 20}


def _corpus(folder: Path) -> Corpus:
    defaults = read_yaml(ROOT / "config/config.yaml")["corpus"]
    columns = dict.fromkeys(defaults["columns"]) | {"source": "Source_Code", "ir": "IR_Original"}
    return Corpus(folder, LANGUAGE, {**defaults, **settings(folder), "columns": columns}, [])


def written_mb(paths: Iterator[Path]) -> float:
    """Size of files in MB."""
    return round(sum(path.stat().st_size for path in paths if path.is_file()) / 1e6, 1)


def read_once(corpus: Path, folder: Path, parts: int, with_modules: bool) -> dict[str, float]:
    """Read a corpus in this process, as `sources_read` and `sources_modules` do."""
    folder.mkdir(exist_ok=True)
    start = cpu_seconds()
    read(_corpus(corpus), _SHARD_SIZE, folder / "shards.json", folder / "aliases.parquet", parts=parts)
    used = used_since(start)
    if not with_modules:
        return used
    start = cpu_seconds()
    write_modules(_corpus(corpus), folder / "modules", parts=parts)
    return {**used, "modules_cpu_s": used_since(start)["cpu_s"], "written_mb": written_mb(folder.rglob("*"))}


def _command(corpus: Path, folder: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "bench.scale_read", str(corpus), str(folder), *more]


def _measured(command: list[str]) -> dict[str, float]:
    used: dict[str, float] = json.loads(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)
    return used


def kill_after(command: list[str], folder: Path, pieces: int) -> None:
    """Run a command and kill it when it has read so many pieces of the corpus."""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True) as process:
        while process.poll() is None and len(list(folder.glob(".sort/*.run"))) < pieces:
            time.sleep(0.02)
        if process.poll() is not None:
            sys.exit("the job ended before it was killed; measure more rows")
        os.killpg(process.pid, signal.SIGKILL)


def measure(corpus: Path, folder: Path) -> Iterator[str]:
    """Lines of JSON: reading in few and in many parts, and what is left to do after a kill."""
    whole = {}
    for parts in (FEW_PARTS, MANY_PARTS):
        whole = _measured(_command(corpus, folder / f"in-{parts}", str(parts), "--with-modules"))
        yield json.dumps({"parts": parts, **whole})
    command = _command(corpus, folder / "killed", str(MANY_PARTS))
    pieces = len(list(_corpus(corpus).measured().pieces()))
    kill_after(command, folder / "killed", round(KILLED_AT * pieces))
    again = _measured(command)["cpu_s"]
    counts = {"pieces": pieces, "read_before_kill": round(KILLED_AT * pieces)}
    yield json.dumps({**counts, "again_cpu_s": again, "whole_cpu_s": whole["cpu_s"]})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Read a corpus of tables once.")
    parser.add_argument("corpus", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("parts", type=int)
    parser.add_argument("--with-modules", action="store_true")
    chosen = parser.parse_args()
    print(json.dumps(read_once(chosen.corpus, chosen.folder, chosen.parts, chosen.with_modules)))
