"""Text of users, data and programs is shown in cards and tables, and is never taken for markup."""

import re

import pandas as pd
import pytest
import yaml

from scripts.lib.escape import (
    html_prose,
    markdown,
    markdown_block,
    markdown_code,
    markdown_prose,
    one_line,
    tex,
    tex_label,
)
from scripts.lib.schemas.scores import DIFFERENCES, PAPER_RESULTS, SCORES
from scripts.lib.training.model_card import Card, render
from scripts.pairs.card import counts_table
from scripts.tables.layout import Grid, grid
from scripts.tables.render import FORMATS, Texts

NASTY = [
    "a|b",
    "<script>alert(1)</script>",
    "x^2_3",
    "two\nlines\r\n\n# heading",
    "back\\slash\\end{table}",
    "]]>",
    "`code` and ``more``",
    "[link](javascript:alert(1))",
    "100 % $\\input{/etc/passwd}$",
    "![image](http://x)",
    "\u202emirrored\u200b\x00\x07",
    "&amp; &lt;",
    "~#{}",
    "- - -\n---\n",
    "__init__.py",
    "(_MIT_) a__b__ _é_",
    "~~gone~~ ~low~ $x$",
]


def plain(escaped):
    """What Markdown shows of escaped text."""
    text = re.sub(r"\\([\\`*\[\]|~$_])", r"\1", escaped)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


@pytest.mark.parametrize("text", NASTY)
def test_markdown_shows_the_text_on_one_line_and_has_no_markup(text):
    escaped = markdown(text)
    assert plain(escaped) == one_line(text)
    assert "\n" not in escaped and "<" not in escaped
    assert not re.search(r"(?<!\\)(?:\\\\)*[|`*\[\]~$]", escaped)
    assert not re.search(r"(?<![\w\\])_|(?<!\\)_(?![\w\\])", escaped)


def test_underscores_in_names_stay():
    assert markdown("snake_case_2") == "snake_case_2"


@pytest.mark.parametrize("text", NASTY)
def test_a_cell_stays_a_cell(text):
    row = counts_table(["license", "pairs"], [[text, 3]]).splitlines()[2]
    assert len(re.split(r"(?<!\\)(?:\\\\)*\|", row)) == 4
    assert len(counts_table([text], []).splitlines()) == 2


@pytest.mark.parametrize("text", [*NASTY, "", "`", "```"])
def test_code_in_a_cell_ends_where_the_text_ends(text):
    code = markdown_code(text)
    assert "\n" not in code and not re.search(r"(?<!\\)\|", code)
    if not text:
        assert code == ""
        return
    fence = re.match("`+", code)[0]
    inside = code[len(fence) : -len(fence)]
    assert code.endswith(fence)
    assert all(run != fence for run in re.findall("`+", inside))


@pytest.mark.parametrize("text", [*NASTY, "````\n# out"])
def test_a_block_of_code_ends_at_its_own_fence(text):
    first, *body, last = markdown_block(text, "yaml").splitlines()
    fence = first.removesuffix("yaml")
    assert last == fence and set(fence) == {"`"}
    assert all(fence not in line for line in body)


@pytest.mark.parametrize("text", NASTY)
def test_tex_has_no_command_of_the_text(text):
    escaped = tex(text)
    known = r"\\(?:textbackslash|textasciitilde|textasciicircum|textless|textgreater|textbar)\{\}|\\[&%$#_{}]"
    rest = re.sub(known, "", escaped)
    assert not set(rest) & set("\\&%$#_{}^~<>|\n")


def test_labels_are_letters_digits_and_hyphens():
    assert tex_label("Multi_PL-E: 100 % {x}\n") == "multi-pl-e-100-x"


def test_prose_keeps_its_code_and_loses_its_tags():
    assert markdown_prose("`a < b` and\n1 < 2, <b>no</b> <!-- -->") == "`a < b` and 1 < 2, &lt;b>no&lt;/b> &lt;!-- -->"


@pytest.mark.parametrize("name", NASTY)
def test_a_model_card_keeps_its_form(name, tmp_path):
    curve = tmp_path / "curve.csv"
    curve.write_text("step,train_loss,validation_loss\n1,2.0,\n")
    settings = {"prompts": {"template": name}, "seed": 1}
    card = render(Card(name, name, None, ["Rows."], settings, {name: name}, curve))
    _, front, body = card.split("---\n", 2)
    values = yaml.safe_load(front)
    assert values["license"] == "other"
    assert re.fullmatch(r"[a-z0-9.-]+", values["license_name"])
    assert f"License: {markdown(name)}.\n" in body
    assert [line for line in body.splitlines() if line.startswith("#")] == [
        f"# {markdown(name)}",
        "## Data",
        "## Training",
        "## Results at the end",
    ]
    rows = [line for line in body.splitlines() if line.startswith("| ") and line != "| --- | --- |"]
    assert len(rows) == 3 + 2 + 2
    assert "<script" not in re.sub(r"(`+).*?\1", "", body)


TEXTS = Texts(title="100 % <b>", caption="a|b\n<script>", decimals=1, notes=["one\n\\end{table} two"])


def table_of(model: str, columns: list[tuple[str, str]]) -> Grid:
    """A table of one model with a score in each column, given as setting and metric."""
    key = ("b", "Python", model, "base")
    scores = pd.DataFrame([(*key, *column, 1.0, None, None, 3, 1) for column in columns], columns=SCORES.names)
    return grid(scores, pd.DataFrame(columns=DIFFERENCES.names), pd.DataFrame(columns=PAPER_RESULTS.names), [], [])


@pytest.mark.parametrize("name", NASTY)
def test_a_result_table_keeps_its_form_in_markdown_and_tex(name):
    table = table_of(name, [("t0.2", name), ("t0.8", "pass@1")])
    text = FORMATS["md"](table, TEXTS)
    assert "<script" not in text and "<b>" not in text
    rows = [row for row in text.splitlines() if row.startswith("|")]
    assert len(rows) >= 4
    assert len({len(re.split(r"(?<!\\)(?:\\\\)*\|", row)) for row in rows}) == 1
    lines = FORMATS["tex"](table, TEXTS).splitlines()
    text = "\n".join(line for line in lines if not line.startswith("%"))
    assert text.count("\\end{table}") == text.count("\\begin{table}")
    assert "\\input{" not in text
    assert "% one \\end{table} two" in lines


def test_the_html_table_has_no_tag_of_a_name():
    text = FORMATS["html"](table_of("]]><script>", [("t0.2", "<img src=x>")]), TEXTS)
    assert "<script" not in text and "<img" not in text and "]]>" not in text


def test_code_in_a_paragraph_of_html_is_marked_and_everything_is_escaped():
    shown = html_prose("a <b>, `c/*/<d>` and a single ` stay")
    assert shown == "a &lt;b&gt;, <code>c/*/&lt;d&gt;</code> and a single ` stay"
