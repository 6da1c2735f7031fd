"""Detects runs that Snakemake ends before all jobs have run.

Snakemake 9 computes which jobs to run again whenever a checkpoint finishes (`DAG.update_needrun`).
If a job is still running and its output files already exist, jobs that read them only as `ancient()`
are considered up to date, and so are all jobs downstream. The run then ends early with exit status 0.
"""

import os
import sys
from typing import Any


def skipped(dag: Any) -> list[Any]:
    """Jobs that should have run: a job upstream ran in this run, or files of the target are missing.

    Jobs that depend only on other jobs of the result are not included. dag: Snakemake's `DAG` at the
    end of a run.
    """
    jobs, skipped_jobs = list(dag.targetjobs), []
    seen = set(jobs)
    for job in jobs:  # grows during the iteration
        before = dag.dependencies[job]
        jobs += [other for other in before if other not in seen]
        seen.update(before)
        if dag.finished(job):
            continue
        # A rule without outputs, such as `all`, counts only if input files are missing.
        has_new_inputs = job.output and any(dag.finished(other) and _matter(files) for other, files in before.items())
        is_missing = job in dag.targetjobs and not all(map(os.path.exists, job.output or job.input))
        if has_new_inputs or is_missing:
            skipped_jobs.append(job)
    return skipped_jobs


def _matter(files: Any) -> bool:
    """Whether a change of any of these files triggers the job that reads them."""
    return any(not file.is_ancient for file in files)


def check_complete(jobs: list[Any]) -> None:
    """End the process with an error of one line if there are such jobs."""
    if jobs:
        rules = ", ".join(sorted({job.rule.name for job in jobs}))
        sys.exit(f"error: Snakemake ended before all jobs had run ({rules}); run again to continue")
