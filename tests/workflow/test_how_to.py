"""Each page of docs/how-to/ followed literally, in a copy of the project of its own."""

import csv
import re
from pathlib import Path

import pytest

from scripts.lib.files import read_json
from tests.support.how_to import Follower, blocks, copy_project
from tests.support.paths import ROOT

PAGES = ROOT / "docs" / "how-to"

pytestmark = pytest.mark.resilience


@pytest.fixture
def follower(tmp_path) -> Follower:
    return Follower(copy_project(tmp_path / "project"))


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_own_programs_become_pairs(follower):
    printed = follower.follow(PAGES / "own-programs.md")
    statistics = rows(follower.project / "results-mine/pairs/statistics.csv")
    assert [(row["language"], row["sources"], row["pairs"]) for row in statistics] == [("C", "2", "2")] * 2
    assert "Nothing to be done" in printed


def test_what_became_of_a_program_is_printed(follower):
    printed = follower.follow(PAGES / "what-became-of-a-program.md")
    assert re.search(
        r"^C/Source_51/source\.c  \(id \w{16}, C.*\n  perf  duplicate: .*\n +C/Source_3/source\.c$", printed, re.M
    )
    assert re.search(r"^C/Source_52/source\.c .*\n  perf  compile_error: .*\n +source\.c:\d+:\d+: error", printed, re.M)
    assert re.search(r"C/Source_54/source\.c +perf +rejected +too_large", printed)


def test_runs_are_compared(follower):
    printed = follower.follow(PAGES / "compare-runs.md")
    assert "  config: dedup.threshold: 0.7 → 0.3" in printed
    assert "No scores: neither run has tables/scores.csv." in printed
    changes = rows(follower.project / "comparison/differences.csv")
    assert {row["part"] for row in changes} <= {"config", "data"}
    assert "dedup.threshold" in (follower.project / "comparison/comparison.html").read_text(encoding="utf-8")


def test_a_language_is_added(follower):
    follower.follow(PAGES / "language.md")
    statistics = rows(follower.project / "results-opencl/pairs/statistics.csv")
    assert [(row["variant"], row["pairs"]) for row in statistics] == [("perf", "1"), ("size", "1")]


def test_a_benchmark_language_is_added(follower):
    follower.follow(PAGES / "benchmark-language.md")
    checked = read_json(follower.project / "results-c/executions/multipl-e/c/control/checked.json")
    assert checked == {"cut_references": {}, "failed_references": {}}


def test_a_base_model_is_added(follower):
    printed = follower.follow(PAGES / "base-model.md")
    assert "pretrain_adapter" in printed
    config = read_json(follower.project / "results/models/tiny-mistral/base/config.json")
    assert config["model_type"] == "mistral"


def test_a_metric_is_added(follower):
    printed = follower.follow(PAGES / "metric.md")
    assert " passed" in printed and "evaluate_score" in printed


def test_a_model_is_evaluated_without_training(follower):
    printed = follower.follow(PAGES / "evaluate-a-model.md")
    assert "compile_shard" not in printed.split("Job stats:")[-1]
    scores = rows(follower.project / "results-mine/tables/scores.csv")
    controls = {row["model"]: float(row["value"]) for row in scores if row["metric"] == "pass@1"}
    assert (controls["reference"], controls["empty"]) == (100, 0)
    assert "local-model" in controls


def test_a_model_is_tuned_on_own_instructions(follower):
    follower.follow(PAGES / "instructions.md")
    training = read_json(follower.project / "results-mine/models/tiny-gpt-bigcode/base-instruct/training.json")
    # The page has four rows, which are one effective batch.
    assert training["steps"] == 1


def test_ablations_are_planned(follower):
    printed = follower.follow(PAGES / "ablation.md")

    def planned(rule: str) -> set[int]:
        return {int(count) for count in re.findall(rf"^{rule} +(\d+)$", printed, re.MULTILINE)}

    # That of the default run and another, the eight of the example, and none; all share the base and its pairs.
    assert planned("pretrain_ablation_adapter") == {2, 8}
    assert planned("pretrain_base") == planned("pretrain_tokens") == {1}
    assert planned("pretrain_losses") == {4, 10, 2}


def test_a_run_on_slurm_is_planned(follower):
    assert "evaluate_generate" in follower.follow(PAGES / "slurm.md")


def test_another_workflow_uses_this_one_as_a_module(follower):
    printed = follower.follow(PAGES / "module.md")
    folder = follower.project / "my-workflow"
    shards = folder / "results/sources/C/shards.json"
    assert sum(shard["rows"] for shard in read_json(shards)["shards"].values()) > 5
    assert int((folder / "count.txt").read_text()) == shards.stat().st_size
    assert "output: results/pairs/C/perf.parquet" in printed
    assert "size.parquet" not in printed
    assert not (follower.project / "results").exists()


def test_a_run_is_published(follower):
    assert "--dry" in follower.follow(PAGES / "publish.md")


def test_a_run_is_explored(follower):
    assert "--port 8002" in follower.follow(PAGES / "explore-a-run.md")


def test_every_page_is_followed_by_a_test():
    text = Path(__file__).read_text(encoding="utf-8")
    pages = sorted(page.name for page in PAGES.glob("*.md"))
    assert [page for page in pages if f'"{page}"' not in text] == []
    assert [page for page in pages if not any(block.kind == "sh" for block in blocks(PAGES / page))] == []
