"""The default run on SLURM: the same tables as a local run, and GPUs where rules request them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.lib.files import sha256_file
from tests.slurm.conftest import ROOT, accounted, finish, snakemake
from tests.workflow.conftest import snakemake_command, snakemake_environment

pytestmark = pytest.mark.slurm
SAME = ("tables/*", "scores/**/*.json", "pairs/**/*.parquet", "models/*/*/*.safetensors", "figures/*.svg")


JOB = re.compile(r"(?:local)?(?:rule|checkpoint) (\w+):")


def planned_jobs(folder: Path, *options: str) -> list[tuple[str, str]]:
    """Rule and text of each job that a dry run in a folder plans."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--dry-run", *options]
    done = subprocess.run([*command, "--directory", str(folder)], capture_output=True, text=True, check=True)
    texts = re.split(r"^(?=(?:local)?(?:rule|checkpoint) )", done.stdout, flags=re.MULTILINE)
    return [(match[1], text) for text in texts if (match := JOB.match(text))]


def gpu_rules(folder: Path) -> list[str]:
    """The rules of the default run that request GPUs if a model's entry says so."""
    return sorted({rule for rule, text in planned_jobs(folder) if re.search(r"\bgpu=\d", text)})


def hashes(folder: Path) -> dict[str, str]:
    """Path -> SHA-256 of the results that must not depend on where they were computed."""
    files = {file for pattern in SAME for file in (folder / "results").glob(pattern) if file.is_file()}
    return {file.relative_to(folder).as_posix(): sha256_file(file) for file in sorted(files)}


@pytest.mark.usefixtures("cluster")
def test_a_run_on_the_cluster_has_the_tables_of_a_local_run(tmp_path: Path) -> None:
    local, queued = tmp_path / "local", tmp_path / "queued"
    local.mkdir()
    subprocess.run(snakemake_command(local), env=snakemake_environment(), check=True, stdout=subprocess.DEVNULL)
    # The GPUs do not exist, so the models stay on the CPU; the test is that jobs request them.
    rules = gpu_rules(tmp_path)
    gpus = [f"{rule}:gpu=1" for rule in rules]
    run = snakemake(queued, "--snakefile", str(ROOT / "Snakefile"), "--set-resources", *gpus)
    finish(run, queued, 3600)
    assert "tables/scores.csv" in "".join(hashes(local))
    assert hashes(queued) == hashes(local)

    jobs = accounted(queued)
    with_gpu = {job.comment for job in jobs if "gres/gpu=1" in job.allocated}
    requested = {job.comment for job in jobs if job.comment.startswith(tuple(f"rule_{rule}" for rule in rules))}
    assert with_gpu == requested
    for rule in rules:
        assert any(comment.startswith(f"rule_{rule}") for comment in requested), f"no job of {rule} in accounting"


@pytest.mark.usefixtures("cluster")
def test_the_paper_run_plans_gpus_memory_and_time_for_its_models(tmp_path: Path) -> None:
    profile = ["--profile", str(ROOT / "profiles" / "slurm")]
    jobs = planned_jobs(tmp_path, "--configfile", str(ROOT / "config" / "paper.yaml"), *profile)
    for rule in gpu_rules(tmp_path):
        planned = [text for name, text in jobs if name == rule]
        if rule == "pretrain_base":
            assert not planned, "the paper's models are not made from scratch"
            continue
        assert planned, f"{rule} is not planned"
        for job in planned:
            for need in (r"gpu=[1-9]", r"mem_mb=\d{4}", r"runtime=\d{2}"):
                assert re.search(rf"\b{need}", job), job
