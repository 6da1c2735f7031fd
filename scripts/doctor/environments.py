"""The conda route: conda itself, and the environments that Snakemake created from environment
files.
"""

import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch
from pathlib import Path

from scripts.doctor.finding import Finding
from scripts.doctor.host import output_of
from scripts.workflow.environments import pins

MIN_CONDA = (24, 7, 1)  # Snakemake's minimum
# Packages of which conda-forge has builds for CPUs and for CUDA.
DEVICE_PACKAGES = ("pytorch", "vllm")
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
    for pin in pins(file):
        if pin.pip:
            continue
        record = packages.get(pin.name, {})
        actual = record.get("version")
        if actual is None:
            differences.append(f"{pin.name} not installed")
        elif pin.version and actual != pin.version and not actual.startswith(f"{pin.version}."):
            differences.append(f"{pin.name} {actual} instead of {pin.version}")
        elif pin.build and not fnmatch(build := record.get("build", ""), pin.build):
            differences.append(f"{pin.name} has build {build or 'unknown'} instead of {pin.build}")
    if needs_cuda(file) and device_build(packages) != "CUDA":
        differences.append(f"{device_build(packages) or 'no'} build of PyTorch instead of CUDA")
    return differences


def needs_cuda(file: Path) -> bool:
    """Whether an environment is for jobs on GPUs."""
    return file.stem.endswith("-gpu")


def device_build(packages: Mapping[str, Mapping[str, str]]) -> str:
    """What PyTorch and vLLM in an environment were built for: CUDA or CPU; empty without either.

    conda-forge's build strings begin with cuda and its version, or with cpu.
    """
    builds = [packages[name].get("build", "") for name in DEVICE_PACKAGES if name in packages]
    if not builds:
        return ""
    return "CUDA" if all(build.startswith("cuda") for build in builds) else "CPU"


def environments(envs: Path, conda_prefix: Path) -> Iterator[Finding]:
    """For each environment file whether its environment exists in `conda_prefix` and matches the
    file.
    """
    for file in sorted(envs.glob("*.yaml")):
        prefixes = environments_of(file, conda_prefix)
        if not prefixes:
            yield Finding(file.name, False, "not created yet", CREATE, required=False)
        for prefix in prefixes:
            differences, packages = deviations(file, prefix), installed(prefix)
            versions = ", ".join(f"{name} {record['version']}" for name, record in sorted(packages.items()))
            build = f"{build} build; " if (build := device_build(packages)) else ""
            if differences:
                override = "CONDA_OVERRIDE_CUDA=12.9 " if needs_cuda(file) else ""
                yield Finding(file.name, False, "; ".join(differences), f"rm -r {prefix}, then {override}{CREATE}")
            else:
                yield Finding(file.name, True, f"{build}{versions}", required=False)
