"""Parts of the report: solved problems, robustness, failures of programs, captions and links."""

import pytest

from scripts.lib.files import write_json
from scripts.lib.palette import INK
from scripts.lib.parquet import write_table
from scripts.lib.schemas.evaluation import EXECUTIONS
from scripts.provenance import page
from scripts.provenance.execution_failures import SHOWN, execution_failures
from scripts.provenance.report import render
from scripts.provenance.score_views import problem_matrices, robustness
from tests.support.paths import ROOT
from tests.support.small_results import score

HEADLINES = {"recode": {"metric": "robust_pass@1", "setting": "[^.]*"}, "humaneval": {"metric": "pass@1"}}


def write_score(folder, name, *arguments):
    write_json(folder / name, score(*arguments))
    return str(folder / name)


def test_problems_are_listed_in_numerical_order_with_what_each_checkpoint_solved(tmp_path):
    base = {"HumanEval/10": 0.0, "HumanEval/9": 50.0}
    paths = [
        write_score(tmp_path, "b.json", "humaneval", "Python", "m", "base", "t0.2", "pass@1", base),
        write_score(tmp_path, "i.json", "humaneval", "Python", "m", "ircoder", "t0.2", "pass@1", {"HumanEval/9": 0.0}),
        write_score(tmp_path, "c.json", "humaneval", "Python", "empty", "control", "t0.2", "pass@1", base),
        write_score(tmp_path, "o.json", "codexglue", "Python", "m", "base", "greedy", "bleu", base),
        write_score(tmp_path, "r.json", "recode", "Python", "m", "base", "func_name.x", "robust_pass@1", base),
    ]
    (matrix,) = problem_matrices(paths, HEADLINES)
    assert (matrix["benchmark"], matrix["name"]) == ("humaneval", "Python · pass@1 · t0.2")
    assert matrix["columns"] == ["m base", "m ircoder"]
    assert matrix["rows"] == [
        {"problem": "HumanEval/9", "values": [50.0, 0.0]},
        {"problem": "HumanEval/10", "values": [0.0, None]},
    ]
    assert (matrix["solved"], matrix["total"]) == ([1, 0], 2)


def test_robustness_has_a_row_for_each_perturbation_and_no_controls(tmp_path):
    table = tmp_path / "scores.csv"
    table.write_text(
        "benchmark,language,model,checkpoint,setting,metric,value\n"
        "recode,Python,m,ircoder,func_name,robust_pass@1,40\n"
        "recode,Python,m,base,func_name,robust_pass@1,10\n"
        "recode,Python,m,base,func_name.x,robust_pass@1,5\n"
        "recode,Python,empty,control,func_name-control,robust_pass@1,0\n"
        "humaneval,Python,m,base,t0.2,pass@1,5\n"
    )
    assert robustness(str(table)) == {
        "columns": ["m base", "m ircoder"],
        "rows": [
            {"setting": "func_name", "values": [10.0, 40.0]},
            {"setting": "func_name.x", "values": [5.0, None]},
        ],
    }


def execution(number, status, message):
    """A row of a table of executions."""
    values = {"id": f"p/{number}", "sample": number, "status": status, "message": message, "detail": "exit code 1"}
    return {name: values.get(name) for name in EXECUTIONS.names}


def test_the_most_frequent_messages_of_failed_programs_are_listed(tmp_path):
    path = tmp_path / "executions" / "humaneval" / "python" / "t0.2" / "m.base.parquet"
    rows = [execution(0, "passed", ""), execution(1, "runtime_error", "NameError: <x>")]
    rows += [execution(2, "runtime_error", "NameError: <x>"), execution(3, "wrong", "")]
    rows += [execution(10 + number, "timeout", f"message {number}") for number in range(SHOWN)]
    write_table(path, rows, EXECUTIONS.schema)
    control = tmp_path / "executions" / "humaneval" / "python" / "control" / "empty.control.parquet"
    (entry,) = execution_failures([str(control), str(path)], str(tmp_path))
    assert entry["file"] == "executions/humaneval/python/t0.2/m.base.parquet"
    assert entry["samples"] == 4 + SHOWN
    assert entry["counts"] == [("passed", 1), ("wrong", 1), ("runtime_error", 2), ("timeout", SHOWN)]
    assert len(entry["messages"]) == SHOWN
    assert entry["messages"][0] == {
        "status": "runtime_error",
        "message": "NameError: <x>",
        "samples": 2,
        "example": "p/1, sample 1",
    }


def test_captions_of_snakemakes_report_are_shown_with_their_code_escaped():
    assert page.caption("The control\n``a<b``.") == "The control <code>a&lt;b</code>."


def test_every_figure_of_the_report_has_a_caption_and_data():
    for name in page.FIGURE_DATA:
        assert (ROOT / "rules" / "captions" / f"{name}.rst").is_file()
    files = ["models/m/curves/base.csv", "models/m/base/config.json", "pairs/statistics.csv"]
    assert page.figure_data(files)["learning_curves"] == ["models/m/curves/base.csv"]


def test_every_caption_is_that_of_a_result_in_snakemakes_report():
    texts = "".join(path.read_text() for path in [ROOT / "Snakefile", *(ROOT / "rules").glob("*.smk")])
    captions = sorted(path.name for path in (ROOT / "rules" / "captions").glob("*.rst"))
    assert [name for name in captions if f"captions/{name}" not in texts] == []


def test_inline_figures_follow_the_colours_of_the_page(tmp_path):
    path = tmp_path / "a.svg"
    path.write_text(f'<?xml version="1.0"?>\n<svg width="72pt" height="72pt"><path style="fill: {INK}"/></svg>\n')
    assert 'style="fill: var(--ink)"' in page.inline_svg(path)


def test_a_value_that_the_report_lacks_is_an_error():
    with pytest.raises(Exception, match="is undefined"):
        render({})
