"""The same figures in every format of a wide table, and all figures of the long table in each."""

import re
from html.parser import HTMLParser

import pytest

from scripts.lib.score_tables import read_scores
from scripts.tables.benchmark import table
from scripts.tables.render import figure
from tests.support.small_results import small_tables

SPEC = {"title": "T", "caption": "C.", "decimals": 3, "metrics": [], "lower_is_better": ["loss"]}
# A line's model and checkpoint, and the figures in each of its cells.
Line = tuple[str, str, list[list[str]]]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    return small_tables(tmp_path_factory.mktemp("results"))


class Cells(HTMLParser):
    """The cells of the body's rows of all tables on a page."""

    def __init__(self):
        super().__init__()
        self.rows, self.in_body = [], False

    def handle_starttag(self, tag, attrs):
        self.in_body = tag == "tbody" or (self.in_body and tag != "tfoot")
        if tag == "tr":
            self.rows += [[]] if self.in_body else []
        elif tag in ("td", "th") and self.in_body:
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        self.in_body = self.in_body and tag != "tbody"

    def handle_data(self, data):
        if self.in_body and self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


def html_rows(text):
    parser = Cells()
    parser.feed(text)
    return parser.rows


def markdown_rows(text):
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return [row for row in rows if row[0] not in ("model", "---", "problems × samples")]


def tex_rows(text):
    bodies = re.findall(r"\\midrule\n(.*?)\\midrule", text, re.S)
    return [line.removesuffix(r" \\").split(" & ") for body in bodies for line in body.splitlines()]


PARSERS = {"md": markdown_rows, "tex": tex_rows, "html": html_rows}


def lines_of(inputs, benchmark, output_format) -> list[Line]:
    """All lines of a benchmark's table, with minus signs as ASCII."""
    text = table(inputs, benchmark, output_format, SPEC, []).replace("−", "-")
    return [
        (model, checkpoint, [re.findall(r"[+-]?\d+\.\d+", cell) for cell in cells])
        for model, checkpoint, *cells in PARSERS[output_format](text)
    ]


@pytest.mark.parametrize("benchmark", ["validation", "humaneval", "multipl-e"])
def test_all_formats_show_the_same_figures(inputs, benchmark):
    expected = lines_of(inputs, benchmark, "md")
    assert len(expected) >= 3
    assert lines_of(inputs, benchmark, "tex") == expected
    assert lines_of(inputs, benchmark, "html") == expected


@pytest.mark.parametrize("output_format", PARSERS)
@pytest.mark.parametrize("benchmark", ["validation", "humaneval", "multipl-e"])
def test_every_score_is_shown_with_its_interval(inputs, benchmark, output_format):
    shown = {}
    for model, checkpoint, cells in lines_of(inputs, benchmark, output_format):
        shown.setdefault((model, checkpoint), []).extend(cells)
    scores = read_scores(inputs.scores).query("benchmark == @benchmark")
    for row in scores.to_dict("records"):
        cell = [figure(row[name], SPEC["decimals"], False) for name in ("value", "ci_low", "ci_high")]
        assert cell in shown[row["model"], row["checkpoint"]]
    assert sum(len(cells) for cells in shown.values()) >= len(scores)
