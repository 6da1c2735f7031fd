"""Measures the stages from reading to pairs on tables with the shape of SLTrans, at two sizes, and
extrapolates to the data set's 6.98 million rows.

Run: python -m bench.scale [rows rows] [--results DIR] [--parts ROWS]

The tables are made from the programs of a finished run (`--results`, by default results/) in one
language. Output: a Markdown table with a row for each stage: CPU seconds, peak memory and bytes of
declared outputs at both sizes, the exponent with which CPU seconds grow between them, and CPU hours
and GB of all rows. With `--parts`, reading so many rows is measured instead: in few and in many
parts, and again after it was killed when 90 % of the corpus was read.
"""

import argparse
import math
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bench import scale_read
from bench.scale_read import LANGUAGE, ROOT, settings
from bench.scale_tables import templates, write_tables
from scripts.lib.files import read_json

ALL_ROWS = 6_980_000
STAGES = (
    "sources_read",
    "sources_modules",
    "sources_ir",
    "dedup_signatures",
    "dedup_clusters",
    "pairs_language",
)


@dataclass(frozen=True)
class Use:
    """What a stage used at one size: CPU seconds, peak memory of a job in MB, MB written."""

    cpu_s: float
    peak_mb: int
    written_mb: float


def measure(corpus: Path, folder: Path) -> dict[str, Use]:
    """Run Snakemake on a corpus up to the pairs; what the jobs of each rule used, by their records."""
    folder.mkdir()
    config = {
        "corpus": settings(corpus),
        "languages": [LANGUAGE],
        "dedup": {"enabled": True},
        "pairs": {"decontaminate": {"enabled": False}},
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    target = f"results/pairs/{LANGUAGE}/ledger.parquet"
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--quiet", "all"]
    subprocess.run([*command, "--cores", "1", "--configfile", "config.yaml", "--", target], cwd=folder, check=True)
    records = [read_json(path) for path in (folder / "results/logs").rglob("*.cost.json")]
    return {rule: _used([record for record in records if record["rule"] == rule]) for rule in STAGES}


def _used(records: list[Any]) -> Use:
    """What the jobs of a rule used."""
    attempts = [record["attempts"][-1] for record in records]
    return Use(
        sum(attempt["user_seconds"] + attempt["system_seconds"] for attempt in attempts),
        round(max(attempt["peak_memory_mb"] for attempt in attempts)),
        sum(attempt["output_bytes"] for attempt in attempts) / 1e6,
    )


def exponent(small: float, large: float, ratio: float) -> float:
    """The power of the size with which something grows that is `small` at one size and `large` at
    `ratio` times that size.
    """
    return math.log(max(large, 0.01) / max(small, 0.01)) / math.log(ratio)


def extrapolated(small: Use, large: Use, sizes: list[int]) -> tuple[float, float]:
    """CPU hours and GB of all rows. Seconds grow by the straight line through both sizes, which
    leaves the start of a job out, or by their exponent where that is above one; bytes with the rows.
    """
    grows = exponent(small.cpu_s, large.cpu_s, sizes[1] / sizes[0])
    if grows > 1:
        seconds = large.cpu_s * (ALL_ROWS / sizes[1]) ** grows
    else:
        seconds = large.cpu_s + (large.cpu_s - small.cpu_s) / (sizes[1] - sizes[0]) * (ALL_ROWS - sizes[1])
    return seconds / 3600, large.written_mb * ALL_ROWS / sizes[1] / 1000


def table(sizes: list[int], small: dict[str, Use], large: dict[str, Use]) -> Iterator[str]:
    """The lines of the Markdown table."""
    at = f"{sizes[0]:,} and {sizes[1]:,} rows"
    yield f"| stage | CPU s, {at} | exponent | peak MB | MB of outputs | all rows: CPU h | GB |"
    yield "|---|---|---|---|---|---|---|"
    hours = 0.0
    for rule in STAGES:
        first, second = small[rule], large[rule]
        grows = exponent(first.cpu_s, second.cpu_s, sizes[1] / sizes[0])
        cpu, gigabytes = extrapolated(first, second, sizes)
        hours += cpu
        cells = (
            f"{first.cpu_s:.1f}, {second.cpu_s:.1f}",
            f"{grows:.2f}",
            f"{first.peak_mb}, {second.peak_mb}",
            f"{first.written_mb:.1f}, {second.written_mb:.1f}",
            f"{cpu:.1f}",
            f"{gigabytes:.0f}",
        )
        yield f"| `{rule}` | {' | '.join(cells)} |"
    yield f"| all | | | | | {hours:.1f} | |"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Measure the data stages on tables with the shape of SLTrans.")
    parser.add_argument("rows", type=int, nargs="*", default=[1000, 4000], help="two sizes")
    parser.add_argument("--results", type=Path, default=ROOT / "results", help="results of a finished run")
    parser.add_argument("--parts", type=int, metavar="ROWS", help="measure reading in parts instead")
    arguments = parser.parse_args()
    pool = templates(arguments.results)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        sizes = [arguments.parts] if arguments.parts else sorted(arguments.rows)
        for rows in sizes:
            written = write_tables(pool, rows, work / f"corpus-{rows}" / LANGUAGE)
            print(f"{rows} rows, {written / 1e6:.0f} MB of text", file=sys.stderr)
        if arguments.parts:
            for line in scale_read.measure(work / f"corpus-{arguments.parts}", work):
                print(line, flush=True)
            return
        uses = [measure(work / f"corpus-{rows}", work / f"run-{rows}") for rows in sizes]
        print(*table(sizes, *uses), sep="\n")


if __name__ == "__main__":
    main()
