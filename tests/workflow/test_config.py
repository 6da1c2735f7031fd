"""A wrong config ends a run within seconds, with one line that names the key."""

import json

import pytest

from scripts.workflow.validation import read_yaml
from tests.support.cpu_time import seconds_of_children
from tests.workflow.conftest import ROOT

FAULTS = {
    "unknown key": ("pairz=1", "unknown key 'pairz'; did you mean 'pairs'?"),
    "unknown language": (
        "languages=[Pyton]",
        "'Pyton' is not in config/languages.yaml; did you mean 'Python'?",
    ),
    "negative shard size": ("shard_size=-4", "shard_size: -4 is less than the minimum of 1"),
    "missing corpus": ("corpus={path: no/such/folder}", "corpus.path: 'no/such/folder' does not exist"),
    "wrong type": ("keep_ll=perhaps", "keep_ll: 'perhaps' is not of type 'boolean'"),
    "runner that does not exist": (
        "evaluate={runners: {multipl-e: {rs: rust-2015}}}",
        "evaluate.runners.multipl-e.rs: unknown runner 'rust-2015'; choose from python,",
    ),
    "runner of a task without programs": (
        "evaluate={runners: {codexglue: {go: rust}}}",
        "evaluate.runners.codexglue.go: config/benchmarks.yaml has no such task with programs",
    ),
    "key of a section": ("compile={wall: 3}", "compile: unknown key 'wall'"),
}


@pytest.mark.parametrize("setting, message", FAULTS.values(), ids=FAULTS)
def test_a_wrong_config_is_a_one_line_error(workflow, tmp_path, setting, message):
    output = workflow(tmp_path / "run", "-n", "--config", setting, succeeds=False).stdout
    lines = [line for line in output.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1
    assert message in lines[0]
    assert "Traceback" not in output


def test_a_wrong_config_ends_a_run_within_seconds(workflow, tmp_path):
    before = seconds_of_children()
    output = workflow(tmp_path / "run", "--config", "pairz=1", succeeds=False).stdout
    # CPU time, because other tests share the cores; it is two to four seconds.
    assert seconds_of_children() - before < 10
    assert output.count("error: ") == 1 and "Traceback" not in output


# What the paper's settings lack on a machine without GPUs and without a token of the hub.
MISSING = (
    "neither instruct.data nor instruct.dataset is set",
    "rule pretrain_adapter asks for 4 GPUs",
    "the Python package vllm (evaluate.engine: vllm; evaluate_generate, ",
    "the dataset UKPLab/SLTrans is gated",
    "the model bigcode/starcoderbase-1b has no revision",
)
PAPER = ("--configfile", str(ROOT / "config/paper.yaml"), "--config", "models=[starcoderbase-1b]")
# A corpus that fits on no disk.
HUGE = "estimate={text_bytes: 1000000000000000000}"


@pytest.fixture
def without_token(monkeypatch, tmp_path):
    """An environment without a token of the hub."""
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))


def test_a_dry_run_of_the_papers_settings_lists_what_is_missing(workflow, tmp_path, without_token):
    output = workflow(tmp_path / "run", "-n", *PAPER, HUGE).stdout
    assert output.count("warning: requirements of this run are missing") == 1
    listed = output.partition("warning: requirements of this run")[2]
    for text in MISSING:
        assert listed.count(text) == 1
    # Free disk space is checked where the results will be, not where Snakemake was started.
    assert f"GB are free below {tmp_path / 'run' / 'results'};" in listed


def test_a_run_of_the_papers_settings_is_refused_before_it_starts(workflow, tmp_path, without_token):
    output = workflow(tmp_path / "run", *PAPER, succeeds=False).stdout
    listed = output.partition(" requirements of this run are missing; nothing was run")[2]
    for text in MISSING:
        assert listed.count(text) == 1
    assert "Traceback" not in output
    assert not (tmp_path / "run" / "results").exists()


def test_only_requirements_of_the_target_are_checked(workflow, tmp_path, without_token):
    corpus = json.dumps({"dataset": None, "path": str(tmp_path)})
    output = workflow(tmp_path / "run", "pairs", "-n", *PAPER, f"corpus={corpus}", "languages=[C]").stdout
    assert "requirements of this run" not in output


def test_entries_of_the_users_config_make_a_language_and_a_sampling_plan(workflow, tmp_path):
    """C# is no language of the project's tables, and 2.0 no temperature of its plans."""
    folder = tmp_path / "programs" / "C#"
    folder.mkdir(parents=True)
    (folder / "one.cs").write_text("int main(void) { return 0; }\n", encoding="utf-8")
    entry = {**read_yaml(ROOT / "config" / "languages.yaml")["C"], "suffixes": ["cs"]}
    plan = {"temperatures": [0, 2.0], "top_p": 0.95, "samples": 2, "new_tokens": 8}
    config = {
        "languages": ["C#"],
        "corpus": {"path": str(tmp_path / "programs")},
        "evaluate": {"tasks": {"multipl-e": ["lua"]}},
        "table_entries": {
            "languages": {"C#": entry},
            "benchmarks": {"multipl-e": {"sampling": {"small": plan}}},
        },
    }
    (tmp_path / "mine.yaml").write_text(json.dumps(config), encoding="utf-8")
    output = workflow(tmp_path / "run", "all", "-n", "--configfile", str(tmp_path / "mine.yaml")).stdout
    assert "language=C#" in output
    assert {"setting=greedy", "setting=t2"} <= set(output.replace(",", " ").split())
