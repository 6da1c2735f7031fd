"""Compile one program by its frontend's steps, in each variant."""

import base64
import fnmatch
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from scripts.compile.build import Build
from scripts.compile.compile_time import outside_work
from scripts.compile.pragmas import with_pragma
from scripts.lib.llvm import InvalidIRError, defines, verified, without_attributes
from scripts.lib.sandbox.isolation import IsolationError, isolated
from scripts.lib.sandbox.run import Limits, Outcome, run
from scripts.lib.schemas.ir import CompileStatus

_TRIES = 3
_ALONE = ("prlimit", "--nproc=1", "--")
_IF_POSSIBLE = "if possible"
_DIAGNOSTIC_LENGTH = 400
_ERROR_LINE = re.compile(r"(?:\berror\b(?:\[\w+\])?|\bError|\bfatal error)\s*:|^Error\b|\bpanic")
_LINE_WITH_POSITION = re.compile(r"\bsource\.\w+[:(]\d")
_CRASH = re.compile(
    r"internal compiler error|PLEASE submit a bug report|panic! \(the 'impossible' happened\)|^Assert failed|"
    r"Stack dump:|^goroutine \d+ .*\[",
    re.MULTILINE,
)
# Text that differs from run to run, and the headings of a compiler that compiles several packages.
_NOISE = re.compile(r"\x1b\[[0-9;]*m|0x[0-9a-f]{6,}|\bgoroot-[0-9a-f]{64}\b|^# [\w./-]+$", re.MULTILINE)
_REFUSED = (CompileStatus.COMPILE_ERROR, CompileStatus.TOOL_CRASH)
# Exceeding any other limit counts as a crash of the compiler: no program should make it write
# without end.
_STATUS = {
    "timeout": CompileStatus.TIMEOUT,
    "cpu_limit": CompileStatus.TIMEOUT,
    "memory_limit": CompileStatus.MEMORY_LIMIT,
}


@dataclass(frozen=True)
class Result:
    """The outcome of one variant; `ir` is the verified, normalised module and empty unless `status`
    is `ok`.

    `command` has placeholders where machines differ; `diagnostics` is one line.
    """

    status: CompileStatus
    seconds: float = 0.0
    diagnostics: str = ""
    ir: str = ""
    command: str = ""


@dataclass(frozen=True)
class _State:
    """The state after some steps: the files for the next step, the seconds so far, and the failure,
    if any.
    """

    files: Mapping[str, bytes]
    seconds: float = 0.0
    failure: Result | None = None


def first_error(text: str) -> str:
    """The first line of a compiler's output that reports an error, preferably one with a position
    in the program.

    Colours and addresses are left out. If the line ends with a colon, the next line is appended.
    """
    lines = [line.strip() for line in _NOISE.sub("", text).splitlines() if line.strip()]
    errors = [number for number, line in enumerate(lines) if _ERROR_LINE.search(line)]
    positions = [number for number, line in enumerate(lines) if _LINE_WITH_POSITION.search(line)]
    both = set(errors).intersection(positions)
    first = min(both or errors or positions or [0])
    end = first + 1 + bool(lines and lines[first].endswith(":"))
    return " ".join(lines[first:end])[:_DIAGNOSTIC_LENGTH]


def _failure(outcome: Outcome, limits: Limits) -> Result | None:
    """The result of a variant whose command failed; None if the command succeeded."""
    text = (outcome.stderr + b"\n" + outcome.stdout).decode("utf-8", "replace")
    if outcome.status != "exited":
        allowed = f"{limits.cpu_seconds} s of CPU, {limits.wall_seconds} s, {limits.memory_mb} MB"
        status = _STATUS.get(outcome.status, CompileStatus.TOOL_CRASH)
        return Result(status, diagnostics=f"{outcome.status}; the limits are {allowed}")
    if outcome.returncode == 0:
        return None
    crashed = outcome.returncode > 128 or _CRASH.search(text)
    message = first_error(text) or f"exit code {outcome.returncode} without a message"
    return Result(CompileStatus.TOOL_CRASH if crashed else CompileStatus.COMPILE_ERROR, diagnostics=message)


