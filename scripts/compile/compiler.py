"""Makes the outcome rows of source rows: with a language's compiler, or without one."""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import astuple, replace
from typing import Any

from scripts.compile.build import Build
from scripts.compile.cache import Cache
from scripts.compile.compile_program import Result, compile_source
from scripts.compile.headers import precompile
from scripts.compile.prepare import prepared, refusal
from scripts.lib.code_hash import code_hash
from scripts.lib.files import sha256_text
from scripts.lib.sandbox.isolation import IsolationError, isolated
from scripts.lib.sandbox.run import Limits
from scripts.lib.sandbox.toolchain import Toolchain
from scripts.lib.schemas.ir import CompileStatus

# Outcomes that depend on the limits of a command.
_LIMITED = (CompileStatus.TIMEOUT, CompileStatus.MEMORY_LIMIT)


class RowMaker(ABC):
    """Makes outcome rows of source rows for some variants."""

    def __init__(self, variants: list[str]) -> None:
        self.variants = variants

    @abstractmethod
    def tasks(self) -> list[list[str]]:
        """The variants in groups; one call of `rows` handles a group of one program."""

    @abstractmethod
    def rows(self, row: Mapping[str, Any], headers: Mapping[str, str], variants: Sequence[str]) -> list[dict[str, Any]]:
        """The outcome rows of a source row for some variants.

        headers: names of precompiled headers for the program, by variant.
        """


class MissingCompiler(RowMaker):
    """Records `no_toolchain` for every program, with the reason `missing`."""

    def __init__(self, variants: list[str], missing: str) -> None:
        super().__init__(variants)
        self.missing = missing

    def tasks(self) -> list[list[str]]:
        """All variants at once."""
        return [self.variants]

    def rows(self, row: Mapping[str, Any], headers: Mapping[str, str], variants: Sequence[str]) -> list[dict[str, Any]]:
        """Rows without a module; see `RowMaker.rows`."""
        result = Result(CompileStatus.NO_TOOLCHAIN, diagnostics=self.missing)
        return [_rejected(row, variant) or outcome_row(row, variant, result) for variant in variants]


