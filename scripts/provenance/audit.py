"""The check of a run's records: digests, tables, traces and sums computed again, as `provenance/audit.txt`.

Ends with exit code 1 and one line on standard error for each fault; the file is written only when there is none.
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
from scripts.provenance.digests import digest_of
from scripts.provenance.jobs import PACKAGE, PROJECT

PREFIX = "rows-sha256:"


def crate_files(crate: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Files that the crate names with a digest, as paths relative to the crate: kind of digest, and digest."""
    found = {}
    for entity in crate["@graph"]:
        rows = str(entity.get("identifier", ""))
        if "sha256" in entity:
            found[entity["@id"]] = "sha256", entity["sha256"]
        elif rows.startswith(PREFIX):
            found[entity["@id"]] = "rows_sha256", rows.removeprefix(PREFIX)
    return found


def path_of(identifier: str, folder: Path, project: Path) -> Path:
    """Where a file of the crate lies: below the crate's folder, in the project, or in a Python package."""
    name = unquote(identifier.removeprefix("#"))
    if name.startswith(PROJECT):
        return project / name.removeprefix(PROJECT)
    if name.startswith(PACKAGE):
        package, *rest = name.removeprefix(PACKAGE).split("/")
        found = find_spec(package)
        return Path(found.origin if found and found.origin else f"missing/{package}/__init__.py").parent.joinpath(*rest)
    return folder / name


def digest_faults(files: dict[str, tuple[str, str]], folder: Path, project: Path, threads: int) -> Iterator[str]:
    """Files that are gone or differ from what the crate says."""

    def fault(entry: tuple[str, tuple[str, str]]) -> str | None:
        identifier, (kind, expected) = entry
        path = path_of(identifier, folder, project)
        if not path.is_file():
            return f"{unquote(identifier)}: is gone"
        found = digest_of(path).get(kind)
        return None if found == expected else f"{unquote(identifier)}: {kind} is {found}, the crate has {expected}"

    with ThreadPoolExecutor(threads) as pool:
        yield from filter(None, pool.map(fault, sorted(files.items())))


def trace_faults(record: dict[str, Any]) -> Iterator[str]:
    """Files that went into a job, were made by none, and are neither the project's nor a package's."""
    made = {name for entry in record["jobs"] for name in entry["outputs"]}
    for entry in record["jobs"]:
        for name in entry["inputs"]:
            if name not in made and not name.startswith((PROJECT, PACKAGE)):
                yield f"{name}: went into {entry['rule']}, but no job made it"


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
    done = [
        f"{len(files)} files have the digests that the crate names",
        f"{len(record['jobs'])} jobs are linked, every file between them was made by one of them",
        f"{len(scores)} scores are those of {len(names)} score files and of the tables of losses",
        f"{len(benchmarks)} wide tables hold these scores",
        "the counts of sources and pairs add up",
    ]
    return faults, done


if __name__ == "__main__":
    with job() as snakemake:
        results = Path(snakemake.config["results_dir"])
        found, checked = audit(results, SCRIPTS.parent, snakemake.params.benchmarks, snakemake.threads)
        for line in found:
            logging.error("%s", line)
        if found:
            sys.exit(1)
        write_text(snakemake.output[0], "\n".join(checked) + "\n")
