"""The default run, from programs to tables: complete, with the expected controls, and nothing left to do."""

import csv
import os
import time
from pathlib import Path

import pytest

from scripts.lib.files import sha256_file
from tests.support.card_snippets import check_metadata, run_snippet, snippets

pytestmark = pytest.mark.slow

# Files that must be the same in every run, below the results folder.
REPEATABLE = ("pairs/*/*.parquet", "models/*/*/*.safetensors", "tables/*", "scores/**/*.json", "figures/*.svg")


def hashes(results: Path) -> dict[str, str]:
    """SHA-256 of every file that must be repeatable, by its path in the results."""
    files = {file for pattern in REPEATABLE for file in results.glob(pattern)}
    return {file.relative_to(results).as_posix(): sha256_file(file) for file in sorted(files)}


# Environment variables with secrets, of which no file of a run may contain the value.
SECRETS = {name: f"secret-{name.lower()}" for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "WANDB_API_KEY")}


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory, workflow):
    """The folder of a default run from scratch, with secrets in its environment."""
    folder = tmp_path_factory.mktemp("unbroken")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SECRETS.items():
            patch.setenv(name, value)
        workflow(folder, timeout=1800)
    return folder


def test_controls_have_the_expected_scores(unbroken):
    with (unbroken / "results/tables/scores.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    for model, value in (("reference", 100), ("empty", 0)):
        passes = [row for row in rows if row["model"] == model and row["metric"].startswith("pass@")]
        assert {row["benchmark"] for row in passes} == {"fixdocs", "humaneval", "multipl-e"}
        assert {float(row["value"]) for row in passes} == {value}
    ceiling = [row for row in rows if row["model"] == "ceiling"]
    assert {(row["benchmark"], row["metric"], float(row["value"])) for row in ceiling} == {("fixdocs", "pass@1", 100)}
    compiled = {(row["benchmark"], row["language"]) for row in rows if row["metric"] == "compiles@1"}
    assert compiled == {("multipl-e", "C++")}


def test_every_default_stage_is_in_the_tables(unbroken):
    with (unbroken / "results/tables/scores.csv").open(newline="") as stream:
        seen = {(row["benchmark"], row["checkpoint"]) for row in csv.DictReader(stream)}
    for benchmark in ("multipl-e", "humaneval", "recode", "codexglue", "validation"):
        assert {(benchmark, "base"), (benchmark, "ircoder")} <= seen
    assert {("fixdocs", "base-instruct"), ("fixdocs", "ircoder-instruct")} <= seen
    assert len([checkpoint for benchmark, checkpoint in seen if benchmark == "commits"]) >= 4


def test_a_finished_run_reruns_nothing(unbroken, workflow):
    started = time.monotonic()
    output = workflow(unbroken).stdout
    assert "Nothing to be done" in output
    assert time.monotonic() - started < 20


def test_no_secret_of_the_environment_in_any_file(unbroken):
    values = [value.encode() for value in SECRETS.values()]
    files = [file for file in unbroken.rglob("*") if file.is_file()]
    assert any(".snakemake" in file.parts for file in files) and any("logs" in file.parts for file in files)
    assert [file for file in files if any(value in file.read_bytes() for value in values)] == []


def test_jobs_of_models_log_no_warning_of_python(unbroken):
    logs = [*unbroken.glob("results/logs/pretrain/**/*.log"), *unbroken.glob("results/logs/finetune/**/*.log")]
    lines = [(log.name, line) for log in logs for line in log.read_text().splitlines() if "Warning: " in line]
    assert logs and lines == []


MODEL = "results/models/tiny-gpt-bigcode"


@pytest.mark.parametrize(
    "folder",
    [
        f"{MODEL}/base",
        f"{MODEL}/ircoder-instruct",
        f"{MODEL}/ircoder-commits-C++",
        "results/pairs",
    ],
)
def test_the_snippet_of_a_card_runs_without_a_network(unbroken, folder):
    (snippet,) = snippets(unbroken / folder / "README.md")
    run_snippet(snippet, unbroken / folder)


def test_cards_have_the_metadata_that_the_hub_asks_for(unbroken):
    cards = [*unbroken.glob("results/models/*/*/README.md"), unbroken / "results/pairs/README.md"]
    assert len(cards) > 8
    for card in cards:
        check_metadata(card)


def test_an_adapter_generates_what_the_merged_model_does(unbroken):
    # An adapter's snippet names its folder from the run's, as the adapter names its base.
    (adapter,), (merged,) = (snippets(unbroken / MODEL / name / "README.md") for name in ("adapter", "ircoder"))
    assert run_snippet(adapter, unbroken) == run_snippet(merged, unbroken / MODEL / "ircoder")


def test_no_path_of_this_machine_in_the_results(unbroken):
    files = [
        str(file)
        for file in sorted((unbroken / "results").rglob("*"))
        if file.is_file()
        and not {"logs", "benchmarks"} & set(file.parts)
        and os.fsencode(unbroken) in file.read_bytes()
    ]
    assert files == []
