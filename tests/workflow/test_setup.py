"""Set-up with apt and pip: pinned versions, and what setup.sh does where something is missing."""

import ast
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOST = ROOT / "envs" / "host"
PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)==([0-9][A-Za-z0-9.]*)")


def canonical(name: str) -> str:
    """A package's name in its canonical spelling."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(file: Path) -> dict[str, str]:
    """Versions by package in a requirements file.

    Fails for a line that does not pin one version.
    """
    versions = {}
    for number, line in enumerate(file.read_text().splitlines(), 1):
        requirement = line.split("#")[0].strip()
        if requirement:
            match = PIN.fullmatch(requirement)
            assert match, f"{file.name}:{number}: '{requirement}' does not pin a released version"
            versions[canonical(match[1])] = match[2]
    return versions


def imported_packages() -> set[str]:
    """Names of the top-level modules of other projects that the project's Python files import."""
    modules = set()
    elsewhere = {ROOT / "tests" / "conda" / name for name in ("channel.py", "stand_in.py")}  # run by .venv-conda
    for file in {*(ROOT / "scripts").rglob("*.py"), *(ROOT / "tests").rglob("*.py")} - elsewhere:
        if "data" in file.relative_to(ROOT).parts:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                modules.add(node.module.split(".")[0])
    # The modules of runtime/ import each other by name; vLLM, the explorer and its browser have
    # environments of their own.
    runtime = {path.stem for path in (ROOT / "scripts/evaluate/runtime").glob("*.py")}
    return (
        modules
        - set(sys.stdlib_module_names)
        - runtime
        - {"scripts", "tests", "bench", "vllm", "datasette", "selenium"}
    )


def test_installed_packages_have_exact_pins_and_no_special_source() -> None:
    locked = pins(HOST / "requirements.txt")
    assert pins(HOST / "requirements.in").items() <= locked.items()
    assert len(pins(ROOT / "tests" / "conda" / "requirements.txt")) > 1
    assert not [name for name in locked if name.startswith(("nvidia-", "cuda-", "triton"))]


def test_every_imported_package_is_named_in_the_requirements() -> None:
    distributions = packages_distributions()
    required = pins(HOST / "requirements.in")
    missing = {
        module
        for module in imported_packages()
        if not {canonical(name) for name in distributions.get(module, [])} & required.keys()
    }
    assert missing == set()


def test_no_module_shadows_a_library() -> None:
    """Snakemake puts a script's folder on the module path, where the script's neighbours are found."""
    libraries = sys.stdlib_module_names | packages_distributions().keys()
    assert [path for path in (ROOT / "scripts").rglob("*.py") if path.stem in libraries] == []


# Replaces `python3 -m venv` by one that makes a Python which accepts every command.
QUICK_VENV = f"""if [ "$*" = "-m venv ${{@: -1}}" ]; then
    mkdir -p "$3/bin"; printf '#!/bin/sh\\n' >"$3/bin/python"; chmod +x "$3/bin/python"; ln -s "$0" "$3/bin/python3"
else
    exec {sys.executable} "$@"
fi"""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A copy of the set-up files, with a folder `bin` of commands that simulate another machine."""
    shutil.copytree(HOST, tmp_path / "envs" / "host")
    (tmp_path / "envs" / "host" / "requirements.txt").write_text("# nothing\n")
    (tmp_path / "bin").mkdir()
    command(tmp_path, "dpkg-query", "echo installed")
    command(tmp_path, "apt-get", 'echo "apt-get $*" >>"$(dirname "$0")/called"')
    command(tmp_path, "dpkg", "true")
    command(tmp_path, "python3", QUICK_VENV)
    return tmp_path


def command(machine: Path, name: str, body: str) -> None:
    """Write a command to the machine's PATH."""
    file = machine / "bin" / name
    file.write_text(f"#!/bin/bash\n{body}\n")
    file.chmod(0o755)


def set_up(machine: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run setup.sh on the machine."""
    # As in the Makefile, the Python of .venv is first.
    environment = os.environ | {"PATH": f"{machine / '.venv' / 'bin'}:{machine / 'bin'}:{os.environ['PATH']}"}
    script = machine / "envs" / "host" / "setup.sh"
    return subprocess.run([script, *arguments], env=environment, capture_output=True, text=True, check=False)


def test_without_root_and_sudo_the_missing_command_is_printed_and_nothing_is_installed(machine: Path) -> None:
    command(machine, "id", "echo 1000")
    command(machine, "sudo", "exit 1")
    command(machine, "dpkg-query", '[[ "${@: -1}" != @(nim|ghc) ]] && echo installed')
    done = set_up(machine)
    assert done.returncode == 1
    assert done.stdout == "sudo apt-get install -y --no-install-recommends ghc nim\n"
    assert not (machine / ".venv").exists()
    assert not (machine / "bin" / "called").exists()


def test_missing_packages_are_installed_with_sudo(machine: Path) -> None:
    command(machine, "id", "echo 1000")
    command(machine, "sudo", 'shift; exec "$@"')
    command(machine, "dpkg-query", '[[ "${@: -1}" != nim ]] && echo installed')
    assert set_up(machine).returncode == 0
    called = (machine / "bin" / "called").read_text().splitlines()
    assert called[-1].endswith("install --no-install-recommends nim")
    assert called[-2].endswith("update")


def test_packages_of_the_tests_are_installed_for_the_tests_only(machine: Path) -> None:
    command(machine, "dpkg-query", '[[ "${@: -1}" != shellcheck ]] && echo installed')
    assert set_up(machine).returncode == 0
    assert not (machine / "bin" / "called").exists()
    assert set_up(machine, "test").returncode == 0
    assert "install --no-install-recommends shellcheck" in (machine / "bin" / "called").read_text()


def test_an_incomplete_or_outdated_venv_is_replaced(machine: Path) -> None:
    assert set_up(machine).returncode == 0
    junk, stamp = machine / ".venv" / "junk", machine / ".venv" / ".complete"
    junk.touch()
    assert set_up(machine).returncode == 0
    assert junk.exists()

    stamp.unlink()
    assert set_up(machine).returncode == 0
    assert not junk.exists()
    assert stamp.exists()

    junk.touch()
    (machine / "envs" / "host" / "requirements.txt").write_text("# nothing, in other words\n")
    assert set_up(machine).returncode == 0
    assert not junk.exists()


def test_a_failed_installation_is_not_marked_complete(machine: Path) -> None:
    (machine / "bin" / "python3").unlink()
    (machine / "envs" / "host" / "requirements.txt").write_text("./no-such-package\n")
    assert set_up(machine).returncode != 0
    assert not (machine / ".venv" / ".complete").exists()


def test_the_cluster_profile_works_by_name_after_its_installation(tmp_path: Path) -> None:
    environment = os.environ | {"XDG_CONFIG_HOME": str(tmp_path)}
    install = ["make", "-C", str(ROOT), "install-profile"]
    subprocess.run(install, env=environment, check=True, stdout=subprocess.DEVNULL)
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--profile", "slurm"]
    options = ["--directory", str(tmp_path), "--list-rules"]
    done = subprocess.run([*command, *options], env=environment, capture_output=True, text=True, check=True)
    assert "compile_shard" in done.stdout.split()
    link = tmp_path / "snakemake" / "slurm"
    link.unlink()
    link.mkdir()
    refused = subprocess.run(install, env=environment, capture_output=True, text=True, check=False)
    assert refused.returncode != 0 and "move it first" in refused.stderr