class Compiler(RowMaker):
    """Looks outcomes up, compiles what is missing, and caches the results.

    preparation: the setting `compile.prepare`; with `rewrite`, only programs that their frontend
    refuses unchanged are prepared for it.
    """

    def __init__(self, build: Build, variants: list[str], cache: Cache, preparation: str = "rewrite") -> None:
        super().__init__(variants)
        self.build = build
        self.cache = cache
        self.preparation = preparation
        self.build_key = build.key()
        self.limits_key = json.dumps(astuple(build.limits))

    def text(self, source: str) -> tuple[str, list[str], Result | None]:
        """The text that is compiled for a program, its rewrites, and the failure of the
        preparation, if any.
        """
        preparation = self.build.frontend.get("prepare")
        if preparation is None:
            return source, [], None
        inputs = [preparation, self.preparation, code_hash("compile/prepare.py"), self.limits_key, source]
        part, key = _part(source), sha256_text("\0".join(["prepared", *inputs]))
        values = self.cache.get_values(part, key)
        if values is None:
            values = _preparation(source, preparation, self.preparation, self.build.limits)
            self.cache.put_values(part, key, values)
        status, message = values["status"], values["message"]
        failure = Result(CompileStatus(status), diagnostics=message) if status else None
        # The text of a program that preparation does not change is not cached a second time.
        return (source if values["text"] is None else values["text"]), values["rewrites"], failure

    def _keys(self, text: str, variant: str) -> tuple[str, str]:
        """Cache keys of a variant's outcome: without the limits, and with them, for outcomes that
        depend on them.
        """
        key = sha256_text("\0".join([self.build_key, self.build.command(variant), text]))
        return key, sha256_text(f"{key} {self.limits_key}")

    def known(self, text: str, variants: Sequence[str]) -> dict[str, Result]:
        """Cached outcomes of a text by variant."""
        results = {}
        for variant in variants:
            key, limited_key = self._keys(text, variant)
            result = self.cache.get(_part(text), key) or self.cache.get(_part(text), limited_key)
            if result:
                results[variant] = result
        return results

    def _outcomes(self, text: str, headers: Mapping[str, str], variants: Sequence[str]) -> dict[str, Result]:
        """Outcomes of a text by variant."""
        known = self.known(text, variants)
        missing = [variant for variant in variants if variant not in known]
        if missing and "alternatives" in self.build.frontend:
            # All variants must use the same alternative.
            known, missing = {}, list(variants)
        compiled = compile_source(text, self.build, missing, headers) if missing else {}
        for variant, result in compiled.items():
            self.cache.put(_part(text), self._keys(text, variant)[result.status in _LIMITED], result)
        return known | compiled

    def tasks(self) -> list[list[str]]:
        """The variants, in one group if they share a compilation step or the choice of the text."""
        return [self.variants] if "prepare" in self.build.frontend else self.build.groups(self.variants)

    def _results(
        self, source: str, headers: Mapping[str, str], variants: Sequence[str]
    ) -> tuple[dict[str, Result], list[str], str | None]:
        """Outcomes of a program by variant, its rewrites, and the status of the unchanged program
        if it was prepared.

        The first variant decides for all which text is compiled: the program itself, or the
        prepared one if the frontend refuses the program.
        """
        text, rewrites, failure = self.text(source)
        if not (rewrites or failure) or self.preparation != "rewrite":
            results = dict.fromkeys(variants, failure) if failure else self._outcomes(text, headers, variants)
            return results, rewrites, None
        first = self._outcomes(source, headers, self.variants[:1])
        status = first[self.variants[0]].status
        if status == CompileStatus.OK:
            others = [variant for variant in variants if variant not in first]
            return first | self._outcomes(source, headers, others), [], None
        if failure:
            return dict.fromkeys(variants, failure), [], status
        return self._outcomes(text, headers, variants), rewrites, status

    def _explained(self, source: str, result: Result) -> Result:
        """A result whose message begins with the reason for the refusal, if the program's text
        shows one.
        """
        reason = _refusal(source, self.build) if result.status == CompileStatus.COMPILE_ERROR else ""
        return replace(result, diagnostics=f"{reason}: {result.diagnostics}") if reason else result

    def rows(self, row: Mapping[str, Any], headers: Mapping[str, str], variants: Sequence[str]) -> list[dict[str, Any]]:
        """The outcome rows of a source row; see `RowMaker.rows`."""
        if row["rejected"] is not None:
            return [_rejected(row, variant) for variant in variants]
        results, rewrites, unprepared = self._results(row["source"], headers, variants)
        explained = {variant: self._explained(row["source"], result) for variant, result in results.items()}
        first_only = {self.variants[0]: unprepared}
        return [
            outcome_row(row, variant, explained[variant], self.build.toolchain)
            | {"rewrites": rewrites, "unprepared": first_only.get(variant)}
            for variant in variants
        ]

    def precompile(self, headers: tuple[str, ...], variant: str) -> str | None:
        """Name of a precompiled header for a variant; None if it cannot be made."""
        return precompile(headers, self.build, variant)


def outcome_row(
    row: Mapping[str, Any], variant: str, result: Result, toolchain: Toolchain | None = None
) -> dict[str, Any]:
    """One outcome row without rewrites; `toolchain` is None if no compiler was run."""
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
        "rewrites": [],
        "unprepared": None,
    }


def _rejected(row: Mapping[str, Any], variant: str) -> dict[str, Any]:
    """The outcome row of a source that the sources stage rejected; empty for any other."""
    rejected = row["rejected"]
    return (
        {}
        if rejected is None
        else outcome_row(row, variant, Result(CompileStatus.REJECTED_SOURCE, diagnostics=rejected))
    )


def _preparation(source: str, preparation: str, mode: str, limits: Limits) -> dict[str, Any]:
    """The result of preparing a program, as JSON values for the cache.

    `text` is None if the program does not change; `status` and `message` are those of a failure, or
    empty.
    """
    values: dict[str, Any] = {"text": None, "rewrites": [], "status": "", "message": ""}
    try:
        text, rewrites = isolated(prepared, source, preparation, mode, limits=limits)
    except IsolationError as error:
        status = CompileStatus.TOOL_CRASH if error.status == "crashed" else CompileStatus(error.status)
        return values | {"status": status, "message": str(error)}
    return values | {"text": None if text == source else text, "rewrites": rewrites}


def _refusal(source: str, build: Build) -> str:
    """`prepare.refusal` in the isolated process; empty if it exceeds the limits."""
    preparation = build.frontend.get("prepare")
    if not preparation:
        return ""
    try:
        return str(isolated(refusal, source, preparation, limits=build.limits))
    except IsolationError:
        return ""


def _part(text: str) -> str:
    """The part of the cache that a text belongs to, one of sixteen."""
    return hashlib.sha256(text.encode()).hexdigest()[-1]
