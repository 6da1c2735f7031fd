"""Two figures of the data set: outcomes of the sources of each language, and lengths of the
modules.
"""

from typing import Any

from matplotlib.axes import Axes

from scripts.lib.figure import logarithmic, note, panels, save_svg
from scripts.lib.job import job
from scripts.lib.ledger import summarise
from scripts.lib.palette import SERIES
from scripts.lib.schemas.pairs import SourceOutcome

OUTCOME_COLOURS = {
    SourceOutcome.PAIRS: SERIES[0],
    SourceOutcome.CONTAMINATED: SERIES[5],
    SourceOutcome.FILTERED: SERIES[7],
    SourceOutcome.NEAR_DUPLICATES: SERIES[4],
    SourceOutcome.FAILED: SERIES[3],
    SourceOutcome.REJECTED: SERIES[6],
    SourceOutcome.DUPLICATES: "#c9cdd3",
}
TITLES = {"perf": "Optimised for speed", "size": "Optimised for size"}


def shares(funnel: dict[str, int]) -> list[float]:
    """Percent of the sources that ended in each of `OUTCOME_COLOURS`; zeros without sources."""
    return [100 * funnel[end] / funnel["sources"] if funnel["sources"] else 0.0 for end in OUTCOME_COLOURS]


def draw_funnel(languages: list[dict[str, Any]], variants: list[str], path: str) -> None:
    """Stacked bars: for each language and variant, the share of its sources in each outcome."""
    names = [item["language"] for item in languages]
    figure, axes = panels(1, len(variants), 3.6 * len(variants) + 0.4, 0.9 + 0.28 * len(names), sharey=True)
    for panel, variant in zip(axes, variants, strict=True):
        rows = [shares(item["variants"][variant]["funnel"]) for item in languages]
        left = [0.0] * len(rows)
        for end, (outcome, colour) in enumerate(OUTCOME_COLOURS.items()):
            widths = [row[end] for row in rows]
            panel.barh(names, widths, left=left, color=colour, height=0.7, label=outcome.replace("_", " "))
            left = [a + b for a, b in zip(left, widths, strict=True)]
        panel.set(title=TITLES[variant], xlabel="% of source files", xlim=(0, 100))
        panel.grid(False, axis="y")
    axes[0].invert_yaxis()
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    save_svg(figure, path)


def _draw_spread(panel: Axes, cut: dict[str, int], height: float, colour: str) -> None:
    """A thin line from 5 to 95 %, a thick one from 25 to 75 %, a point at the median."""
    panel.plot([cut["p5"], cut["p95"]], [height] * 2, color=colour, linewidth=1)
    panel.plot([cut["p25"], cut["p75"]], [height] * 2, color=colour, linewidth=5, solid_capstyle="butt")
    panel.plot([cut["p50"]], [height], "o", color="white", markeredgecolor=colour, markersize=4)


def draw_lengths(languages: list[dict[str, Any]], variants: list[str], path: str) -> None:
    """Bytes of IR on a logarithmic axis: 5 to 95 % as a line, the middle half as a bar, the median
    as a point.
    """
    figure, (panel,) = panels(1, 1, 6.4, 0.9 + 0.34 * len(languages))
    step = 0.8 / len(variants)
    for index, item in enumerate(languages):
        for number, variant in enumerate(variants):
            if (lengths := item["variants"][variant]["lengths"]) != {}:
                height = index + (number - (len(variants) - 1) / 2) * step
                _draw_spread(panel, lengths["ir_bytes"], height, SERIES[number])
    panel.set_yticks(range(len(languages)), [item["language"] for item in languages])
    panel.set_ylim(len(languages) - 0.5, -0.5)
    logarithmic(panel)
    panel.set(title="Length of the modules", xlabel="bytes of IR")
    for number, variant in enumerate(variants):
        panel.plot([], [], color=SERIES[number], linewidth=5, label=TITLES[variant].lower())
    panel.legend(loc="best")
    if not any(item["variants"][v]["lengths"] for item in languages for v in variants):
        note(panel, "no pairs")
    save_svg(figure, path)


if __name__ == "__main__":
    with job() as snakemake:
        ledgers, params = zip(snakemake.params.languages, snakemake.input, strict=True), snakemake.params
        counted = [summarise(path, language, params.variants) for language, path in ledgers]
        draw_funnel(counted, params.variants, snakemake.output.funnel)
        draw_lengths(counted, params.variants, snakemake.output.lengths)
