"""The conda route: conda itself, and for each environment file what Snakemake has made of it."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from scripts.doctor.finding import Finding
from scripts.doctor.host import output_of

OLDEST_CONDA = (24, 7, 1)  # what Snakemake asks for
CREATE = "snakemake --sdm conda --conda-create-envs-only"


def conda() -> Finding:
    """The conda that Snakemake would call."""
    version = output_of("conda", "--version").removeprefix("conda ")
    if not version:
        return Finding("conda", False, "none", "only for --sdm conda: install Miniforge", needed=False)
    old = tuple(map(int, re.findall(r"\d+", version)[:3])) < OLDEST_CONDA
    remedy = f"Snakemake needs {'.'.join(map(str, OLDEST_CONDA))}: conda update conda" if old else ""
    return Finding("conda", not old, version, remedy, needed=False)


def installed(prefix: Path) -> dict[str, dict[str, str]]:
    """Package name → what conda recorded of it in an environment."""
    records = (json.loads(file.read_text(encoding="utf-8")) for file in prefix.glob("conda-meta/*.json"))
    return {record["name"]: record for record in records}


def pins_of(file: Path) -> dict[str, str]:
    """Package name → version that an environment file asks for; empty version for any."""
    wanted = yaml.safe_load(file.read_text(encoding="utf-8"))["dependencies"]
    split = (entry.partition("=") for entry in wanted if isinstance(entry, str))
    return {name.strip(): version.lstrip("= ") for name, _, version in split}


def pin_file(file: Path) -> Path:
    """The pin file of an environment file, which `make lock` makes."""
    return file.with_suffix(".linux-64.pin.txt")


def made_from(file: Path, environments: Path) -> list[Path]:
    """The environments that Snakemake has finished making from a file, or from its pin file, as it is now.

    Snakemake leaves a copy of the one that it made an environment from beside it.
    """
    copies = [(copy, copy.name.removesuffix(".yaml"), file) for copy in sorted(environments.glob("*.yaml"))]
    lock = pin_file(file)
    if lock.exists():
        copies += [(copy, copy.name.removesuffix(".pin.txt"), lock) for copy in sorted(environments.glob("*.pin.txt"))]
    names = {name for copy, name, origin in copies if copy.read_bytes() == origin.read_bytes()}
    return [environments / name for name in sorted(names) if (environments / f"{name}.env_setup_done").exists()]


def deviations(file: Path, prefix: Path) -> list[str]:
    """How an environment differs from its pin file, or without one from the versions in the environment file."""
    there = installed(prefix)
    lock = pin_file(file)
    if lock.exists():
        wanted = set(re.findall(r"^[a-z]+://.*/([^/#]+)", lock.read_text(encoding="utf-8"), re.MULTILINE))
        found = {record["fn"] for record in there.values()}
        return [f"{name} missing" for name in sorted(wanted - found)] + [
            f"{name} extra" for name in sorted(found - wanted)
        ]
    wrong = []
    for name, version in pins_of(file).items():
        has = there.get(name, {}).get("version", "nothing")
        if has != version and not has.startswith(f"{version}.") and (version or has == "nothing"):
            wrong.append(f"{name} {has}, not {version or 'there'}")
    return wrong


def environments(envs: Path, made: Path) -> Iterator[Finding]:
    """For each environment file: whether it is made, below `made`, and whether it is what the file asks for."""
    for file in sorted(envs.glob("*.yaml")):
        prefixes = made_from(file, made)
        if not prefixes:
            yield Finding(file.name, False, "not made yet", CREATE, needed=False)
        for prefix in prefixes:
            wrong = deviations(file, prefix)
            versions = ", ".join(f"{name} {record['version']}" for name, record in sorted(installed(prefix).items()))
            if wrong:
                yield Finding(file.name, False, "; ".join(wrong), f"rm -r {prefix}, then {CREATE}")
            else:
                yield Finding(file.name, True, versions, needed=False)
