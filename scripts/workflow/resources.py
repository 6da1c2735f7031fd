"""Resources of jobs: functions that Snakemake calls with the wildcards and the number of the
attempt.
"""

from collections.abc import Callable

from snakemake.iocontainers import Wildcards

# What the Snakemake inside a cluster's job uses in addition to the job's own program.
NESTED_SNAKEMAKE_MB = 300

Need = int | Callable[[Wildcards], int]  # a number, or one that depends on the wildcards
Resource = Callable[[Wildcards, int], int]


def _per_attempt(need: Need, extra: int = 0) -> Resource:
    """`need` plus `extra`, times the attempt."""

    def amount(wildcards: Wildcards, attempt: int) -> int:
        return ((need(wildcards) if callable(need) else need) + extra) * attempt

    return amount


def memory(need: Need) -> Resource:
    """`mem_mb` of a job that needs `need` megabytes; a retry after it was killed for memory gets
    more.
    """
    return _per_attempt(need, NESTED_SNAKEMAKE_MB)


def minutes(need: Need) -> Resource:
    """`runtime` of a job that takes at most `need` minutes; a retry after it ran out of time gets
    more.
    """
    return _per_attempt(need)


def megabytes(base: int, rows: int, row_bytes: int) -> int:
    """Memory of a job that needs `base` megabytes and so many bytes for each row."""
    return base + rows * row_bytes // 1_000_000
