"""What became of a program, in the words of the table of executions."""

from dataclasses import dataclass, field

from scripts.evaluate.runners.records import Ending
from scripts.lib.schemas.evaluation import ExecutionStatus

# Prefix of the detail of a limit that was reached before there was a program to run.
COMPILING = "compiling: "


@dataclass(frozen=True)
class Verdict:
    """What became of a program.

    status: what became of it.
    detail: one of a small set of phrases, the same for every run of the program: the name of a builtin exception or
        `other_exception`, `exit code N`, a limit, or a phrase of the runner.
    cpu_seconds: CPU time of the run of the tests, without compilation.
    message: the first error line, of the compiler or of the program; see `base.plain_text`.
    compile_seconds: CPU time of the compilation.
    ending: how the process that decided ended, and what it printed.
    """

    status: ExecutionStatus
    detail: str
    cpu_seconds: float
    message: str = ""
    compile_seconds: float = 0.0
    ending: Ending = field(default_factory=Ending)
