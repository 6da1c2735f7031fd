"""Runs the small workflow from a copy of the project, which tests may edit."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.workflow.conftest import snakemake_environment

ROOT = Path(__file__).resolve().parents[3]
PARTS = (
    "config",
    "envs",
    "rules",
    "scripts",
    "tests/workflow/small_run",
    "tests/support/small_results.py",
    "CITATION.cff",
)


def copy_project(folder: Path) -> Path:
    """A copy of the files that the small run needs, for tests to edit."""
    for part in (*PARTS, "Snakefile", "LICENSE"):
        (folder / part).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copyfile
        copy(ROOT / part, folder / part)
    return folder


def run(project: Path, folder: Path, *arguments: str, succeeds: bool = True) -> str:
    """Run the small workflow of `project` in `folder`; return what it printed."""
    folder.mkdir(parents=True, exist_ok=True)
    small = project / "tests" / "workflow" / "small_run"
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(small / "Snakefile"), "--directory", str(folder)]
    command += ["--configfile", str(small / "config.yaml"), "--cores", "2", *arguments]
    done = subprocess.run(
        command, env=snakemake_environment(), text=True, capture_output=True, timeout=1800, check=False
    )
    printed = done.stdout + done.stderr
    assert (done.returncode == 0) == succeeds, printed[-4000:]
    return printed


def planned(project: Path, folder: Path) -> set[str]:
    """Names of the files that a run would write."""
    printed = run(project, folder, "--dry-run")
    outputs = re.findall(r"^ +output: (.*)$", printed, re.M)
    return {Path(name).name for line in outputs for name in line.split(", ")}


@contextmanager
def edited(project: Path, name: str, change: Callable[[str], str]) -> Iterator[None]:
    """The text of a file of the project changed, and restored afterwards."""
    path = project / name
    saved = path.with_name(f"{path.name}.saved")
    shutil.copy2(path, saved)
    text = change(path.read_text())
    assert text != path.read_text()
    path.write_text(text)
    try:
        yield
    finally:
        saved.replace(path)
