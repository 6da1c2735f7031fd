"""Creates a local conda channel with a small package for every dependency of the workflow's environments.

A package has the name, version and build that the environment requires. Compilers are wrappers of the host's programs,
Python is one of the environment's venv, which stand_in.py fills. They report the version of the package, so that the
records of a run show in which environment it ran, and append each call to the file $TOOL_LOG. All other packages are
empty.
usage: channel.py CHANNELS ENVS     CHANNELS gets a folder for each channel
"""

import asyncio
import os
import shutil
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import rattler_build
import yaml
from rattler.index import index_fs

# Package -> its programs -> the host's program that each one wraps.
PROGRAMS = {
    "python": {"python": '"${0%/*}"/../venv/bin/python'},
    "clang": {"clang": "clang-19"},
    "clangxx": {"clang++": "clang++-19"},
    "ldc": {"ldc2": "ldc2"},
    "flang": {"flang": "flang-new-19"},
    "nim": {"nim": "nim"},
    "rust": {"rustc": "rustc"},
    "bubblewrap": {"bwrap": "bwrap"},
}
WRAPPER = """#!/bin/sh
[ -z "$TOOL_LOG" ] || echo "$0 $*" >>"$TOOL_LOG"
case "$*" in
--version | -vV)
    {program} "$@" | sed -E -e '1s/[0-9]+\\.[0-9]+\\.[0-9]+/{version}/' -e 's/^(release: ).*/\\1{version}/' ;;
*) exec {program} "$@" ;;
esac
"""


def dependencies(envs: Path) -> dict[tuple[str, str, str], set[str]]:
    """(package, version, build) -> names of the channels of the environments that require it, without URLs."""
    required: dict[tuple[str, str, str], set[str]] = {}
    for file in sorted(envs.glob("*.yaml")):
        wanted = yaml.safe_load(file.read_text())
        for entry in wanted["dependencies"]:
            if isinstance(entry, str):
                name, _, rest = entry.partition("=")
                version, _, build = rest.lstrip("=").partition("=")
                channels = {channel for channel in wanted["channels"] if "://" not in channel} - {"nodefaults"}
                required.setdefault((name, version or "0", build.replace("*", "_0") or "0"), set()).update(channels)
    return required


def programs(name: str, version: str) -> dict[str, str]:
    """File name -> text of the programs of a package."""
    # Programs of the system come first: the sandbox cannot reach those in a home folder.
    paths = {
        program: host if "/" in host else shutil.which(host, path=os.defpath) or shutil.which(host)
        for program, host in PROGRAMS.get(name, {}).items()
    }
    return {program: WRAPPER.format(program=path, version=version) for program, path in paths.items() if path}


def make_package(channel: Path, name: str, version: str, build: str) -> None:
    """Write one package into a channel."""
    with tempfile.TemporaryDirectory() as folder:
        for program, text in programs(name, version).items():
            file = Path(folder, "bin", program)
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
            file.chmod(0o755)
        rattler_build.assemble_package(
            name,
            version,
            "linux-64",
            build,
            channel / "linux-64",
            files_dir=Path(folder),
            timestamp=datetime(2024, 1, 1, tzinfo=UTC),
            summary=f"replaces {name} {version} in tests",
            license="Apache-2.0",
            compression_level=1,
        )


def make_channels(channels: Path, envs: Path) -> None:
    """Write each channel that the environments name below `channels`, with all packages that they require."""
    wanted = dependencies(envs)
    for channel in {name for names in wanted.values() for name in names}:
        for subdir in ("linux-64", "noarch"):
            (channels / channel / subdir).mkdir(parents=True)
        for (name, version, build), names in wanted.items():
            if channel in names:
                make_package(channels / channel, name, version, build)
        asyncio.run(index_fs(channels / channel, write_zst=True, write_shards=False))


if __name__ == "__main__":
    make_channels(Path(sys.argv[1]), Path(sys.argv[2]))
    # rattler's threads call Python while the interpreter shuts down, which crashed one exit in ten.
    os._exit(0)
