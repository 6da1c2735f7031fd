"""Base against IRCoder on each benchmark's headline metric, with 95 % intervals: `figures/base_vs_ircoder.svg`."""

from typing import Any

from matplotlib.figure import Figure

from scripts.lib.figure import note, panels, save_svg
from scripts.lib.job import job
from scripts.lib.schemas.scores import CONTROL
from scripts.lib.scores import Row, read_scores, split_checkpoint
from scripts.tables.dots import draw
from scripts.tables.layout import is_headline, line_of

LINE, MARGIN, WIDTH = 0.26, 0.62, 9.0


def label(row: Row, several_models: bool) -> str:
    """The label of a row's line: language, setting and tuning, and the model where there are several.

    A checkpoint that was saved on the way has a line of its own.
    """
    _, step, tuning = split_checkpoint(line_of(row)[1])
    parts = [row["model"] if several_models else "", row["language"], row["setting"], tuning]
    parts.append(f"step {step}" if step else "")
    return " · ".join(filter(None, parts))


def chosen_rows(scores: list[Row], table_specs: dict[str, dict[str, Any]]) -> dict[str, list[Row]]:
    """The models' headline scores by benchmark; benchmarks that were not run are left out."""
    models = [row for row in scores if row["checkpoint"] != CONTROL]
    found = {
        name: [row for row in models if is_headline(row, name, table_spec)] for name, table_spec in table_specs.items()
    }
    return {benchmark: rows for benchmark, rows in found.items() if rows}


def plot(scores: list[Row], table_specs: dict[str, dict[str, Any]]) -> Figure:
    """One panel a benchmark that is scored from 0 to 100, one below the other."""
    parts = chosen_rows(scores, table_specs)
    if not parts:
        figure, (axes,) = panels(1, 1, WIDTH, 1.2)
        note(axes, "no benchmark was evaluated in this run")
        return figure
    several = len({row["model"] for rows in parts.values() for row in rows}) > 1
    labels = {name: sorted({label(row, several) for row in rows}) for name, rows in parts.items()}
    heights = [MARGIN + LINE * len(names) for names in labels.values()]
    figure, axes = panels(len(parts), 1, WIDTH, sum(heights), height_ratios=heights)
    for part, (benchmark, rows) in zip(axes, parts.items(), strict=True):
        draw(part, rows, [label(row, several) for row in rows], labels[benchmark])
        part.set_title(f"{table_specs[benchmark]['title']} · {table_specs[benchmark]['headline']['metric']}")
        right = max(1.0, part.get_xlim()[1])
        # A little room on the left, where a marker at zero stands whole.
        part.set_xlim(-0.012 * right, right)
    axes[0].legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=2, borderaxespad=0)
    return figure


if __name__ == "__main__":
    with job() as snakemake:
        save_svg(plot(read_scores(snakemake.input.scores), snakemake.params.table_specs), snakemake.output[0])
