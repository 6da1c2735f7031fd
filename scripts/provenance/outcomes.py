"""Summarises the outcomes of compiling: counts by status, compiler versions, and failures.

Writes `provenance/outcomes.json`.
"""

from collections import Counter
from pathlib import Path
from typing import Any

from scripts.lib.failing_frontends import COLUMNS as COUNTED
from scripts.lib.failing_frontends import failing_frontends
from scripts.lib.files import write_json
from scripts.lib.job import job
from scripts.lib.parquet import iter_rows
from scripts.lib.schemas.ir import CompileStatus

COLUMNS = ["id", "language", "variant", "status", "compiler", "llvm", "diagnostics"]
# Number of failures listed for each language and status; the ir tables have all of them.
NAMED = 20


def paths_of(tables: list[str], wanted: set[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The paths in the corpus of the `wanted` sources, by language and id; `tables` are tables of sources."""
    paths = {}
    for table in tables:
        for row in iter_rows(table, ["id", "language", "path"]):
            if (row["language"], row["id"]) in wanted:
                paths[row["language"], row["id"]] = row["path"]
    return paths


def first_line(text: str | None) -> str:
    """The first line of a compiler's message that is not blank."""
    return next((line.strip() for line in (text or "").splitlines() if line.strip()), "")


def _by_name(row: dict[str, Any]) -> tuple[str, str]:
    return row["id"], row["variant"]


def keep_first(rows: list[dict[str, Any]], row: dict[str, Any]) -> None:
    """Add a row to a list and cut the list to the first `NAMED` by name from time to time."""
    rows.append(row)
    if len(rows) > 10 * NAMED:
        rows[:] = sorted(rows, key=_by_name)[:NAMED]


def read_outcomes(tables: list[str]) -> tuple[Counter, dict[str, set], dict[tuple, list[dict[str, Any]]]]:
    """Counts by (language, variant, status), compilers by language, and first failures by (language, status)."""
    counts: Counter = Counter()
    compilers: dict[str, set] = {}
    failures: dict[tuple, list[dict[str, Any]]] = {}
    for table in tables:
        for row in iter_rows(table, COLUMNS):
            counts[row["language"], row["variant"], row["status"]] += 1
            if row["compiler"]:
                compilers.setdefault(row["language"], set()).add((row["compiler"], str(row["llvm"] or "")))
            if row["status"] != CompileStatus.OK:
                failed = {"id": row["id"], "variant": row["variant"], "message": first_line(row["diagnostics"])}
                keep_first(failures.setdefault((row["language"], row["status"]), []), failed)
    return counts, compilers, failures


def preparation(tables: list[str]) -> list[dict[str, Any]]:
    """The gain from rewriting programs, for each language in which the original programs were compiled too.

    `programs` were compiled and `rewritten` of them were rewritten; the frontend accepts `before` of
    them in their original form and `after` in the rewritten one.
    """
    counted: dict[tuple[str, str], Counter] = {}
    for table in tables:
        for row in iter_rows(table, ["language", "variant", "status", "unprepared"]):
            counts, original = counted.setdefault((row["language"], row["variant"]), Counter()), row["unprepared"]
            counts["programs"] += row["status"] != CompileStatus.REJECTED_SOURCE
            counts["rewritten"] += original is not None
            counts["before"] += (original or row["status"]) == CompileStatus.OK
            counts["after"] += row["status"] == CompileStatus.OK
    keys = ("programs", "rewritten", "before", "after")
    rows = [{"language": language} | {key: counts[key] for key in keys} for (language, _), counts in counted.items()]
    return [row for row in rows if row["rewritten"]]


def outcomes(ir: list[str], sources: list[str]) -> dict[str, Any]:
    """The content of outcomes.json: `counts`, `compilers`, `preparation`, `failures` and `failing_frontends`.

    `failures` lists at most `NAMED` for each language and status; `failing_frontends` has a line for
    each frontend with which nothing compiled in a shard.
    """
    counts, compilers, failed = read_outcomes(ir)
    listed = {key: sorted(rows, key=_by_name)[:NAMED] for key, rows in failed.items()}
    paths = paths_of(sources, {(key[0], row["id"]) for key, rows in listed.items() for row in rows})
    keys = ("language", "variant", "status", "count")
    return {
        "counts": [dict(zip(keys, (*key, count), strict=True)) for key, count in sorted(counts.items())],
        "compilers": {
            language: [{"compiler": compiler, "llvm": llvm} for compiler, llvm in sorted(versions)]
            for language, versions in sorted(compilers.items())
        },
        "preparation": preparation(ir),
        "failing_frontends": failing_frontends(iter_rows(table, COUNTED) for table in ir),
        "failures": [
            {"language": language, "status": status, "path": paths.get((language, row["id"]), ""), **row}
            for (language, status), rows in sorted(listed.items())
            for row in rows
        ],
    }


if __name__ == "__main__":
    with job() as snakemake:
        tables = [path for path in snakemake.input.sources if Path(path).suffix == ".parquet"]
        write_json(snakemake.output[0], outcomes(list(snakemake.input.ir), tables))
