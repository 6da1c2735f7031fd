"""The long tables: collecting, pairing, reading back, and faults that are named."""

import math

import pytest

from scripts.lib.files import read_json, write_json, write_text
from scripts.lib.job import InputError
from scripts.lib.schemas.scores import SCORES
from scripts.lib.score_tables import read_paper, read_scores, write_rows
from scripts.lib.scores import bases_of, number, split_checkpoint
from scripts.tables import losses
from scripts.tables.differences import comparisons, loss_differences, score_differences
from scripts.tables.scores import collect
from tests.support.small_results import MODEL, score, write_losses, write_scores


def test_scores_survive_writing_and_reading(tmp_path):
    rows = collect(write_scores(tmp_path), write_losses(tmp_path), seed=1)
    write_rows(tmp_path / "scores.csv", rows, SCORES)
    lines = (tmp_path / "scores.csv").read_text().splitlines()
    assert lines[0] == "benchmark,language,model,checkpoint,setting,metric,value,ci_low,ci_high,problems,samples"
    assert lines[1:] == sorted(lines[1:])
    assert len(read_scores(tmp_path / "scores.csv")) == len(rows) == 12 + 2 * 3 * (2 * 2 + 3)


def test_order_of_files_does_not_change_the_table(tmp_path):
    scores, trained = write_scores(tmp_path), write_losses(tmp_path)
    write_rows(tmp_path / "one.csv", collect(scores, trained, 1), SCORES)
    write_rows(tmp_path / "two.csv", collect(scores[::-1], dict(reversed(trained.items())), 1), SCORES)
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (20, "20"), (20.0, "20"), (1 / 3, "0.3333333333"), (1e-7, "1e-07"), (0.0, "0")]
)
def test_numbers_have_ten_digits(value, text):
    assert number(value) == text


def test_two_scores_of_one_thing_are_refused(tmp_path):
    paths = write_scores(tmp_path)
    write_json(tmp_path / "stale.json", read_json(paths[0]))
    with pytest.raises(InputError, match=r"two scores for humaneval, python, tiny-gpt-bigcode, base, t0\.2, pass@1"):
        collect([*paths, str(tmp_path / "stale.json")], {}, 1)


@pytest.mark.parametrize(("change", "message"), [({"value": math.nan}, "nan"), ({"extra": 1}, "columns")])
def test_malformed_score_rows_are_refused(tmp_path, change, message):
    content = score("fixdocs", "go", MODEL, "base", "t0.2", "pass@1", {"a": 1.0})
    content["rows"][0] |= change
    write_json(tmp_path / "bad.json", content)
    with pytest.raises(InputError, match=message):
        collect([str(tmp_path / "bad.json")], {}, 1)


def test_losses_are_weighted_by_tokens_and_perplexity_is_their_exponential(tmp_path):
    (path, (model, checkpoint)), *_ = write_losses(tmp_path).items()
    rows = losses.score_rows(path, model, checkpoint, 1)
    chosen = {row["metric"]: row for row in rows if (row["language"], row["setting"]) == ("C", "source_to_llvm.perf")}
    expected = sum((100 + n) * (3 + n / 10) for n in range(5)) / sum(100 + n for n in range(5))
    assert chosen["loss"]["value"] == pytest.approx(expected)
    assert chosen["perplexity"]["value"] == pytest.approx(math.exp(expected))
    assert chosen["loss"]["ci_low"] < expected < chosen["loss"]["ci_high"]
    assert chosen["document_loss"]["value"] == 3
    assert chosen["loss"]["problems"] == 5


def test_losses_have_rows_of_all_languages_and_of_both_variants(tmp_path):
    path = next(iter(write_losses(tmp_path)))
    rows = losses.score_rows(path, MODEL, "base", 1)
    places = {(row["language"], row["setting"]): row["problems"] for row in rows}
    assert places[("all", "source_to_llvm.all")] == places[("all", "source")] == 10
    assert ("C", "source_to_llvm.all") not in places


def test_differences_are_paired_by_problem(tmp_path):
    rows = score_differences(write_scores(tmp_path), seed=1)
    assert {(row["language"], row["checkpoint"], row["base"]) for row in rows} == {
        (language, "ircoder", "base") for language in ("python", "cpp", "d")
    }
    assert all(row["difference"] == row["ci_low"] == row["ci_high"] == 40 for row in rows)


def test_differences_of_losses(tmp_path):
    named = {names: path for path, names in write_losses(tmp_path).items()}
    rows = {(row["language"], row["setting"], row["metric"]): row for row in loss_differences(named, 1)}
    assert rows["C", "source_to_llvm.perf", "loss"]["difference"] == pytest.approx(-1)
    assert rows["C", "source", "loss"]["difference"] == rows["C", "source", "loss"]["ci_high"] == 0


def test_scores_on_different_problems_are_an_error(tmp_path):
    for checkpoint, problems in (("base", {"a": 1.0}), ("ircoder", {"a": 1.0, "b": 2.0})):
        write_json(
            tmp_path / f"{checkpoint}.json", score("fixdocs", "go", MODEL, checkpoint, "t0.2", "pass@1", problems)
        )
    with pytest.raises(InputError, match="different problems, b in one only"):
        score_differences([str(tmp_path / "base.json"), str(tmp_path / "ircoder.json")], 1)


