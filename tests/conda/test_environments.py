"""Every rule in its conda environment with the tools of that environment; pins; the report of the doctor."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from scripts.workflow.validation import read_yaml
from tests.conda.conftest import ROOT, Conda, version_of
from tests.support.env_imports import uses
from tests.workflow.jobs import jobs_in

pytestmark = pytest.mark.conda
# Language -> the conda package of its compiler. Not included: languages whose compiler a post-deploy
# script downloads, and Objective-C, whose environment needs a channel other than conda-forge.
COMPILERS = {"C": "clang", "C++": "clangxx", "D": "ldc", "Fortran": "flang", "Rust": "rust"}

# Rules without a job in this run, and why.
NOT_RUN = {
    "fetch_base": "needs a network",
    "fetch_benchmark": "needs a network",
    "fetch_checkpoint": "needs a network",
    "fetch_corpus": "needs a network",
    "fetch_instruct": "needs a network",
    "pretrain_deepspeed_operators": "only with DeepSpeed on CPUs",
    "sources_modules": "only for programs that come with their IR",
    "sources_ir": "only for programs that come with their IR",
    "evaluate_ceiling": "the script and environment of evaluate_controls",
}
# Rules of a loop have an expression as their name: the expression, and the rule that runs here.
LOOPS = {"GENERATE.rule": "evaluate_generate"}
# Targets in addition to `all` that give every other rule a job.
TARGETS = ("all", "audit", "pairs", "results/provenance/pairs.json", "results/models/tiny-gpt-bigcode/base-instruct")


def snakemake(conda: Conda, root: Path, folder: Path, *arguments: str) -> list[str]:
    """The command line of a run with conda environments, from the environment of Snakemake."""
    command = [str(conda.python), "-m", "snakemake", "--snakefile", str(root / "Snakefile"), "--directory", str(folder)]
    return [*command, *arguments, "--cores", "2", "--sdm", "conda"]


def scripts_of_rules() -> dict[str, str]:
    """Rule -> file name of its script."""
    used = (use for use in uses() if use.env not in ("workflow", "explore"))
    return {LOOPS.get(use.rule, use.rule): Path(use.modules[0]).name for use in used}


def doctor(conda: Conda, prefix: Path, root: Path) -> str:
    """The doctor's report, in the host's Python with its tools, on environments below `prefix`."""
    path = f"PATH={conda.environment['PATH']}{os.pathsep}{Path(sys.executable).parent}"
    return conda.run("env", path, sys.executable, "-m", "scripts.doctor", "--conda-prefix", str(prefix), folder=root)


def test_every_rule_runs_in_its_environment_with_its_tools(conda: Conda, tmp_path: Path) -> None:
    configs = [str(ROOT / "tests" / folder) for folder in ("workflow/tiny.yaml", "conda/run.yaml")]
    output = conda.run(*snakemake(conda, ROOT, tmp_path, *TARGETS, "--configfile", *configs), folder=tmp_path)
    scripts_by_rule = scripts_of_rules()
    ran = {job.split()[0] for job in jobs_in(output)} & scripts_by_rule.keys()
    assert scripts_by_rule.keys() - ran == NOT_RUN.keys()
    environments = tmp_path / ".snakemake" / "conda"
    # The Python of an environment started each script, not the one that runs Snakemake.
    scripts = [
        (program, match[1])
        for program, arguments in conda.calls()
        if (match := re.search(r"\.snakemake/scripts/tmp\w+\.(\w+\.py)$", arguments))
    ]
    assert {program.is_relative_to(environments) for program, _ in scripts} == {True}
    assert {name for _, name in scripts} == {scripts_by_rule[rule] for rule in ran}
    # The recorded versions of the compilers are those of the environments, not those of the host.
    for language, package in COMPILERS.items():
        env = read_yaml(ROOT / "config" / "languages.yaml")[language]["env"]
        tables = (tmp_path / "results" / "ir" / language).glob("*.parquet")
        columns = [pq.read_table(table, columns=["compiler"])["compiler"].to_pylist() for table in tables]
        # Programs that were rejected before compilation have no compiler.
        recorded = {name for column in columns for name in column if name}
        assert {name.split()[-1] for name in recorded} == {version_of(env, package)}
    report = doctor(conda, environments, ROOT)
    environment_names = {Path(file).stem for file in re.findall(r"^ +ok +(\S+\.yaml)", report, re.MULTILINE)}
    by_language = {read_yaml(ROOT / "config" / "languages.yaml")[name]["env"] for name in COMPILERS}
    assert environment_names == by_language | {
        "data",
        "train",
        "generate",
        "execute",
        "modules",
        "score",
        "tables",
        "provenance",
    }


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
    command = snakemake(conda, root, tmp_path, "sources", "--config", "languages=[C]")
    conda.run(*command, folder=tmp_path)
    assert "Nothing to be done" in conda.run(*command, folder=tmp_path)
    copies = list((tmp_path / ".snakemake" / "conda").glob("*.pin.txt"))
    assert [copy.read_bytes() for copy in copies] == [pin.read_bytes()]
    report = doctor(conda, tmp_path / ".snakemake" / "conda", root)
    assert re.search(r"^ +ok +data\.yaml", report, re.MULTILINE)


def test_an_edited_environment_is_created_again_and_its_rules_rerun(conda: Conda, tmp_path: Path) -> None:
    root = copied(tmp_path / "copy")
    command = snakemake(conda, root, tmp_path, "sources", "--config", "languages=[C]")
    conda.run(*command, folder=tmp_path)
    file = root / "envs" / "data.yaml"
    # Reading sources does not need it.
    file.write_text(re.sub(r"^ *- jinja2=.*\n", "", file.read_text(), flags=re.MULTILINE))
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


def test_the_environment_of_snakemake_is_as_its_file_says(conda: Conda) -> None:
    prefix = conda.python.parents[1]
    assert list(prefix.glob(f"conda-meta/snakemake-minimal-{version_of('workflow', 'snakemake-minimal')}-*.json"))
    assert list(prefix.glob(f"venv/lib/python*/site-packages/pyarrow-{version_of('workflow', 'pyarrow')}.dist-info"))


def test_a_package_that_only_snakemakes_environment_has_is_missing(conda: Conda, tmp_path: Path) -> None:
    root = copied(tmp_path / "copy")
    file = root / "envs" / "data.yaml"
    text = file.read_text()
    assert "charset-normalizer" in text and "charset-normalizer" in (root / "envs" / "workflow.yaml").read_text()
    file.write_text(re.sub(r"^ *- charset-normalizer=.*\n", "", text, flags=re.MULTILINE))
    command = snakemake(conda, root, tmp_path, "sources", "--config", "languages=[C]")
    output = conda.run(*command, folder=tmp_path, succeeds=False)
    assert "No module named 'charset_normalizer'" in output
