"""One source through its frontend: both variants as outcome rows."""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scripts.lib.llvm import InvalidIRError, verified
from scripts.lib.sandbox import Limits, Outcome, run
from scripts.lib.toolchain import Toolchain

_FLAGS = "{flags}"
_TRIES = 3
_DIAGNOSTIC_LENGTH = 400
_ERROR_LINE = re.compile(r"\b(?:error|fatal|panic|exception)\b", re.IGNORECASE)
_CRASH = re.compile(
    r"internal compiler error|PLEASE submit a bug report|panic! \(the 'impossible' happened\)|^Assert failed|"
    r"Stack dump:",
    re.MULTILINE,
)
_NOISE = re.compile(r"\x1b\[[0-9;]*m|0x[0-9a-f]{6,}")
# A compiler that passes one of these limits is at fault itself: sources do not make it write without end.
_STATUS = {"timeout": "timeout", "cpu_limit": "timeout", "memory_limit": "memory_limit"}


@dataclass(frozen=True)
class Build:
    """How a language's sources are compiled: its frontend, the support files beside each source, limits, IR parts."""

    toolchain: Toolchain
    flags: Mapping[str, list[str]]
    limits: Limits
    parts: tuple[str, ...]
    support: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The frontend's steps; each has `run`, a command template, and `keep`, patterns of the files it makes."""
        return self.toolchain.frontend["steps"]

    @property
    def output(self) -> str:
        """Name of the file with the IR."""
        return self.toolchain.frontend["output"]

    def expanded(self, step: Mapping[str, Any], variant: str) -> list[str]:
        """A step's command template with the variant's flags."""
        return [part for word in step["run"] for part in (self.flags[variant] if word == _FLAGS else [word])]

    def command(self, variant: str) -> str:
        """What is run for a variant, with placeholders where machines differ."""
        return " && ".join(shlex.join(self.expanded(step, variant)) for step in self.steps)


@dataclass
class Result:
    """What became of one variant; `ir` is the verified, normalised module and empty unless `status` is `ok`."""

    status: str
    seconds: float = 0.0
    diagnostics: str = ""
    ir: str = ""


def first_error(text: str) -> str:
    """The first line of a compiler's output that tells of an error, without colours and addresses."""
    lines = [line.strip() for line in _NOISE.sub("", text).splitlines() if line.strip()]
    told = [line for line in lines if _ERROR_LINE.search(line)]
    return (told or lines or [""])[0][:_DIAGNOSTIC_LENGTH]


def _failure(outcome: Outcome, limits: Limits) -> Result | None:
    """What a step's end means for its variant; None when it succeeded."""
    text = (outcome.stderr + b"\n" + outcome.stdout).decode("utf-8", "replace")
    if outcome.status != "exited":
        allowed = f"{limits.cpu_seconds} s of CPU, {limits.wall_seconds} s, {limits.memory_mb} MB"
        told = f"{outcome.status}; allowed are {allowed}"
        return Result(_STATUS.get(outcome.status, "tool_crash"), diagnostics=told)
    if outcome.returncode == 0:
        return None
    crashed = outcome.returncode > 128 or _CRASH.search(text)
    message = first_error(text) or f"exit code {outcome.returncode} without a message"
    return Result("tool_crash" if crashed else "compile_error", diagnostics=message)


def _run_step(build: Build, command: list[str], files: Mapping[str, bytes], keep: Sequence[str]) -> Outcome:
    """Run one command; again when somebody else killed it, because that says nothing about the source."""
    for _ in range(_TRIES):
        outcome = run(command, sandbox=build.toolchain.sandbox, limits=build.limits, files=files, collect=keep)
        if outcome.status != "killed":
            break
    return outcome


def _verified(build: Build, files: Mapping[str, bytes], seconds: float) -> Result:
    """The IR among the files that the last step made, read and normalised."""
    if build.output not in files:
        return Result("tool_crash", seconds, "the compiler reported success and wrote no IR")
    try:
        return Result("ok", seconds, ir=verified(files[build.output].decode(), build.parts))
    except (InvalidIRError, UnicodeDecodeError) as error:
        return Result("invalid_ir", seconds, str(error)[:_DIAGNOSTIC_LENGTH])


def compile_source(source: str, build: Build, variants: Sequence[str]) -> dict[str, Result]:
    """Compile a program in all variants; never raises for what a program or its compiler does.

    Steps whose command is the same for several variants run once.
    """
    start = {**build.support, build.toolchain.frontend["source"]: source.encode()}
    done: dict[tuple, tuple[Result | None, dict[str, bytes], float]] = {(): (None, start, 0.0)}
    results = {}
    for variant in variants:
        path: tuple = ()
        for step in build.steps:
            words = build.expanded(step, variant)
            before, path = done[path], (*path, tuple(words))
            if path not in done:
                done[path] = before if before[0] else _advance(build, words, step, before)
        failure, files, seconds = done[path]
        results[variant] = failure or _verified(build, files, seconds)
    return results


def _advance(build: Build, words: list[str], step: Mapping[str, Any], before: tuple) -> tuple:
    """State after a step that starts from the state `before`: a failure if any, files, seconds so far."""
    _, files, seconds = before
    keep = step.get("keep", [build.output])
    outcome = _run_step(build, build.toolchain.command(words), files, keep)
    seconds = round(seconds + outcome.seconds, 3)
    failure = _failure(outcome, build.limits)
    if failure:
        failure.seconds = seconds
    return failure, {**build.support, **outcome.files}, seconds
