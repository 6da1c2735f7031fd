"""What a worker process does with programs, and the pool of such processes."""

import contextlib
import hashlib
import multiprocessing
import multiprocessing.util
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from typing import Any

from scripts.compile.build import Build
from scripts.compile.cache import Cache
from scripts.compile.compile_program import Result, compile_source
from scripts.compile.headers import precompile
from scripts.compile.prepare import prepared, refusal
from scripts.lib.code_hash import code_hash
from scripts.lib.files import sha256_text
from scripts.lib.job import InputError
from scripts.lib.sandbox.isolation import IsolationError, close_isolation, isolated
from scripts.lib.sandbox.run import Limits, close_sandboxes
from scripts.lib.schemas.ir import CompileStatus
from scripts.lib.system_calls import die_with_parent

_LIMITED = (CompileStatus.TIMEOUT, CompileStatus.MEMORY_LIMIT)
_UNTRIED = (CompileStatus.REJECTED_SOURCE, CompileStatus.NO_TOOLCHAIN)


class Compiler:
    """Makes outcome rows of source rows: looks them up, compiles what is missing, keeps what came out.

    Without a `build` every row says `no_toolchain`, and `missing` why. `preparation` is the setting `compile.prepare`:
    with `rewrite`, only programs that their frontend refuses as they stand are prepared for it.
    """

    def __init__(
        self, build: Build | None, variants: list[str], cache: Cache, missing: str = "", preparation: str = "rewrite"
    ) -> None:
        self.build = build
        self.variants = variants
        self.cache = cache
        self.missing = missing
        self.preparation = preparation
        self.base = build.key() if build else ""

    def text(self, source: str) -> tuple[str, list[str], Result | None]:
        """The text that is compiled for a program, the rewrites that made it, and how preparation failed if it did."""
        preparation = self.build.frontend.get("prepare")
        if preparation is None:
            return source, [], None
        about = [preparation, self.preparation, code_hash("compile/prepare.py"), str(self.build.limits), source]
        part, key = _part(source), sha256_text("\0".join(["prepared", *about]))
        values = self.cache.get_values(part, key)
        if values is None:
            values = _preparation(source, preparation, self.preparation, self.build.limits)
            self.cache.put_values(part, key, values)
        status, message = values["status"], values["message"]
        failure = Result(CompileStatus(status), diagnostics=message) if status else None
        # A program that preparation leaves as it is takes no room twice.
        return (source if values["text"] is None else values["text"]), values["rewrites"], failure

    def _keys(self, text: str, variant: str) -> tuple[str, str]:
        """Cache keys of a variant's outcome: one for what depends on no limit, one for what does."""
        plain = sha256_text("\0".join([self.base, self.build.command(variant), text]))
        return plain, sha256_text(f"{plain} {self.build.limits}")

    def known(self, text: str, variants: Sequence[str]) -> dict[str, Result]:
        """Kept outcomes of a text by variant."""
        found = {}
        for variant in variants:
            plain, limited = self._keys(text, variant)
            found[variant] = self.cache.get(_part(text), plain) or self.cache.get(_part(text), limited)
        return {variant: result for variant, result in found.items() if result}

    def _outcomes(self, text: str, headers: Mapping[str, str], variants: Sequence[str]) -> dict[str, Result]:
        """Outcomes of a text by variant."""
        known = self.known(text, variants)
        missing = [variant for variant in variants if variant not in known]
        if missing and "alternatives" in self.build.frontend:
            # All variants have the same alternative.
            known, missing = {}, list(variants)
        fresh = compile_source(text, self.build, missing, headers) if missing else {}
        for variant, result in fresh.items():
            self.cache.put(_part(text), self._keys(text, variant)[result.status in _LIMITED], result)
        return known | fresh

    def tasks(self) -> list[list[str]]:
        """The variants, together where one piece of work makes several, or chooses the text for several."""
        together = self.build is None or "prepare" in self.build.frontend
        return [self.variants] if together else self.build.groups(self.variants)

    def _chosen(
        self, source: str, headers: Mapping[str, str], variants: Sequence[str]
    ) -> tuple[dict[str, Result], list[str], str | None]:
        """Outcomes of a program by variant, its rewrites, and the status that it has as it stands if it needed any.

        The first variant decides for all which text is compiled: the program itself, unless only the prepared one
        might be accepted.
        """
        text, rewrites, failure = self.text(source)
        if not (rewrites or failure) or self.preparation != "rewrite":
            found = dict.fromkeys(variants, failure) if failure else self._outcomes(text, headers, variants)
            return found, rewrites, None
        first = self._outcomes(source, headers, self.variants[:1])
        status = first[self.variants[0]].status
        if status == CompileStatus.OK:
            others = [variant for variant in variants if variant not in first]
            return first | self._outcomes(source, headers, others), [], None
        if failure:
            return dict.fromkeys(variants, failure), [], status
        return self._outcomes(text, headers, variants), rewrites, status

    def _explained(self, source: str, result: Result) -> Result:
        """A refusal with a word before the compiler's message, where the program's text says why."""
        word = _refusal(source, self.build) if result.status == CompileStatus.COMPILE_ERROR else ""
        return replace(result, diagnostics=f"{word}: {result.diagnostics}") if word else result

    def rows(self, row: Mapping[str, Any], headers: Mapping[str, str], variants: Sequence[str]) -> list[dict[str, Any]]:
        """The outcome rows of a source row for some variants; `headers` are precompiled headers for it, by variant."""
        rewrites: list[str] = []
        unprepared: str | None = None
        if row["rejected"] is not None:
            results = dict.fromkeys(variants, Result(CompileStatus.REJECTED_SOURCE, diagnostics=row["rejected"]))
        elif self.build is None:
            results = dict.fromkeys(variants, Result(CompileStatus.NO_TOOLCHAIN, diagnostics=self.missing))
        else:
            results, rewrites, unprepared = self._chosen(row["source"], headers, variants)
            results = {variant: self._explained(row["source"], result) for variant, result in results.items()}
        alone = {self.variants[0]: unprepared}
        return [
            self._row(row, variant, results[variant]) | {"rewrites": rewrites, "unprepared": alone.get(variant)}
            for variant in variants
        ]

    def _row(self, row: Mapping[str, Any], variant: str, result: Result) -> dict[str, Any]:
        """One outcome row; compiler and command are named where they were run."""
        toolchain = self.build.toolchain if self.build and result.status not in _UNTRIED else None
        return {
            "id": row["id"],
            "language": row["language"],
            "variant": variant,
            "source_sha256": row["source_sha256"],
            "status": result.status,
            "compiler": toolchain.compiler if toolchain else "",
            "llvm": toolchain.llvm if toolchain else "",
            "command": result.command,
            "seconds": result.seconds,
            "diagnostics": result.diagnostics,
            "ir": result.ir,
            "ir_sha256": sha256_text(result.ir) if result.status == CompileStatus.OK else "",
        }

    def precompile(self, headers: tuple[str, ...], variant: str) -> str | None:
        """Name of a precompiled header for a variant; None where it cannot be made."""
        return precompile(headers, self.build, variant)


