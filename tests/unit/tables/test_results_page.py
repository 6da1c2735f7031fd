"""The pages of docs/results say what their stored tables say."""

import csv
import io
import json
import re

import pandas as pd
import pytest
import zstandard

from scripts.lib.files import write_bytes
from scripts.lib.job import InputError
from scripts.tables.results_page import Page, busy_seconds, empty_modules, facts, render, stage_costs, store
from scripts.workflow.validation import read_yaml
from tests.support.paths import ROOT

FOLDERS = sorted(path for path in (ROOT / "docs/results").iterdir() if path.is_dir())
SPECS = {
    "validation": {"title": "Loss", "decimals": 2, "lower_is_better": ["loss"], "headline": {"metric": "loss"}},
    "humaneval": {"title": "HumanEval", "decimals": 1, "headline": {"metric": "pass@1"}},
}
SCORES = """benchmark,language,model,checkpoint,setting,metric,value,ci_low,ci_high,problems,samples
humaneval,Python,m,base,t0.2,pass@1,4.26,2,6,164,5
humaneval,Python,m,ircoder,t0.2,pass@1,4.5,2,7,164,5
humaneval,Python,m,ircoder,t0.2,pass@10,9.5,7,12,164,5
humaneval,Python,reference,control,t0.2,pass@1,100,100,100,164,5
validation,all,m,base,source,loss,2.5,2.4,2.6,8,1
validation,all,m,ircoder,source,loss,1.5,1.4,1.6,8,1
"""
DIFFERENCES = """benchmark,language,model,checkpoint,setting,metric,base,difference,ci_low,ci_high,problems
humaneval,Python,m,ircoder,t0.2,pass@1,base,0.24,-1,1.5,164
validation,all,m,ircoder,source,loss,base,-1,-1.1,-0.9,8
"""
JOBS = """stage,state,started,wall_seconds,user_seconds,system_seconds,killed_seconds,peak_memory_mb
pretrain,done,100,60,90,20,0,1500
pretrain,done,130,60,10,0,0,2500
evaluate,failed,300,60,50,0,0,9000
evaluate,done,400,30,50,0,10,500
"""


@pytest.fixture
def page(tmp_path):
    for name, text in (("scores", SCORES), ("differences", DIFFERENCES)):
        (tmp_path / f"{name}.csv").write_text(text)
    jobs = pd.read_csv(io.StringIO(JOBS))
    run = {"stages": stage_costs(jobs[jobs["state"] == "done"])}
    (tmp_path / "run.json").write_text(json.dumps(run))
    return Page(tmp_path, SPECS)


def test_scores_are_rounded_values_with_intervals_and_leave_out_controls_and_other_metrics(page):
    assert page.score_table().splitlines()[2:] == [
        "| Loss | all | source | loss | 8 | 2.50 [2.40, 2.60] | 1.50 [1.40, 1.60] |",
        "| HumanEval | Python | t0.2 | pass@1 | 164 | 4.3 [2.0, 6.0] | 4.5 [2.0, 7.0] |",
    ]


def test_differences_have_the_sign_of_better_and_worse(page):
    assert page.difference_table().splitlines()[2:] == [
        "| Loss | all | source | -1.00 [-1.10, -0.90] ▲ |",
        "| HumanEval | Python | t0.2 | +0.2 [-1.0, +1.5] |",
    ]
    assert page.excluding_zero() == {"all": 2, "excluding": 1, "chance": 1}


def test_a_comparison_states_both_scores_and_whether_they_differ(page):
    loss = page.compare("validation", "all", "source", "base")
    assert loss == "1.50 against 2.50, a difference of -1.00 [-1.10, -0.90]: better"
    assert page.compare("humaneval", "Python", "t0.2", "base").endswith("[-1.0, +1.5]: no clear difference")
    with pytest.raises(InputError, match=r"0 rows of humaneval Python greedy pass@1"):
        page.compare("humaneval", "Python", "greedy", "base")


def test_cost_is_summed_by_stage(page):
    assert page.cost_table().splitlines()[2:] == ["| pretrain | 2 | 2.0 | 2.5 |", "| evaluate | 1 | 1.0 | 0.5 |"]
    assert page.cpu_minutes() == 3


