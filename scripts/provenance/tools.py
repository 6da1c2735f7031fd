"""Lists the programs of the run with their versions: `provenance/tools.json`."""

import re
import sys
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from scripts.lib.code_hash import SCRIPTS
from scripts.lib.files import write_json
from scripts.lib.job import job
from scripts.provenance.outcomes import compilers

PROJECT = SCRIPTS.parent
REQUIREMENTS = PROJECT / "envs" / "host" / "requirements.in"
# Heading of the requirements that no run uses.
DEVELOPMENT = "# development"
NAME = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)\s*={1,2}\s*([^\s#;]+)")

Software = dict[str, dict[str, Any]]


def pins(lines: Iterable[str]) -> dict[str, str]:
    """Names and versions in lines like `torch==2.13.0` or conda's `python=3.11`; other lines are skipped."""
    matches = (NAME.match(line.strip()) for line in lines)
    return {match[1]: match[2] for match in matches if match}


PYPI, CONDA_FORGE = "https://pypi.org/project", "https://anaconda.org/conda-forge"
# Home pages of the compilers, by the first word of their names.
COMPILERS = {
    "clang": "https://clang.llvm.org/",
    "clang++": "https://clang.llvm.org/",
    "codon": "https://github.com/exaloop/codon",
    "crystal": "https://crystal-lang.org/",
    "flang": "https://flang.llvm.org/",
    "flang-new": "https://flang.llvm.org/",
    "ghc": "https://www.haskell.org/ghc/",
    "go": "https://go.dev/",
    "ldc2": "https://github.com/ldc-developers/ldc",
    "nim": "https://nim-lang.org/",
    "rustc": "https://www.rust-lang.org/",
    "swiftc": "https://www.swift.org/",
    "tinygo": "https://tinygo.org/",
}


def package_page(name: str, version: str) -> str:
    """Address of a version of a Python package, without the part of the version that names a build."""
    return f"{PYPI}/{name}/{version.partition('+')[0]}/"


def host_packages() -> Software:
    """Versions of the installed Python packages among those that the host's requirements list for runs."""
    packages: Software = {}
    text, _, _ = REQUIREMENTS.read_text(encoding="utf-8").partition(DEVELOPMENT)
    for name in pins(text.splitlines()):
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        packages[f"{name} {version}"] = {"version": version, "url": package_page(name, version), "rules": []}
    return packages


def env_pins(path: Path) -> Iterator[tuple[str, str, str]]:
    """Name, version and address of each package that the file of a conda environment pins, including
    its pip section.
    """
    listed = yaml.safe_load(path.read_text(encoding="utf-8"))["dependencies"]
    for name, version in pins(part for part in listed if isinstance(part, str)).items():
        yield name, version, f"{CONDA_FORGE}/{name}#{version}"
    for name, version in pins(line for part in listed if isinstance(part, dict) for line in part["pip"]).items():
        yield name, version, package_page(name, version)


def conda_packages(rules: dict[str, dict[str, str]]) -> Software:
    """Versions that the rules' conda environments pin, with the rules that use them."""
    packages: Software = {}
    for rule, entry in sorted(rules.items()):
        for name, version, url in env_pins(PROJECT / entry["env"]) if entry["env"] else ():
            package = packages.setdefault(f"{name} {version}", {"version": version, "url": url, "rules": []})
            package["rules"].append(rule)
    return packages


def compiler_versions(compilers: dict[str, list[dict[str, str]]]) -> Software:
    """The compilers of each language, with their versions of LLVM, as in `outcomes.compilers`."""
    software: Software = {}
    for entries in compilers.values():
        for entry in entries:
            version = f"LLVM {entry['llvm']}" if entry["llvm"] else ""
            name, _, number = entry["compiler"].partition(" ")
            page = COMPILERS.get(name)
            software[entry["compiler"]] = {
                "version": f"{entry['compiler']} {version}".strip(),
                "url": f"{page}#{quote(f'{name} {number}')}" if page else None,
                "rules": ["compile_shard"],
            }
    return software


def tools(
    compilers: dict[str, list[dict[str, str]]], rules: dict[str, dict[str, str]], deployment: str, snakemake: str
) -> dict[str, Any]:
    """The content of tools.json; `compilers` are those of each language, `deployment` is `conda` or
    `host`.
    """
    packages = conda_packages(rules) if deployment == "conda" else host_packages()
    return {
        "deployment": deployment,
        "snakemake": snakemake,
        "python": ".".join(map(str, sys.version_info[:3])),
        "software": dict(sorted({**packages, **compiler_versions(compilers)}.items())),
    }


if __name__ == "__main__":
    with job() as snakemake:
        params = snakemake.params
        ledgers = dict(zip(params.languages, snakemake.input, strict=True))
        content = tools(compilers(ledgers), params.rules, params.deployment, params.snakemake)
        write_json(snakemake.output[0], content)
