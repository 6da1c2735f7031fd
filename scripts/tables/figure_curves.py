"""Training and validation loss over the steps of every training: `figures/learning_curves.svg`."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from scripts.lib.csv_files import read_csv
from scripts.lib.figure import BASE, IRCODER, note, panels, save_svg
from scripts.lib.job import InputError, job
from scripts.lib.scores import split_checkpoint

COLUMNS, WIDTH, HEIGHT = 3, 9.0, 2.1
Curve = dict[str, list[tuple[int, float]]]


def read_curve(path: str | Path) -> Curve:
    """Points (step, loss) of `train_loss` and `validation_loss`; steps without a value are left out."""
    rows = read_csv(path)
    try:
        return {
            name: [(int(row["step"]), float(row[name])) for row in rows if row[name]]
            for name in ("train_loss", "validation_loss")
        }
    except (KeyError, ValueError) as error:
        raise InputError(f"{path} is no learning curve ({error!r}); delete it and run again") from error


def panel_of(path: str | Path) -> tuple[str, str]:
    """Model and training of `models/{model}/curves/{training}.csv`; both checkpoints of a tuning share a panel."""
    file = Path(path)
    checkpoint, step, tuning = split_checkpoint(file.stem)
    plain = {"base": "base from scratch", "pretrain": "pairs"}.get(checkpoint, checkpoint)
    return file.parent.parent.name, " · ".join(filter(None, (tuning or plain, f"step {step}" if step else "")))


def is_base(path: str | Path) -> bool:
    """Whether a curve is the base's own or a tuning of the base."""
    return Path(path).stem.partition("-")[0] == "base"


def draw(axes: Axes, curves: dict[str, Curve]) -> None:
    """Draw curves by path: training loss as a line, validation loss as dots on a line."""
    for path, curve in curves.items():
        checkpoint, colour = ("base", BASE) if is_base(path) else ("IRCoder", IRCODER)
        for name, style in (("train_loss", {"alpha": 0.55}), ("validation_loss", {"marker": "o", "markersize": 3.5})):
            if curve[name]:
                label = f"{checkpoint}, {name.partition('_')[0]}"
                axes.plot(*zip(*curve[name], strict=True), color=colour, linewidth=1.3, label=label, **style)


def plot(paths: list[str]) -> Figure:
    """A panel for every model and training, in the order of the files."""
    groups: dict[tuple[str, str], dict[str, Curve]] = {}
    for path in paths:
        groups.setdefault(panel_of(path), {})[path] = read_curve(path)
    if not groups:
        figure, (axes,) = panels(1, 1, WIDTH, 1.2)
        note(axes, "no model was trained in this run")
        return figure
    rows = -(-len(groups) // COLUMNS)
    figure, axes = panels(rows, COLUMNS, WIDTH, HEIGHT * rows + 0.3)
    several = len({model for model, _ in groups}) > 1
    labels: dict[str, object] = {}
    for part, ((model, training), curves) in zip(axes, groups.items(), strict=False):
        draw(part, curves)
        part.set_title(f"{model}: {training}" if several else training)
        part.set_xlabel("step")
        part.set_ylabel("nats per token")
        labels |= dict(zip(*reversed(part.get_legend_handles_labels()), strict=True))
    for part in axes[len(groups) :]:
        part.set_axis_off()
    figure.legend(labels.values(), labels.keys(), loc="outside upper right", ncols=4)
    return figure


if __name__ == "__main__":
    with job() as snakemake:
        save_svg(plot(list(snakemake.input)), snakemake.output[0])
