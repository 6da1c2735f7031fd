"""Wide tables: what stands where, in each format, and the figures."""

import csv
import io
import re
from types import SimpleNamespace

import pandas as pd
import pytest

from scripts.lib.escape import tex
from scripts.lib.figure import save_svg
from scripts.lib.schemas.scores import DIFFERENCES
from scripts.lib.score_tables import read_differences, read_scores
from scripts.tables import figure_losses, figure_scores, main_html, main_table
from scripts.tables.benchmark import table
from scripts.tables.layout import blocks, grid, with_controls
from scripts.tables.render import figure
from tests.support.small_results import MODEL, small_tables

TABLE_SPEC = {"title": "Mine & yours", "caption": "What it is.", "decimals": 2, "metrics": ["pass@1"]}
LOSS_SPEC = {**TABLE_SPEC, "metrics": ["loss", "perplexity"], "lower_is_better": ["loss", "perplexity"]}
HEADLINES = {
    "validation": {**LOSS_SPEC, "headline": {"metric": "loss", "language": "all", "setting": "source"}},
    "multipl-e": {**TABLE_SPEC, "headline": {"metric": "pass@1"}},
}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    return small_tables(tmp_path_factory.mktemp("results"))


def rows_of(markdown):
    """The cells of all lines of Markdown tables."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in markdown.splitlines() if line[:1] == "|"]


def test_markdown_shows_checkpoints_difference_paper_and_controls_in_order(inputs):
    rows = rows_of(table(inputs, "multipl-e", "md", TABLE_SPEC, []))
    assert [row[:2] for row in rows] == [
        ["model", "checkpoint"],
        ["---", "---"],
        [MODEL, "base"],
        [MODEL, "base (paper)"],
        [MODEL, "ircoder"],
        [MODEL, "ircoder - base"],
        ["empty", "control"],
        ["reference", "control"],
        ["problems × samples", ""],
    ]
    assert rows[0][2:] == ["cpp", "d"]
    assert rows[3][2:] == ["", "12.50"]
    assert rows[4][2:] == ["62.00 [60.00, 64.00]"] * 2
    assert rows[5][2:] == ["+40.00 [+40.00, +40.00] ▲"] * 2
    assert rows[8][2:] == ["20 × 1"] * 2


def test_differences_are_explained_only_below_tables_that_have_some(inputs, tmp_path):
    (tmp_path / "none.csv").write_text(inputs.differences.read_text().splitlines(keepends=True)[0])
    alone = SimpleNamespace(**{**vars(inputs), "differences": tmp_path / "none.csv"})
    for form in ("md", "tex"):
        assert "paired by problem" in table(inputs, "multipl-e", form, TABLE_SPEC, [])
        text = table(alone, "multipl-e", form, TABLE_SPEC, [])
        assert "over problems." in text and "paired by problem" not in text and "▲" not in text
    scores = read_scores(inputs.scores)
    base = scores[~scores["checkpoint"].str.startswith("ircoder")]
    none = read_differences(tmp_path / "none.csv")
    text = main_table.as_markdown(main_table.main_lines(base, none, HEADLINES), [])
    assert "over problems." in text and "paired by problem" not in text and "difference" not in text


def test_smaller_losses_are_better(inputs):
    text = table(inputs, "validation", "md", LOSS_SPEC, [])
    block = text.split("## loss, source_to_llvm.perf")[1].split("##")[0]
    change = next(row for row in rows_of(block) if row[1] == "ircoder - base")
    assert rows_of(block)[0][2:] == ["all", "C", "D"]
    assert change[2] == "-1.00 [-1.00, -1.00] ▲"


def test_a_note_for_a_language_is_printed_only_below_tables_with_that_language(inputs):
    table_spec = {
        **TABLE_SPEC,
        "notes": [{"text": "of all"}, {"text": "of d", "language": "d"}, {"text": "of go", "language": "go"}],
    }
    for form in ("md", "tex", "html"):
        text = table(inputs, "multipl-e", form, table_spec, ["of the run"])
        assert ["of all" in text, "of d" in text, "of go" in text, "of the run" in text] == [True, True, False, True]
    headlines = {"multipl-e": {**HEADLINES["multipl-e"], **table_spec}}
    assert main_table.main_notes(read_scores(inputs.scores), headlines) == [
        "Mine & yours: of all",
        "Mine & yours: of d",
    ]
    assert main_table.main_notes(read_scores(inputs.scores).iloc[:0], headlines) == []


def test_the_main_table_shows_a_ceiling_between_the_other_controls(inputs):
    scores = read_scores(inputs.scores)
    reference = scores[(scores["model"] == "reference") & (scores["language"] == "d")]
    both = pd.concat([scores, reference.assign(model="ceiling", value=98.25)])
    lines = main_table.main_lines(both, read_differences(inputs.differences), HEADLINES)
    controls = {line[1]: line[-1] for line in lines[MODEL] if line[3] == "pass@1"}
    assert controls == {"cpp": "100.00 / 0.00", "d": "100.00 (98.25) / 0.00"}


def test_csv_has_every_score_with_all_digits(inputs):
    rows = list(csv.DictReader(io.StringIO(table(inputs, "validation", "csv", {"metrics": []}, []))))
    wide = {(row["model"], row["checkpoint"]): row for row in rows}
    scores = read_scores(inputs.scores).query("benchmark == 'validation'")
    for row in scores.to_dict("records"):
        column = f"{row['language']}:{row['setting']}:{row['metric']}"
        line = wide[row["model"], row["checkpoint"]]
        assert [float(line[f"{column}:{name}"]) for name in ("value", "ci_low", "ci_high")] == [
            row["value"],
            row["ci_low"],
            row["ci_high"],
        ]
    assert len(rows) == 3
    assert sum(len(row) - 2 for row in rows[:2]) == 3 * len(scores)


def test_tex_is_balanced_and_escaped(inputs):
    text = table(inputs, "multipl-e", "tex", TABLE_SPEC, ["a note"])
    assert r"Mine \& yours" in text
    assert text.count(r"\begin{") == text.count(r"\end{") == 2
    bodies = re.findall(r"\\toprule(.*?)\\bottomrule", text, re.S)
    assert all(
        line.count("&") == 3 for body in bodies for line in body.splitlines() if "&" in line and "multi" not in line
    )
    assert "% a note" in text
    assert tex("a_b 50% {x}") == r"a\_b 50\% \{x\}"


def test_html_escapes_and_marks(inputs):
    text = table(inputs, "multipl-e", "html", TABLE_SPEC, ["<careful>"])
    assert 'title="Tab. &lt;2&gt;"' in text
    assert "&lt;careful&gt;" in text
    assert text.count('class="better"') == 2
    assert text.count("<tr") == text.count("</tr>") == 8


def test_a_change_of_digits_changes_the_text_and_not_the_csv(inputs):
    both = [table(inputs, "multipl-e", "csv", TABLE_SPEC | {"decimals": digits}, []) for digits in (1, 2)]
    assert both[0] == both[1]
    assert table(inputs, "multipl-e", "md", TABLE_SPEC, []) != table(
        inputs, "multipl-e", "md", TABLE_SPEC | {"decimals": 1}, []
    )


@pytest.mark.parametrize(
    ("value", "signed", "text"), [(0.04, True, "0.0"), (-0.04, False, "0.0"), (-1.25, True, "-1.2"), (3, True, "+3.0")]
)
def test_figures_are_rounded_and_signed(value, signed, text):
    assert figure(value, 1, signed) == text


def test_main_table_compares_base_and_ircoder(inputs):
    lines = main_table.main_lines(read_scores(inputs.scores), read_differences(inputs.differences), HEADLINES)
    assert list(lines) == [MODEL]
    assert [line[:4] for line in lines[MODEL]] == [
        ["Mine & yours", "all", "source", "loss"],
        ["Mine & yours", "cpp", "t0.2", "pass@1"],
        ["Mine & yours", "d", "t0.2", "pass@1"],
    ]
    assert lines[MODEL][1][5:] == [
        "22.00 [20.00, 24.00]",
        "62.00 [60.00, 64.00]",
        "+40.00 [+40.00, +40.00] ▲",
        "100.00 / 0.00",
    ]
    assert lines[MODEL][0][-1] == ""
    text = main_table.as_markdown(lines, ["no sandbox"])
    assert text.startswith(f"# {MODEL}\n\n| benchmark")
    assert "no sandbox" in text
    assert len({len(line) for line in text.splitlines() if line.startswith("|")}) == 1
    assert main_html.as_html(*main_table.shown_columns(lines), [], {}).count("<tr>") == 4


def test_the_main_table_links_scores_and_losses_to_their_files(inputs):
    results, scores = inputs.scores.parent, read_scores(inputs.scores)
    files = sorted(map(str, results.glob("scores/*/*/*/*.json")))
    losses = sorted(map(str, results.glob("models/*/losses/*.parquet")))
    rows = main_table.linked(files, losses, scores, str(results))
    shown = rows[rows["benchmark"].isin(HEADLINES)]
    links = main_html.score_links(shown, {name: spec["title"] for name, spec in HEADLINES.items()})
    lines = main_table.main_lines(scores, read_differences(inputs.differences), HEADLINES)
    text = main_html.as_html(*main_table.shown_columns(lines), [], links)
    assert f'<a href="scores/multipl-e/d/t0.2/{MODEL}.ircoder.json">62.00</a>' in text
    assert f'<a href="models/{MODEL}/losses/base.parquet">' in text
    assert all((results / name).is_file() for name in re.findall('href="([^"]+)"', text))
    head = re.findall('<th scope="col">([^<]*)</th>', text)
    assert head == ["benchmark", "score", "difference", "base", "IRCoder", "reference (ceiling) / empty or random"]


def test_main_table_compares_each_intermediate_checkpoint_with_the_base(inputs):
    scores, differences = read_scores(inputs.scores), read_differences(inputs.differences)
    saved = scores[scores["checkpoint"] == "ircoder"].assign(checkpoint="ircoder-400", value=41.0)
    lines = main_table.main_lines(pd.concat([saved, scores]), differences, HEADLINES)[MODEL]
    shown = [(line[1], line[4], line[5][:5], line[6][:5], line[7][:6]) for line in lines if line[3] == "pass@1"]
    assert shown == [
        ("cpp", "none", "22.00", "62.00", "+40.00"),
        ("d", "none", "22.00", "62.00", "+40.00"),
        ("cpp", "none, step 400", "22.00", "41.00", ""),
        ("d", "none, step 400", "22.00", "41.00", ""),
    ]


@pytest.fixture
def with_ablation(inputs, tmp_path):
    """The long tables with the scores of IRCoder a second time, as those of an ablation."""
    paths = {"paper": inputs.paper}
    for name in ("scores", "differences"):
        text = getattr(inputs, name).read_text().splitlines()
        copied = [line.replace(",ircoder,", ",source-only,") for line in text[1:] if ",ircoder," in line]
        if name == "differences":
            copied += [line.replace(",base,", ",source-only,") for line in text[1:]]
            copied += [line.replace(",ircoder,", ",2 seeds of ircoder,") for line in text[1:]]
        paths[name] = tmp_path / f"{name}.csv"
        paths[name].write_text("\n".join([*text, *copied]) + "\n")
    return SimpleNamespace(**paths)


def test_wide_tables_compare_ablations_with_the_base_and_ircoder_with_them(with_ablation):
    rows = rows_of(table(with_ablation, "multipl-e", "md", TABLE_SPEC, []))
    assert [row[1] for row in rows[2:]] == [
        *("base", "base (paper)", "ircoder", "source-only"),
        *("ircoder - base", "ircoder - source-only", "2 seeds of ircoder - base", "source-only - base"),
        *("control", "control", ""),
    ]


def test_the_main_table_and_the_figures_show_base_and_ircoder_alone(inputs, with_ablation):
    first, second = (
        main_table.main_lines(read_scores(paths.scores), read_differences(paths.differences), HEADLINES)
        for paths in (inputs, with_ablation)
    )
    assert first == second
    scores = [read_scores(paths.scores) for paths in (inputs, with_ablation)]
    headlines = [figure_scores.headlines(rows, {"multipl-e": HEADLINES["multipl-e"]})["multipl-e"] for rows in scores]
    assert len(headlines[0]) == len(headlines[1])


@pytest.mark.parametrize("empty", [False, True])
def test_figures_have_the_same_bytes_each_time(inputs, tmp_path, empty):
    scores = read_scores(inputs.scores).iloc[: 0 if empty else None]
    for name, plot in {
        "scores": lambda: figure_scores.plot(scores, {"multipl-e": HEADLINES["multipl-e"]}),
        "losses": lambda: figure_losses.plot(scores),
    }.items():
        written = []
        for run in (1, 2):
            save_svg(plot(), tmp_path / f"{name}{run}.svg")
            written.append((tmp_path / f"{name}{run}.svg").read_text())
        assert written[0] == written[1]
        assert "<dc:date>" not in written[0]
        assert ("in this run" in written[0]) == empty
        assert (">IRCoder<" in written[0]) != empty


def test_a_block_that_only_controls_have_is_left_out_where_models_have_others():
    def row(model, checkpoint, metric):
        names = {"benchmark": "recode", "language": "Python", "model": model, "checkpoint": checkpoint}
        values = {"value": 1.0, "ci_low": 0.5, "ci_high": 1.5, "problems": 2, "samples": 1}
        return {**names, "setting": "s", "metric": metric, **values}

    def headings(rows):
        table = grid(pd.DataFrame(rows), pd.DataFrame(columns=DIFFERENCES.names), main_table.NO_PAPER, [], [])
        return sorted(block.heading for block in blocks(with_controls(table)))

    controls = [row("reference", "control", metric) for metric in ("pass", "drop")]
    assert headings([*controls, row("m", "base", "pass")]) == ["pass, Python"]
    assert headings(controls) == ["drop, Python", "pass, Python"]
