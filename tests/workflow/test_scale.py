"""Planning a run of the paper's size: four million sources, shard tables without contents."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.lib.config import read_yaml
from tests.workflow.conftest import ROOT, snakemake_environment
from tests.workflow.jobs import jobs_in

# Sources by language, after the published data set's sizes.
SOURCES = {
    "C": 450_000,
    "C++": 2_400_000,
    "D": 30_000,
    "Fortran": 10_000,
    "Go": 120_000,
    "Haskell": 40_000,
    "Nim": 5_000,
    "Objective-C": 15_000,
    "Python": 630_000,
    "Rust": 250_000,
    "Swift": 50_000,
}


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory in which the sources of all languages have been read."""
    folder = tmp_path_factory.mktemp("large")
    size = settings()["shard_size"]
    (folder / "results" / "corpus").mkdir(parents=True)
    (folder / "results" / "corpus" / "fetched.json").touch()
    for language, rows in SOURCES.items():
        number = 1
        while number * size < rows:
            number *= 2
        shards = {f"{shard:03}": {"rows": rows // number, "sha256": f"{shard:064x}"} for shard in range(number)}
        place = folder / "results" / "sources" / language
        place.mkdir(parents=True)
        (place / "modules").mkdir()
        for shard in shards:
            (place / f"{shard}.parquet").touch()
            (place / "modules" / f"{shard}.parquet").touch()
        (place / "aliases.parquet").touch()
        index = {"language": language, "sources": rows, "duplicates": 0, "rejected": 0, "shards": shards}
        (place / "shards.json").write_text(json.dumps(index))
    return folder


def settings() -> dict:
    """The paper's configuration."""
    return read_yaml(ROOT / "config" / "config.yaml") | read_yaml(ROOT / "config" / "paper.yaml")


def snakemake(folder: Path, *arguments: str) -> tuple[str, float, float]:
    """Output, CPU seconds and greatest memory in MB of a Snakemake that only plans."""
    command = [sys.executable, "-m", "snakemake", "--directory", str(folder), *arguments]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, env=snakemake_environment(), capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr[-4000:]
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.stdout, seconds, after.ru_maxrss / 1024


def test_four_million_sources_are_planned_in_seconds(large: Path) -> None:
    assert sum(SOURCES.values()) == 4_000_000
    options = ["--configfile", str(ROOT / "config" / "paper.yaml"), "--profile", str(ROOT / "profiles" / "slurm")]
    output, seconds, megabytes = snakemake(large, "--snakefile", str(ROOT / "Snakefile"), "--dry-run", *options)
    jobs = jobs_in(output)
    assert len(jobs) <= 5000
    assert {job.split()[1] for job in jobs if job.startswith("sources_ir ")} == set(SOURCES)
    assert seconds < 15
    assert megabytes < 1000


def test_every_cluster_job_pays_little_for_the_snakefile(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    _, empty, _ = snakemake(tmp_path, "--snakefile", str(tmp_path / "empty"), "--list-rules")
    _, parsed, _ = snakemake(tmp_path, "--snakefile", str(ROOT / "Snakefile"), "--list-rules")
    assert parsed - empty < 1.5