def test_time_is_that_in_which_any_job_ran():
    assert busy_seconds(pd.read_csv(io.StringIO(JOBS)).query("state == 'done'")) == 90 + 30


def test_empty_modules_are_counted_though_other_texts_have_line_separators(tmp_path):
    rows = [{"completions": ["a\u2028b", ""]}, {"completions": ["", "\x85"]}]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path = tmp_path / "generations/source-to-llvm/perf/t0.2/m.base.jsonl.zst"
    write_bytes(path, zstandard.compress(text.encode()))
    assert empty_modules(tmp_path) == {"base": 2}


@pytest.mark.parametrize("succeeded", [False, None])
def test_an_unfinished_run_is_not_stored(tmp_path, succeeded):
    record = tmp_path / "results/provenance/run.json"
    record.parent.mkdir(parents=True)
    record.write_text(json.dumps({"starts": [{"succeeded": succeeded}]}))
    with pytest.raises(InputError, match="has not succeeded"):
        facts(tmp_path / "results")
    with pytest.raises(InputError):
        store(tmp_path / "results", tmp_path / "page")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_page_is_that_of_its_stored_tables(folder):
    message = f"run python -m scripts.tables.results_page docs/results/{folder.name}"
    assert folder.with_suffix(".md").read_text(encoding="utf-8") == render(folder), message


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_score_of_a_page_is_in_its_scores(folder):
    """The tables of page and README, read without the code that wrote them."""
    with (folder / "scores.csv").open(newline="") as stream:
        scores = list(csv.DictReader(stream))
    page, readme = (file.read_text(encoding="utf-8") for file in (folder.with_suffix(".md"), ROOT / "README.md"))
    rows = [line for line in page.splitlines() if re.match(r"\| [A-Z].*\| \d+ \| -?\d+\.\d", line)]
    assert rows and [line for line in rows if line in readme.splitlines()]
    checkpoints = next(line for line in page.splitlines() if line.startswith("| benchmark |")).split(" | ")[5:]
    for line in rows:
        _, language, setting, metric, problems, *cells = line.strip("| ").replace("\\", "").split(" | ")
        for checkpoint, cell in zip(checkpoints, cells, strict=True):
            values = [float(text) for text in re.findall(r"-?\d+\.?\d*", cell)]
            assert [
                row
                for row in scores
                if (row["language"], row["setting"], row["metric"]) == (language, setting, metric)
                and (row["checkpoint"], row["problems"]) == (checkpoint.strip(" |"), problems)
                and values
                == [
                    round(float(row[name]), len(cell.split(" ")[0].split(".")[1]))
                    for name in ("value", "ci_low", "ci_high")
                ]
            ], (line, checkpoint)


# What the text of docs/results/smollm2.md says about differences: measure, other checkpoint, verdict.
CLAIMS = [
    ("validation", "all", "source_to_llvm.all", "base", "better"),
    ("validation", "all", "source_to_llvm.all", "source-only", "better"),
    ("validation", "all", "source_to_llvm.all", "shuffled", "no clear difference"),
    ("validation", "all", "source", "source-only", "worse"),
    ("validation", "all", "llvm_to_source.all", "source-only", "worse"),
    ("likelihood", "Python", "humaneval", "base", "worse"),
    ("likelihood", "Python", "humaneval", "source-only", "worse"),
    *(("humaneval", "Python", "t0.2", other, "no clear difference") for other in ("base", "source-only", "shuffled")),
    *(("choice", "Python", "humaneval", other, "no clear difference") for other in ("base", "source-only", "shuffled")),
    *(("choice", "Python", "fixdocs", other, "no clear difference") for other in ("base", "source-only", "shuffled")),
]


def test_the_text_of_the_page_follows_from_the_differences():
    page = Page(ROOT / "docs/results/smollm2", read_yaml(ROOT / "config/tables.yaml"))
    for *measure, other, verdict in CLAIMS:
        assert page.compare(*measure, other).endswith(f": {verdict}"), (measure, other)
    written = [page.score("source-to-llvm", "all", "perf-t0.2", "valid", name) for name in page.checkpoints]
    assert written == ["0.0"] * 4


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_stored_files_are_small(folder):
    assert all(file.stat().st_size < 200_000 for file in folder.iterdir())
