"""The table of executions: what became of each sample's program.

detail is one of few words of the runners; message is text of the program (`runners.Verdict`).
"""

from pathlib import Path

from scripts.lib.parquet import read_table
from scripts.lib.schemas.evaluation import ExecutionStatus

# Begins the detail of a limit that was hit before there was a program to run.
COMPILING = "compiling: "


def _column(path: str | Path, name: str) -> dict[str, list[str]]:
    """For each prompt, a column's values of its samples, in the samples' order."""
    values: dict[str, list[str]] = {}
    for row in read_table(path, ["id", name]).to_pylist():
        values.setdefault(row["id"], []).append(row[name])
    return values


def statuses(path: str | Path) -> dict[str, list[str]]:
    """For each prompt, the statuses of its samples, in the samples' order."""
    return _column(path, "status")


def programs(path: str | Path) -> dict[str, list[str]]:
    """For each prompt, the digests of its samples' programs, in the samples' order."""
    return _column(path, "program")


def compiles(path: str | Path) -> dict[str, list[bool]]:
    """For each prompt, whether each of its samples made a program that compiles, in the samples' order.

    A program whose compilation hits a limit does not.
    """
    details = _column(path, "detail")
    return {
        name: [
            status != ExecutionStatus.COMPILE_ERROR and not detail.startswith(COMPILING)
            for status, detail in zip(own, details[name], strict=True)
        ]
        for name, own in statuses(path).items()
    }


def passes(path: str | Path) -> dict[str, list[bool]]:
    """For each prompt, whether each of its samples passed, in the samples' order."""
    return {name: [status == ExecutionStatus.PASSED for status in own] for name, own in statuses(path).items()}
