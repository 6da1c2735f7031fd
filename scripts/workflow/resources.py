"""Resources of jobs: functions that Snakemake calls with the wildcards and the number of the
attempt.
"""

from collections.abc import Callable

from snakemake.iocontainers import Wildcards

from scripts.lib.job_memory import NESTED_SNAKEMAKE_MB

Need = int | Callable[[Wildcards], int]  # a number, or one that depends on the wildcards
Resource = Callable[[Wildcards, int], int]
ThreadsResource = Callable[[Wildcards, int, int], int]


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


def memory_of_threads(need: Callable[[Wildcards, int], int]) -> ThreadsResource:
    """As `memory`, for a job whose need depends on its wildcards and its number of threads."""

    def amount(wildcards: Wildcards, attempt: int, threads: int) -> int:
        return (need(wildcards, threads) + NESTED_SNAKEMAKE_MB) * attempt

    return amount


def minutes(need: Need) -> Resource:
    """`runtime` of a job that takes at most `need` minutes; a retry after it ran out of time gets
    more.
    """
    return _per_attempt(need)


def megabytes(base: int, rows: int, row_bytes: int) -> int:
    """Memory of a job that needs `base` megabytes and so many bytes for each row."""
    return base + rows * row_bytes // 1_000_000
