"""What figures show of the texts of users, and the labels of axes."""

import html
import re

import pytest

from scripts.lib.figure import logarithmic, panels, save_svg


def texts(path):
    """The texts of an SVG file."""
    return [html.unescape(text) for text in re.findall(r"<text[^>]*>([^<]*)</text>", path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize(
    "title",
    [r"Solved $\frac{1}{ $ problems", "from 5 $ to 6 $ a problem", "a$b^$c", "$x$", r"a\$b", "<script>&amp;", "a_b^c"],
)
def test_a_title_is_drawn_as_it_is_written(tmp_path, title):
    figure, (panel,) = panels(1, 1, 3, 2)
    panel.set(title=title, xlabel=title)
    panel.plot([1, 2], [1, 2], label=title)
    panel.legend()
    panel.set_yticks([1], [title])
    save_svg(figure, tmp_path / "figure.svg")
    assert texts(tmp_path / "figure.svg").count(title) == 4


def test_a_logarithmic_axis_has_plain_numbers(tmp_path):
    figure, (panel,) = panels(1, 1, 4, 2)
    panel.plot([50, 2_000_000], [1, 2])
    logarithmic(panel)
    save_svg(figure, tmp_path / "figure.svg")
    assert {"100", "10,000", "1,000,000"} <= set(texts(tmp_path / "figure.svg"))
    assert "math" not in (tmp_path / "figure.svg").read_text(encoding="utf-8")
