"""Panels of dots with intervals: base against IRCoder, a line for each label."""

from matplotlib.axes import Axes

from scripts.lib.figure import BASE, IRCODER
from scripts.lib.scores import Row

# Label, colour, marker, and the shift off the line's middle, so that intervals do not cover each other.
SERIES = (("base", BASE, "o", 0.13), ("IRCoder", IRCODER, "D", -0.13))


def _reach(rows: list[Row]) -> list[list[float]]:
    """Lengths of the error bars to the left and to the right of each value; none where there is no interval."""
    lower = [max(0.0, row["value"] - row["ci_low"]) if row["ci_low"] is not None else 0.0 for row in rows]
    upper = [max(0.0, row["ci_high"] - row["value"]) if row["ci_high"] is not None else 0.0 for row in rows]
    return [lower, upper]


def draw(axes: Axes, rows: list[Row], names: list[str], labels: list[str]) -> None:
    """Draw scores as dots with their intervals, one line per label, the first label at the top.

    `names` runs parallel to `rows` and says which label each belongs to.
    """
    heights = {label: len(labels) - 1 - place for place, label in enumerate(labels)}
    for place, (series, colour, marker, shift) in enumerate(SERIES):
        chosen = [number for number, row in enumerate(rows) if row["checkpoint"].startswith("ircoder") == bool(place)]
        if chosen:
            part = [rows[number] for number in chosen]
            spots = [heights[names[number]] + shift for number in chosen]
            style = {"fmt": marker, "color": colour, "markersize": 4.5, "elinewidth": 1.4, "label": series}
            axes.errorbar([row["value"] for row in part], spots, xerr=_reach(part), **style)
    axes.set_yticks(list(heights.values()), list(heights))
    axes.set_ylim(-0.6, len(labels) - 0.4)
    axes.grid(axis="y", visible=False)
