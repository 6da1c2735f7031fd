"""Writes the tables of costs, and at the end of a run the record of Snakemake itself.

A rule writes the tables for the report, when the jobs after it have not run yet. So Snakemake writes
them again when it ends. Their modification times stay, because what was made from them is not out
of date.
"""

import os
import resource
import time
from dataclasses import asdict
from pathlib import Path

from scripts.lib.cost import DONE, new_attempt, read_record, write_record
from scripts.provenance.cost_records import SNAKEMAKE, add_sacct, by_rule, read_attempts


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
    """Add what this Snakemake itself has used, without its jobs, to those of earlier runs."""
    path = Path(results, "logs", SNAKEMAKE, "snakemake.cost.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    used = resource.getrusage(resource.RUSAGE_SELF)
    attempt = asdict(new_attempt(threads=1, gpus=0))
    attempt |= {
        "state": DONE,
        "wall_seconds": round(time.time() - attempt["started"], 3),
        "user_seconds": round(used.ru_utime, 3),
        "system_seconds": round(used.ru_stime, 3),
        "peak_memory_mb": round(used.ru_maxrss / 1e3 * 1.024, 1),
    }
    attempts = [*read_record(path)["attempts"], attempt]
    write_record(path, {"rule": SNAKEMAKE, "wildcards": {}, "attempts": attempts})


def end_costs(results: str | Path) -> None:
    """What Snakemake does at the end of a run; never an error, because the results are complete."""
    try:
        record_snakemake(results)
        write_costs(results)
    except OSError as error:
        print(f"warning: the cost of the run is not recorded: {error}")
