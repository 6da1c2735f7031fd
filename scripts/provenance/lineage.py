"""Follows a result file back to the sources, through the jobs of `provenance/jobs.json`."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Step:
    """All jobs of one rule in the lineage of a file: how many there are, and of one of them the outputs
    that lead to the file.
    """

    rule: str
    jobs: int
    outputs: list[str]


def lineage(name: str, jobs: list[dict[str, Any]]) -> list[Step]:
    """The rules that contributed to a file, from the one that wrote it to those that read the sources.

    Rules are in the order of their shortest path to the file; the job shown of each is on that path.
    """
    writers = {output: job for job in jobs for output in job["outputs"]}
    seen: set[int] = set()
    steps: dict[str, list[list[str]]] = {}
    names = [name]
    while names:
        level = {id(job): job for output in names if (job := writers.get(output)) and id(job) not in seen}
        seen.update(level)
        for job in level.values():
            steps.setdefault(job["rule"], []).append([output for output in job["outputs"] if output in names])
        # Without duplicates, in the order of the jobs.
        names = list(dict.fromkeys(name for job in level.values() for name in job["inputs"]))
    return [Step(rule, len(outputs), outputs[0]) for rule, outputs in steps.items()]


def ancestors(name: str, jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The jobs that contributed to a file, in the order of `jobs`."""
    writers = {output: job for job in jobs for output in job["outputs"]}
    reached: set[int] = set()
    waiting = [name]
    while waiting:
        job = writers.get(waiting.pop())
        if job is not None and id(job) not in reached:
            reached.add(id(job))
            waiting.extend(job["inputs"])
    return [job for job in jobs if id(job) in reached]


def descendants(names: set[str], jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The jobs that depend on any of some files, in the order of `jobs`."""
    readers: dict[str, list[dict[str, Any]]] = {}
    for job in jobs:
        for name in job["inputs"]:
            readers.setdefault(name, []).append(job)
    reached: set[int] = set()
    waiting = list(names)
    while waiting:
        for job in readers.get(waiting.pop(), []):
            if id(job) not in reached:
                reached.add(id(job))
                waiting.extend(job["outputs"])
    return [job for job in jobs if id(job) in reached]
