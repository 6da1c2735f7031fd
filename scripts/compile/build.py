"""How a language's programs are compiled in this run: commands from its table entry and the
settings.
"""

import hashlib
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from scripts.lib.code_hash import SCRIPTS, code_hash
from scripts.lib.llvm import READER
from scripts.lib.sandbox.init import FILE_TIME
from scripts.lib.sandbox.run import Limits, Sandbox, probe
from scripts.lib.sandbox.toolchain import Toolchain, find_toolchain

# The folder of precompiled headers inside the sandbox, the same on every machine.
HEADERS = "/opt/headers"
_FLAGS = "{flags}"
_HEADER = "{header}"
_ALTERNATIVE = "{alternative}"
_ENVIRONMENT = {
    # Large pages for the allocator save large compilers up to a tenth of their CPU time in page
    # faults.
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
    # A constant date and time of compilation, which compilers may write into their output.
    "SOURCE_DATE_EPOCH": str(FILE_TIME),
}
_SIZE_PIPELINE = "opt -O2 (with minsize on every function)"


@dataclass(frozen=True)
class Build:
    """The commands of a language, with all that they depend on.

    steps: each has `run`, a command template, and optionally `keep`, patterns of the files that the
    next step needs, `choose`, which of those files the step gets, `drop_attributes`, by variant,
    and its own `flags`.
    flags: flags by variant.
    parts: what is normalised in the IR (the true entries of the setting `compile.normalise`).
    shrunk: the variants on whose IR LLVM's pipeline for size is run.
    extra_files: files that are written next to each program.
    precompiled: has `run`, the command template that precompiles a header, and `min_programs`, the
    minimum number of programs for which one is made; empty if the frontend has none. headers: the
    folder of the precompiled headers.
    alternative: the table's entry of the alternative whose flags replace `{alternative}`; empty
    without alternatives.
    """

    toolchain: Toolchain
    steps: tuple[Mapping[str, Any], ...]
    flags: Mapping[str, list[str]]
    limits: Limits
    parts: tuple[str, ...]
    shrunk: frozenset[str] = frozenset()
    extra_files: Mapping[str, bytes] = field(default_factory=dict)
    precompiled: Mapping[str, Any] = field(default_factory=dict)
    headers: Path | None = None
    alternative: Mapping[str, Any] = field(default_factory=dict)

    @property
    def alternatives(self) -> list["Build"]:
        """A build for each alternative of the frontend, in the order in which they are tried;
        itself without any.
        """
        return [replace(self, alternative=each) for each in self.frontend.get("alternatives", [self.alternative])]

    @property
    def frontend(self) -> Mapping[str, Any]:
        """The table's entry of the frontend."""
        return self.toolchain.frontend

    @property
    def output(self) -> str:
        """Name of the file with the IR."""
        return self.frontend["output"]

    def expanded(self, step: Mapping[str, Any], variant: str, header: str | None = None) -> list[str]:
        """A step's command template with the variant's flags and, if `header` names one, its
        precompiled header.
        """
        header_flags = ["-include-pch", f"{self.headers_inside}/{header}"] if header else []
        flags = step.get("flags", self.flags)[variant]
        placeholders = {_FLAGS: flags, _HEADER: header_flags, _ALTERNATIVE: self.alternative.get("flags", [])}
        return [part for word in step["run"] for part in placeholders.get(word, [word])]

    @property
    def headers_inside(self) -> str:
        """The folder of precompiled headers as compilers see it."""
        return str(self.headers) if self.toolchain.sandbox.mode == "off" else HEADERS

    def groups(self, variants: Sequence[str]) -> list[list[str]]:
        """The variants in groups that share their first command or the choice of an alternative, in
        the same order.
        """
        if "alternatives" in self.frontend:
            return [list(variants)]
        shared = groupby(variants, lambda variant: self.expanded(self.steps[0], variant))
        return [list(group) for _, group in shared]

    def command(self, variant: str) -> str:
        """The commands of a variant, with placeholders where machines differ, and the added pragma
        at the end.
        """
        commands = [shlex.join(self.expanded(step, variant)) for step in self.steps]
        pragma = [f"(with {self.alternative['pragma']})"] if "pragma" in self.alternative else []
        return " ".join([" && ".join([*commands, *([_SIZE_PIPELINE] if variant in self.shrunk else [])]), *pragma])

    def key(self) -> str:
        """Everything that an outcome depends on, besides program, command and limits, as JSON."""
        extra_files = {name: hashlib.sha256(content).hexdigest() for name, content in self.extra_files.items()}
        edits = [[step.get(name) for name in ("drop_attributes", "choose", "alone")] for step in self.steps]
        compiler = [self.frontend["name"], self.toolchain.compiler, self.toolchain.llvm]
        reader = [READER, code_hash("lib/llvm.py", "compile/compile_time.py"), self.frontend.get("compile_time")]
        alternatives = self.frontend.get("alternatives", [])
        rest = [
            list(self.parts),
            extra_files,
            edits,
            self.output,
            self.toolchain.sandbox.mode,
            alternatives,
            _ENVIRONMENT,
        ]
        return json.dumps(compiler + reader + rest, sort_keys=True)


def with_headers(build: Build, folder: Path) -> Build:
    """A build whose compilers can also read a folder of precompiled headers."""
    sandbox = build.toolchain.sandbox
    binds = {**sandbox.binds, HEADERS: str(folder)}
    return replace(build, toolchain=replace(build.toolchain, sandbox=replace(sandbox, binds=binds)), headers=folder)


def _limits(entry: Mapping[str, Any], settings: Mapping[str, Any]) -> Limits:
    """The limits of one command of a language."""
    general, factor = settings["limits"], entry.get("limits", {}).get("seconds_factor", 1)
    seconds = {name: general[name] * factor for name in ("wall_seconds", "cpu_seconds")}
    return Limits(**seconds, **{name: general[name] for name in ("memory_mb", "file_mb", "processes")})


def make_build(language: str, entry: Mapping[str, Any], settings: Mapping[str, Any]) -> Build:
    """The build of a language by its table entry and the `compile` settings; raise `InputError`
    without a toolchain.
    """
    mode = "off" if settings["sandbox"] in (False, "off") else "bubblewrap"
    probe(mode)
    sandbox = Sandbox(mode=mode, work_mb=settings["limits"]["work_mb"], env=_ENVIRONMENT)
    toolchain = find_toolchain(language, entry, sandbox)
    frontend = toolchain.frontend
    plan = {**frontend, **(frontend.get("shared_frontend", {}) if settings["shared_frontend"] else {})}
    flags: Mapping[str, list[str]] = plan["flags"]
    shrunk: frozenset[str] = frozenset()
    if settings["size_build"] in (True, "true") and "size_opt_flags" in frontend:
        flags, shrunk = {**flags, "size": frontend["size_opt_flags"]}, frozenset({"size"})
    build = Build(
        toolchain,
        tuple(plan["steps"]),
        flags,
        _limits(entry, settings),
        tuple(part for part, wanted in sorted(settings["normalise"].items()) if wanted),
        shrunk,
        {name: Path(SCRIPTS.parent, path).read_bytes() for name, path in frontend.get("extra_files", {}).items()},
        plan.get("precompiled", {}),
    )
    return build.alternatives[0]
