"""The tools of a table entry on this machine: which are there, of which versions, and a sandbox that has them."""

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
_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Tool:
    """An executable: its path outside, its path in the sandbox, the first line that names its version, its LLVM."""

    outside: str
    inside: str
    version: str
    llvm: str


@dataclass(frozen=True)
class Toolchain:
    """A frontend of the table whose tools all work: `tools` and `places` are what its commands' placeholders mean."""

    frontend: Mapping[str, Any]
    tools: Mapping[str, Tool]
    places: Mapping[str, str]
    sandbox: Sandbox

    @property
    def compiler(self) -> str:
        """Names and versions of all tools, such as `nim 1.6.10, clang 19.1.7`."""
        return ", ".join(f"{name} {tool.version}" for name, tool in self.tools.items())

    @property
    def llvm(self) -> str:
        """The LLVM version of the last tool that tells one; empty when none does."""
        return next((tool.llvm for tool in reversed(self.tools.values()) if tool.llvm), "")

    def command(self, template: list[str]) -> list[str]:
        """A command of the table with tools and places filled in."""
        first = self.tools[template[0]]
        program = first.inside if self.sandbox.mode != "off" else first.outside
        return [program, *(_PLACE.sub(lambda match: self.places[match[1]], word) for word in template[1:])]


def candidates(programs: list[str]) -> Iterator[str]:
    """Paths at which one of some programs may lie, the likeliest first.

    On PATH the folder decides before the name, so that an activated environment wins over the system. A name with a
    slash is a file among this Python's packages.
    """
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        yield from (str(Path(folder, name)) for name in programs if "/" not in name)
    yield from (str(Path(sysconfig.get_path("purelib"), name)) for name in programs if "/" in name)


def location(program: str) -> Path:
    """A program's path with the links of its folder resolved, and its own too where it only points out of `/usr`.

    Otherwise its name stays, because some programs do what their name says.
    """
    here = Path(program).parent.resolve() / Path(program).name
    outward = here.is_relative_to("/usr") and not here.resolve().is_relative_to("/usr")
    return here.resolve() if outward else here


def prefix_of(program: str) -> Path:
    """The folder in which a program's package is installed: the one that holds its `bin`."""
    return location(program).parent.parent


def _is_private(prefix: Path) -> bool:
    """Whether a prefix is a home folder or a hidden folder in one, which no sandbox may see."""
    home = Path.home()
    return prefix == home or home.is_relative_to(prefix) or (prefix.parent == home and prefix.name.startswith("."))


def _mounted(name: str, program: str, sandbox: Sandbox) -> tuple[str, Sandbox]:
    """Path of a program in the sandbox, and the sandbox that has it.

    What lies outside `/usr` is mounted at a path of its own, so that no path of this machine gets into what it makes;
    a conda environment, whose programs know its path, is mounted there as well.
    """
    prefix = prefix_of(program)
    if prefix.is_relative_to("/usr"):
        return str(location(program)), sandbox
    place = f"/opt/{name}"
    known = (str(prefix),) if Path(prefix, "conda-meta").is_dir() else ()
    inside = str(Path(place) / location(program).relative_to(prefix))
    sandbox = replace(sandbox, placed={**sandbox.placed, place: str(prefix)}, read_only=(*sandbox.read_only, *known))
    return inside, sandbox


def _version(text: str, pattern: str) -> str:
    """What the first group of `pattern` matches in a version command's output; empty when it matches nothing."""
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
        inside, tried = _mounted(name, program, sandbox)
        command = [inside if sandbox.mode != "off" else program, *entry["version"]]
        try:
            outcome = run(command, sandbox=tried, limits=_VERSION_LIMITS)
        except ClosedPathError as error:
            reasons.append(str(error))
            continue
        text = (outcome.stdout + outcome.stderr).decode("utf-8", "replace")
        version = _version(text, entry["pattern"])
        if outcome.returncode == 0 and version:
            if entry.get("on_path"):
                tried = replace(tried, path=(*tried.path, str(Path(command[0]).parent)))
            return Tool(program, inside, version, _version(text, entry.get("llvm", "(?!)"))), tried, reasons
        first = next(iter(text.strip().splitlines()), outcome.status)
        reasons.append(f"{program} does not work in the sandbox: {first}")
    return None, sandbox, reasons


def _find_place(patterns: list[str], tools: Mapping[str, Tool], sandboxed: bool) -> str | None:
    """The first existing path among patterns with wild cards, as the sandbox sees it; None when there is none."""
    for tool in tools.values():
        outside, inside = prefix_of(tool.outside), Path(tool.inside).parent.parent
        for pattern in patterns:
            for found in sorted(map(str, Path("/").glob(pattern.replace("{prefix}", str(outside)).lstrip("/")))):
                below = sandboxed and Path(found).is_relative_to(outside) and not outside.is_relative_to("/usr")
                return str(inside / Path(found).relative_to(outside)) if below else found
    return None


def _resolve(frontend: Mapping[str, Any], sandbox: Sandbox) -> Toolchain | list[str]:
    """A frontend with everything that it needs, or the reasons why it cannot be used here."""
    sandbox = replace(sandbox, read_only=(*sandbox.read_only, *frontend.get("mounts", [])))
    tools: dict[str, Tool] = {}
    for name, entry in frontend["tools"].items():
        tool, sandbox, reasons = _find_tool(name, entry, sandbox)
        if tool is None:
            return [*reasons, f"none of {', '.join(entry['programs'])} was found that works"]
        tools[name] = tool
    places = {}
    for name, patterns in frontend.get("places", {}).items():
        found = _find_place(patterns, tools, sandbox.mode != "off")
        if found is None:
            return [f"none of {', '.join(patterns)} exists"]
        places[name] = found
    return Toolchain(frontend, tools, places, sandbox)


def find_toolchain(language: str, entry: Mapping[str, Any], sandbox: Sandbox) -> Toolchain:
    """The first frontend in a language's table entry that works in `sandbox` on this machine.

    Raise `InputError` with the reasons and the packages to install when there is none.
    """
    reasons: list[str] = []
    for frontend in entry["frontends"]:
        found = _resolve(frontend, sandbox)
        if isinstance(found, Toolchain):
            return found
        reasons.append(f"{frontend['name']}: {'; '.join(found)}")
    packages = f"apt-get install {' '.join(entry['apt'])}, or " if entry.get("apt") else ""
    remedy = f"{packages}let Snakemake make envs/{entry['env']}.yaml (--sdm conda)"
    raise InputError(f"no working tools for {language} ({' | '.join(reasons)}); {remedy}")
