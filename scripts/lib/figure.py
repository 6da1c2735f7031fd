"""The style of all figures, and SVG files whose bytes depend only on what is drawn."""

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")

from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter

from scripts.lib.files import atomic_path
from scripts.lib.palette import FAINT, GRID, INK

_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "ircoder",
    "svg.fonttype": "none",
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    # Titles and names are texts of users, in which a dollar sign is one.
    "text.parse_math": False,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}


def panels(rows: int, columns: int, width: float, height: float, **keywords: Any) -> tuple[Figure, list[Axes]]:
    """A figure of `rows` by `columns` panels in the project's style, and the panels row by row.

    Sizes are in inches; `keywords` are those of `pyplot.subplots`.
    """
    matplotlib.rcdefaults()
    matplotlib.use("svg")
    matplotlib.rcParams.update(_STYLE)
    figure, axes = pyplot.subplots(rows, columns, figsize=(width, height), squeeze=False, **keywords)
    return figure, list(axes.flat)


def logarithmic(axes: Axes) -> None:
    """Give a panel a logarithmic horizontal axis of plain numbers; matplotlib's own labels are formulas."""
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def note(axes: Axes, text: str) -> None:
    """Write in an empty panel why nothing is drawn."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, text, ha="center", va="center", color=FAINT, transform=axes.transAxes)


def save_svg(figure: Figure, path: str | Path) -> None:
    """Write the figure atomically as SVG without date or random identifiers, and close it."""
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    pyplot.close(figure)
