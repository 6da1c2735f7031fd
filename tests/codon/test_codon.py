"""Python programs compiled by Codon after their preparation against the same programs, unprepared, run by CPython."""

import subprocess
import sys

import pytest

from scripts.compile.prepare import for_codon
from scripts.compile.unit import first_error
from scripts.lib.sandbox import Limits, run
from tests.compiling import ROOT, build

pytestmark = pytest.mark.codon
LIMITS = Limits(wall_seconds=600, cpu_seconds=120, memory_mb=4000)
SAMPLES = [
    path for path in sorted(ROOT.glob("resources/corpus/Python/*/source.py")) if path.with_name("input.txt").exists()
]


@pytest.mark.parametrize("source", SAMPLES, ids=lambda path: path.parent.name)
def test_a_program_prints_the_same_by_codon_and_by_cpython(source):
    program = source.read_text(encoding="utf-8")
    given = source.with_name("input.txt").read_bytes()
    toolchain = build("Python").toolchain
    command = toolchain.command(["codon", "run", "--numerics=py", "source.py"])
    files = {"source.py": for_codon(program)[0].encode()}
    built = run(command, sandbox=toolchain.sandbox, limits=LIMITS, stdin=given, files=files)
    message = first_error(built.stderr.decode("utf-8", "replace"))
    if built.returncode != 0 and "error:" in message:
        pytest.skip(f"Codon refuses it: {message}")
    plain = subprocess.run([sys.executable, source], input=given, capture_output=True, check=False)
    assert (built.stdout, built.returncode) == (plain.stdout, plain.returncode)
