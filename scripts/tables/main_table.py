"""Writes the main table: each benchmark's headline metric of base and IRCoder, their difference, and the controls."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from scripts.lib.escape import markdown, markdown_prose
from scripts.lib.files import read_json, write_text
from scripts.lib.job import job
from scripts.lib.markdown_table import markdown_table
from scripts.lib.schemas.scores import CONTROL, PAPER_RESULTS
from scripts.lib.score_tables import read_differences, read_scores
from scripts.lib.scores import BASE, IRCODER, split_checkpoint
from scripts.tables.layout import (
    COLUMN,
    DIFFERENCE,
    SCORE,
    Grid,
    TableSpec,
    grid,
    headline_rows,
    notes_for,
    with_controls,
)
from scripts.tables.main_html import as_html, score_links, tuning_text
from scripts.tables.render import figure, legend, with_interval

WORDS = ("benchmark", "language", "setting", "metric", "tuning")
OPTIONAL = ("base", "IRCoder", "difference")
HEAD = (*WORDS, *OPTIONAL, "reference (ceiling) / empty or random")
CONTROLS = ("reference", "ceiling", "empty", "random")
# What a line of the main table compares: one tuning of a model, at one step or at the end ("").
COMPARISON = ["model", "tuning", "step"]
NO_PAPER = pd.DataFrame(columns=list(PAPER_RESULTS.names))
# The benchmark of validation losses, which are in files of the models.
VALIDATION = "validation"
# Lines of text by model.
Lines = dict[str, list[list[str]]]


def _controls(cells: Mapping[Any, Any], decimals: int) -> str:
    """The scores of the controls, `100.0 / 0.0`, or `100.0 (98.2) / 0.0` with a ceiling; empty without controls.

    The second is that of `random` where the benchmark has no control `empty`. `cells` maps the name
    of each control to its cell or None.
    """
    values = {name: cell.value for name in CONTROLS if (cell := cells[name]) is not None}
    if not values:
        return ""
    texts = {name: figure(values[name], decimals, False) if name in values else "–" for name in CONTROLS}
    ceiling = f" ({texts['ceiling']})" if "ceiling" in values else ""
    lowest = texts["random" if "random" in values else "empty"]
    return f"{texts['reference']}{ceiling} / {lowest}"


def split_checkpoints(cells: pd.DataFrame) -> pd.DataFrame:
    """The cells with the parts of their checkpoints as columns: `start`, `step` and `tuning`."""
    parts = [split_checkpoint(checkpoint) for checkpoint in cells["checkpoint"]]
    return cells.assign(**{name: [part[i] for part in parts] for i, name in enumerate(("start", "step", "tuning"))})


def _is_base(checkpoint: str) -> bool:
    """Whether a checkpoint is the base or a tuning of it."""
    return split_checkpoint(checkpoint)[0] == BASE if checkpoint else False


def comparisons(table: Grid) -> pd.DataFrame:
    """The cells of a grid, joined by what the main table shows in one line.

    Columns: `COMPARISON`, `COLUMN`, and the cells (or None) `base`, `ircoder`, `difference` and those
    of the controls. Each intermediate checkpoint is compared with the same base, after the last one.
    """
    cells = split_checkpoints(table.cells)
    models = cells[(cells["checkpoint"] != CONTROL) & (cells["kind"] == SCORE)]
    base, ircoder = (models[models["start"] == start] for start in (BASE, IRCODER))
    differences = cells[(cells["kind"] == DIFFERENCE) & (cells["start"] == IRCODER) & cells["base"].map(_is_base)]
    ends = base[["model", "tuning"]].drop_duplicates()
    steps = ends.merge(ircoder[COMPARISON].drop_duplicates(), on=["model", "tuning"], how="left")
    of_base = base.drop(columns="step").merge(steps.fillna({"step": ""}), on=["model", "tuning"])
    lines = pd.concat([of_base, ircoder])[[*COMPARISON, *COLUMN]].drop_duplicates()
    for name, part in (("base", of_base), ("ircoder", ircoder), ("difference", differences)):
        shown = part[[*COMPARISON, *COLUMN, "cell"]].rename(columns={"cell": name})
        lines = lines.merge(shown, on=[*COMPARISON, *COLUMN], how="left")
    for name in CONTROLS:
        control = cells[(cells["checkpoint"] == CONTROL) & (cells["model"] == name)]
        lines = lines.merge(control[[*COLUMN, "cell"]].rename(columns={"cell": name}), on=COLUMN, how="left")
    return in_order(table, lines.astype(object).where(lines.notna(), None))


def in_order(table: Grid, lines: pd.DataFrame) -> pd.DataFrame:
    """Sort the comparisons: models and tunings as the grid's lines, then steps, then its columns."""
    tunings = [(line.model, split_checkpoint(line.checkpoint)[2]) for line in table.lines]
    first = {names: position for position, names in reversed(list(enumerate(tunings)))}
    columns = {tuple(column): position for position, column in enumerate(table.columns)}
    order = [
        (first[line["model"], line["tuning"]], int(line["step"] or 0), columns[tuple(line[name] for name in COLUMN)])
        for line in lines.to_dict("records")
    ]
    return lines.iloc[sorted(range(len(order)), key=order.__getitem__)]


