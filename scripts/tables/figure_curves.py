"""Draws training and validation loss over the steps of every training: `figures/learning_curves.svg`."""

from collections.abc import Iterable, Mapping
from itertools import cycle
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scripts.lib.csv_files import read_csv
from scripts.lib.figure import note, panels, save_svg
from scripts.lib.job import InputError, job
from scripts.lib.palette import BASE, IRCODER, SERIES
from scripts.lib.scores import split_checkpoint

# Panels in a row; inches: width of the figure and height of a row.
COLUMNS, WIDTH, HEIGHT = 3, 9.0, 2.1
STYLES: dict[str, dict[str, Any]] = {
    "train_loss": {"alpha": 0.55},
    "validation_loss": {"marker": "o", "markersize": 3.5},
}
Curve = dict[str, list[tuple[int, float]]]


def read_curve(path: str | Path) -> Curve:
    """Read the points (step, loss) of `train_loss` and `validation_loss`; steps without a value are left out."""
    rows = read_csv(path)
    try:
        return {name: [(int(row["step"]), float(row[name])) for row in rows if row[name]] for name in STYLES}
    except (KeyError, ValueError) as error:
        raise InputError(f"{path} is not a learning curve ({error!r}); delete it and run again") from error


def panel_of(path: str | Path) -> tuple[str, str]:
    """Model and training of `models/{model}/curves/{training}.csv`; base and IRCoder share the panel of a tuning."""
    file = Path(path)
    start, step, tuning = split_checkpoint(file.stem)
    training = tuning or {"base": "base from scratch", "pretrain": "pairs"}.get(start, start)
    return file.parent.parent.name, f"{training} · step {step}" if step else training


def series_of(path: str | Path) -> str:
    """The checkpoint that a curve belongs to or starts from: base, IRCoder, or an ablation."""
    start = split_checkpoint(Path(path).stem)[0]
    return "IRCoder" if start in ("pretrain", "ircoder") else start


def colours_of(paths: Iterable[str]) -> dict[str, str]:
    """A colour for each series; ablations have the further colours of the palette, in turn."""
    ablations = sorted({series_of(path) for path in paths} - {"base", "IRCoder"})
    further = dict(zip(ablations, cycle(SERIES[1:]), strict=False))
    return {"base": BASE, "IRCoder": IRCODER, **further}


def draw(axes: Axes, curves: dict[str, Curve], colours: Mapping[str, str]) -> None:
    """Draw curves by path: training loss as a line, validation loss as dots on a line."""
    for path, curve in curves.items():
        start = series_of(path)
        colour = colours[start]
        for name, style in STYLES.items():
            if curve[name]:
                label = f"{start}, {name.partition('_')[0]}"
                steps, losses = zip(*curve[name], strict=True)
                axes.plot(steps, losses, color=colour, linewidth=1.3, label=label, **style)


def grouped_curves(paths: list[str]) -> dict[tuple[str, str], dict[str, Curve]]:
    """Curves by panel and path, in the order of the paths."""
    groups: dict[tuple[str, str], dict[str, Curve]] = {}
    for path in paths:
        groups.setdefault(panel_of(path), {})[path] = read_curve(path)
    return groups


def plot(paths: list[str]) -> Figure:
    """A panel for every model and training, in the order of the files."""
    groups, colours = grouped_curves(paths), colours_of(paths)
    if not groups:
        figure, (empty,) = panels(1, 1, WIDTH, 1.2)
        note(empty, "no model was trained in this run")
        return figure
    rows = -(-len(groups) // COLUMNS)
    figure, all_axes = panels(rows, COLUMNS, WIDTH, HEIGHT * rows + 0.3)
    several_models = len({model for model, _ in groups}) > 1
    legend: dict[str, Any] = {}
    for axes, ((model, training), curves) in zip(all_axes, groups.items(), strict=False):
        draw(axes, curves, colours)
        axes.set_title(f"{model}: {training}" if several_models else training)
        axes.set_xlabel("step")
        axes.set_ylabel("nats per token")
        handles, labels = axes.get_legend_handles_labels()
        legend |= dict(zip(labels, handles, strict=True))
    for axes in all_axes[len(groups) :]:
        axes.set_axis_off()
    figure.legend(list(legend.values()), list(legend), loc="outside upper right", ncols=4)
    return figure


if __name__ == "__main__":
    with job() as snakemake:
        save_svg(plot(list(snakemake.input)), snakemake.output[0])