def run_command(
    build: Build, words: list[str], files: Mapping[str, bytes], keep: Sequence[str], alone: bool = False
) -> Outcome:
    """Run one command; repeat it if it was killed from outside, because that says nothing about the
    program.

    With `alone` the command cannot start other processes.
    """
    command = [*(_ALONE if alone else []), *build.toolchain.command(words)]
    for _ in range(_TRIES):
        outcome = run(command, sandbox=build.toolchain.sandbox, limits=build.limits, files=files, collect=keep)
        if outcome.status != "killed":
            break
    return outcome


def _defines(content: bytes, name: str, limits: Limits) -> bool:
    """`llvm.defines` of a file, in the isolated process, whose arguments are JSON; False if it exceeds
    the limits.
    """
    if name.encode() not in content:
        return False
    try:
        return bool(isolated(defines, base64.b64encode(content).decode(), name, limits=limits))
    except IsolationError:
        return False


def _choice(files: Mapping[str, bytes], choose: Mapping[str, Any], limits: Limits) -> bytes | None:
    """The file that a step gets by the table's `choose`: of those that define its first function, the
    one that defines most of its functions.

    Files that only call or mention a function do not count. None if no file defines the first
    function.
    """
    first, *others = choose["functions"]
    matches = [content for path, content in sorted(files.items()) if fnmatch.fnmatch(path, choose["files_like"])]
    eligible = [content for content in matches if _defines(content, first, limits)]
    if len(eligible) < 2:
        return next(iter(eligible), None)
    return max(eligible, key=lambda content: sum(_defines(content, name, limits) for name in others))


def _after(
    state: _State, build: Build, step: Mapping[str, Any], words: list[str], dropped: Sequence[str], reach: str
) -> _State:
    """The state after a step: its command is run on the files so far, without the function
    attributes `dropped`.

    If a step must run alone, a program that could start others (`reach` says how) is compiled with
    and without that restriction, and both outputs must be equal: other processes could have
    replaced the output. If it must run alone where possible, a program that fails alone and cannot
    start others of its choice is compiled without that restriction.
    """
    if state.failure:
        return state
    files = dict(state.files)
    if "choose" in step:
        choice = _choice(files, step["choose"], build.limits)
        if choice is None:
            message = "no module of the program itself"
            return replace(state, failure=Result(CompileStatus.COMPILE_ERROR, state.seconds, message))
        files = {**build.extra_files, step["choose"]["name"]: choice}
    if dropped:
        files = {name: without_attributes(content, dropped) for name, content in files.items()}
    keep, alone = step.get("keep", [build.output]), step.get("alone", False)
    outcome = run_command(build, words, files, keep, alone == _IF_POSSIBLE or (alone and not reach))
    failure = _failure(outcome, build.limits)
    if alone == _IF_POSSIBLE and failure and not reach:
        outcome = run_command(build, words, files, keep)
        failure = _failure(outcome, build.limits)
    seconds = round(state.seconds + outcome.seconds, 3)
    if alone is True and reach and not failure:
        again = run_command(build, words, files, keep, alone=True)
        failure = None if again.files == outcome.files else _refused(reach, seconds)
    return _State({**build.extra_files, **outcome.files}, seconds, failure and replace(failure, seconds=seconds))


def _refused(reach: str, seconds: float) -> Result:
    """The result of a program whose module may not be the compiler's, because it can start others
    (`reach` says how).
    """
    message = f"{reach}: the module may not be the compiler's"
    return Result(CompileStatus.COMPILE_ERROR, seconds, message[:_DIAGNOSTIC_LENGTH])