def _preparation(source: str, preparation: str, mode: str, limits: Limits) -> dict[str, Any]:
    """What preparation makes of a program: `text`, None for the program itself, `rewrites`, `status` of a failure."""
    values = {"text": None, "rewrites": [], "status": "", "message": ""}
    try:
        text, rewrites = isolated(prepared, source, preparation, mode, limits=limits)
    except IsolationError as error:
        status = CompileStatus.TOOL_CRASH if error.status == "crashed" else CompileStatus(error.status)
        return values | {"status": status, "message": str(error)}
    return values | {"text": None if text == source else text, "rewrites": rewrites}


def _refusal(source: str, build: Build) -> str:
    """`prepare.refusal`, apart; empty where it does not end within the limits."""
    preparation = build.frontend.get("prepare")
    try:
        return isolated(refusal, source, preparation, limits=build.limits) if preparation else ""
    except IsolationError:
        return ""


def _part(text: str) -> str:
    """The part of the cache that a text belongs to, one of sixteen."""
    return hashlib.sha256(text.encode()).hexdigest()[-1]


_compiler: Compiler | None = None


def _start(compiler: Compiler, parent: int) -> None:
    """Make this process a worker that dies with its parent and leaves an interruption to it."""
    global _compiler
    _compiler = compiler
    die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for close in (close_sandboxes, close_isolation):
        multiprocessing.util.Finalize(None, close, exitpriority=0)


def compile_row(row: dict[str, Any], headers: dict[str, str], variants: list[str]) -> list[dict[str, Any]]:
    """A worker's task: the outcome rows of a source row for some variants."""
    return _compiler.rows(row, headers, variants)


def make_header(headers: tuple[str, ...], variant: str) -> str | None:
    """A worker's task: precompile a header."""
    return _compiler.precompile(headers, variant)


@contextlib.contextmanager
def workers(compiler: Compiler, jobs: int) -> Iterator[ProcessPoolExecutor]:
    """A pool of `jobs` worker processes; on an error, or when one was killed, all of them are."""
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("fork"), _start, (compiler, os.getpid()))
    try:
        # All workers are forked at the first task, before the table's reader starts threads.
        pool.submit(os.getpid).result()
        yield pool
        pool.shutdown()
    except BrokenProcessPool as error:
        raise InputError("a worker process was killed; run again, finished programs are kept") from error
    finally:
        for worker in multiprocessing.active_children():
            worker.kill()
        pool.shutdown(wait=False, cancel_futures=True)
