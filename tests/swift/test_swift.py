"""Swift's entry in the table of languages against Debian 13's swiftc in a chroot: its commands, and IR that is read."""

import os
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

from scripts.compile.compile_program import first_error
from scripts.lib.llvm import verified
from tests.support.compiling import ROOT, TABLE

pytestmark = pytest.mark.swift
CHROOT = Path(os.environ.get("SWIFT_CHROOT", ROOT / ".swift-chroot")).absolute()
FRONTEND = TABLE["Swift"]["frontends"][0]
PROGRAMS = sorted(ROOT.glob("resources/corpus/Swift/*/source.swift"))


def inside(words, folder="/"):
    """Run a program in the chroot, in a folder of it."""
    command = ["bwrap", "--unshare-all", "--die-with-parent", "--bind", CHROOT, "/", "--proc", "/proc", "--dev", "/dev"]
    command += ["--clearenv", "--setenv", "PATH", "/usr/bin:/bin", "--setenv", "HOME", "/", "--chdir", folder, *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@cache
def compiled(source, variant, name):
    """What the table's command for a variant does with a program: the finished process and the module, if any."""
    folder = CHROOT / "tmp" / name
    folder.mkdir(exist_ok=True)
    (folder / FRONTEND["source"]).write_bytes(source.read_bytes())
    (folder / FRONTEND["output"]).unlink(missing_ok=True)
    [step] = FRONTEND["steps"]
    words = [part for word in step["run"] for part in (FRONTEND["flags"][variant] if word == "{flags}" else [word])]
    done = inside(words, f"/tmp/{name}")
    module = folder / FRONTEND["output"]
    return done, module.read_text(encoding="utf-8") if module.exists() else ""


def test_the_version_is_read_by_the_tables_pattern():
    tool = FRONTEND["tools"]["swiftc"]
    done = inside([tool["programs"][0], *tool["version"]])
    assert re.search(tool["pattern"], done.stdout + done.stderr), done.stdout + done.stderr


@pytest.mark.parametrize("variant", ["perf", "size"])
@pytest.mark.parametrize("source", PROGRAMS, ids=lambda path: path.parent.name)
def test_a_program_becomes_a_verified_module_or_is_refused_with_a_reason(source, variant):
    done, module = compiled(source, variant, "one")
    assert module or first_error(done.stderr), done.stderr
    if module:
        text = verified(module)
        assert "define " in text
        assert not any(word in text for word in (str(ROOT), str(CHROOT), "/tmp/one", "/home", "source_filename"))


@pytest.mark.parametrize("variant", ["perf", "size"])
def test_foundation_is_available(variant, tmp_path):
    program = tmp_path / "source.swift"
    program.write_text('import Foundation\nprint(String(format: "%.2f", sqrt(2.0)))\n')
    done, module = compiled(program, variant, "one")
    assert "define " in verified(module), done.stderr


def test_another_folder_gives_the_same_bytes():
    one, other = (compiled(PROGRAMS[0], "perf", folder)[1] for folder in ("one", "other"))
    assert one
    assert verified(one) == verified(other)


def test_most_programs_are_accepted_and_variants_differ():
    both = [[compiled(source, variant, "one")[1] for variant in ("perf", "size")] for source in PROGRAMS]
    accepted = [each for each in both if all(each)]
    assert len(accepted) >= 0.8 * len(PROGRAMS)
    assert any(perf != size for perf, size in accepted)
