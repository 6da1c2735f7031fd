"""A stand-in for conda, with a local channel of all required packages and Python packages from PyPI."""

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "conda"
TOOLS = ROOT / ".venv-conda" / "bin" / "python"


@dataclass(frozen=True)
class Conda:
    """A conda on PATH that knows the local channel.

    python: the interpreter of an environment made of envs/workflow.yaml, for Snakemake.
    """

    python: Path
    environment: dict[str, str]
    log: Path

    def run(self, *command: str, folder: Path, succeeds: bool = True) -> str:
        """Run a command with this conda and return its output; fail unless it ends as expected."""
        done = subprocess.run(
            command,
            cwd=folder,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        assert (done.returncode == 0) == succeeds, done.stdout[-6000:]
        return done.stdout

    def calls(self) -> list[tuple[Path, str]]:
        """Program and arguments of each call so far of a program from the channel."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        split = (line.partition(" ") for line in lines if line.startswith("/"))
        return [(Path(program), arguments) for program, _, arguments in split]


def version_of(env: str, package: str, root: Path = ROOT) -> str:
    """The version of a package that an environment file requires."""
    match = re.search(rf"^ *- {re.escape(package)}=+(\S+)", (root / "envs" / f"{env}.yaml").read_text(), re.MULTILINE)
    assert match, f"envs/{env}.yaml does not name {package}"
    return match[1]


@pytest.fixture(scope="session")
def conda(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Conda]:
    """The stand-in with the local channel in place of conda-forge and bioconda.

    A conda of the machine would need all Python packages in the channel.
    """
    home = tmp_path_factory.mktemp("conda")
    subprocess.run([TOOLS, HERE / "channel.py", home / "channels", ROOT / "envs"], check=True)
    subprocess.run([TOOLS, HERE / "stand_in.py", "install", home / "root"], check=True)
    outer = {key: value for key, value in os.environ.items() if key not in ("IRCODER_RUN", "PYTHONPATH")}
    environment = outer | {
        # Without .venv, which `make` puts first, nothing of the host's Python is in reach.
        "PATH": f"{home / 'root' / 'bin'}{os.pathsep}{os.defpath}",
        "CONDA_CHANNEL_ALIAS": f"file://{home / 'channels'}",
        "TOOL_LOG": str(home / "tools.log"),
    }
    conda = Conda(home / "workflow" / "bin" / "python", environment, home / "tools.log")
    file = str(ROOT / "envs" / "workflow.yaml")
    conda.run("conda", "env", "create", "--file", file, "--prefix", str(home / "workflow"), folder=home)
    yield conda
