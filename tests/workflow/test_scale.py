"""Planning a run of the paper's size: four million sources, in empty shard files."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.sources.shards import shard_count
from tests.support.cpu_time import holds_in_one_of
from tests.workflow.conftest import ROOT, snakemake_environment
from tests.workflow.jobs import jobs_in

# Sources by language, similar to the sizes of the published data set.
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
SHARD_SIZES = {"sources_ir": 50000, "compile_shard": 5000}  # as in config/paper.yaml
# A language's shards may be up to 6 % smaller, and the last one is not full.
MOST_JOBS = {rule: 1.07 * sum(SOURCES.values()) / size + len(SOURCES) for rule, size in SHARD_SIZES.items()}


def read_sources(folder: Path, shard_size: int) -> Path:
    """A working directory in which the sources of all languages have been read."""
    (folder / "results" / "corpus").mkdir(parents=True)
    (folder / "results" / "corpus" / "fetched.json").write_text("{}")
    for language, rows in SOURCES.items():
        number = shard_count(rows, shard_size)
        digest = "0" * 64
        shards = {
            f"{shard:03}": {"rows": rows // number, "sha256": digest, "modules": digest} for shard in range(number)
        }
        sources = folder / "results" / "sources" / language
        sources.mkdir(parents=True)
        for shard in shards:
            (sources / f"{shard}.parquet").touch()
        (sources / "aliases.parquet").touch()
        index = {"language": language, "sources": rows, "duplicates": 0, "rejected": 0, "shards": shards}
        (sources / "shards.json").write_text(json.dumps(index))
    return folder


# Runs a command and prints its usage: a process between pytest and the command, because the peak
# memory that Linux reports of a process includes that of the process which started it.
MEASURE = """
import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(code, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
"""


def snakemake(folder: Path, *arguments: str) -> tuple[str, float, float]:
    """Output, CPU seconds and peak memory in MB of a Snakemake command that only plans."""
    command = [sys.executable, "-m", "snakemake", "--directory", str(folder), *arguments]
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, *command], env=snakemake_environment(), capture_output=True, text=True
    )
    output, _, usage = done.stdout.rstrip().rpartition("\n")
    code, seconds, megabytes = usage.split()
    assert code == "0", done.stderr[-4000:]
    return output, float(seconds), float(megabytes)


def empty_listing(folder: Path) -> float:
    """CPU seconds in which Snakemake lists the rules of an empty Snakefile: the unit of the limits."""
    (folder / "empty").touch()
    return snakemake(folder, "--snakefile", str(folder / "empty"), "--list-rules")[1]


def test_the_measured_memory_is_not_that_of_this_process(tmp_path: Path) -> None:
    memory = bytearray(b"x") * 1_000_000_000
    assert snakemake(tmp_path, "--version")[2] < 500
    del memory


@pytest.mark.parametrize("rule", ["sources_ir", "compile_shard"])
def test_four_million_sources_are_planned_in_seconds(tmp_path: Path, rule: str) -> None:
    """The paper's run, whose corpus has the IR, and the same run with compilation."""
    assert sum(SOURCES.values()) == 4_000_000
    large = read_sources(tmp_path / "large", SHARD_SIZES[rule])
    overlay = {"languages": list(SOURCES), "keep_ll": False}
    files = [str(ROOT / "config" / "paper.yaml")]
    if rule == "compile_shard":
        (tmp_path / "corpus").mkdir()
        overlay["corpus"] = {"path": str(tmp_path / "corpus")}
        files.append(str(ROOT / "config" / "examples" / "raw_corpus.yaml"))
    (tmp_path / "overlay.yaml").write_text(json.dumps(overlay))
    files.append(str(tmp_path / "overlay.yaml"))
    options = ["--configfile", *files, "--profile", str(ROOT / "profiles" / "slurm")]
    command = ["--snakefile", str(ROOT / "Snakefile"), "--dry-run", *options]
    output, _, megabytes = snakemake(large, *command)
    jobs = jobs_in(output)
    assert len(jobs) <= 5000
    assert sum(job.startswith(f"{rule} ") for job in jobs) <= MOST_JOBS[rule]
    # The number of threads is the config's, not that of this machine.
    assert "    threads: 16\n" in output.partition("rule evaluate_execute:")[2].partition("rule ")[0]
    assert {job.split()[1] for job in jobs if job.startswith(f"{rule} ")} == set(SOURCES)
    # All benchmarks of the paper and the commits of its eight languages have to be fetched.
    assert sum(job.startswith("fetch_benchmark ") for job in jobs) == 28
    assert megabytes < 300
    # An empty Snakefile takes 1.2 s of CPU time; seconds depend on the machine. So the paper's run is
    # planned in 12 s at most, and one with compilation in 18 s.
    limit = {"sources_ir": 10, "compile_shard": 15}[rule]
    assert holds_in_one_of(3, lambda: snakemake(large, *command)[1] < limit * empty_listing(tmp_path))


def test_parsing_the_snakefile_takes_each_cluster_job_little_time(tmp_path: Path) -> None:
    command = ["--snakefile", str(ROOT / "Snakefile"), "--list-rules"]
    assert holds_in_one_of(3, lambda: snakemake(tmp_path, *command)[1] < 2.2 * empty_listing(tmp_path))
