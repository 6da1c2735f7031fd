"""The tools of a table entry on this machine: their paths and versions, and a sandbox that contains
them.
"""

import os
import re
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from scripts.lib.job import InputError
from scripts.lib.sandbox.bubblewrap import ClosedPathError
from scripts.lib.sandbox.run import Limits, Sandbox, run

_VERSION_LIMITS = Limits(wall_seconds=60, cpu_seconds=30, memory_mb=2000)
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Tool:
    """An executable: its path outside and inside the sandbox, its version, and the LLVM version
    that it reports.
    """

    outside: str
    inside: str
    version: str
    llvm: str


@dataclass(frozen=True)
class Toolchain:
    """A frontend of the table whose tools all work; its commands' placeholders name `tools` and
    `paths`.
    """

    frontend: Mapping[str, Any]
    tools: dict[str, Tool]
    paths: Mapping[str, str]
    sandbox: Sandbox

    @property
    def compiler(self) -> str:
        """Names and versions of all tools, such as `nim 1.6.10, clang 19.1.7`."""
        return ", ".join(f"{name} {tool.version}" for name, tool in self.tools.items())

    @property
    def llvm(self) -> str:
        """The LLVM version of the last tool that reports one; empty if none does."""
        return next((tool.llvm for tool in reversed(self.tools.values()) if tool.llvm), "")

    def command(self, template: list[str]) -> list[str]:
        """A command of the table with the placeholders for tools and paths filled in."""
        first = self.tools[template[0]]
        program = first.inside if self.sandbox.mode != "off" else first.outside
        return [program, *(_PLACEHOLDER.sub(lambda match: self.paths[match[1]], word) for word in template[1:])]


def candidates(programs: list[str]) -> Iterator[str]:
    """Paths at which one of some programs may be installed, in order of preference.

    The order of folders on PATH takes precedence over the order of names, so that an activated
    environment wins over the system. A name with a slash is a file of this Python's installed
    packages.
    """
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        yield from (str(Path(folder, name)) for name in programs if "/" not in name)
    yield from (str(Path(sysconfig.get_path("purelib"), name)) for name in programs if "/" in name)


def location(program: str) -> Path:
    """A program's path with the links of its folder resolved; a link in `/usr` that points out of
    it is resolved too.

    Other programs keep their name, because the behaviour of some depends on it.
    """
    path = Path(program).parent.resolve() / Path(program).name
    leaves_usr = path.is_relative_to("/usr") and not path.resolve().is_relative_to("/usr")
    return path.resolve() if leaves_usr else path


def prefix_of(program: str) -> Path:
    """The folder in which a program's package is installed: the one that holds its `bin`."""
    return location(program).parent.parent


def _is_private(prefix: Path) -> bool:
    """Whether a prefix is the home folder, a folder above it, or a hidden folder in it, which no
    sandbox may see.
    """
    home = Path.home()
    return prefix == home or home.is_relative_to(prefix) or (prefix.parent == home and prefix.name.startswith("."))


def _mounted(name: str, program: str, sandbox: Sandbox) -> tuple[str, Sandbox]:
    """Path of a program in the sandbox, and a sandbox that contains it.

    A prefix outside `/usr` is mounted at `/opt/{name}`, so that no path of this machine gets into
    the output; a conda environment, whose programs contain its path, is also mounted at its own
    path.
    """
    prefix = prefix_of(program)
    if prefix.is_relative_to("/usr"):
        return str(location(program)), sandbox
    target = f"/opt/{name}"
    conda = (str(prefix),) if Path(prefix, "conda-meta").is_dir() else ()
    inside = str(Path(target) / location(program).relative_to(prefix))
    sandbox = replace(sandbox, binds={**sandbox.binds, target: str(prefix)}, read_only=(*sandbox.read_only, *conda))
    return inside, sandbox


