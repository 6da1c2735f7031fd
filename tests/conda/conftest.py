"""conda for the tests: that of the machine or a stand-in, with a local channel of all required packages."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HERE = ROOT / "tests" / "conda"
TOOLS = ROOT / ".venv-conda" / "bin" / "python"


@dataclass(frozen=True)
class Conda:
    """A conda on PATH that knows the local channel; `real` is False for the stand-in."""

    real: bool
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
    """conda with the local channel in place of conda-forge and bioconda."""
    home = tmp_path_factory.mktemp("conda")
    subprocess.run([TOOLS, HERE / "channel.py", home / "channels", ROOT / "envs", sys.executable], check=True)
    installed = shutil.which("conda")
    if installed is None:
        subprocess.run([TOOLS, HERE / "stand_in.py", "install", home / "root"], check=True)
    path = os.environ["PATH"] if installed else f"{home / 'root' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    outer = {key: value for key, value in os.environ.items() if key not in ("IRCODER_RUN", "PYTHONPATH")}
    environment = outer | {
        "PATH": path,
        "CONDA_CHANNEL_ALIAS": f"file://{home / 'channels'}",
        "TOOL_LOG": str(home / "tools.log"),
    }
    print(f"conda: {installed or 'not installed; using a stand-in on py-rattler'}")
    yield Conda(installed is not None, environment, home / "tools.log")
