"""Failed programs of the models, for the report: how many of each status, and the most frequent messages."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from scripts.lib.parquet import iter_rows
from scripts.lib.schemas.evaluation import ExecutionStatus

COLUMNS = ["id", "sample", "status", "detail", "message"]
# Messages shown of each table of executions; the table has those of all samples.
SHOWN = 5


def is_control(path: str) -> bool:
    """Whether a table of executions is that of a control, whose outcomes are known in advance."""
    return Path(path).stem.endswith(".control")


def execution_failures(paths: Iterable[str], results: str) -> list[dict[str, Any]]:
    """The failures in each table of executions of a model, sorted by path.

    Each entry has `file`, its path below `results`, `samples`, `counts` by status as (status,
    number), and `messages`, the `SHOWN` most frequent of the failed samples with `status`,
    `message`, `samples`, and one of them as `example`.
    """
    return [_failures(path, results) for path in sorted(paths) if not is_control(path)]


def _failures(path: str, results: str) -> dict[str, Any]:
    statuses: Counter[str] = Counter()
    messages: Counter[tuple[str, str]] = Counter()
    examples: dict[tuple[str, str], str] = {}
    for row in iter_rows(path, COLUMNS):
        statuses[row["status"]] += 1
        if row["status"] != ExecutionStatus.PASSED:
            key = row["status"], row["message"] or row["detail"] or ""
            messages[key] += 1
            examples.setdefault(key, f"{row['id']}, sample {row['sample']}")
    frequent = sorted(messages, key=lambda key: (-messages[key], key))[:SHOWN]
    return {
        "file": Path(path).relative_to(results).as_posix(),
        "samples": statuses.total(),
        "counts": [(status, statuses[status]) for status in map(str, ExecutionStatus) if statuses[status]],
        "messages": [
            {"status": key[0], "message": key[1], "samples": messages[key], "example": examples[key]}
            for key in frequent
        ],
    }
