"""Two small runs compared: settings, scores paired by problem, the page."""

import pytest

from scripts.lib.csv_files import read_csv
from scripts.lib.files import write_json, write_text
from scripts.lib.job import InputError
from scripts.workflow.compare import compare
from scripts.workflow.score_changes import score_changes
from tests.support.small_results import MODEL, score

HEADER = "benchmark,language,model,checkpoint,setting,metric,value,ci_low,ci_high,problems,samples\n"


def write_run(folder, values, title="plain", checkpoint="base"):
    """A run with one score whose problems have these values."""
    content = score("humaneval", "Python", MODEL, checkpoint, "t0.2", "pass@1", values)
    write_json(folder / f"scores/humaneval/python/t0.2/{MODEL}.{checkpoint}.json", content)
    [row] = content["rows"]
    write_text(folder / "tables/scores.csv", HEADER + ",".join(map(str, row.values())) + "\n")
    write_text(folder / "provenance/config.yaml", f"seed: 1\npretrain: {{title: '{title}'}}\n")
    return folder


def test_a_difference_is_paired_over_the_problems_that_both_runs_have(tmp_path):
    """A harder set of problems in one run does not count: only the common ones do."""
    first = write_run(tmp_path / "a", {f"p{n}": 50.0 * (n % 3) for n in range(30)})
    second = write_run(tmp_path / "b", {f"p{n}": 50.0 * (n % 3) + 10 for n in range(20)} | {"new": 0.0})
    [change] = score_changes(first, second, 1)
    assert (change.problems, change.unpaired) == (20, 11)
    assert change.low == pytest.approx(10) == change.high == change.difference
    assert change.is_clear


def test_equal_problems_differ_by_nothing_and_noise_is_not_clear(tmp_path):
    first = write_run(tmp_path / "a", {f"p{n}": float(n % 7) for n in range(40)})
    same = write_run(tmp_path / "b", {f"p{n}": float(n % 7) for n in range(40)})
    other = write_run(tmp_path / "c", {f"p{n}": float((n + 3) % 7) for n in range(40)})
    [equal] = score_changes(first, same, 1)
    assert (equal.difference, equal.low, equal.high) == (0, 0, 0)
    [noise] = score_changes(first, other, 1)
    assert noise.low < 0 < noise.high and not noise.is_clear


def test_a_score_of_one_run_alone_has_no_difference(tmp_path):
    first, second = write_run(tmp_path / "a", {"p": 1.0}), write_run(tmp_path / "b", {"p": 2.0}, checkpoint="ircoder")
    assert [(change.key[3], change.first, change.second, change.difference) for change in
            score_changes(first, second, 1)] == [("base", 1.0, None, None), ("ircoder", None, 2.0, None)]  # fmt: skip


def test_text_table_and_page_have_what_differs_and_show_markup_as_text(tmp_path):
    first = write_run(tmp_path / "a", {"p": 1.0, "q": 3.0})
    second = write_run(tmp_path / "b", {"p": 2.0, "q": 4.0}, title="<script>alert(1)</script>")
    printed = compare(first, second, tmp_path / "out")
    assert "config: pretrain.title: plain → <script>alert(1)</script>" in printed
    assert f"humaneval Python {MODEL} base t0.2 pass@1: 2 → 3, difference +1 [+1, +1], 2 problems" in printed
    page = (tmp_path / "out/comparison.html").read_text()
    assert "<script>" not in page and "&lt;script&gt;alert(1)" in page
    [row] = read_csv(tmp_path / "out/comparison.csv")
    assert (row["first"], row["second"], row["difference"], row["problems"]) == ("2", "3", "1", "2")
    assert read_csv(tmp_path / "out/differences.csv")[0]["name"] == "pretrain.title"


def test_a_folder_without_records_is_an_error(tmp_path):
    (tmp_path / "b").mkdir()
    with pytest.raises(InputError, match="b has no record of a run"):
        compare(write_run(tmp_path / "a", {"p": 1.0}), tmp_path / "b", tmp_path / "out")
