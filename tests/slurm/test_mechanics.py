"""Limits, GPUs and interruptions on a cluster, with small jobs and the real profile."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.slurm.conftest import ROOT, accounted, finish, in_queue, snakemake, wait_until

pytestmark = pytest.mark.slurm
SNAKEFILE = ["--snakefile", str(ROOT / "tests" / "slurm" / "mechanics" / "Snakefile")]


@pytest.mark.usefixtures("cluster")
def test_jobs_over_their_limits_are_resubmitted_with_more_and_a_gpu_is_requested(tmp_path: Path) -> None:
    finish(snakemake(tmp_path, *SNAKEFILE, "trouble"), tmp_path, 600)
    jobs = {
        rule: [job for job in accounted(tmp_path) if job.comment == f"rule_{rule}"]
        for rule in ("greedy", "slow", "gpu")
    }
    assert [(job.state, job.memory) for job in jobs["greedy"]] == [("FAILED", "450M"), ("COMPLETED", "900M")]
    assert [(job.state, job.minutes) for job in jobs["slow"]] == [("TIMEOUT", "1"), ("COMPLETED", "2")]
    assert ["gres/gpu=1" in job.allocated for job in jobs["gpu"]] == [True]
    assert (tmp_path / "gpu.txt").read_text().strip() in {"0", "1"}
    assert all(job.name.startswith("ircoder_") for kind in jobs.values() for job in kind)


def start_many(folder: Path) -> subprocess.Popen[str]:
    """Start a run of six jobs and wait until at least two of them run."""
    run = snakemake(folder, *SNAKEFILE, "many")
    wait_until(lambda: in_queue(folder, "running") >= 2, 60)
    return run


@pytest.mark.usefixtures("cluster")
def test_an_interrupt_cancels_all_jobs(tmp_path: Path) -> None:
    run = start_many(tmp_path)
    run.send_signal(signal.SIGINT)
    assert run.wait(60) != 0
    wait_until(lambda: in_queue(tmp_path) == 0, 30)
    assert not (tmp_path / "written.txt").exists()


@pytest.mark.usefixtures("cluster")
def test_resuming_after_a_kill_cancels_remaining_jobs_and_writes_nothing_twice(tmp_path: Path) -> None:
    run = start_many(tmp_path)
    wait_until(lambda: in_queue(tmp_path) == 6, 30)
    run.kill()
    run.wait()
    assert in_queue(tmp_path) == 6
    resume = [sys.executable, "-m", "scripts.workflow.recovery", str(tmp_path)]
    refused = subprocess.run(resume, cwd=ROOT, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1 and "make resume" in refused.stderr
    subprocess.run([*resume, "--cancel-jobs"], cwd=ROOT, check=True)
    assert in_queue(tmp_path) == 0
    finish(snakemake(tmp_path, *SNAKEFILE, "many"), tmp_path, 300)
    assert sorted((tmp_path / "written.txt").read_text().split()) == ["0", "1", "2", "3", "4", "5"]
