"""The jobs that Snakemake announces, by rule and wildcards."""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

_HEAD = re.compile(r"^(?:local)?(?:rule|checkpoint) (\w+):$")
_WILDCARDS = re.compile(r"^    wildcards: (.*)$")


def jobs_in(output: str) -> set[str]:
    """The jobs that a run or dry run announces, each as its rule and its wildcards' values."""
    jobs: list[str] = []
    for line in output.splitlines():
        if head := _HEAD.match(line):
            jobs.append(head[1])
        elif values := _WILDCARDS.match(line):
            jobs[-1] += "".join(f" {pair.split('=', 1)[1]}" for pair in values[1].split(", "))
    return set(jobs)


def matching(jobs: Iterable[str], patterns: Iterable[str]) -> set[str]:
    """Jobs that match one of the shell patterns; fails for a pattern that matches no job."""
    jobs, patterns = set(jobs), list(patterns)
    unmatched = [pattern for pattern in patterns if not any(fnmatchcase(job, pattern) for job in jobs)]
    assert not unmatched, f"no job matches {', '.join(unmatched)}"
    return {job for job in jobs if any(fnmatchcase(job, pattern) for pattern in patterns)}