def _version(text: str, pattern: str) -> str:
    """The match of the first group of `pattern` in a version command's output; empty without a
    match.
    """
    match = re.search(pattern, text)
    return match[1] if match else ""


def _find_tool(name: str, entry: Mapping[str, Any], sandbox: Sandbox) -> tuple[Tool | None, Sandbox, list[str]]:
    """The first candidate of a tool that runs in the sandbox, and the reasons why others did not."""
    reasons = []
    for program in candidates(entry["programs"]):
        if not os.access(program, os.X_OK) or Path(program).is_dir():
            continue
        if _is_private(prefix_of(program)):
            reasons.append(f"{program} lies in a home folder, which a sandbox may not see")
            continue
        inside, candidate = _mounted(name, program, sandbox)
        command = [inside if sandbox.mode != "off" else program, *entry["version"]]
        try:
            outcome = run(command, sandbox=candidate, limits=_VERSION_LIMITS)
        except ClosedPathError as error:
            reasons.append(str(error))
            continue
        text = (outcome.stdout + outcome.stderr).decode("utf-8", "replace")
        version = _version(text, entry["pattern"])
        if outcome.returncode == 0 and version:
            if entry.get("on_path"):
                candidate = replace(candidate, path=(*candidate.path, str(Path(command[0]).parent)))
            return Tool(program, inside, version, _version(text, entry.get("llvm", "(?!)"))), candidate, reasons
        first_line = next(iter(text.strip().splitlines()), outcome.status)
        reasons.append(f"{program} does not work in the sandbox: {first_line}")
    return None, sandbox, reasons


def _find_path(patterns: list[str], tools: Mapping[str, Tool], sandboxed: bool) -> str | None:
    """The first existing path among patterns with wild cards, as the sandbox sees it; None if there
    is none.
    """
    for tool in tools.values():
        outside, inside = prefix_of(tool.outside), Path(tool.inside).parent.parent
        for pattern in patterns:
            for path in sorted(map(str, Path("/").glob(pattern.replace("{prefix}", str(outside)).lstrip("/")))):
                moved = sandboxed and Path(path).is_relative_to(outside) and not outside.is_relative_to("/usr")
                return str(inside / Path(path).relative_to(outside)) if moved else path
    return None


def _resolve(frontend: Mapping[str, Any], sandbox: Sandbox) -> Toolchain | list[str]:
    """The toolchain of a frontend, or the reasons why it cannot be used here."""
    sandbox = replace(sandbox, read_only=(*sandbox.read_only, *frontend.get("mounts", [])))
    tools: dict[str, Tool] = {}
    for name, entry in frontend["tools"].items():
        tool, sandbox, reasons = _find_tool(name, entry, sandbox)
        if tool is None:
            return [*reasons, f"none of {', '.join(entry['programs'])} is installed and works"]
        tools[name] = tool
    paths = {}
    for name, patterns in frontend.get("paths", {}).items():
        path = _find_path(patterns, tools, sandbox.mode != "off")
        if path is None:
            return [f"none of {', '.join(patterns)} exists"]
        paths[name] = path
    return Toolchain(frontend, tools, paths, sandbox)


def find_toolchain(language: str, entry: Mapping[str, Any], sandbox: Sandbox) -> Toolchain:
    """The first frontend in a language's table entry that works in `sandbox` on this machine.

    Raise `InputError` with the reasons and the packages to install when there is none.
    """
    reasons: list[str] = []
    for frontend in entry["frontends"]:
        result = _resolve(frontend, sandbox)
        if isinstance(result, Toolchain):
            return result
        reasons.append(f"{frontend['name']}: {'; '.join(result)}")
    packages = f"apt-get install {' '.join(entry['apt'])}, or " if entry.get("apt") else ""
    remedy = f"{packages}let Snakemake create envs/{entry['env']}.yaml (--sdm conda)"
    raise InputError(f"no working tools for {language} ({' | '.join(reasons)}); {remedy}")
