"""The host route: Debian packages, Python packages, the sandbox, a compiler for each language, SLURM."""

import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

from scripts.doctor.finding import Finding
from scripts.lib.failing_frontends import COLUMNS, failing_frontends
from scripts.lib.job import InputError
from scripts.lib.parquet import iter_rows
from scripts.lib.sandbox import run
from scripts.lib.sandbox.toolchain import find_toolchain

SET_UP = "make setup"


def names_in(file: Path) -> list[str]:
    """The entries of a list with `#` comments, one a line."""
    lines = (line.split("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


def output_of(*command: str) -> str:
    """What a command prints, or nothing when it is not there or fails."""
    if shutil.which(command[0]) is None:
        return ""
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return answer.stdout.strip() if answer.returncode == 0 else ""


def debian_packages(file: Path) -> Iterator[Finding]:
    """The packages of an apt list, with the versions that dpkg knows."""
    for name in names_in(file):
        status, _, version = output_of("dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", name).partition(" ")
        good = status == "installed"
        yield Finding(name, good, version if good else "not installed", "" if good else SET_UP)


def python_packages(file: Path) -> Iterator[Finding]:
    """The pinned Python packages: one line for all that are as pinned, one for each that is not."""
    pins = dict(line.split("==") for line in names_in(file))
    found = {name: installed_version(name) for name in pins}
    wrong = {name: version for name, version in found.items() if version.split("+")[0] != pins[name]}
    yield Finding("Python packages", not wrong, f"{len(pins) - len(wrong)} of {len(pins)} as pinned")
    for name, version in wrong.items():
        yield Finding(name, False, f"{version or 'not installed'}, pinned is {pins[name]}", f"rm -r .venv; {SET_UP}")


def installed_version(name: str) -> str:
    """The version of a Python package in this environment; empty without it."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def sandbox_works() -> Finding:
    """Whether programs can be run in bubblewrap here."""
    try:
        run.probe()
    except InputError as error:
        return Finding("sandbox", False, "does not work", str(error))
    return Finding("sandbox", True, output_of("bwrap", "--version"))


def compilers(languages: dict[str, Any], wanted: Iterable[str]) -> Iterator[Finding]:
    """For each language of the table: the compiler that a run here would use, and the LLVM whose IR it writes.

    Those of the default configuration, `wanted`, are needed.
    """
    for language, entry in languages.items():
        needed = language in wanted
        try:
            chain = find_toolchain(language, entry, run.Sandbox())
        except InputError as error:
            yield Finding(language, False, "no compiler", str(error), needed)
        else:
            yield Finding(language, True, f"{chain.compiler} (LLVM {chain.llvm or 'unknown'})", needed=needed)


def earlier_runs(results: Path) -> Iterator[Finding]:
    """For the compiled shards below a results folder, the frontends of which nothing compiled."""
    tables = sorted(results.glob("ir/*/*.parquet"))
    lines = failing_frontends(iter_rows(table, COLUMNS) for table in tables)
    for line in lines:
        what, _, there = line.partition(": ")
        yield Finding(what, False, there, "see the shard's log below logs/compile", needed=True)
    if tables and not lines:
        yield Finding(
            "compiled shards", True, f"{len(tables)}, each frontend compiled some of its programs", needed=False
        )


def cluster() -> Finding:
    """The SLURM that this machine can send jobs to."""
    version = re.sub(r"^slurm[-a-z]* ", "", output_of("sinfo", "--version"))
    if version and output_of("sinfo", "--noheader"):
        return Finding("SLURM", True, version, needed=False)
    there = f"{version} installed, no cluster answers" if version else "none"
    return Finding("SLURM", False, there, "only for profiles/slurm: run where sbatch works", needed=False)
