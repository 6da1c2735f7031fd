"""Planning a run of the paper's size: four million sources, shard tables without contents."""

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

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


SHARD_SIZE = 5000  # config/paper.yaml's


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory in which the sources of all languages have been read, and what came with them."""
    folder = tmp_path_factory.mktemp("large")
    (folder / "results" / "corpus").mkdir(parents=True)
    (folder / "results" / "corpus" / "fetched.json").write_text("{}")
    for language, rows in SOURCES.items():
        number = 1
        while number * SHARD_SIZE < rows:
            number *= 2
        digest = "0" * 64
        shards = {
            f"{shard:03}": {"rows": rows // number, "sha256": digest, "modules": digest} for shard in range(number)
        }
        place = folder / "results" / "sources" / language
        (place / "modules").mkdir(parents=True)
        for shard in shards:
            (place / f"{shard}.parquet").touch()
            (place / "modules" / f"{shard}.parquet").touch()
        (place / "aliases.parquet").touch()
        index = {"language": language, "sources": rows, "duplicates": 0, "rejected": 0, "shards": shards}
        (place / "shards.json").write_text(json.dumps(index))
    return folder


def snakemake(folder: Path, *arguments: str) -> tuple[str, float, float]:
    """Output, CPU seconds and greatest memory in MB of a Snakemake that only plans."""
    command = [sys.executable, "-m", "snakemake", "--directory", str(folder), *arguments]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, env=snakemake_environment(), capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.returncode == 0, done.stderr[-4000:]
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return done.stdout, seconds, after.ru_maxrss / 1024


@pytest.mark.parametrize("rule", ["sources_ir", "compile_shard"])
def test_four_million_sources_are_planned_in_seconds(large: Path, tmp_path: Path, rule: str) -> None:
    """The paper's run, whose programs come with their IR, and the same with programs that are compiled."""
    assert sum(SOURCES.values()) == 4_000_000
    overlay = {"languages": list(SOURCES), "shard_size": SHARD_SIZE, "keep_ll": False}
    if rule == "compile_shard":
        (tmp_path / "corpus").mkdir()
        overlay["corpus"] = {
            "dataset": None,
            "path": str(tmp_path / "corpus"),
            "format": "tree",
            "columns": {"ir": None},
        }
    (tmp_path / "overlay.yaml").write_text(json.dumps(overlay))
    files = [str(ROOT / "config" / "paper.yaml"), str(tmp_path / "overlay.yaml")]
    options = ["--configfile", *files, "--profile", str(ROOT / "profiles" / "slurm")]
    output, seconds, megabytes = snakemake(large, "--snakefile", str(ROOT / "Snakefile"), "--dry-run", *options)
    jobs = jobs_in(output)
    assert len(jobs) <= 5000
    # As many as the config asks for, not as this machine has.
    assert "    threads: 16\n" in output.partition("rule evaluate_execute:")[2].partition("rule ")[0]
    assert {job.split()[1] for job in jobs if job.startswith(f"{rule} ")} == set(SOURCES)
    # Every benchmark of the paper, and the commits of its eight languages, none of which is here.
    assert sum(job.startswith("fetch_benchmark ") for job in jobs) == 28
    # About 10 on a machine with nothing else to do; tests share the cores.
    assert seconds < 30
    assert megabytes < 1000


def test_every_cluster_job_pays_little_for_the_snakefile(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    _, empty, _ = snakemake(tmp_path, "--snakefile", str(tmp_path / "empty"), "--list-rules")
    _, parsed, _ = snakemake(tmp_path, "--snakefile", str(ROOT / "Snakefile"), "--list-rules")
    assert parsed - empty < 3
