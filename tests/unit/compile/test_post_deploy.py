"""Scripts that put a compiler into a conda environment: checksums, links, running again."""

import hashlib
import os
import re
import subprocess
import tarfile

import pytest

from tests.support.paths import ROOT

# Those that fetch an archive; the others leave fetching and checksums to a language's package manager.
SCRIPTS = [script for script in sorted(ROOT.glob("envs/*.post-deploy.sh")) if "\nsha256=" in script.read_text()]
SIMPLE = [script for script in SCRIPTS if "configure" not in script.read_text()]


@pytest.fixture
def machine(tmp_path):
    """An environment prefix, and a `curl` that hands out an archive with the named programs and counts its calls."""

    def make(script, checksum):
        text = script.read_text()
        programs = re.search(r'^programs="(.*)"$', text, re.MULTILINE)[1].split()
        folder = "usr/bin" if "/usr/bin/$program" in text else "bin"
        tree = tmp_path / "tree/top" / folder
        tree.mkdir(parents=True)
        for program in programs:
            (tree / program).write_text("#!/bin/sh\necho works\n")
            (tree / program).chmod(0o755)
        with tarfile.open(tmp_path / "archive", "w:gz") as archive:
            archive.add(tmp_path / "tree/top", "top")
        tools = tmp_path / "tools"
        tools.mkdir()
        (tools / "curl").write_text(
            '#!/bin/sh\necho call >> $CALLS\nwhile [ "$1" != --output ]; do shift; done\ncp "$ARCHIVE" "$2"\n'
        )
        (tools / "curl").chmod(0o755)
        given = checksum or hashlib.sha256((tmp_path / "archive").read_bytes()).hexdigest()
        copy = tmp_path / script.name
        copy.write_text(re.sub(r"^sha256=.*$", f"sha256={given}", text, flags=re.MULTILINE))
        prefix = tmp_path / "prefix"
        (prefix / "bin").mkdir(parents=True)
        environment = {"PATH": f"{tools}:{os.environ['PATH']}", "CONDA_PREFIX": str(prefix)}
        environment |= {"ARCHIVE": str(tmp_path / "archive"), "CALLS": str(tmp_path / "calls")}

        def run():
            return subprocess.run(["sh", str(copy)], env=environment, capture_output=True, text=True, check=False)

        return run, prefix, programs

    return make


@pytest.mark.parametrize("script", SIMPLE, ids=lambda path: path.name)
def test_programs_are_installed_once(script, machine, tmp_path):
    run, prefix, programs = machine(script, None)
    for _ in range(2):
        assert run().returncode == 0
    assert (tmp_path / "calls").read_text() == "call\n"
    for program in programs:
        done = subprocess.run([prefix / "bin" / program], capture_output=True, text=True, check=True)
        assert done.stdout == "works\n"


@pytest.mark.parametrize("script", SIMPLE, ids=lambda path: path.name)
def test_a_wrong_checksum_installs_nothing(script, machine):
    run, prefix, _ = machine(script, "0" * 64)
    assert run().returncode != 0
    assert not list((prefix / "bin").iterdir())


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_missing_checksum_error_says_how_to_record_it(script, tmp_path):
    copy = tmp_path / script.name
    copy.write_text(re.sub(r"^sha256=.*$", "sha256=", script.read_text(), flags=re.MULTILINE))
    environment = {"PATH": os.environ["PATH"], "CONDA_PREFIX": str(tmp_path)}
    done = subprocess.run(["sh", str(copy)], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"envs/{script.name}" in done.stderr
    assert "sha256sum" in done.stderr


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_next_to_its_environment_file(script):
    assert script.with_name(script.name.replace(".post-deploy.sh", ".yaml")).is_file()
    assert re.search(r"^sha256=([0-9a-f]{64})?$", script.read_text(), re.MULTILINE)
