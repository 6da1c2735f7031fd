"""Finds jobs that Snakemake left out of a run that it took for finished.

Snakemake plans again whenever a checkpoint ends. While a job runs whose outputs exist already, it
takes jobs behind that job that only read `ancient()` files for done, with all that depends on them
(`DAG.update_needrun` of Snakemake 9), and the run ends early with exit status 0.
"""

import os
import sys
from typing import Any


def left_out(dag: Any) -> list[Any]:
    """Jobs of Snakemake's plan that did not run although a job before them did, or although their
    target is missing.

    What depends on these jobs alone is not among them. dag: the plan at the end of a run.
    """
    jobs, found = list(dag.targetjobs), []
    for job in jobs:  # grows while it is read
        before = dag.dependencies[job]
        jobs += [other for other in before if other not in jobs]
        if dag.finished(job):
            continue
        # A rule without outputs, such as `all`, has nothing to do in a later plan with all its inputs.
        has_new_inputs = job.output and any(dag.finished(other) and _matter(files) for other, files in before.items())
        is_missing = job in dag.targetjobs and not all(map(os.path.exists, job.output or job.input))
        if has_new_inputs or is_missing:
            found.append(job)
    return found


def _matter(files: Any) -> bool:
    """Whether a job must follow another one when these files of that one are new."""
    return any(not file.is_ancient for file in files)


def check_complete(jobs: list[Any]) -> None:
    """End the run with one line if jobs were left out."""
    if jobs:
        rules = ", ".join(sorted({job.rule.name for job in jobs}))
        sys.exit(f"error: Snakemake ended before all jobs had run ({rules}); run again to continue")
