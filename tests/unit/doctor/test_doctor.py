"""The doctor's report: what it finds of packages and environments, and what it says of what is wrong."""

import json
from pathlib import Path

import pytest

from scripts.doctor import environments, host
from scripts.doctor.finding import Finding

ENV = "channels: [conda-forge]\ndependencies: [python=3.11, clang=22.1.8, curl, {pip: [rensa==0.5.0]}]\n"
RIGHT = {"python": "3.11.9", "clang": "22.1.8", "curl": "8.1"}


@pytest.fixture
def envs(tmp_path: Path) -> Path:
    """A folder with one environment file."""
    (tmp_path / "envs").mkdir()
    (tmp_path / "envs" / "clang.yaml").write_text(ENV)
    return tmp_path / "envs"


def make(envs: Path, versions: dict[str, str], text: str = ENV, done: bool = True) -> Path:
    """Make an environment the way Snakemake leaves it; return the folder of all environments."""
    made = envs.parent / "conda"
    meta = made / "0a1b_" / "conda-meta"
    meta.mkdir(parents=True)
    (made / "0a1b_.yaml").write_text(text)
    for name, version in versions.items():
        record = {"name": name, "version": version, "fn": f"{name}-{version}-0.conda"}
        (meta / f"{name}.json").write_text(json.dumps(record))
    if done:
        (made / "0a1b_.env_setup_done").touch()
    return made


def the_one(envs: Path, made: Path) -> Finding:
    """The finding of a folder with one environment file."""
    (finding,) = environments.environments(envs, made)
    return finding


def test_an_environment_as_asked_for_is_good_and_names_its_versions(envs: Path) -> None:
    finding = the_one(envs, make(envs, RIGHT))
    assert finding.good
    assert "clang 22.1.8" in finding.there


@pytest.mark.parametrize(
    ("versions", "says"),
    [
        (RIGHT | {"clang": "21.1.0"}, "clang 21.1.0, not 22.1.8"),
        (RIGHT | {"python": "3.110.0"}, "python 3.110.0, not 3.11"),
        ({"python": "3.11.9", "clang": "22.1.8"}, "curl nothing, not there"),
    ],
)
def test_another_version_than_asked_for_is_to_be_mended(envs: Path, versions: dict[str, str], says: str) -> None:
    finding = the_one(envs, make(envs, versions))
    assert not finding.good
    assert finding.needed
    assert says in finding.there
    assert "rm -r" in finding.remedy


def test_an_environment_must_equal_its_pin_file(envs: Path) -> None:
    lines = "".join(f"https://x/linux-64/{name}-{version}-0.conda#00\n" for name, version in RIGHT.items())
    (envs / "clang.linux-64.pin.txt").write_text(f"@EXPLICIT\n{lines}")
    made = make(envs, RIGHT)
    assert the_one(envs, made).good
    (envs / "clang.linux-64.pin.txt").write_text(f"@EXPLICIT\n{lines.replace('curl-8.1-0', 'curl-8.1-1')}")
    assert the_one(envs, made).there == "curl-8.1-1.conda missing; curl-8.1-0.conda extra"


@pytest.mark.parametrize("case", ["older file", "half made"])
def test_what_was_made_from_another_file_or_not_to_the_end_does_not_count(envs: Path, case: str) -> None:
    made = make(envs, RIGHT, text=ENV if case == "half made" else "dependencies: []\n", done=case != "half made")
    finding = the_one(envs, made)
    assert not finding.good
    assert not finding.needed
    assert finding.there == "not made yet"


def test_python_packages_that_are_not_as_pinned_are_named(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text(f"psutil=={host.installed_version('psutil')}\nruff==0.0.1\nno-such-package==1.0\n")
    first, *rest = host.python_packages(file)
    assert not first.good
    assert first.there == "1 of 3 as pinned"
    assert [finding.what for finding in rest] == ["ruff", "no-such-package"]


def test_a_missing_debian_package_is_named_with_its_remedy(tmp_path: Path) -> None:
    file = tmp_path / "apt.txt"
    file.write_text("# a comment\nbash  # the shell\nno-such-package\n")
    bash, missing = host.debian_packages(file)
    assert bash.good
    assert not missing.good
    assert "make setup" in missing.remedy


def test_a_language_without_a_compiler_is_needed_only_if_it_is_configured() -> None:
    tools = {"x": {"programs": ["no-such-compiler"], "version": ["-v"], "pattern": "(.*)"}}
    entry = {"env": "x", "frontends": [{"name": "x", "tools": tools}]}
    (needed,) = host.compilers({"X": entry}, ["X"])
    (other,) = host.compilers({"X": entry}, [])
    assert "MISSING" in needed.line()
    assert "no-such-compiler" in needed.remedy
    assert "MISSING" not in other.line()
