"""Every rule in its conda environment with the tools of that environment; pins; the report of the doctor."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from scripts.workflow.validation import read_yaml
from tests.conda.conftest import ROOT, Conda, version_of
from tests.workflow.jobs import jobs_in

pytestmark = pytest.mark.conda
# Language -> the conda package of its compiler. Not included: languages whose compiler a post-deploy
# script downloads, and Objective-C, whose environment needs a channel other than conda-forge.
COMPILERS = {"C": "clang", "C++": "clangxx", "D": "ldc", "Fortran": "flang", "Rust": "rust"}


def snakemake(root: Path, folder: Path, *arguments: str) -> list[str]:
    """The command line of a run with conda environments."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(root / "Snakefile"), "--directory", str(folder)]
    return [*command, *arguments, "--cores", "2", "--sdm", "conda"]


def rule_of_script(jobs: set[str]) -> dict[str, set[str]]:
    """File name of a script -> rules that ran it."""
    ran: dict[str, set[str]] = {}
    for file in (ROOT / "rules").glob("*.smk"):
        for part in re.split(r"^(?:rule|checkpoint) ", file.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
            script = re.search(r'"\.\./scripts/\w+/(\w+\.py)"', part)
            rule = part.partition(":")[0]
            if script and any(job.split()[0] == rule for job in jobs):
                ran.setdefault(script[1], set()).add(rule)
    return ran


def test_every_rule_runs_in_its_environment_with_its_tools(conda: Conda, tmp_path: Path) -> None:
    config = ["--configfile", str(ROOT / "tests" / "workflow" / "tiny.yaml")]
    languages = f"languages=[{','.join(COMPILERS)}]"
    output = conda.run(*snakemake(ROOT, tmp_path, *config, "--config", languages), folder=tmp_path)
    ran = rule_of_script(jobs_in(output))
    environments = tmp_path / ".snakemake" / "conda"
    # The Python of an environment started each script, not the one that runs Snakemake.
    scripts = [
        (program, match[1])
        for program, arguments in conda.calls()
        if (match := re.search(r"\.snakemake/scripts/tmp\w+\.(\w+\.py)$", arguments))
    ]
    assert {program.is_relative_to(environments) for program, _ in scripts} == {True}
    assert {name for _, name in scripts} == set(ran)
    # The recorded versions of the compilers are those of the environments, not those of the host.
    for language, package in COMPILERS.items():
        env = read_yaml(ROOT / "config" / "languages.yaml")[language]["env"]
        tables = (tmp_path / "results" / "ir" / language).glob("*.parquet")
        columns = [pq.read_table(table, columns=["compiler"])["compiler"].to_pylist() for table in tables]
        # Programs that were rejected before compilation have no compiler.
        recorded = {name for column in columns for name in column if name}
        assert {name.split()[-1] for name in recorded} == {version_of(env, package)}
    report = conda.run(sys.executable, "-m", "scripts.doctor", "--conda-prefix", str(environments), folder=ROOT)
    environment_names = {Path(file).stem for file in re.findall(r"^ +ok +(\S+\.yaml)", report, re.MULTILINE)}
    assert {
        "data",
        "train",
        "tables",
        *(read_yaml(ROOT / "config" / "languages.yaml")[name]["env"] for name in COMPILERS),
    } <= environment_names


def copied(root: Path) -> Path:
    """A copy of the workflow for edits."""
    for folder in ("config", "envs", "resources", "rules", "scripts", "profiles"):
        shutil.copytree(ROOT / folder, root / folder)
    shutil.copy(ROOT / "Snakefile", root)
    return root


def test_an_environment_is_created_as_pinned(conda: Conda, tmp_path: Path) -> None:
    root = copied(tmp_path / "copy")
    file, pin = root / "envs" / "data.yaml", root / "envs" / "data.linux-64.pin.txt"
    lock = str(root / "envs" / "lock.sh")
    assert "pip section" in conda.run(lock, str(file), folder=tmp_path)
    assert not pin.exists()
    file.write_text(file.read_text().partition("  - pip:\n")[0])
    conda.run(lock, str(file), folder=tmp_path)
    assert f"/numpy-{version_of('data', 'numpy')}-" in pin.read_text()
    command = snakemake(root, tmp_path, "sources", "--config", "languages=[C]")
    conda.run(*command, folder=tmp_path)
    assert "Nothing to be done" in conda.run(*command, folder=tmp_path)
    copies = list((tmp_path / ".snakemake" / "conda").glob("*.pin.txt"))
    assert [copy.read_bytes() for copy in copies] == [pin.read_bytes()]
    doctor = [sys.executable, "-m", "scripts.doctor", "--conda-prefix", str(tmp_path / ".snakemake" / "conda")]
    report = conda.run(*doctor, folder=root)
    assert re.search(r"^ +ok +data\.yaml", report, re.MULTILINE)


def test_an_edited_environment_is_created_again_and_its_rules_rerun(conda: Conda, tmp_path: Path) -> None:
    root = copied(tmp_path / "copy")
    command = snakemake(root, tmp_path, "sources", "--config", "languages=[C]")
    conda.run(*command, folder=tmp_path)
    file = root / "envs" / "data.yaml"
    file.write_text(re.sub(r"^ *- charset-normalizer=.*\n", "", file.read_text(), flags=re.MULTILINE))
    assert jobs_in(conda.run(*command, folder=tmp_path)) - {"sources"} == {"sources_read C"}
    assert "Nothing to be done" in conda.run(*command, folder=tmp_path)


def test_without_conda_no_pin_file_is_written(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "envs", tmp_path / "envs")
    before = sorted((tmp_path / "envs").iterdir())
    bare = {"PATH": "/usr/bin:/bin"}
    done = subprocess.run([tmp_path / "envs" / "lock.sh"], env=bare, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: no conda here")
    assert sorted((tmp_path / "envs").iterdir()) == before


def test_the_environment_of_snakemake_can_be_created(conda: Conda, tmp_path: Path) -> None:
    prefix = tmp_path / "workflow"
    conda.run(
        *("conda", "env", "create", "--quiet", "--file", str(ROOT / "envs" / "workflow.yaml"), "--prefix", str(prefix)),
        folder=tmp_path,
    )
    assert list(prefix.glob(f"conda-meta/snakemake-minimal-{version_of('workflow', 'snakemake-minimal')}-*.json"))