def benchmark_lines(table: Grid, table_spec: TableSpec) -> Lines:
    """The main table's lines of one benchmark, by model."""
    decimals: int = table_spec["decimals"]
    lines: Lines = {}
    for row in comparisons(table).to_dict("records"):
        tuning = tuning_text(row["tuning"], row["step"])
        values = [with_interval(row[name], decimals) for name in ("base", "ircoder")]
        values += [with_interval(row["difference"], decimals, signed=True), _controls(row, decimals)]
        texts = [table_spec["title"], *(row[name] for name in COLUMN), tuning, *values]
        lines.setdefault(row["model"], []).append(texts)
    return lines


def main_lines(scores: pd.DataFrame, differences: pd.DataFrame, table_specs: Mapping[str, TableSpec]) -> Lines:
    """All lines by model: models by name, benchmarks in the order of config/tables.yaml."""
    lines: Lines = {}
    for benchmark, table_spec in table_specs.items():
        shown = headline_rows(scores, benchmark, table_spec)
        changes = headline_rows(differences, benchmark, table_spec)
        table = with_controls(grid(shown, changes, NO_PAPER, [], table_spec.get("lower_is_better", [])))
        for model, texts in benchmark_lines(table, table_spec).items():
            lines.setdefault(model, []).extend(texts)
    return dict(sorted(lines.items()))


def main_notes(scores: pd.DataFrame, table_specs: Mapping[str, TableSpec]) -> list[str]:
    """The benchmarks' notes on what the main table shows of them."""
    notes = []
    for benchmark, table_spec in table_specs.items():
        languages = set(headline_rows(scores, benchmark, table_spec)["language"])
        if languages:
            notes += [f"{table_spec['title']}: {text}" for text in notes_for(table_spec, languages)]
    return notes


def shown_columns(lines: Lines) -> tuple[list[str], Lines]:
    """Heads and lines without the optional columns that are empty in all lines."""
    every = [line for model in lines.values() for line in model]
    shown = [i for i, name in enumerate(HEAD) if name not in OPTIONAL or any(line[i] for line in every)]
    cut = {model: [[line[i] for i in shown] for line in own] for model, own in lines.items()}
    return [HEAD[i] for i in shown], cut


def as_markdown(lines: Lines, notes: list[str]) -> str:
    """A heading and a table for each model, then the notes."""
    text = []
    head, lines = shown_columns(lines)
    words = sum(name in WORDS for name in head)
    for model, rows in lines.items():
        escaped = [[*map(markdown, row[:words]), *row[words:]] for row in rows]
        text += [f"# {markdown(model)}", "", *markdown_table(head, escaped, range(words, len(head)), aligned=True), ""]
    for note in (*notes, legend("difference" in head)):
        text += [markdown_prose(note), ""]
    return "\n".join(text[:-1]) + "\n"


def linked(paths: Iterable[str], losses: Iterable[str], scores: pd.DataFrame, results: str) -> pd.DataFrame:
    """The rows of the score files and of the losses, with the path of their file below `results` in `file`."""
    files = {path: Path(path).relative_to(results).as_posix() for path in paths}
    rows = [{**row, "file": name} for path, name in files.items() for row in read_json(path)["rows"]]
    # models/{model}/losses/{checkpoint}.parquet
    of_losses = {(Path(path).parts[-3], Path(path).stem): Path(path).relative_to(results).as_posix() for path in losses}
    trained = scores[[names in of_losses for names in zip(scores["model"], scores["checkpoint"], strict=True)]]
    trained = trained[trained["benchmark"] == VALIDATION]
    named = [of_losses[names] for names in zip(trained["model"], trained["checkpoint"], strict=True)]
    return pd.concat([pd.DataFrame(rows, columns=[*scores.columns, "file"]), trained.assign(file=named)])


if __name__ == "__main__":
    with job() as snakemake:
        scores, table_specs = read_scores(snakemake.input.scores), snakemake.params.table_specs
        texts = main_lines(scores, read_differences(snakemake.input.differences), table_specs)
        notes = [*main_notes(scores, table_specs), *snakemake.params.notes]
        write_text(snakemake.output.md, as_markdown(texts, notes))
        titles = {name: table_spec["title"] for name, table_spec in table_specs.items()}
        inputs = snakemake.input
        files = linked(inputs.files, inputs.losses, scores, snakemake.config["results_dir"])
        links = score_links(files[files["benchmark"].isin(titles)], titles)
        write_text(snakemake.output.html, as_html(*shown_columns(texts), notes, links))
