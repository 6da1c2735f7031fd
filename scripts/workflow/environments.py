"""The conda environment files and the pins of the host: do both name the same versions?

`python -m scripts.workflow.environments` prints the differences and ends with exit code 1 if one is
not in envs/host/versions.yaml. `make lock` runs it first.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.workflow.validation import read_yaml

ENVS = Path(__file__).resolve().parents[2] / "envs"
# The pins of the host: of the explorer, of packages that only some tests install, and of .venv.
HOST_PINS = ("envs/host/explore.txt", "tests/training/requirements.txt", "envs/host/requirements.txt")


@dataclass(frozen=True)
class Pin:
    """A line of an environment file.

    name: the package, as its channel or PyPI spells it. version: empty where any will do. build: a
    pattern, or empty. pip: whether the line is in the pip section.
    """

    name: str
    version: str
    build: str = ""
    pip: bool = False


def _normalised(name: str) -> str:
    """A package name in the spelling that PyPI compares."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(file: Path) -> Iterator[Pin]:
    """The lines of an environment file, including its pip section."""
    for entry in read_yaml(file)["dependencies"]:
        if isinstance(entry, dict):
            split = (line.partition("==") for line in entry["pip"])
            yield from (Pin(name.strip(), version.strip(), pip=True) for name, _, version in split)
        else:
            name, _, rest = entry.partition("=")
            version, _, build = rest.lstrip("=").partition("=")
            yield Pin(name.strip(), version.strip(), build.strip())


def pypi_name(pin: Pin, names: Mapping[str, str]) -> str:
    """The name on PyPI of a pinned package; `names` has those that differ on the channel."""
    return _normalised(pin.name if pin.pip else names.get(pin.name, pin.name))


def versions_table(envs: Path = ENVS) -> dict[str, Any]:
    """The content of envs/host/versions.yaml."""
    table: dict[str, Any] = read_yaml(envs / "host" / "versions.yaml")
    return table


def python_packages(file: Path) -> dict[str, str]:
    """PyPI name -> version of the Python packages in an environment file.

    Compilers and other tools, which versions.yaml lists as `tools`, are left out.
    """
    table = versions_table(file.parent)
    return {
        pypi_name(pin, table["names"]): pin.version for pin in pins(file) if pin.pip or pin.name not in table["tools"]
    }


def host_versions(root: Path = ENVS.parent) -> dict[str, str]:
    """PyPI name -> version that the host route pins."""
    versions: dict[str, str] = {}
    for file in HOST_PINS:
        lines = (line.partition("#")[0].strip() for line in (root / file).read_text(encoding="utf-8").splitlines())
        versions |= {
            _normalised(name): version for name, _, version in (line.partition("==") for line in lines if line)
        }
    return versions


def differences(envs: Path, host: Mapping[str, str]) -> Iterator[str]:
    """A line for each version that differs without an entry in versions.yaml, and for each entry
    that no longer says what the files say.
    """
    differing_versions = versions_table(envs)["differing_versions"]
    used: set[str] = set()
    for file in sorted(envs.glob("*.yaml")):
        for name, version in python_packages(file).items():
            if version == host.get(name):
                continue
            used.add(name)
            line = f"{file.name} has {name} {version or 'without a version'}"
            if name not in differing_versions:
                yield f"{line}, the host has {host.get(name, 'none')}; use one version or explain it in versions.yaml"
            elif version != differing_versions[name]["conda"]:
                yield f"{line}, versions.yaml says {differing_versions[name]['conda']}"
    for name in sorted(differing_versions.keys() - used):
        yield f"versions.yaml names {name}, but no environment file differs from the host in it; delete the entry"


def main() -> int:
    """Print the differences; 1 if there are any."""
    lines = list(differences(ENVS, host_versions()))
    print("\n".join(lines) or "the versions of both routes agree, except those that envs/host/versions.yaml explains")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
