"""What Snakemake says that it runs, or would run: jobs by rule and wildcards."""

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase

_HEAD = re.compile(r"^(?:local)?(?:rule|checkpoint) (\w+):$")
_WILDCARDS = re.compile(r"^    wildcards: (.*)$")


def jobs_in(output: str) -> set[str]:
    """The jobs that a run or dry run announces, each as its rule and the values of its wildcards."""
    found: list[str] = []
    for line in output.splitlines():
        if head := _HEAD.match(line):
            found.append(head[1])
        elif values := _WILDCARDS.match(line):
            found[-1] += "".join(f" {pair.split('=', 1)[1]}" for pair in values[1].split(", "))
    return set(found)


def matching(jobs: Iterable[str], patterns: Iterable[str]) -> set[str]:
    """Jobs that one of the patterns, with shell wild cards, describes; fails for a pattern that describes none."""
    jobs, patterns = set(jobs), list(patterns)
    idle = [pattern for pattern in patterns if not any(fnmatchcase(job, pattern) for job in jobs)]
    assert not idle, f"no job is called {', '.join(idle)}"
    return {job for job in jobs if any(fnmatchcase(job, pattern) for pattern in patterns)}
