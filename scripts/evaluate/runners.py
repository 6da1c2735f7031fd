"""How programs of a language are run and judged, in a sandbox and within limits."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from scripts.evaluate.programs import Program
from scripts.lib.sandbox import Limits, Outcome, Sandbox, run

STATUSES = ("passed", "wrong", "compile_error", "runtime_error", "timeout", "memory_limit", "killed")
_LIMITS = {
    "timeout": "timeout",
    "cpu_limit": "timeout",
    "memory_limit": "memory_limit",
    "output_limit": "killed",
    "process_limit": "killed",
    "killed": "killed",
}


@dataclass(frozen=True)
class Verdict:
    """What became of a program: one of `STATUSES`, a word on how, and the CPU seconds of its run."""

    status: str
    detail: str
    cpu_seconds: float


class Runner(Protocol):
    """Runs programs of one language."""

    def judge(self, program: Program) -> Verdict:
        """The verdict on a program; never raises for what the program does."""
        ...


@dataclass(frozen=True)
class RunnerSettings:
    """A runner's entry in `config/benchmarks.yaml`, with the limits that hold for this run.

    compile, execute: limits of the two steps; `compile` is None where there is none.
    shared: folder of what was prepared for the runner, mounted read-only.
    """

    kind: str
    execute: Limits
    compile: Limits | None
    shared: str
    mode: str
    table: Mapping[str, Any] = field(default_factory=dict)


def at_limit(outcome: Outcome) -> Verdict | None:
    """The verdict on a run that was ended at a limit; None when it ended by itself."""
    if outcome.status == "exited":
        return None
    return Verdict(_LIMITS[outcome.status], outcome.status, outcome.cpu_seconds)


def secret() -> str:
    """A word that no program can know beforehand."""
    return secrets.token_hex(16)


class NativeRunner:
    """Compiles a program with `witness.c` linked in, then runs it alone."""

    def __init__(self, settings: RunnerSettings) -> None:
        self.settings = settings
        table = settings.table
        self.source = table["source"]
        self.command = [part.format(shared=settings.shared) for part in table["compile"]]
        self.failed = re.compile(table["failed_test"])
        self.exhausted = re.compile(table.get("out_of_memory", r"(?!)"))
        self.compiling = Sandbox(read_only=(settings.shared,), work_mb=256, mode=settings.mode)
        self.executing = Sandbox(work_mb=64, mode=settings.mode)

    def judge(self, program: Program) -> Verdict:
        """See `Runner`."""
        built = run(
            self.command,
            sandbox=self.compiling,
            limits=self.settings.compile,
            files={self.source: program.source.encode()},
            collect=["program"],
        )
        if built.status == "exited" and built.returncode == 0 and "program" in built.files:
            return self._execute(built.files["program"])
        return at_limit(built) or Verdict("compile_error", f"exit code {built.returncode}", built.cpu_seconds)

    def _execute(self, binary: bytes) -> Verdict:
        word = secret()
        outcome = run(
            ["sh", "-c", "chmod 700 program && exec ./program"],
            sandbox=self.executing,
            limits=self.settings.execute,
            stdin=word.encode(),
            files={"program": binary},
        )
        return at_limit(outcome) or Verdict(*self._ending(outcome, word), outcome.cpu_seconds)

    def _ending(self, outcome: Outcome, word: str) -> tuple[str, str]:
        """Status and detail of a program that ended by itself."""
        if outcome.returncode == 0:
            return ("passed", "") if outcome.stdout == word.encode() else ("wrong", "ended before its tests did")
        messages = outcome.stderr.decode("utf-8", "replace")
        if self.exhausted.search(messages):
            return "memory_limit", f"exit code {outcome.returncode}"
        return "wrong" if self.failed.search(messages) else "runtime_error", f"exit code {outcome.returncode}"
