"""Writes the tables of costs, and at the end of a run the record of Snakemake itself.

A rule writes the tables for the report, when the jobs after it have not run yet. So Snakemake writes
them again when it ends. Their modification times stay, because what was made from them is not out
of date.
"""

import os
import resource
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

from scripts.lib.cost import DONE, SUFFIX, Attempt, new_attempt, read_record, write_record
from scripts.provenance.cost_records import BETWEEN, SNAKEMAKE, add_sacct, by_rule, read_attempts


def write_costs(results: str | Path) -> None:
    """Write `provenance/cost.csv` and `provenance/job_costs.csv` from the records of the jobs."""
    # Snakemake imports this module whenever it plans, and pyarrow takes long to import.
    from scripts.lib.csv_files import write_csv
    from scripts.lib.schemas.cost import COST, JOB_COSTS

    attempts = read_attempts(results)
    add_sacct(attempts)
    for table, rows in ((COST, by_rule(attempts)), (JOB_COSTS, attempts)):
        path = Path(results, table.path)
        times = (path.stat().st_atime_ns, path.stat().st_mtime_ns) if path.exists() else None
        write_csv(path, table.names, [{name: row[name] for name in table.names} for row in rows])
        if times:
            os.utime(path, ns=times)


def record_snakemake(results: str | Path) -> None:
    """Add what this Snakemake has used to the records of earlier runs: itself, and its children without
    the jobs, which are the shells that start them and the beginning and the end of their processes.
    """
    itself, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    attempt = replace(new_attempt(threads=1, gpus=0), state=DONE)
    jobs = [
        row
        for row in read_attempts(results)
        if row["started"] >= attempt.started and row["machine"] == attempt.machine and not row["slurm_job"]
    ]
    user = max(0.0, children.ru_utime - sum(row["user_seconds"] for row in jobs))
    system = max(0.0, children.ru_stime - sum(row["system_seconds"] for row in jobs))
    peak = itself.ru_maxrss * 1024 / 1e6
    _add(results, SNAKEMAKE, attempt, itself.ru_utime, itself.ru_stime, peak)
    _add(results, BETWEEN, attempt, user, system, 0.0)


def _add(results: str | Path, rule: str, attempt: Attempt, user: float, system: float, peak: float) -> None:
    """Add an attempt to a record of Snakemake's."""
    path = Path(results, "logs", SNAKEMAKE, f"{rule}{SUFFIX}")
    path.parent.mkdir(parents=True, exist_ok=True)
    used = replace(
        attempt,
        wall_seconds=round(time.time() - attempt.started, 3),
        user_seconds=round(user, 3),
        system_seconds=round(system, 3),
        peak_memory_mb=round(peak, 1),
    )
    attempts = [*read_record(path)["attempts"], asdict(used)]
    write_record(path, {"rule": rule, "wildcards": {}, "attempts": attempts})


def end_costs(results: str | Path) -> None:
    """Record Snakemake's own cost and write the tables of costs; a failure is only a warning,
    because no result depends on them.
    """
    try:
        record_snakemake(results)
        write_costs(results)
    except OSError as error:
        print(f"warning: the cost of the run is not recorded: {error}", file=sys.stderr)
