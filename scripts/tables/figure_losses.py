"""Draws the validation loss of base and IRCoder by language, direction and variant: `figures/validation_loss.svg`."""

from itertools import product

import pandas as pd
from matplotlib.figure import Figure

from scripts.lib.figure import note, panels, save_svg
from scripts.lib.job import job
from scripts.lib.score_tables import read_scores
from scripts.lib.scores import in_main_table, split_checkpoint
from scripts.tables.dots import draw
from scripts.tables.losses import ALL, BENCHMARK

# Inches: height of a line, margin of a row of panels, and width of the figure.
LINE, MARGIN, WIDTH = 0.26, 1.1, 9.0


def title(setting: str) -> str:
    """The title of a setting on two lines: `source → LLVM` and `perf` for `source_to_llvm.perf`."""
    direction, _, variant = setting.partition(".")
    words = {"source_to_llvm": "source → LLVM", "llvm_to_source": "LLVM → source"}
    return f"{words.get(direction, 'source alone')}\n{variant}"


def label(language: str, checkpoint: str) -> str:
    """The label of a line: the language, and the step of an intermediate checkpoint, which has its own line."""
    step = split_checkpoint(checkpoint)[1]
    return f"{language} · step {step}" if step else language


def plot(scores: pd.DataFrame) -> Figure:
    """A row of panels for each model, a panel for each setting, a line for each language."""
    rows = scores[(scores["benchmark"] == BENCHMARK) & (scores["metric"] == "loss")]
    rows = rows[rows["checkpoint"].map(in_main_table).astype(bool)]
    if not len(rows):
        figure, (empty,) = panels(1, 1, WIDTH, 1.2)
        note(empty, "no model was trained in this run")
        return figure
    rows = rows.assign(label=list(map(label, rows["language"], rows["checkpoint"])))
    models = sorted(set(rows["model"]))
    settings = sorted(setting for setting in set(rows["setting"]) if not setting.endswith(f".{ALL}"))
    labels = sorted(set(rows["label"]), key=lambda name: (name.partition(" · ")[0] == ALL, name))
    height = len(models) * (MARGIN + LINE * len(labels))
    figure, all_axes = panels(len(models), len(settings), WIDTH, height, sharey=True)
    for axes, (model, setting) in zip(all_axes, product(models, settings), strict=True):
        draw(axes, rows[(rows["model"] == model) & (rows["setting"] == setting)], labels)
        axes.set_title(title(setting))
        axes.set_xlabel("nats per token")
        axes.set_ylabel(model if setting == settings[0] else "")
    handles, names = all_axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper right", ncols=2)
    return figure


if __name__ == "__main__":
    with job() as snakemake:
        save_svg(plot(read_scores(snakemake.input.scores)), snakemake.output[0])
