"""Python programs compiled by Codon after their preparation against the same programs, unprepared, run by CPython.

Beside the project's own programs those of a corpus are taken, where CORPUS names its folder: the manifest of it says
where each program comes from, and `arguments.yaml` what to run it with.
"""

import csv
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from scripts.compile.prepare import for_codon
from scripts.compile.unit import compile_source, first_error
from scripts.lib.sandbox import Limits, Sandbox, run
from tests.compiling import ROOT, build

pytestmark = pytest.mark.codon
LIMITS = Limits(wall_seconds=600, cpu_seconds=120, memory_mb=4000)
SAMPLES = [
    path for path in sorted(ROOT.glob("resources/corpus/Python/*/source.py")) if path.with_name("input.txt").exists()
]
CORPUS = Path(os.environ["CORPUS"]) if os.environ.get("CORPUS") else None
ARGUMENTS = yaml.safe_load(Path(__file__).with_name("arguments.yaml").read_text(encoding="utf-8"))


def collected():
    """The corpus's Python programs, by their places in the collections that they come from."""
    if CORPUS is None:
        return {}
    with Path(CORPUS, "MANIFEST.tsv").open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream, delimiter="\t") if row["path"].startswith("Python/")]
    return {row["original_path"]: Path(CORPUS, row["path"]) for row in rows}


COLLECTED = collected()
# Where Codon is another language than Python, prepared or not.
DIFFERENT = {
    "archive/p/python/convex_hull.py": "Codon's hash of the float 0.0 divides by it with --numerics=py",
    "archive/p/python/duplicate_character_counter.py": "dictionaries have no order",
    "bench/algorithm/edigits/1.py": "integers have 64 bits",
    "bench/algorithm/pidigits/4.py": "integers have 64 bits",
    "bench/algorithm/secp256k1/1.py": "integers have 64 bits",
}
# Formats of numbers ask for a locale that small systems lack; it gets the one that all have.
LOCALE = "/opt/locale"
RUNS = [(name, words) for name in COLLECTED for words in ARGUMENTS.get(name, [[]])]


def accepted(program):
    """Whether Codon compiles a text."""
    return compile_source(program, build("Python"), ["perf"])["perf"].status == "ok"


def compare(program, given, words):
    """Compare what a program prints, and its exit code; skip it where Codon refuses it."""
    toolchain = build("Python").toolchain
    command = toolchain.command(["codon", "run", "--numerics=py", "source.py"])
    placed = {**toolchain.sandbox.placed, f"{LOCALE}/en_US.UTF-8": "/usr/lib/locale/C.utf8"}
    sandbox = replace(toolchain.sandbox, placed=placed, env={**toolchain.sandbox.env, "LOCPATH": LOCALE})
    files = {"source.py": for_codon(program)[0].encode()}
    built = run([*command, *words], sandbox=sandbox, limits=LIMITS, stdin=given, files=files)
    message = first_error(built.stderr.decode("utf-8", "replace"))
    if built.returncode != 0 and "source.py:" in message and "error:" in message:
        pytest.skip(f"Codon refuses it: {message}")
    # CPython's own folder may be one that the sandbox does not show.
    python = Sandbox(read_only=(sys.base_prefix, str(Path(sys.executable).resolve().parents[1])))
    interpreter = [str(Path(sys.executable).resolve()), "source.py", *words]
    plain = run(interpreter, sandbox=python, limits=LIMITS, stdin=given, files={"source.py": program.encode()})
    assert plain.status == built.status == "exited"
    assert (built.stdout.decode(), built.returncode) == (plain.stdout.decode(), plain.returncode)


@pytest.mark.parametrize("source", SAMPLES, ids=lambda path: path.parent.name)
def test_a_program_prints_the_same_by_codon_and_by_cpython(source):
    compare(source.read_text(encoding="utf-8"), source.with_name("input.txt").read_bytes(), [])


@pytest.mark.skipif(not COLLECTED, reason="CORPUS names no corpus")
@pytest.mark.parametrize(("name", "words"), RUNS, ids=str)
def test_a_program_of_the_corpus_prints_the_same(name, words, request):
    if name in DIFFERENT:
        request.applymarker(pytest.mark.xfail(reason=DIFFERENT[name], raises=AssertionError))
    compare(COLLECTED[name].read_text(encoding="utf-8"), b"", words)


@pytest.mark.skipif(not COLLECTED, reason="CORPUS names no corpus")
def test_preparation_doubles_what_is_accepted():
    programs = [path.read_text(encoding="utf-8") for path in COLLECTED.values()]
    before = sum(map(accepted, programs))
    after = sum(accepted(for_codon(program)[0]) for program in programs)
    print(f"Codon accepts {before} of {len(programs)} programs as they stand, {after} after preparation")
    assert after >= 2 * before
