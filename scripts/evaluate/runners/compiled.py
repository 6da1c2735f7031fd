"""Runs programs of compiled languages: built with a sentinel linked in, then run alone (see `runtime/sentinel.c`)."""

import re
import shlex
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock

from scripts.evaluate.runners.base import Setup, Verdict, at_limit, compiler_at_limit, exit_code, new_nonce
from scripts.evaluate.runners.binaries import FUNCTION_REPLACED, forbidden, replaces_in_tests
from scripts.evaluate.runners.programs import Program
from scripts.lib.sandbox.run import Outcome, Sandbox, run
from scripts.lib.schemas.evaluation import ExecutionStatus

BINARY = "program"
# Object files of languages whose tests are a file of their own for the linker.
_TESTS_OBJECT, _PROGRAM_OBJECT = "tests.o", "program.o"
_COLLECTED = (BINARY, _TESTS_OBJECT, _PROGRAM_OBJECT)
# Memory of a job for compiled tests, of which those of a problem take up to some hundred kilobytes.
_KEPT_BYTES = 64 << 20


class KeptObjects:
    """Object files by the texts that they were compiled from: the most recent ones, up to a number of bytes."""

    def __init__(self, most_bytes: int = _KEPT_BYTES) -> None:
        self.most_bytes, self.bytes = most_bytes, 0
        self.objects: OrderedDict[str, bytes] = OrderedDict()
        self.lock = Lock()

    def get(self, text: str) -> bytes | None:
        """The object file of a text, if it is kept."""
        with self.lock:
            if text in self.objects:
                self.objects.move_to_end(text)
            return self.objects.get(text)

    def keep(self, text: str, content: bytes) -> None:
        """Keep the object file of a text."""
        with self.lock:
            self.bytes += len(content) - len(self.objects.pop(text, b""))
            self.objects[text] = content
            while self.bytes > self.most_bytes:
                self.bytes -= len(self.objects.popitem(last=False)[1])


class CompiledRunner:
    """Builds in one sandbox, which sees compilers and sources, and runs in another, which sees the binary alone."""

    def __init__(self, setup: Setup) -> None:
        table, tools = setup.table, setup.tools

        def shell(commands: Sequence[Sequence[str]]) -> str:
            filled = [[word.replace("{shared}", setup.shared) for word in words] for words in commands]
            return " && ".join(shlex.join(tools.command(words)) for words in filled)

        self.build = self.whole_build = shell(table["compile"])
        self.tests_file = None
        if "compile_tests" in table:
            # Tests are compiled before anything reads the completion.
            self.whole_build = shell([table["compile_tests"], *table["compile"]])
            self.tests_file = table["compile_tests"][-1]
        self.kept = KeptObjects()
        self.failed = re.compile(table["failed_test"])
        self.exhausted = re.compile(table["out_of_memory"])
        self.start = f"chmod 700 {BINARY} && exec {shlex.join([f'./{BINARY}', *table.get('arguments', [])])}"
        shared = (*tools.sandbox.read_only, setup.shared)
        self.compiling = replace(tools.sandbox, read_only=shared, env=table.get("environment", {}))
        self.executing = Sandbox(env=table.get("environment", {}), work_mb=64, mode=setup.mode)
        prepared = {name: Path(setup.shared, name).read_text(encoding="utf-8") for name in table.get("extra_files", [])}
        self.extra_files = {name: text.replace("{shared}", setup.shared) for name, text in prepared.items()}
        self.limits = {step: setup.limits(step) for step in ("compile", "execute")}
        self.recorder, self.memory = setup.recorder, setup.memory

    def judge(self, program: Program) -> Verdict:
        """See `Runner`."""
        texts = dict(program.files)
        files = {name: text.encode() for name, text in (self.extra_files | texts).items()}
        tests = texts[self.tests_file] if self.tests_file else ""
        kept = self.kept.get(tests)
        if kept is not None:
            files[_TESTS_OBJECT] = kept
        command = ["sh", "-c", self.whole_build if kept is None else self.build]
        built = self.memory.run(
            self.limits["compile"],
            lambda limits: run(command, sandbox=self.compiling, limits=limits, files=files, collect=_COLLECTED),
        )
        if built.status == "exited" and built.returncode == 0 and BINARY in built.files:
            if self.tests_file and _TESTS_OBJECT in built.files:
                self.kept.keep(tests, built.files[_TESTS_OBJECT])
            refused = _refused(built.files)
            verdict = Verdict(ExecutionStatus.WRONG, refused, 0.0) if refused else self._execute(built.files[BINARY])
            return replace(verdict, compile_seconds=built.cpu_seconds)
        return compiler_at_limit(built, self.recorder) or self._rejected(built)

    def _rejected(self, built: Outcome) -> Verdict:
        """The verdict on a program that the compiler refused."""
        return Verdict(
            ExecutionStatus.COMPILE_ERROR,
            exit_code(built.returncode),
            0.0,
            self.recorder.error_line(built.stderr or built.stdout),
            built.cpu_seconds,
            self.recorder.ending(built),
        )

    def _execute(self, binary: bytes) -> Verdict:
        nonce = new_nonce()
        files, command = {BINARY: binary, "nonce": nonce.encode()}, ["sh", "-c", self.start]
        outcome = self.memory.run(
            self.limits["execute"], lambda limits: run(command, sandbox=self.executing, limits=limits, files=files)
        )
        # The nonce is random and no output of the program.
        shown = replace(outcome, stdout=outcome.stdout.replace(nonce.encode(), b""))
        return at_limit(shown, self.recorder) or self._ended(outcome, shown, nonce)

    def _ended(self, outcome: Outcome, shown: Outcome, nonce: str) -> Verdict:
        """The verdict on a program that ended by itself; `shown` is the outcome without the nonce."""
        status, detail = self._ending(outcome, nonce)
        message = "" if status == ExecutionStatus.PASSED else self.recorder.error_line(outcome.stderr)
        return Verdict(status, detail, outcome.cpu_seconds, message, ending=self.recorder.ending(shown))

    def _ending(self, outcome: Outcome, nonce: str) -> tuple[ExecutionStatus, str]:
        """Status and detail of a program that ended by itself."""
        if outcome.returncode == 0:
            good = outcome.stdout == nonce.encode()
            return (ExecutionStatus.PASSED, "") if good else (ExecutionStatus.WRONG, "ended before its tests did")
        messages = outcome.stderr.decode("utf-8", "replace")
        if self.exhausted.search(messages):
            return ExecutionStatus.MEMORY_LIMIT, exit_code(outcome.returncode)
        failed = self.failed.search(messages)
        return ExecutionStatus.WRONG if failed else ExecutionStatus.RUNTIME_ERROR, exit_code(outcome.returncode)


def _refused(files: Mapping[str, bytes]) -> str:
    """A phrase for what a built program must not have; empty for none."""
    if _TESTS_OBJECT in files:
        # The file is missing if it is too large.
        program = files.get(_PROGRAM_OBJECT)
        if program is None or replaces_in_tests(files[_TESTS_OBJECT], program):
            return FUNCTION_REPLACED
    return forbidden(files[BINARY])
