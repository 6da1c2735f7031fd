"""Checks the records of a run: computes digests, tables, links and sums again; writes `provenance/audit.txt`.

Ends with exit code 1 and one line on standard error for each fault; writes the file only when there is none.
"""

import logging
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pandas as pd

from scripts.lib.code_hash import SCRIPTS
from scripts.lib.files import read_json, write_text
from scripts.lib.job import job
from scripts.lib.score_tables import read_scores
from scripts.provenance import table_checks as checks
from scripts.provenance.digests import ROWS, digest_of
from scripts.provenance.jobs import PACKAGE, PROJECT


def crate_files(crate: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Kind of digest and digest of each file of the crate, by identifier."""
    files = {}
    for entity in crate["@graph"]:
        rows = str(entity.get("identifier", ""))
        if "sha256" in entity:
            files[entity["@id"]] = "sha256", entity["sha256"]
        elif rows.startswith(ROWS):
            files[entity["@id"]] = "rows_sha256", rows.removeprefix(ROWS)
    return files


def path_of(identifier: str, folder: Path, project: Path) -> Path:
    """The path of a file of the crate: below the crate's folder, in the project, or in a Python package."""
    name = unquote(identifier.removeprefix("#"))
    if name.startswith(PROJECT):
        return project / name.removeprefix(PROJECT)
    if name.startswith(PACKAGE):
        package, *rest = name.removeprefix(PACKAGE).split("/")
        spec = find_spec(package)
        return Path(spec.origin if spec and spec.origin else f"missing/{package}/__init__.py").parent.joinpath(*rest)
    return folder / name


def digest_faults(files: dict[str, tuple[str, str]], folder: Path, project: Path, threads: int) -> Iterator[str]:
    """Files that are missing or whose digest is not the one in the crate."""

    def fault(entry: tuple[str, tuple[str, str]]) -> str | None:
        identifier, (kind, expected) = entry
        path = path_of(identifier, folder, project)
        if not path.is_file():
            return f"{unquote(identifier)}: is missing"
        digest = digest_of(path).get(kind)
        return None if digest == expected else f"{unquote(identifier)}: {kind} is {digest}, the crate has {expected}"

    with ThreadPoolExecutor(threads) as pool:
        yield from filter(None, pool.map(fault, sorted(files.items())))


def trace_faults(record: dict[str, Any]) -> Iterator[str]:
    """Inputs of jobs that are no output of a job and neither belong to the project nor to a package."""
    outputs = {name for entry in record["jobs"] for name in entry["outputs"]}
    for entry in record["jobs"]:
        for name in entry["inputs"]:
            if name not in outputs and not name.startswith((PROJECT, PACKAGE)):
                yield f"{name}: is an input of {entry['rule']}, but no job wrote it"


def wide_table_faults(scores: pd.DataFrame, results: Path, benchmarks: Iterable[str]) -> Iterator[str]:
    """Differences between the wide tables and the long one."""
    for benchmark in benchmarks:
        rows = scores[scores["benchmark"] == benchmark]
        yield from checks.csv_faults(results / "tables" / f"{benchmark}.csv", rows)


def audit(results: Path, project: Path, benchmarks: list[str], threads: int) -> tuple[list[str], list[str]]:
    """Faults, and what was checked, both as lines; `benchmarks` are those with a wide table."""
    folder = results / "provenance"
    files = crate_files(read_json(folder / "ro-crate-metadata.json"))
    record = read_json(folder / "jobs.json")
    scores = read_scores(results / "tables" / "scores.csv")
    names = {name for entry in record["jobs"] for name in entry["outputs"] if name.startswith("scores/")}
    faults = [
        *digest_faults(files, folder, project, threads),
        *trace_faults(record),
        *checks.score_faults(scores, [results / name for name in sorted(names)]),
        *checks.loss_faults(scores, results),
        *wide_table_faults(scores, results, benchmarks),
        *checks.funnel_faults(results / "pairs" / "statistics.csv"),
    ]
    passed = [
        f"{len(files)} files have the digests in the crate",
        f"{len(record['jobs'])} jobs are linked: every file between them is an output of one of them",
        f"{len(scores)} scores agree with {len(names)} score files and the tables of losses",
        f"{len(benchmarks)} wide tables agree with these scores",
        "the counts of sources and pairs add up",
    ]
    return faults, passed


if __name__ == "__main__":
    with job() as snakemake:
        results = Path(snakemake.config["results_dir"])
        faults, passed = audit(results, SCRIPTS.parent, snakemake.params.benchmarks, snakemake.threads)
        for line in faults:
            logging.error("%s", line)
        if faults:
            sys.exit(1)
        write_text(snakemake.output[0], "\n".join(passed) + "\n")