def test_a_checkpoint_is_compared_with_others_of_the_same_tuning():
    starts = ("base", "ircoder", "ircoder-400", "source-only", "seed-2")
    plain, tuned = list(starts), [f"{start}-commits-C++" for start in starts]
    everything = [*plain, *tuned, "base-instruct", "control"]
    assert bases_of("ircoder", everything) == ["base", "seed-2", "source-only"]
    assert bases_of("ircoder-commits-C++", everything) == [f"{name}-commits-C++" for name in bases_of("ircoder", plain)]
    assert bases_of("ircoder-400", everything) == bases_of("source-only", everything) == ["base"]
    assert bases_of("ircoder-instruct", everything) == ["base-instruct"]
    assert bases_of("base", everything) == bases_of("control", everything) == []


@pytest.mark.parametrize(
    ("checkpoint", "parts"),
    [
        ("base", ("base", "", "")),
        ("ircoder-400-instruct", ("ircoder", "400", "instruct")),
        ("ircoder-commits", ("ircoder", "", "commits")),
        ("source-only", ("source-only", "", "")),
        ("seed-2", ("seed-2", "", "")),
        ("ircoder-seed-2-commits-Go", ("ircoder-seed-2", "", "commits-Go")),
        ("3 seeds of ircoder-instruct", ("3 seeds of ircoder", "", "instruct")),
    ],
)
def test_names_of_checkpoints_have_start_step_and_tuning(checkpoint, parts):
    assert split_checkpoint(checkpoint) == parts


def test_checkpoints_are_compared_alone_and_as_means_over_seeds():
    names = ["base", "ircoder", "seed-2", "source-1", "source-2"]
    replicates = {"ircoder": ["ircoder", "seed-2"], "source-1": ["source-1", "source-2"]}
    shown = [(ours[0], theirs[0]) for ours, theirs in comparisons(names, replicates)]
    assert shown == [
        ("ircoder", "base"),
        ("ircoder", "seed-2"),
        ("ircoder", "source-1"),
        ("ircoder", "source-2"),
        ("seed-2", "base"),
        ("source-1", "base"),
        ("source-2", "base"),
        ("2 seeds of ircoder", "base"),
        ("2 seeds of ircoder", "2 seeds of source-1"),
        ("2 seeds of source-1", "base"),
    ]
    members = {ours[0]: ours[1] for ours, _ in comparisons([f"{name}-instruct" for name in names], replicates)}
    assert members["2 seeds of ircoder-instruct"] == ["ircoder-instruct", "seed-2-instruct"]


def test_differences_of_means_over_seeds_are_the_means_of_differences(tmp_path):
    values = {"base": 10, "ircoder": 40, "seed-2": 50, "shuffled": 20}
    for checkpoint, value in values.items():
        problems = {name: float(value + number) for number, name in enumerate("abc")}
        content = score("fixdocs", "go", MODEL, checkpoint, "t0.2", "pass@1", problems)
        write_json(tmp_path / f"{checkpoint}.json", content)
    files = [str(tmp_path / f"{checkpoint}.json") for checkpoint in values]
    rows = score_differences(files, 1, {"ircoder": ["ircoder", "seed-2"]})
    found = {(row["checkpoint"], row["base"]): row for row in rows}
    assert {names: row["difference"] for names, row in found.items()} == {
        ("ircoder", "base"): 30,
        ("ircoder", "seed-2"): -10,
        ("ircoder", "shuffled"): 20,
        ("seed-2", "base"): 40,
        ("shuffled", "base"): 10,
        ("2 seeds of ircoder", "base"): 35,
        ("2 seeds of ircoder", "shuffled"): 25,
    }
    # Differences are equal for all problems, so that only seeds make the interval.
    assert (found["ircoder", "base"]["ci_low"], found["ircoder", "base"]["ci_high"]) == (30, 30)
    assert (found["2 seeds of ircoder", "base"]["ci_low"], found["2 seeds of ircoder", "base"]["ci_high"]) == (30, 40)


HEAD = "benchmark,language,model,checkpoint,setting,metric,value,citation\n"


def test_results_of_the_paper_without_value_are_ignored(tmp_path):
    write_text(
        tmp_path / "paper.csv", HEAD + "fixdocs,go,m,base,t0.2,pass@1,,\nfixdocs,go,m,base,t0.2,pass@1,1,Tab. 2\n"
    )
    assert list(read_paper(tmp_path / "paper.csv")["value"]) == [1.0]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("fixdocs,go,m,base,t0.2,pass@1,12.5,", "no citation"),
        ("fixdocs,go,m,base,t0.2,pass@1,twelve,Tab. 2", "line 2, value: 'twelve' is not a number"),
        ("fixdocs,go,m,base", "line 2: not 8 cells"),
    ],
)
def test_an_invalid_result_of_the_paper_is_an_error_that_names_it(tmp_path, line, message):
    write_text(tmp_path / "paper.csv", HEAD + line + "\n")
    with pytest.raises(InputError, match=message):
        read_paper(tmp_path / "paper.csv")


def test_the_projects_own_table_of_the_paper_is_readable():
    assert read_paper("config/paper_results.csv").empty
