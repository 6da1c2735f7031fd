"""Follows a result file back to the sources, through the jobs of `provenance/jobs.json`."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Step:
    """All jobs of one rule in the lineage of a file: how many there are, and the outputs of one of them."""

    rule: str
    jobs: int
    outputs: list[str]


def lineage(name: str, jobs: list[dict[str, Any]]) -> list[Step]:
    """The rules that contributed to a file, from the one that wrote it to those that read the sources.

    Rules are in the order of their shortest path to the file; the job shown of each is on that path.
    """
    writers = {output: job for job in jobs for output in job["outputs"]}
    seen: set[int] = set()
    steps: dict[str, list[dict[str, Any]]] = {}
    names = [name]
    while names:
        level = {id(job): job for output in names if (job := writers.get(output)) and id(job) not in seen}
        seen.update(level)
        for job in level.values():
            steps.setdefault(job["rule"], []).append(job)
        names = [name for job in level.values() for name in job["inputs"]]
    return [Step(rule, len(rule_jobs), rule_jobs[0]["outputs"]) for rule, rule_jobs in steps.items()]
