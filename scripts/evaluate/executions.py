"""The table of executions: what became of each sample's program."""

from dataclasses import dataclass
from pathlib import Path

from scripts.evaluate.runners.verdict import COMPILING
from scripts.lib.parquet import read_table
from scripts.lib.schemas.evaluation import ExecutionStatus


@dataclass(frozen=True)
class Execution:
    """What became of the program of one sample.

    status: a word of `ExecutionStatus`.
    detail: see `runners.base.Verdict`.
    program: SHA-256 of the program.
    """

    status: str
    detail: str
    program: str

    @property
    def passed(self) -> bool:
        """Whether the program passed its tests."""
        return self.status == ExecutionStatus.PASSED

    @property
    def compiled(self) -> bool:
        """Whether the program compiled; one whose compilation exceeded a limit did not."""
        return self.status != ExecutionStatus.COMPILE_ERROR and not self.detail.startswith(COMPILING)


def read_executions(path: str | Path) -> dict[str, list[Execution]]:
    """The executions of each prompt's samples, in the samples' order, by the prompt's id.

    Raises `InputError` when the table is damaged.
    """
    executions: dict[str, list[Execution]] = {}
    for row in read_table(path, ["id", "status", "detail", "program"]).to_pylist():
        execution = Execution(row["status"], row["detail"], row["program"])
        executions.setdefault(row["id"], []).append(execution)
    return executions
