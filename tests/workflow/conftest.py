"""Fixtures of the workflow tests: Snakemake runs of this project in separate folders."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.snakemake_server import SnakemakeServer, snakemake_server

ROOT = Path(__file__).resolve().parents[2]


def snakemake_command(folder: Path, *arguments: str) -> list[str]:
    """The command line that runs the workflow with `folder` as its working directory."""
    return [
        *(sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)),
        *("--cores", "2", *arguments),
    ]


def snakemake_environment() -> dict[str, str]:
    """The environment of a run from a shell.

    This Python's folder is first on PATH, and the marker of an outer run is unset.
    """
    environment = {key: value for key, value in os.environ.items() if key not in ("IRCODER_RUN", "PYTHONPATH")}
    return environment | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def restore_interrupts() -> None:
    """Let Ctrl-C end this process: tests that a shell runs in the background ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


# Tools that a run without compilers needs: a shell, and those of Snakemake and the sandbox.
PLAIN_TOOLS = ("bash", "sh", "env", "git", "which", "cat", "rm", "mkdir", "uname", "bwrap", "prlimit")


@pytest.fixture(scope="module")
def without_compilers() -> Iterator[Path]:
    """A folder of tools without any compiler, which is PATH while a module's tests run.

    The user as whom sandboxes of root run may enter it.
    """
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        tools = Path(name)
        tools.chmod(0o755)
        for tool in PLAIN_TOOLS:
            (tools / tool).symlink_to(shutil.which(tool))
        patch.setenv("PATH", name)
        yield tools


@pytest.fixture(scope="session")
def workflow() -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    """A function that runs the workflow in a folder.

    It fails with the run's output if the run does not end as expected. Dry runs of the project itself are made by a
    server, which takes half the time.
    """
    server: SnakemakeServer | None = None

    def planned(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
        nonlocal server
        server = server or servers.enter_context(snakemake_server())
        code, output = server.run(command[3:], snakemake_environment(), folder)
        return subprocess.CompletedProcess(command, code, output)

    def run(folder: Path, *arguments: str, succeeds: bool = True, timeout: float = 1800):
        folder.mkdir(parents=True, exist_ok=True)
        command = snakemake_command(folder, *arguments)
        if {"-n", "--dry-run"} & set(arguments) and "--snakefile" not in arguments:
            done = planned(command, folder)
        else:
            done = subprocess.run(
                command,
                env=snakemake_environment(),
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=timeout,
                check=False,
            )
        if (done.returncode == 0) != succeeds:
            pytest.fail(f"snakemake {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout[-6000:]}")
        return done

    with ExitStack() as servers:
        yield run
