"""One program through its frontend: what becomes of it in each variant."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from scripts.compile.build import Build
from scripts.lib.llvm import InvalidIRError, verified, without_attributes
from scripts.lib.sandbox import Limits, Outcome, run

_TRIES = 3
_DIAGNOSTIC_LENGTH = 400
_ERROR_LINE = re.compile(r"(?:\berror\b(?:\[\w+\])?|\bError|\bfatal error)\s*:|^Error\b|\bpanic")
_PLACED_LINE = re.compile(r"\bsource\.\w+[:(]\d")
_CRASH = re.compile(
    r"internal compiler error|PLEASE submit a bug report|panic! \(the 'impossible' happened\)|^Assert failed|"
    r"Stack dump:",
    re.MULTILINE,
)
_NOISE = re.compile(r"\x1b\[[0-9;]*m|0x[0-9a-f]{6,}")
# What passes another limit than these is taken for the compiler's fault: no program makes it write without end.
_STATUS = {"timeout": "timeout", "cpu_limit": "timeout", "memory_limit": "memory_limit"}


@dataclass(frozen=True)
class Result:
    """What became of one variant; `ir` is the verified, normalised module and empty unless `status` is `ok`."""

    status: str
    seconds: float = 0.0
    diagnostics: str = ""
    ir: str = ""


@dataclass(frozen=True)
class _State:
    """Where a chain of steps has got: the files that go on, the seconds so far, and the failure that ended it."""

    files: Mapping[str, bytes]
    seconds: float = 0.0
    failure: Result | None = None


def first_error(text: str) -> str:
    """The first line of a compiler's output that tells of an error, if possible with its place in the program.

    Colours and addresses are left out. A line that ends with a colon is followed by the next one.
    """
    lines = [line.strip() for line in _NOISE.sub("", text).splitlines() if line.strip()]
    told = [place for place, line in enumerate(lines) if _ERROR_LINE.search(line)]
    placed = [place for place in told if _PLACED_LINE.search(lines[place])]
    chosen = (placed or told or [0])[0]
    last = chosen + 1 + bool(lines and lines[chosen].endswith(":"))
    line = " ".join(lines[chosen:last])
    return line[:_DIAGNOSTIC_LENGTH]


def _failure(outcome: Outcome, limits: Limits) -> Result | None:
    """What a command's end means for its variant; None when it succeeded."""
    text = (outcome.stderr + b"\n" + outcome.stdout).decode("utf-8", "replace")
    if outcome.status != "exited":
        allowed = f"{limits.cpu_seconds} s of CPU, {limits.wall_seconds} s, {limits.memory_mb} MB"
        status = _STATUS.get(outcome.status, "tool_crash")
        return Result(status, diagnostics=f"{outcome.status}; allowed are {allowed}")
    if outcome.returncode == 0:
        return None
    crashed = outcome.returncode > 128 or _CRASH.search(text)
    message = first_error(text) or f"exit code {outcome.returncode} without a message"
    return Result("tool_crash" if crashed else "compile_error", diagnostics=message)


def run_command(build: Build, words: list[str], files: Mapping[str, bytes], keep: Sequence[str]) -> Outcome:
    """Run one command; again when somebody else killed it, because that says nothing about the program."""
    command = build.toolchain.command(words)
    for _ in range(_TRIES):
        outcome = run(command, sandbox=build.toolchain.sandbox, limits=build.limits, files=files, collect=keep)
        if outcome.status != "killed":
            break
    return outcome


def _after(state: _State, build: Build, step: Mapping[str, Any], words: list[str], dropped: Sequence[str]) -> _State:
    """State after a step: its command is run on the files so far, without some attributes of their functions."""
    if state.failure:
        return state
    files = dict(state.files)
    if dropped:
        files = {name: without_attributes(content, dropped) for name, content in files.items()}
    outcome = run_command(build, words, files, step.get("keep", [build.output]))
    seconds = round(state.seconds + outcome.seconds, 3)
    failure = _failure(outcome, build.limits)
    return _State({**build.support, **outcome.files}, seconds, failure and replace(failure, seconds=seconds))


def _verified(build: Build, state: _State, shrink: bool) -> Result:
    """The IR among the files that the last step made, read and normalised."""
    if build.output not in state.files:
        return Result("tool_crash", state.seconds, "the compiler reported success and wrote no IR")
    try:
        return Result("ok", state.seconds, ir=verified(state.files[build.output].decode(), build.parts, shrink))
    except (InvalidIRError, UnicodeDecodeError) as error:
        return Result("invalid_ir", state.seconds, str(error)[:_DIAGNOSTIC_LENGTH])


def compile_source(
    source: str, build: Build, variants: Sequence[str], headers: Mapping[str, str] | None = None
) -> dict[str, Result]:
    """Compile a program in all variants; never raises for what a program or its compiler does.

    Steps that are the same for several variants run once. `headers` names a precompiled header for each variant.
    """
    headers = headers or {}
    done = {(): _State({**build.support, build.frontend["source"]: source.encode()})}
    results = {}
    for variant in variants:
        path: tuple = ()
        for step in build.steps:
            words = build.expanded(step["run"], variant, headers.get(variant))
            dropped = tuple(step.get("drop_attributes", {}).get(variant, ()))
            before, path = done[path], (*path, (tuple(words), dropped))
            if path not in done:
                done[path] = _after(before, build, step, words, dropped)
        results[variant] = done[path].failure or _verified(build, done[path], variant in build.shrunk)
    return results
