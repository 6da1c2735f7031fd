"""What all runners of programs share: their parts of the table, limits, and verdicts."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from scripts.evaluate.runners.memory import MemoryPool
from scripts.evaluate.runners.programs import Program
from scripts.evaluate.runners.records import MESSAGE_LENGTH, Recorder, unique_paths
from scripts.evaluate.runners.verdict import COMPILING, Verdict
from scripts.lib.job import InputError
from scripts.lib.sandbox.run import Limits, Outcome
from scripts.lib.sandbox.toolchain import Toolchain
from scripts.lib.schemas.evaluation import ExecutionStatus

_AT_LIMIT = {
    "timeout": ExecutionStatus.TIMEOUT,
    "cpu_limit": ExecutionStatus.TIMEOUT,
    "memory_limit": ExecutionStatus.MEMORY_LIMIT,
    "output_limit": ExecutionStatus.KILLED,
    "process_limit": ExecutionStatus.KILLED,
    "killed": ExecutionStatus.KILLED,
}
# Longer than the usual debug output of a program or the messages of a compiler.
_OUTPUT_BYTES = 1_000_000
_ADDRESS = re.compile(r"0x[0-9a-fA-F]+")


class Runner(Protocol):
    """Runs programs of one language."""

    def judge(self, program: Program) -> Verdict:
        """The verdict on a program; never raises for what the program does."""
        ...


@dataclass(frozen=True)
class Setup:
    """The parts of a runner.

    table: its entry in `config/runners.yaml`.
    toolchain: its tools and the sandbox that has them; None where Python alone is needed.
    shared: folder that `prepare_runner` filled, visible to compilers only.
    mode: `bubblewrap`, or `off` for no sandbox.
    scale: by what the limits are lengthened on a machine that is slower than the protocol's.
    wall_factor: seconds by the clock for each CPU second, since other programs may keep the machine busy.
    output_characters: how much of what a program prints is kept for the table of executions.
    memory: what the programs reserve before they start.
    """

    table: Mapping[str, Any]
    toolchain: Toolchain | None
    shared: str
    mode: str
    scale: float
    wall_factor: float
    output_characters: int = 0
    memory: MemoryPool = field(default_factory=MemoryPool)

    @property
    def recorder(self) -> Recorder:
        """Makes the records of this runner's processes."""
        tools = self.toolchain.sandbox.read_only if self.toolchain else ()
        return Recorder(self.output_characters, unique_paths((self.shared, *tools)))

    @property
    def tools(self) -> Toolchain:
        """The toolchain; raise `InputError` when the table names no frontend."""
        if self.toolchain is None:
            raise InputError(f"a runner of kind {self.table['kind']} needs tools; add frontends in config/runners.yaml")
        return self.toolchain

    def limits(self, step: str) -> Limits:
        """Limits of a step of the table, `compile` or `execute`."""
        limits = self.table["limits"][step]
        seconds = limits["seconds"] * self.scale
        return Limits(
            wall_seconds=seconds * self.wall_factor,
            cpu_seconds=seconds,
            memory_mb=limits["memory_mb"],
            processes=limits["processes"],
            address_space=limits["address_space"],
            output_bytes=_OUTPUT_BYTES,
        )


def at_limit(outcome: Outcome, recorder: Recorder) -> Verdict | None:
    """The verdict on a run that was ended at a limit; None when it ended by itself."""
    if outcome.status == "exited":
        return None
    status = _AT_LIMIT[outcome.status]
    return Verdict(status, outcome.status, outcome.cpu_seconds, ending=recorder.ending(outcome))


def compiler_at_limit(outcome: Outcome, recorder: Recorder) -> Verdict | None:
    """The verdict on a compilation that was ended at a limit; None when it ended by itself."""
    verdict = at_limit(outcome, recorder)
    return verdict and replace(
        verdict, detail=f"{COMPILING}{verdict.detail}", cpu_seconds=0.0, compile_seconds=outcome.cpu_seconds
    )


def exit_code(code: int | None) -> str:
    """The detail of a program that ended by itself, without a word on how."""
    return f"exit code {code}"


def plain_text(text: str) -> str:
    """Text of a program as it may stand in a table: at most 200 printable characters, addresses replaced."""
    return _ADDRESS.sub("0x0", "".join(sign if sign.isprintable() else " " for sign in text))[:MESSAGE_LENGTH]


def new_nonce() -> str:
    """A random text that no program can know in advance."""
    return secrets.token_hex(16)


def attested_verdict(outcome: Outcome, nonce: str, recorder: Recorder) -> Verdict:
    """The verdict that a harness printed as `<nonce> <status> <detail>`, a line feed and a message; after another line
    feed may follow what the program printed.

    Without the nonce, or after an exit code other than 0, the harness did not come to its end: `runtime_error`.
    """
    text = outcome.stdout.decode("utf-8", "replace")
    first, _, rest = text.partition("\n")
    message, _, output = rest.partition("\n")
    printed, _, verdict = first.partition(" ")
    status, _, detail = verdict.partition(" ")
    if printed != nonce or outcome.returncode != 0 or status not in set(ExecutionStatus):
        ending = recorder.ending(replace(outcome, stdout=text.replace(nonce, "").encode()))
        message, detail = recorder.error_line(outcome.stderr), exit_code(outcome.returncode)
        return Verdict(ExecutionStatus.RUNTIME_ERROR, detail, outcome.cpu_seconds, message, ending=ending)
    ending = recorder.reported(outcome, output)
    line = plain_text(recorder.stable(message))
    return Verdict(ExecutionStatus(status), detail, outcome.cpu_seconds, line, ending=ending)
