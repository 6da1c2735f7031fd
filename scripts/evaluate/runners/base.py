"""What all runners of programs share: their parts of the table, limits, and verdicts."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from scripts.evaluate.runners.programs import Program
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
_OUTPUT_BYTES = 100_000
_MESSAGE_LENGTH = 200
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
    """

    table: Mapping[str, Any]
    toolchain: Toolchain | None
    shared: str
    mode: str
    scale: float
    wall_factor: float

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


def at_limit(outcome: Outcome, before: str = "") -> Verdict | None:
    """The verdict on a run that was ended at a limit, with `before` before its detail; None when it ended by itself."""
    if outcome.status == "exited":
        return None
    return Verdict(_AT_LIMIT[outcome.status], f"{before}{outcome.status}", outcome.cpu_seconds)


def compiler_at_limit(outcome: Outcome) -> Verdict | None:
    """The verdict on a compilation that was ended at a limit; None when it ended by itself."""
    return at_limit(outcome, COMPILING)


def exit_code(code: int | None) -> str:
    """The detail of a program that ended by itself, without a word on how."""
    return f"exit code {code}"


def plain_text(text: str) -> str:
    """Text of a program as it may stand in a table: at most 200 printable characters, addresses replaced."""
    return _ADDRESS.sub("0x0", "".join(sign if sign.isprintable() else " " for sign in text))[:_MESSAGE_LENGTH]


def new_nonce() -> str:
    """A random text that no program can know in advance."""
    return secrets.token_hex(16)


def attested_verdict(outcome: Outcome, nonce: str) -> Verdict:
    """The verdict that a harness printed as `<nonce> <status> <detail>`, a line feed and a message.

    Without the nonce, or after an exit code other than 0, the harness did not come to its end: `runtime_error`.
    """
    first, _, message = outcome.stdout.decode("utf-8", "replace").partition("\n")
    printed, _, verdict = first.partition(" ")
    status, _, detail = verdict.partition(" ")
    if printed != nonce or outcome.returncode != 0 or status not in set(ExecutionStatus):
        return Verdict(ExecutionStatus.RUNTIME_ERROR, exit_code(outcome.returncode), outcome.cpu_seconds)
    return Verdict(ExecutionStatus(status), detail, outcome.cpu_seconds, plain_text(message))
