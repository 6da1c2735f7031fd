"""Runs that Snakemake ends early end with an error."""

import subprocess
import sys
from pathlib import Path

import pytest

SNAKEFILE = f"""
import sys

sys.path.insert(0, {str(Path.cwd())!r})

from scripts.workflow.completeness import check_complete, skipped


onsuccess:
    check_complete(skipped(workflow.dag))


rule all:
    input:
        "last.txt",
        lambda wildcards: checkpoints.chosen.get().output[0],


rule first:
    output:
        "first.txt",
    shell:
        "touch {{output}}; sleep {{config[seconds]}}"


checkpoint chosen:
    output:
        "chosen.txt",
    shell:
        "sleep 1; touch {{output}}"


rule second:
    input:
        ancient("first.txt"),
    output:
        "second.txt",
    shell:
        "touch {{output}}"


rule last:
    input:
        "second.txt",
    output:
        "last.txt",
    shell:
        "touch {{output}}"
"""


def run(folder, *arguments):
    (folder / "Snakefile").write_text(SNAKEFILE, encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--cores", "2", "--quiet", "all", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize("target", [["all"], ["last.txt", "all"]], ids=["rule", "file and rule"])
def test_a_run_that_a_checkpoint_ends_early_fails_and_the_next_run_continues(target, tmp_path):
    ended = run(tmp_path, "--config", "seconds=6", "--", *target)
    assert not (tmp_path / "last.txt").exists()
    assert ended.returncode == 1
    assert "error: Snakemake ended before all jobs had run (" in ended.stderr and "run again" in ended.stderr
    assert run(tmp_path, "--config", "seconds=6", "--", *target).returncode == 0
    assert (tmp_path / "last.txt").exists()


def test_runs_that_end_in_time_and_runs_with_nothing_to_do_succeed(tmp_path):
    for target in ([], [], ["second.txt"], ["last.txt"]):
        ended = run(tmp_path, "--config", "seconds=0", "--", *target)
        assert ended.returncode == 0, ended.stderr
    (tmp_path / "first.txt").write_text("changed", encoding="utf-8")  # ancient, so nothing runs
    assert run(tmp_path, "--config", "seconds=0").returncode == 0
    (tmp_path / "second.txt").unlink()
    assert run(tmp_path, "--until", "second", "--config", "seconds=0").returncode == 0
