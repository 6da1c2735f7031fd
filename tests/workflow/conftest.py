"""What workflow tests share: Snakemake runs of this project in folders of their own."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def snakemake_command(folder: Path, *arguments: str) -> list[str]:
    """The command line that runs the workflow with `folder` as its working directory."""
    return [
        *(sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder)),
        *("--cores", "2", *arguments),
    ]


def snakemake_environment() -> dict[str, str]:
    """The environment of a run by hand: tools of this Python's folder first, no run marker of an outer run."""
    environment = {key: value for key, value in os.environ.items() if key not in ("IRCODER_RUN", "PYTHONPATH")}
    return environment | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def hear_interrupts() -> None:
    """Make this process end at Ctrl-C again: where tests run in the background, the shell has that ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


# What a run needs that compiles nothing: a shell, Snakemake's and the sandbox's helpers.
PLAIN_TOOLS = ("bash", "sh", "env", "git", "which", "cat", "rm", "mkdir", "uname", "bwrap", "prlimit")


@pytest.fixture(scope="module")
def without_compilers() -> Iterator[Path]:
    """While a module's tests run, PATH is a folder of plain tools without any compiler; its place.

    The folder is open to the user that sandboxes of root run as.
    """
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        tools = Path(name)
        tools.chmod(0o755)
        for tool in PLAIN_TOOLS:
            (tools / tool).symlink_to(shutil.which(tool))
        patch.setenv("PATH", name)
        yield tools


@pytest.fixture(scope="session")
def workflow() -> Callable[..., subprocess.CompletedProcess[str]]:
    """A function that runs the workflow in a folder and fails with its output unless it ends as expected."""

    def run(folder: Path, *arguments: str, succeeds: bool = True, timeout: float = 900):
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            snakemake_command(folder, *arguments),
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

    return run
