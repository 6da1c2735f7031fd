"""The doctor's report: states of packages, environments and compilers, and remedies."""

import json
from pathlib import Path

import pytest

from scripts.doctor import environments, host
from scripts.doctor.__main__ import summary
from scripts.doctor.finding import Finding

ENV = "channels: [conda-forge]\ndependencies: [python=3.11, clang=22.1.8, curl, {pip: [rensa==0.5.0]}]\n"
MATCHING = {"python": "3.11.9", "clang": "22.1.8", "curl": "8.1"}


@pytest.fixture
def envs(tmp_path: Path) -> Path:
    """A folder with one environment file."""
    (tmp_path / "envs").mkdir()
    (tmp_path / "envs" / "clang.yaml").write_text(ENV)
    return tmp_path / "envs"


def create(envs: Path, versions: dict[str, str], text: str = ENV, done: bool = True) -> Path:
    """Write an environment like Snakemake's; return the folder of all environments."""
    prefix = envs.parent / "conda"
    meta = prefix / "0a1b_" / "conda-meta"
    meta.mkdir(parents=True)
    (prefix / "0a1b_.yaml").write_text(text)
    for name, version in versions.items():
        record = {"name": name, "version": version, "fn": f"{name}-{version}-0.conda"}
        (meta / f"{name}.json").write_text(json.dumps(record))
    if done:
        (prefix / "0a1b_.env_setup_done").touch()
    return prefix


def the_finding(envs: Path, prefix: Path) -> Finding:
    """The finding for a folder with one environment file."""
    (finding,) = environments.environments(envs, prefix)
    return finding


def test_a_matching_environment_is_ok_and_lists_its_versions(envs: Path) -> None:
    finding = the_finding(envs, create(envs, MATCHING))
    assert finding.ok
    assert "clang 22.1.8" in finding.state


@pytest.mark.parametrize(
    ("versions", "state"),
    [
        (MATCHING | {"clang": "21.1.0"}, "clang 21.1.0 instead of 22.1.8"),
        (MATCHING | {"python": "3.110.0"}, "python 3.110.0 instead of 3.11"),
        ({"python": "3.11.9", "clang": "22.1.8"}, "curl not installed"),
    ],
)
def test_another_version_is_a_problem_with_a_remedy(envs: Path, versions: dict[str, str], state: str) -> None:
    finding = the_finding(envs, create(envs, versions))
    assert not finding.ok
    assert finding.required
    assert state in finding.state
    assert "rm -r" in finding.remedy


GPU_ENV = "dependencies: [vllm=0.26.0=cuda*]\n"


@pytest.mark.parametrize(
    ("build", "ok", "state"),
    [
        ("cuda129_py311h0_0", True, "CUDA build; vllm 0.26.0"),
        ("cpu_py311h0_0", False, "vllm has build cpu_py311h0_0 instead of cuda*; CPU build of PyTorch instead of CUDA"),
    ],
)
def test_an_environment_for_gpus_needs_a_build_with_cuda(envs: Path, build: str, ok: bool, state: str) -> None:
    (envs / "clang.yaml").rename(envs / "vllm-gpu.yaml").write_text(GPU_ENV)
    prefix = create(envs, {}, text=GPU_ENV)
    record = {"name": "vllm", "version": "0.26.0", "build": build, "fn": "vllm"}
    (prefix / "0a1b_" / "conda-meta" / "vllm.json").write_text(json.dumps(record))
    finding = the_finding(envs, prefix)
    assert (finding.ok, finding.state) == (ok, state)
    assert ok or "CONDA_OVERRIDE_CUDA=" in finding.remedy


def test_an_environment_must_equal_its_pin_file(envs: Path) -> None:
    lines = "".join(f"https://x/linux-64/{name}-{version}-0.conda#00\n" for name, version in MATCHING.items())
    (envs / "clang.linux-64.pin.txt").write_text(f"@EXPLICIT\n{lines}")
    prefix = create(envs, MATCHING)
    assert the_finding(envs, prefix).ok
    (envs / "clang.linux-64.pin.txt").write_text(f"@EXPLICIT\n{lines.replace('curl-8.1-0', 'curl-8.1-1')}")
    assert the_finding(envs, prefix).state == "curl-8.1-1.conda missing; curl-8.1-0.conda not pinned"


@pytest.mark.parametrize("case", ["older file", "incomplete"])
def test_environments_of_another_file_and_incomplete_ones_do_not_count(envs: Path, case: str) -> None:
    prefix = create(
        envs, MATCHING, text=ENV if case == "incomplete" else "dependencies: []\n", done=case != "incomplete"
    )
    finding = the_finding(envs, prefix)
    assert not finding.ok
    assert not finding.required
    assert finding.state == "not created yet"


def test_python_packages_with_other_versions_are_listed(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text(f"psutil=={host.installed_version('psutil')}\nruff==0.0.1\nno-such-package==1.0\n")
    first, *rest = host.python_packages(file)
    assert not first.ok
    assert first.state == "1 of 3 as pinned"
    assert [finding.name for finding in rest] == ["ruff", "no-such-package"]


def test_a_missing_debian_package_is_listed_with_its_remedy(tmp_path: Path) -> None:
    file = tmp_path / "apt.txt"
    file.write_text("# a comment\nbash  # the shell\nno-such-package\n")
    bash, missing = host.debian_packages(file)
    assert bash.ok
    assert not missing.ok
    assert "make setup" in missing.remedy


def test_a_language_without_a_compiler_is_a_problem_only_if_it_is_configured() -> None:
    tools = {"x": {"programs": ["no-such-compiler"], "version": ["-v"], "pattern": "(.*)"}}
    entry = {"env": "x", "frontends": [{"name": "x", "tools": tools}]}
    (configured,) = host.compilers({"X": entry}, ["X"])
    (other,) = host.compilers({"X": entry}, [])
    assert "PROBLEM" in configured.line()
    assert "no-such-compiler" in configured.remedy
    assert "PROBLEM" not in other.line()


def test_the_last_line_counts_the_problems() -> None:
    findings = [Finding("a", True, "1"), Finding("b", False, "none"), Finding("c", False, "none", required=False)]
    assert [finding.is_problem for finding in findings] == [False, True, False]
    assert summary(3) == "3 problems found"
    assert summary(1) == "1 problem found"
    assert summary(0).startswith("no problem found")
