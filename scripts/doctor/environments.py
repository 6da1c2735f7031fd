"""The conda route: conda itself, and the environments that Snakemake created from environment
files.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from scripts.doctor.finding import Finding
from scripts.doctor.host import output_of

MIN_CONDA = (24, 7, 1)  # Snakemake's minimum
CREATE = "snakemake --sdm conda --conda-create-envs-only"


def conda() -> Finding:
    """The conda that Snakemake would use."""
    version = output_of("conda", "--version").removeprefix("conda ")
    if not version:
        return Finding("conda", False, "not installed", "for --sdm conda only: install Miniforge", required=False)
    outdated = tuple(map(int, re.findall(r"\d+", version)[:3])) < MIN_CONDA
    remedy = f"Snakemake needs {'.'.join(map(str, MIN_CONDA))} or newer: conda update conda" if outdated else ""
    return Finding("conda", not outdated, version, remedy, required=False)


def installed(prefix: Path) -> dict[str, dict[str, str]]:
    """Package name -> conda's record of it in an environment."""
    records = (json.loads(file.read_text(encoding="utf-8")) for file in prefix.glob("conda-meta/*.json"))
    return {record["name"]: record for record in records}


def pins_of(file: Path) -> dict[str, str]:
    """Package name -> version in an environment file; empty for any version."""
    dependencies = yaml.safe_load(file.read_text(encoding="utf-8"))["dependencies"]
    split = (entry.partition("=") for entry in dependencies if isinstance(entry, str))
    return {name.strip(): version.lstrip("= ") for name, _, version in split}


def pin_file(file: Path) -> Path:
    """Path of an environment file's pin file, which `make lock` writes."""
    return file.with_suffix(".linux-64.pin.txt")


def environments_of(file: Path, environments: Path) -> list[Path]:
    """The complete environments that Snakemake created from the current file or its pin file.

    Snakemake saves a copy of that file next to the environment.
    """
    copies = [(copy, copy.name.removesuffix(".yaml"), file) for copy in sorted(environments.glob("*.yaml"))]
    lock = pin_file(file)
    if lock.exists():
        copies += [(copy, copy.name.removesuffix(".pin.txt"), lock) for copy in sorted(environments.glob("*.pin.txt"))]
    names = {name for copy, name, origin in copies if copy.read_bytes() == origin.read_bytes()}
    return [environments / name for name in sorted(names) if (environments / f"{name}.env_setup_done").exists()]


def deviations(file: Path, prefix: Path) -> list[str]:
    """Differences of an environment from its pin file, or from the environment file if there is
    none.
    """
    packages = installed(prefix)
    lock = pin_file(file)
    if lock.exists():
        pinned = set(re.findall(r"^[a-z]+://.*/([^/#]+)", lock.read_text(encoding="utf-8"), re.MULTILINE))
        files = {record["fn"] for record in packages.values()}
        missing, extra = sorted(pinned - files), sorted(files - pinned)
        return [*(f"{name} missing" for name in missing), *(f"{name} not pinned" for name in extra)]
    differences = []
    for name, version in pins_of(file).items():
        actual = packages.get(name, {}).get("version")
        if actual is None:
            differences.append(f"{name} not installed")
        elif version and actual != version and not actual.startswith(f"{version}."):
            differences.append(f"{name} {actual} instead of {version}")
    return differences


def environments(envs: Path, conda_prefix: Path) -> Iterator[Finding]:
    """For each environment file whether its environment exists in `conda_prefix` and matches the
    file.
    """
    for file in sorted(envs.glob("*.yaml")):
        prefixes = environments_of(file, conda_prefix)
        if not prefixes:
            yield Finding(file.name, False, "not created yet", CREATE, required=False)
        for prefix in prefixes:
            differences = deviations(file, prefix)
            versions = ", ".join(f"{name} {record['version']}" for name, record in sorted(installed(prefix).items()))
            if differences:
                yield Finding(file.name, False, "; ".join(differences), f"rm -r {prefix}, then {CREATE}")
            else:
                yield Finding(file.name, True, versions, required=False)
