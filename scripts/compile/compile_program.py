"""One program through its frontend: what becomes of it in each variant."""

import fnmatch
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from scripts.compile.build import Build
from scripts.compile.compile_time import outside_work
from scripts.compile.pragmas import with_pragma
from scripts.lib.llvm import InvalidIRError, verified, without_attributes
from scripts.lib.sandbox.isolation import IsolationError, isolated
from scripts.lib.sandbox.run import Limits, Outcome, run
from scripts.lib.schemas.ir import CompileStatus

_TRIES = 3
_ALONE = ("prlimit", "--nproc=1", "--")
_DIAGNOSTIC_LENGTH = 400
_ERROR_LINE = re.compile(r"(?:\berror\b(?:\[\w+\])?|\bError|\bfatal error)\s*:|^Error\b|\bpanic")
_PLACED_LINE = re.compile(r"\bsource\.\w+[:(]\d")
_CRASH = re.compile(
    r"internal compiler error|PLEASE submit a bug report|panic! \(the 'impossible' happened\)|^Assert failed|"
    r"Stack dump:|^goroutine \d+ .*\[",
    re.MULTILINE,
)
# What differs from run to run, and the headings of a compiler that works through several packages.
_NOISE = re.compile(r"\x1b\[[0-9;]*m|0x[0-9a-f]{6,}|\bgoroot-[0-9a-f]{64}\b|^# [\w./-]+$", re.MULTILINE)
# What passes another limit than these is taken for the compiler's fault: no program makes it write without end.
_REFUSED = (CompileStatus.COMPILE_ERROR, CompileStatus.TOOL_CRASH)
_STATUS = {
    "timeout": CompileStatus.TIMEOUT,
    "cpu_limit": CompileStatus.TIMEOUT,
    "memory_limit": CompileStatus.MEMORY_LIMIT,
}


@dataclass(frozen=True)
class Result:
    """What became of one variant; `ir` is the verified, normalised module and empty unless `status` is `ok`.

    `command` is what was run, with placeholders where machines differ.
    """

    status: CompileStatus
    seconds: float = 0.0
    diagnostics: str = ""
    ir: str = ""
    command: str = ""


@dataclass(frozen=True)
class _State:
    """Where a chain of steps has got: the files that go on, the seconds so far, and the failure that ended it."""

    files: Mapping[str, bytes]
    seconds: float = 0.0
    failure: Result | None = None


def first_error(text: str) -> str:
    """The first line of a compiler's output that tells of an error, if possible with its position in the program.

    Colours and addresses are left out. A line that ends with a colon is followed by the next one.
    """
    lines = [line.strip() for line in _NOISE.sub("", text).splitlines() if line.strip()]
    errors = [number for number, line in enumerate(lines) if _ERROR_LINE.search(line)]
    positions = [number for number, line in enumerate(lines) if _PLACED_LINE.search(line)]
    both = [number for number in positions if number in errors]
    chosen = (both or errors or positions or [0])[0]
    last = chosen + 1 + bool(lines and lines[chosen].endswith(":"))
    line = " ".join(lines[chosen:last])
    return line[:_DIAGNOSTIC_LENGTH]


def _failure(outcome: Outcome, limits: Limits) -> Result | None:
    """What a command's end means for its variant; None when it succeeded."""
    text = (outcome.stderr + b"\n" + outcome.stdout).decode("utf-8", "replace")
    if outcome.status != "exited":
        allowed = f"{limits.cpu_seconds} s of CPU, {limits.wall_seconds} s, {limits.memory_mb} MB"
        status = _STATUS.get(outcome.status, CompileStatus.TOOL_CRASH)
        return Result(status, diagnostics=f"{outcome.status}; allowed are {allowed}")
    if outcome.returncode == 0:
        return None
    crashed = outcome.returncode > 128 or _CRASH.search(text)
    message = first_error(text) or f"exit code {outcome.returncode} without a message"
    return Result(CompileStatus.TOOL_CRASH if crashed else CompileStatus.COMPILE_ERROR, diagnostics=message)


def run_command(
    build: Build, words: list[str], files: Mapping[str, bytes], keep: Sequence[str], alone: bool = False
) -> Outcome:
    """Run one command; again when somebody else killed it, because that says nothing about the program.

    With `alone` it can start no other process.
    """
    command = [*(_ALONE if alone else []), *build.toolchain.command(words)]
    for _ in range(_TRIES):
        outcome = run(command, sandbox=build.toolchain.sandbox, limits=build.limits, files=files, collect=keep)
        if outcome.status != "killed":
            break
    return outcome


def _chosen(files: Mapping[str, bytes], choose: Mapping[str, Any]) -> bytes | None:
    """The file that a step gets by the table's `choose`: among those that hold its first text, the one with most texts.

    None where no file holds the first text.
    """
    texts = [text.encode() for text in choose["texts"]]
    alike = [content for path, content in sorted(files.items()) if fnmatch.fnmatch(path, choose["files_like"])]
    own = [content for content in alike if texts[0] in content]
    return max(own, key=lambda content: sum(text in content for text in texts), default=None)


