"""The host route: Debian packages, Python packages, the sandbox, a compiler for each language,
SLURM.
"""

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

SETUP = "make setup"


def names_in(file: Path) -> list[str]:
    """The entries of a list file: one per line, with `#` comments."""
    lines = (line.split("#")[0].strip() for line in file.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


def output_of(*command: str) -> str:
    """Standard output of a command; empty if it is not installed or fails."""
    if shutil.which(command[0]) is None:
        return ""
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stdout.strip() if result.returncode == 0 else ""


def debian_packages(file: Path) -> Iterator[Finding]:
    """The packages of an apt list, with the versions that dpkg reports."""
    for name in names_in(file):
        status, _, version = output_of("dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", name).partition(" ")
        ok = status == "installed"
        yield Finding(name, ok, version if ok else "not installed", "" if ok else SETUP)


def python_packages(file: Path) -> Iterator[Finding]:
    """The pinned Python packages: one line for all of them, and one for each with another version."""
    pins = dict(line.split("==") for line in names_in(file))
    versions = {name: installed_version(name) for name in pins}
    different = {name: version for name, version in versions.items() if version.split("+")[0] != pins[name]}
    yield Finding("Python packages", not different, f"{len(pins) - len(different)} of {len(pins)} as pinned")
    for name, version in different.items():
        yield Finding(name, False, f"{version or 'not installed'}, pinned: {pins[name]}", f"rm -r .venv; {SETUP}")


def installed_version(name: str) -> str:
    """The version of a Python package in this environment; empty if it is not installed."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def sandbox_works() -> Finding:
    """Whether this machine can run programs in bubblewrap."""
    try:
        run.probe()
    except InputError as error:
        return Finding("sandbox", False, "does not work", str(error))
    return Finding("sandbox", True, output_of("bwrap", "--version"))


def compilers(languages: dict[str, Any], configured: Iterable[str]) -> Iterator[Finding]:
    """For each language of the table the compiler that a run would use, with the LLVM version of
    its IR.

    The languages of the default configuration, `configured`, are required.
    """
    for language, entry in languages.items():
        required = language in configured
        try:
            chain = find_toolchain(language, entry, run.Sandbox())
        except InputError as error:
            yield Finding(language, False, "no compiler", str(error), required)
        else:
            yield Finding(language, True, f"{chain.compiler} (LLVM {chain.llvm or 'unknown'})", required=required)


def earlier_runs(results: Path) -> Iterator[Finding]:
    """Frontends that compiled no program of the shards in a results folder."""
    tables = sorted(results.glob("ir/*/*.parquet"))
    lines = failing_frontends(iter_rows(table, COLUMNS) for table in tables)
    for line in lines:
        name, _, state = line.partition(": ")
        yield Finding(name, False, state, "see the shard's log in logs/compile")
    if tables and not lines:
        state = f"{len(tables)}; each frontend compiled at least one program"
        yield Finding("compiled shards", True, state, required=False)


def cluster() -> Finding:
    """The SLURM cluster to which this machine can submit jobs."""
    version = re.sub(r"^slurm[-a-z]* ", "", output_of("sinfo", "--version"))
    if version and output_of("sinfo", "--noheader"):
        return Finding("SLURM", True, version, required=False)
    state = f"{version} installed, but no cluster responds" if version else "not installed"
    return Finding("SLURM", False, state, "for profiles/slurm only: run on a node where sbatch works", required=False)
