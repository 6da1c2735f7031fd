"""Draws base against IRCoder on each benchmark's headline metric: `figures/base_vs_ircoder.svg`."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from scripts.lib.figure import note, panels, save_svg
from scripts.lib.job import job
from scripts.lib.palette import FAINT
from scripts.lib.score_tables import read_scores
from scripts.lib.scores import in_main_table, split_checkpoint
from scripts.tables.dots import draw
from scripts.tables.layout import TableSpec, headline_rows, without_language

# Inches: height of a line, margin of a panel, and width of the figure.
LINE, MARGIN, WIDTH = 0.26, 0.62, 9.0


def labels_of(rows: pd.DataFrame, several_models: bool) -> list[str]:
    """The label of each row's line: language, setting, tuning, step, and the model if there are several."""
    labels = []
    for model, checkpoint, language, setting in zip(
        rows["model"], without_language(rows), rows["language"], rows["setting"], strict=True
    ):
        _, step, tuning = split_checkpoint(checkpoint)
        parts = [model if several_models else "", language, setting, tuning, f"step {step}" if step else ""]
        labels.append(" · ".join(filter(None, parts)))
    return labels


def headlines(scores: pd.DataFrame, table_specs: Mapping[str, TableSpec]) -> dict[str, pd.DataFrame]:
    """The headline scores of base and IRCoder by benchmark, without benchmarks that have none."""
    models = scores[scores["checkpoint"].map(in_main_table).astype(bool)]
    parts = {name: headline_rows(models, name, table_spec) for name, table_spec in table_specs.items()}
    return {name: rows for name, rows in parts.items() if len(rows)}


def plot(scores: pd.DataFrame, table_specs: Mapping[str, TableSpec]) -> Figure:
    """One panel for each benchmark with a score above 0, one below the other; scores run from 0 to 100."""
    parts = headlines(scores, table_specs)
    if not parts:
        figure, (axes,) = panels(1, 1, WIDTH, 1.2)
        note(axes, "no benchmark was evaluated in this run")
        return figure
    several = pd.concat(parts)["model"].nunique() > 1
    zero = [name for name, rows in parts.items() if not rows[["value", "ci_high"]].fillna(0.0).to_numpy().any()]
    names_of_zero = ", ".join(table_specs[name]["title"] for name in zero)
    if len(zero) == len(parts):
        figure, (axes,) = panels(1, 1, WIDTH, 0.6)
        note(axes, f"every score is 0: {names_of_zero}")
        return figure
    parts = {name: rows for name, rows in parts.items() if name not in zero}
    parts = {name: rows.assign(label=labels_of(rows, several)) for name, rows in parts.items()}
    labels = {name: sorted(set(rows["label"])) for name, rows in parts.items()}
    heights = [MARGIN + LINE * len(names) for names in labels.values()]
    figure, all_axes = panels(len(parts), 1, WIDTH, sum(heights), height_ratios=heights)
    for axes, (benchmark, rows) in zip(all_axes, parts.items(), strict=True):
        draw(axes, rows, labels[benchmark])
        axes.set_title(f"{table_specs[benchmark]['title']} · {table_specs[benchmark]['headline']['metric']}")
        right = max(1.0, axes.get_xlim()[1])
        # The panel begins left of zero, so that a marker at zero is not cut.
        axes.set_xlim(-0.012 * right, right)
    if zero:
        figure.supxlabel(f"every score is 0: {names_of_zero}", x=0.01, ha="left", fontsize=8, color=FAINT)
    all_axes[0].legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderaxespad=0)
    return figure


if __name__ == "__main__":
    with job() as snakemake:
        save_svg(plot(read_scores(snakemake.input.scores), snakemake.params.table_specs), snakemake.output[0])
