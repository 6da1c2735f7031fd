"""A checkout with results that was copied, moved or unpacked from an archive reruns nothing."""

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.workflow.conftest import ROOT, snakemake_environment

TARGETS = (
    "pairs",
    "results/generations/multipl-e/py/control/reference.control.jsonl.zst",
    "results/toolkits/python/probe.json",
)


def run(project: Path, *options: str) -> str:
    """What Snakemake prints for the targets, started in the project's own folder."""
    command = [sys.executable, "-m", "snakemake", *TARGETS, "--config", "languages=[C]", *options]
    done = subprocess.run(
        command, cwd=project, env=snakemake_environment(), text=True, capture_output=True, timeout=1800, check=False
    )
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed[-4000:]
    return printed


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A checkout in whose folder a run has ended."""
    project = tmp_path_factory.mktemp("moved") / "first"
    for part in ("Snakefile", "CITATION.cff", "LICENSE", "config", "envs", "profiles", "resources", "rules", "scripts"):
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy2
        project.mkdir(exist_ok=True)
        copy(ROOT / part, project / part)
    run(project)
    return project


def test_a_copied_checkout_reruns_nothing(finished):
    copied = shutil.copytree(finished, finished.with_name("another name"), symlinks=True)
    assert "Nothing to be done" in run(copied, "--dry-run")


def test_a_checkout_from_an_archive_with_whole_seconds_reruns_nothing(finished, tmp_path):
    with tarfile.open(tmp_path / "project.tar", "w", format=tarfile.GNU_FORMAT) as archive:
        archive.add(finished, "unpacked")
    # Debian 12's Python 3.11.2 extracts without the filters that later versions ask for.
    subprocess.run(["tar", "-xf", tmp_path / "project.tar", "-C", tmp_path], check=True, timeout=600)
    sample = next((tmp_path / "unpacked/resources/corpus/C").rglob("*.c"))
    assert sample.stat().st_mtime == int(sample.stat().st_mtime)
    assert "Nothing to be done" in run(tmp_path / "unpacked", "--dry-run")