def _after(
    state: _State, build: Build, step: Mapping[str, Any], words: list[str], dropped: Sequence[str], reach: str
) -> _State:
    """State after a step: its command is run on the files so far, without some attributes of their functions.

    Where a step is to be run alone, a program that reaches for others (`reach`) is compiled both ways, and what comes
    out must be the same: other processes could have replaced it.
    """
    if state.failure:
        return state
    files = dict(state.files)
    if "choose" in step:
        chosen = _chosen(files, step["choose"])
        if chosen is None:
            message = "no module of the program's own"
            return replace(state, failure=Result(CompileStatus.COMPILE_ERROR, state.seconds, message))
        files = build.extra_files | {step["choose"]["name"]: chosen}
    if dropped:
        files = {name: without_attributes(content, dropped) for name, content in files.items()}
    keep, alone = step.get("keep", [build.output]), step.get("alone", False)
    outcome = run_command(build, words, files, keep, alone and not reach)
    seconds = round(state.seconds + outcome.seconds, 3)
    failure = _failure(outcome, build.limits)
    if alone and reach and not failure:
        again = run_command(build, words, files, keep, alone=True)
        failure = None if again.files == outcome.files else _refused(reach, seconds)
    return _State({**build.extra_files, **outcome.files}, seconds, failure and replace(failure, seconds=seconds))


def _refused(reach: str, seconds: float) -> Result:
    """A program whose module may not be the compiler's, because of what it can reach while it is compiled."""
    message = f"{reach}: the module may be another one than the compiler's"
    return Result(CompileStatus.COMPILE_ERROR, seconds, message[:_DIAGNOSTIC_LENGTH])


def _unreadable(error: Exception, seconds: float) -> Result:
    """What a reader's failure on a module means for its variant: a crash of the reader is the module's fault."""
    limited = isinstance(error, IsolationError) and error.status != "crashed"
    status = CompileStatus(error.status) if limited else CompileStatus.INVALID_IR
    return Result(status, seconds, str(error)[:_DIAGNOSTIC_LENGTH])


def _verified(build: Build, state: _State, shrink: bool) -> Result:
    """The IR among the files that the last step made, read and normalised within the limits of a command."""
    if build.output not in state.files:
        return Result(
            CompileStatus.COMPILE_ERROR, state.seconds, f"the compiler reported success and wrote no {build.output}"
        )
    try:
        text = state.files[build.output].decode()
        ir = isolated(verified, text, list(build.parts), shrink, limits=build.limits)
    except (InvalidIRError, IsolationError, UnicodeDecodeError) as error:
        return _unreadable(error, state.seconds)
    return Result(CompileStatus.OK, state.seconds, ir=ir)


class _Attempt:
    """A program on its way through one alternative of a frontend; steps that variants share run once.

    `headers` names a precompiled header for each variant.
    """

    def __init__(self, source: str, build: Build, headers: Mapping[str, str]) -> None:
        self.build, self.headers = build, headers
        self.text = with_pragma(source, build.alternative.get("pragma"))
        self._reach = outside_work(source, build.frontend.get("compile_time"))
        self._done = {(): _State({**build.extra_files, build.frontend["source"]: self.text.encode()})}
        self._results: dict[str, Result] = {}

    def result(self, variant: str) -> Result:
        """What becomes of the program in a variant; worked out once."""
        if variant not in self._results:
            state = self._state(variant)
            result = state.failure or _verified(self.build, state, variant in self.build.shrunk)
            alone = any(step.get("alone") for step in self.build.steps)
            if self._reach and result.status == CompileStatus.OK and not alone:
                result = _refused(self._reach, result.seconds)
            self._results[variant] = replace(result, command=self.build.command(variant))
        return self._results[variant]

    def _state(self, variant: str) -> _State:
        """Where the last step of a variant ends."""
        path: tuple = ()
        for step in self.build.steps:
            words = self.build.expanded(step, variant, self.headers.get(variant))
            dropped = tuple(step.get("drop_attributes", {}).get(variant, ()))
            before, path = self._done[path], (*path, (tuple(words), dropped))
            if path not in self._done:
                self._done[path] = _after(before, self.build, step, words, dropped, self._reach)
        return self._done[path]


def _attempts(source: str, build: Build, headers: Mapping[str, str]) -> list[_Attempt]:
    """An attempt for each alternative of a build; one whose pragma has nothing to override is left out."""
    attempts = [_Attempt(source, each, headers) for each in build.alternatives]
    return [each for each in attempts if "pragma" not in each.build.alternative or each.text != source]


def compile_source(
    source: str, build: Build, variants: Sequence[str], headers: Mapping[str, str] | None = None
) -> dict[str, Result]:
    """Compile a program in all variants; never raises for what a program or its compiler does.

    The frontend's first alternative that does not refuse the first variant is used for all of them; where each refuses
    it, the first one's outcomes count. `headers` names a precompiled header for each variant.
    """
    attempts = _attempts(source, build, headers or {})
    accepted = (each for each in attempts if each.result(variants[0]).status not in _REFUSED)
    chosen = next(accepted, attempts[0])
    return {variant: chosen.result(variant) for variant in variants}
