"""The table of executions: what became of each sample's program."""

from pathlib import Path

import pyarrow as pa

from scripts.lib.parquet import read_table

SCHEMA = pa.schema([(name, pa.string()) for name in ("id", "status", "detail", "program")]).insert(
    1, pa.field("sample", pa.int32())
)


def passes(path: str | Path) -> dict[str, list[bool]]:
    """For each prompt, whether each of its samples passed, in the samples' order."""
    found: dict[str, list[bool]] = {}
    for row in read_table(path, ["id", "status"]).to_pylist():
        found.setdefault(row["id"], []).append(row["status"] == "passed")
    return found
