"""Panels of dots with intervals: base against IRCoder, one line a label."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from scripts.lib.palette import BASE, IRCODER

# Label, colour, marker, and the offset from the line's middle, so that intervals do not overlap.
SERIES = (("base", BASE, "o", 0.13), ("IRCoder", IRCODER, "D", -0.13))


def _bars(rows: pd.DataFrame) -> np.ndarray:
    """Lengths of the error bars to the left and right of each value, shape (2, rows); 0 without an interval."""
    bars = [rows["value"] - rows["ci_low"], rows["ci_high"] - rows["value"]]
    return np.array([bar.fillna(0.0).clip(lower=0.0) for bar in bars])


def draw(axes: Axes, rows: pd.DataFrame, labels: list[str]) -> None:
    """Draw scores as dots with their intervals, one line a label, the first label at the top.

    `rows` has the columns of scores.csv and `label`, which is one of `labels`.
    """
    heights = {label: len(labels) - 1 - i for i, label in enumerate(labels)}
    is_ircoder = rows["checkpoint"].str.startswith("ircoder")
    for (series, colour, marker, shift), shown in zip(SERIES, (~is_ircoder, is_ircoder), strict=True):
        part = rows[shown]
        if len(part):
            spots = part["label"].map(heights) + shift
            axes.errorbar(
                part["value"],
                spots,
                xerr=_bars(part),
                fmt=marker,
                color=colour,
                markersize=4.5,
                elinewidth=1.4,
                label=series,
            )
    axes.set_yticks(list(heights.values()), list(heights))
    axes.set_ylim(-0.6, len(labels) - 0.4)
    axes.grid(axis="y", visible=False)
