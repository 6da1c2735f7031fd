"""Conda environment files: each is enough for its rules, and both routes name the same versions."""

import os
import re
import shutil
from pathlib import Path

import pytest
import yte

from scripts.workflow.environments import differences, host_versions, pins, python_packages
from tests.support.env_imports import OPTIONAL, failed_imports, imports_of, missing_packages, uses
from tests.support.paths import ROOT

ENVS = ROOT / "envs"
USES = uses()
# Environments with the same Python packages are imported once.
GROUPS: dict[frozenset[str], list[str]] = {}
for _file in sorted(set(ENVS.glob("*.yaml")) - {ENVS / "explore.yaml"}):  # datasette is in .venv-explore alone
    GROUPS.setdefault(frozenset(python_packages(_file)), []).append(_file.stem)


def modules_in(envs: list[str]) -> list[str]:
    """Modules that rules run in any of these environments."""
    return sorted({module for use in USES if use.env in envs for module in use.modules})


@pytest.fixture
def copied_envs(tmp_path: Path) -> Path:
    """A copy of the environment files for edits."""
    return Path(shutil.copytree(ENVS, tmp_path / "envs"))


def drop(file: Path, package: str) -> None:
    """Delete the line of a package from an environment file."""
    text = file.read_text(encoding="utf-8")
    shorter = re.sub(rf"^ *- {package}=.*\n", "", text, flags=re.MULTILINE)
    assert shorter != text
    file.write_text(shorter, encoding="utf-8")


def test_every_environment_lists_what_its_rules_import() -> None:
    assert missing_packages(ENVS, USES) == []


def test_every_environment_file_is_used_by_a_rule() -> None:
    assert {use.env for use in USES} == {file.stem for file in ENVS.glob("*.yaml")}


@pytest.mark.parametrize("envs", GROUPS.values(), ids=lambda envs: envs[0])
def test_scripts_can_be_imported_with_the_packages_of_their_environment(envs: list[str], tmp_path: Path) -> None:
    packages = python_packages(ENVS / f"{envs[0]}.yaml")
    assert failed_imports(packages, modules_in(envs), tmp_path) == {}


def test_without_numpy_the_check_names_rule_script_and_package(copied_envs: Path, tmp_path: Path) -> None:
    drop(copied_envs / "fortran.yaml", "numpy")
    lines = missing_packages(copied_envs, USES)
    expected = "rule compile_shard: scripts/lib/parquet.py imports numpy, which envs/fortran.yaml does not list"
    assert expected in lines
    assert all(line.startswith("rule compile_shard: ") and "envs/fortran.yaml" in line for line in lines)
    packages = python_packages(copied_envs / "fortran.yaml")
    failed = failed_imports(packages, modules_in(["fortran"]), tmp_path / "site")
    assert failed == {"compile/shard.py": "No module named 'numpy'"}


def test_an_import_inside_a_function_counts(copied_envs: Path) -> None:
    drop(copied_envs / "score.yaml", "rouge-score")
    (line,) = missing_packages(copied_envs, USES)
    assert line.startswith("rule evaluate_score: scripts/evaluate/metrics.py imports rouge_score")


def test_the_environment_of_snakemake_has_what_the_snakefile_imports(copied_envs: Path) -> None:
    drop(copied_envs / "workflow.yaml", "pyarrow")
    assert any(
        line.startswith("rule Snakefile: scripts/lib/parquet.py") for line in missing_packages(copied_envs, USES)
    )


@pytest.mark.parametrize("entry", OPTIONAL, ids=lambda entry: f"{entry[0]}:{entry[1]}")
def test_every_exception_is_an_import_that_exists(entry: tuple[str, str, str, str]) -> None:
    assert entry[1] in imports_of(ROOT / "scripts" / entry[0])


def test_both_routes_name_the_same_versions() -> None:
    assert list(differences(ENVS, host_versions())) == []


def test_a_version_of_one_route_alone_is_a_difference(copied_envs: Path) -> None:
    file = copied_envs / "tables.yaml"
    file.write_text(file.read_text().replace("numpy=2.4.6", "numpy=2.4.5").replace("pandas=3.0.3", "pandas=3.0.2"))
    assert list(differences(copied_envs, host_versions())) == [
        "tables.yaml has numpy 2.4.5, the host has 2.4.6; use one version or explain it in versions.yaml",
        "tables.yaml has pandas 3.0.2, versions.yaml says 3.0.3",
    ]


def test_an_explanation_that_no_file_needs_is_a_difference(copied_envs: Path) -> None:
    host = host_versions() | {"peft": "0.19.1"}
    (line,) = differences(copied_envs, host)
    assert line.startswith("versions.yaml names peft, but no environment file differs")


def test_lines_of_an_environment_file_are_read_with_build_and_pip_section(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("dependencies: [python=3.11, vllm=0.26.0=cuda*, curl, {pip: [rensa==0.5.0]}]\n")
    read = [(pin.name, pin.version, pin.build, pin.pip) for pin in pins(file)]
    assert read == [
        ("python", "3.11", "", False),
        ("vllm", "0.26.0", "cuda*", False),
        ("curl", "", "", False),
        ("rensa", "0.5.0", "", True),
    ]


def test_environments_for_gpus_differ_in_the_builds_alone() -> None:
    files = sorted(ENVS.glob("*-gpu.yaml"))
    assert [file.stem for file in files] == ["generate-gpu", "train-gpu", "vllm-gpu"]
    for file in files:
        plain = set(pins(file.with_name(file.name.replace("-gpu", ""))))
        (cpu,), (cuda,) = plain - set(pins(file)), set(pins(file)) - plain
        assert {(cpu.name, cpu.build), (cuda.name, cuda.build)} in (
            {("pytorch-cpu", ""), ("pytorch-gpu", "")},
            {("vllm", "cpu*"), ("vllm", "cuda*")},
        )


def test_the_slurm_profile_states_a_cuda_version_for_conda(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (ROOT / "profiles" / "slurm" / "config.yaml").read_text(encoding="utf-8")
    monkeypatch.delenv("CONDA_OVERRIDE_CUDA", raising=False)
    yte.process_yaml(text)
    assert os.environ["CONDA_OVERRIDE_CUDA"] == "12.9"
    monkeypatch.setenv("CONDA_OVERRIDE_CUDA", "13.0")
    yte.process_yaml(text)
    assert os.environ["CONDA_OVERRIDE_CUDA"] == "13.0"
