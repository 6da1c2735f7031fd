"""The table of executions: what became of each sample's program."""

from pathlib import Path

import pyarrow as pa

from scripts.lib.parquet import read_table

PASSED = "passed"
COMPILE_ERROR = "compile_error"
SCHEMA = pa.schema([(name, pa.string()) for name in ("id", "status", "detail", "program")]).insert(
    1, pa.field("sample", pa.int32())
)


def statuses(path: str | Path) -> dict[str, list[str]]:
    """For each prompt, the statuses of its samples, in the samples' order."""
    found: dict[str, list[str]] = {}
    for row in read_table(path, ["id", "status"]).to_pylist():
        found.setdefault(row["id"], []).append(row["status"])
    return found


def compiles(path: str | Path) -> dict[str, list[bool]]:
    """For each prompt, whether each of its samples made a program that compiles, in the samples' order."""
    return {name: [status != COMPILE_ERROR for status in own] for name, own in statuses(path).items()}


def passes(path: str | Path) -> dict[str, list[bool]]:
    """For each prompt, whether each of its samples passed, in the samples' order."""
    return {name: [status == PASSED for status in own] for name, own in statuses(path).items()}
