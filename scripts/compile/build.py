"""How a language's programs are compiled in this run: its table entry and the settings, made into commands."""

import hashlib
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import Any

from scripts.lib.code import SCRIPTS, code_hash
from scripts.lib.llvm import READER
from scripts.lib.sandbox import Limits, Sandbox, probe
from scripts.lib.toolchain import Toolchain, find_toolchain

# Where precompiled headers stand inside the sandbox, whatever machine it is on.
HEADERS = "/opt/headers"
_FLAGS = "{flags}"
_HEADER = "{header}"
# The allocator's memory in large pages: up to a tenth less CPU time, on the page faults of large compilers.
_ENVIRONMENT = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
_SIZE_PIPELINE = "opt -O2 (with minsize on every function)"


@dataclass(frozen=True)
class Build:
    """The commands of a language and what goes with them.

    `steps` have `run`, a command template, and maybe `keep`, patterns of the files that go on, and `drop_attributes`,
    by variant. `flags` are by variant; `shrunk` are the variants on whose IR LLVM's pipeline for size is run.
    `support` files lie beside each program. `precompiled` has `run`, the command template that makes a precompiled
    header, and `fewest`, the number of programs that are worth one; `headers` is the folder of those.
    """

    toolchain: Toolchain
    steps: tuple[Mapping[str, Any], ...]
    flags: Mapping[str, list[str]]
    limits: Limits
    parts: tuple[str, ...]
    shrunk: frozenset[str] = frozenset()
    support: Mapping[str, bytes] = field(default_factory=dict)
    precompiled: Mapping[str, Any] = field(default_factory=dict)
    headers: Path | None = None

    @property
    def frontend(self) -> Mapping[str, Any]:
        """The table's entry of the frontend."""
        return self.toolchain.frontend

    @property
    def output(self) -> str:
        """Name of the file with the IR."""
        return self.frontend["output"]

    def expanded(self, words: list[str] | tuple[str, ...], variant: str, header: str | None = None) -> list[str]:
        """A command template with the variant's flags and, where one is named, its precompiled header."""
        use = ["-include-pch", f"{self.headers_inside}/{header}"] if header else []
        meaning = {_FLAGS: self.flags[variant], _HEADER: use}
        return [part for word in words for part in meaning.get(word, [word])]

    @property
    def headers_inside(self) -> str:
        """The folder of precompiled headers as compilers see it."""
        return str(self.headers) if self.toolchain.sandbox.mode == "off" else HEADERS

    def groups(self, variants: Sequence[str]) -> list[list[str]]:
        """Variants that share their first command together, the others each by itself, in the given order."""
        shared = groupby(variants, lambda variant: self.expanded(self.steps[0]["run"], variant))
        return [list(group) for _, group in shared]

    def command(self, variant: str) -> str:
        """What is run for a variant, with placeholders where machines differ."""
        commands = [shlex.join(self.expanded(step["run"], variant)) for step in self.steps]
        return " && ".join([*commands, *([_SIZE_PIPELINE] if variant in self.shrunk else [])])

    def key(self) -> str:
        """Everything that an outcome depends on beside program, command and limits."""
        support = {name: hashlib.sha256(content).hexdigest() for name, content in self.support.items()}
        edits = [step.get("drop_attributes") for step in self.steps]
        compiler = [self.frontend["name"], self.toolchain.compiler, self.toolchain.llvm]
        reader = [READER, code_hash("lib/llvm.py")]
        rest = [list(self.parts), support, edits, self.output, self.toolchain.sandbox.mode]
        return json.dumps(compiler + reader + rest, sort_keys=True)


def with_headers(build: Build, folder: Path) -> Build:
    """A build whose compilers also see a folder of precompiled headers."""
    sandbox = build.toolchain.sandbox
    placed = {**sandbox.placed, HEADERS: str(folder)}
    return replace(build, toolchain=replace(build.toolchain, sandbox=replace(sandbox, placed=placed)), headers=folder)


def _limits(entry: Mapping[str, Any], settings: Mapping[str, Any]) -> Limits:
    """The limits of one command of a language."""
    general, factor = settings["limits"], entry.get("limits", {}).get("seconds_factor", 1)
    seconds = {name: general[name] * factor for name in ("wall_seconds", "cpu_seconds")}
    return Limits(**seconds, **{name: general[name] for name in ("memory_mb", "file_mb", "processes")})


def make_build(language: str, entry: Mapping[str, Any], settings: Mapping[str, Any]) -> Build:
    """The build of a language by its table entry and the `compile` settings; raise `InputError` without a toolchain."""
    mode = "off" if settings["sandbox"] in (False, "off") else "bubblewrap"
    probe(mode)
    sandbox = Sandbox(mode=mode, work_mb=settings["limits"]["work_mb"], env=_ENVIRONMENT)
    toolchain = find_toolchain(language, entry, sandbox)
    frontend = toolchain.frontend
    plan = {**frontend, **(frontend.get("shared_frontend", {}) if settings["shared_frontend"] else {})}
    flags, shrunk = plan["flags"], frozenset()
    if settings["size_build"] in (True, "true") and "true_size" in frontend:
        flags, shrunk = {**flags, "size": frontend["true_size"]}, frozenset({"size"})
    return Build(
        toolchain,
        tuple(plan["steps"]),
        flags,
        _limits(entry, settings),
        tuple(part for part, wanted in sorted(settings["normalise"].items()) if wanted),
        shrunk,
        {name: Path(SCRIPTS.parent, path).read_bytes() for name, path in frontend.get("support", {}).items()},
        plan.get("precompiled", {}),
    )
