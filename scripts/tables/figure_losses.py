"""Validation loss of base and IRCoder by language, direction and variant: `figures/validation_loss.svg`."""

from matplotlib.figure import Figure

from scripts.lib.figure import note, panels, save_svg
from scripts.lib.job import job
from scripts.lib.scores import Row, read_scores, split_checkpoint
from scripts.tables.dots import draw
from scripts.tables.losses import ALL, BENCHMARK

LINE, MARGIN, WIDTH = 0.26, 1.1, 9.0


def title(setting: str) -> str:
    """`source_to_llvm.perf` as `source → LLVM` and `perf`, on two lines."""
    direction, _, variant = setting.partition(".")
    words = {"source_to_llvm": "source → LLVM", "llvm_to_source": "LLVM → source"}
    return f"{words.get(direction, 'source alone')}\n{variant}"


def label(row: Row) -> str:
    """The label of a row's line: its language; a checkpoint that was saved on the way has a line of its own."""
    step = split_checkpoint(row["checkpoint"])[1]
    return f"{row['language']} · step {step}" if step else row["language"]


def plot(scores: list[Row]) -> Figure:
    """A row of panels for each model, a panel for each setting, a line for each language."""
    rows = [row for row in scores if row["benchmark"] == BENCHMARK and row["metric"] == "loss"]
    if not rows:
        figure, (axes,) = panels(1, 1, WIDTH, 1.2)
        note(axes, "no model was trained in this run")
        return figure
    models = sorted({row["model"] for row in rows})
    settings = sorted({row["setting"] for row in rows if not row["setting"].endswith(f".{ALL}")})
    languages = sorted({label(row) for row in rows}, key=lambda name: (name.partition(" · ")[0] == ALL, name))
    height = len(models) * (MARGIN + LINE * len(languages))
    figure, axes = panels(len(models), len(settings), WIDTH, height, sharey=True)
    for place, part in enumerate(axes):
        model, setting = models[place // len(settings)], settings[place % len(settings)]
        chosen = [row for row in rows if (row["model"], row["setting"]) == (model, setting)]
        draw(part, chosen, [label(row) for row in chosen], languages)
        part.set_title(title(setting))
        part.set_xlabel("nats per token")
        part.set_ylabel(model if setting == settings[0] else "")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
    return figure


if __name__ == "__main__":
    with job() as snakemake:
        save_svg(plot(read_scores(snakemake.input.scores)), snakemake.output[0])
