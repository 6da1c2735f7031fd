"""From a result file back to what it was made from, through the jobs of `provenance/jobs.json`."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Step:
    """All jobs of one rule behind a file: how many there are, and the outputs of one of them."""

    rule: str
    jobs: int
    outputs: list[str]


def trail(name: str, jobs: list[dict[str, Any]]) -> list[Step]:
    """The rules behind a file, from the one that made it to those that read the sources.

    Rules stand in the order of their shortest way to the file; the job shown of each is the one on that way.
    """
    makers = {output: job for job in jobs for output in job["outputs"]}
    seen: set[int] = set()
    steps: dict[str, list[dict[str, Any]]] = {}
    level = [name]
    while level:
        found = {id(job): job for output in level if (job := makers.get(output)) and id(job) not in seen}
        seen.update(found)
        for job in found.values():
            steps.setdefault(job["rule"], []).append(job)
        level = [name for job in found.values() for name in job["inputs"]]
    return [Step(rule, len(behind), behind[0]["outputs"]) for rule, behind in steps.items()]