def _unreadable(error: Exception, seconds: float) -> Result:
    """The result of a variant whose module cannot be read; a crash of the reader makes it an
    invalid module.
    """
    status = CompileStatus.INVALID_IR
    if isinstance(error, IsolationError) and error.status != "crashed":
        status = CompileStatus(error.status)
    return Result(status, seconds, str(error)[:_DIAGNOSTIC_LENGTH])


def _verified(build: Build, state: _State, shrink: bool) -> Result:
    """The result with the last step's IR, verified and normalised within the limits of a command."""
    if build.output not in state.files:
        message = f"the compiler reported success and wrote no {build.output}"
        return Result(CompileStatus.COMPILE_ERROR, state.seconds, message)
    try:
        text = state.files[build.output].decode()
        ir = isolated(verified, text, list(build.parts), shrink, limits=build.limits)
    except (InvalidIRError, IsolationError, UnicodeDecodeError) as error:
        return _unreadable(error, state.seconds)
    return Result(CompileStatus.OK, state.seconds, ir=ir)


# The commands that lead to a state, with the attributes dropped before each.
_Path = tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]


class _Attempt:
    """The compilation of a program by one alternative of a frontend; steps that variants share run
    once.

    headers: name of a precompiled header by variant.
    """

    def __init__(self, source: str, build: Build, headers: Mapping[str, str]) -> None:
        self.build, self.headers = build, headers
        self.text = with_pragma(source, build.alternative.get("pragma"))
        self._reach = outside_work(source, build.frontend.get("compile_time"))
        start = _State({**build.extra_files, build.frontend["source"]: self.text.encode()})
        self._states: dict[_Path, _State] = {(): start}
        self._results: dict[str, Result] = {}

    def result(self, variant: str) -> Result:
        """The outcome of a variant, computed at the first call."""
        if variant not in self._results:
            state = self._state(variant)
            result = state.failure or _verified(self.build, state, variant in self.build.shrunk)
            alone = any(step.get("alone") for step in self.build.steps)
            if self._reach and result.status == CompileStatus.OK and not alone:
                result = _refused(self._reach, result.seconds)
            self._results[variant] = replace(result, command=self.build.command(variant))
        return self._results[variant]

    def _state(self, variant: str) -> _State:
        """The state after the last step of a variant."""
        path: _Path = ()
        for step in self.build.steps:
            words = self.build.expanded(step, variant, self.headers.get(variant))
            dropped = tuple(step.get("drop_attributes", {}).get(variant, ()))
            before, path = self._states[path], (*path, (tuple(words), dropped))
            if path not in self._states:
                self._states[path] = _after(before, self.build, step, words, dropped, self._reach)
        return self._states[path]


def _is_preferred(source: str, alternative: Mapping[str, Any]) -> bool:
    """Whether an alternative is tried before the others, by the table's `first_for`."""
    pattern = alternative.get("first_for")
    return pattern is not None and re.search(pattern, source, re.MULTILINE) is not None


def _attempts(source: str, build: Build, headers: Mapping[str, str]) -> list[_Attempt]:
    """An attempt for each alternative of a build, in the order in which they are tried, without those
    whose pragma has nothing to override.
    """
    ordered = sorted(build.alternatives, key=lambda each: not _is_preferred(source, each.alternative))
    attempts = [_Attempt(source, each, headers) for each in ordered]
    return [each for each in attempts if "pragma" not in each.build.alternative or each.text != source]


def compile_source(
    source: str, build: Build, variants: Sequence[str], headers: Mapping[str, str] | None = None
) -> dict[str, Result]:
    """Compile a program in all variants; never raise for what a program or its compiler does.

    The frontend's first alternative that does not refuse the first variant is used for all
    variants, or the first alternative if all refuse it. headers: name of a precompiled header by
    variant.
    """
    attempts = _attempts(source, build, headers or {})
    accepted = (attempt for attempt in attempts if attempt.result(variants[0]).status not in _REFUSED)
    attempt = next(accepted, attempts[0])
    return {variant: attempt.result(variant) for variant in variants}
