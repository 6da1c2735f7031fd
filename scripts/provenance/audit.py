"""Checks the records of a run: computes digests, tables, links and sums again; writes `provenance/audit.txt`.

Ends with exit code 1 and one line on standard error for each fault; writes the file only when there is none.
"""

import logging
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pandas as pd
import yaml

from scripts.lib.code_hash import SCRIPTS
from scripts.lib.files import read_json, write_text
from scripts.lib.job import InputError, job
from scripts.lib.parquet import check_table
from scripts.lib.score_tables import read_scores
from scripts.provenance import table_checks as checks
from scripts.provenance.corpus_check import corpus_faults
from scripts.provenance.crate_entities import NAMED_BY_DIGEST
from scripts.provenance.digests import PAGE, ROWS, digest_of
from scripts.provenance.jobs import PACKAGE, PROJECT, outside_path
from scripts.provenance.run_crate import CONFIG, METADATA


def crate_files(crate: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Kind of digest and digest of each file in the crate, by its path; files that the crate only
    refers to are left out.
    """
    files = {}
    for entity in crate["@graph"]:
        if entity["@id"].startswith(NAMED_BY_DIGEST):
            continue
        rows = str(entity.get("identifier", ""))
        if "sha256" in entity:
            files[unquote(entity["@id"])] = "sha256", entity["sha256"]
        elif rows.startswith(ROWS):
            files[unquote(entity["@id"])] = "rows_sha256", rows.removeprefix(ROWS)
        elif rows.startswith(PAGE):
            files[unquote(entity["@id"])] = "page_sha256", rows.removeprefix(PAGE)
    return files


def outside_files(record: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Kind of digest and digest of each input that is no result, by its name in jobs.json."""
    outside = {name: digest for name, digest in record["files"].items() if name.startswith((PROJECT, PACKAGE))}
    kinds = {name: "sha256" if "sha256" in digest else "rows_sha256" for name, digest in outside.items()}
    return {name: (kind, outside[name][kind]) for name, kind in kinds.items()}


def digest_faults(files: dict[str, tuple[str, str]], results: Path, project: Path, threads: int) -> Iterator[str]:
    """Files that are missing or whose digest is not the recorded one, by their names in the records."""

    def fault(entry: tuple[str, tuple[str, str]]) -> str | None:
        name, (kind, expected) = entry
        path = outside_path(name, project) if name.startswith((PROJECT, PACKAGE)) else results / name
        if not path.is_file():
            return f"{name}: is missing"
        try:
            check_table(path)
            digest = digest_of(path).get(kind)
        except InputError as error:
            return f"{name}: {error}"
        return None if digest == expected else f"{name}: {kind} is {digest}, the crate has {expected}"

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


def _record(path: Path) -> dict[str, Any]:
    """A record of the run; raise `InputError` when it is damaged."""
    try:
        record: dict[str, Any] = read_json(path)
    except ValueError as error:
        raise InputError(f"{path} is damaged ({error}); restore it, or delete it and run again") from error
    return record


def _corpus(results: Path) -> dict[str, Any]:
    """The section of the run's config that describes the corpus."""
    corpus: dict[str, Any] = yaml.safe_load((results / CONFIG).read_text(encoding="utf-8"))["corpus"]
    return corpus


def _checked(what: str, faults: Iterator[str]) -> Iterator[str]:
    """The faults that a check finds, and one more if it fails on files whose bytes have changed."""
    try:
        yield from faults
    except (InputError, ValueError, LookupError, TypeError) as error:
        yield f"{what} cannot be checked: {error}"


def audit(results: Path, project: Path, benchmarks: list[str], threads: int) -> tuple[list[str], list[str]]:
    """Faults, and what was checked, both as lines; `benchmarks` are those with a wide table."""
    record = _record(results / "provenance" / "jobs.json")
    files = crate_files(_record(results / METADATA)) | outside_files(record)
    names = {name for entry in record["jobs"] for name in entry["outputs"] if name.startswith("scores/")}
    score_files = [results / name for name in sorted(names)]
    statistics = results / "pairs" / "statistics.csv"
    faults = [*digest_faults(files, results, project, threads), *trace_faults(record)]
    try:
        scores = read_scores(results / "tables" / "scores.csv")
    except (InputError, ValueError) as error:
        return [*faults, f"tables/scores.csv cannot be read: {error}"], []
    faults += [
        *_checked("scores", checks.score_faults(scores, score_files)),
        *_checked("losses", checks.loss_faults(scores, results)),
        *_checked("tables", wide_table_faults(scores, results, benchmarks)),
        *_checked("pairs/statistics.csv", checks.funnel_faults(statistics)),
        *_checked("pairs/statistics.csv", checks.ledger_faults(statistics)),
        *_checked("corpus", corpus_faults(results, project, _corpus(results))),
    ]
    passed = [
        f"{len(files)} files have the digests in the records",
        f"{len(record['jobs'])} jobs are linked: every file between them is an output of one of them",
        f"{len(scores)} scores agree with {len(names)} score files and the tables of losses",
        f"{len(benchmarks)} wide tables agree with these scores",
        "the counts of sources and pairs add up and agree with the ledgers",
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
