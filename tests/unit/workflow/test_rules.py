"""The form of the rule files, as far as Snakemake's own lint does not check it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

STAGES = ("sources", "compile", "dedup", "pairs", "pretrain", "finetune", "evaluate", "tables", "provenance")
FILES = sorted((ROOT / "rules").rglob("*.smk"))
RULE = re.compile(r"^(?:rule|checkpoint|use rule \w+ as) (\w+)(?: with)?:$", re.M)


def test_each_stage_has_one_rule_file() -> None:
    assert sorted(file.name for file in FILES) == sorted(f"{name}.smk" for name in ("common", *STAGES))
    included = re.findall(r'^include: "rules/(\w+)\.smk"$', (ROOT / "Snakefile").read_text(encoding="utf-8"), re.M)
    assert included == ["common", *STAGES]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_rule_file_begins_with_what_goes_in_and_what_comes_out(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.startswith('"""')
    head = text.split('"""')[1]
    assert file.stem == "common" or re.search(r"\bIn: .*\bOut:", head, re.S)
    assert not [line for line in head.splitlines() if len(line) > 100]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_rules_have_no_doubled_braces_and_no_defaults(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert "{{" not in text
    assert "threads: 1\n" not in text


@pytest.mark.parametrize("stage", STAGES)
def test_a_rule_is_named_after_its_stage(stage: str) -> None:
    names = RULE.findall((ROOT / "rules" / f"{stage}.smk").read_text(encoding="utf-8"))
    assert names
    assert [name for name in names if not name.startswith((f"{stage}_", "fetch_"))] == []


# Names that Snakemake and the Snakefile define.
GIVEN_NAMES = ["config", "workflow", "checkpoints", "expand", "directory", "ROOT", "LANGUAGES", "MODELS"]
GIVEN_NAMES += ["RUNNERS", "BENCHMARKS", "TABLE_SPECS"]


def test_the_common_file_defines_or_imports_every_name_that_it_uses() -> None:
    # The two directives of Snakemake are not Python.
    directives = r"(?m)^(pathvars|wildcard_constraints):\n(    .*\n)+"
    text = re.sub(directives, "", (ROOT / "rules" / "common.smk").read_text(encoding="utf-8"))
    ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F821", "--no-cache"]
    done = subprocess.run(
        [*ruff, "--config", f"builtins = {GIVEN_NAMES}", "-"], input=text, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "All checks passed!\n"), done.stdout + done.stderr
