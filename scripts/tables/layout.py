"""Layout of a benchmark's wide table: rows are models and checkpoints, columns are languages and settings."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from scripts.lib.schemas.scores import CONTROL
from scripts.lib.scores import split_checkpoint

# What a line of the table shows.
SCORE, DIFFERENCE, PAPER = "score", "difference", "paper"
COLUMN = ["language", "setting", "metric"]
LINE = ["model", "checkpoint", "base", "kind"]
_START_ORDER = {"base": 0, "ircoder": 1}
# The keys of a benchmark's entry in config/tables.yaml.
TableSpec = Mapping[str, Any]

# The sampling plan in a setting: temperature or method; `control` for the controls, whose samples are fixed.
_SAMPLING = re.compile(r"(^|-)(control|t\d(\.\d+)?|greedy|teacher-forced)(?=$|[-.])")


class Line(NamedTuple):
    """A line of the table: checkpoints are named without their language.

    base: the checkpoint that a difference is taken from; empty for other kinds.
    """

    model: str
    checkpoint: str
    base: str = ""
    kind: str = SCORE

    @property
    def labels(self) -> tuple[str, str]:
        """Model and checkpoint as the table shows them."""
        if self.kind == DIFFERENCE:
            return self.model, f"{self.checkpoint} - {self.base}"
        return self.model, f"{self.checkpoint} (paper)" if self.kind == PAPER else self.checkpoint


class Column(NamedTuple):
    """A column of the table."""

    language: str
    setting: str
    metric: str


@dataclass(frozen=True)
class Cell:
    """A value with its interval; `verdict` of a difference is 1 for clearly better, -1 for clearly worse, else 0."""

    value: float
    low: float | None = None
    high: float | None = None
    verdict: int = 0
    problems: int = 0
    samples: int = 0
    citation: str = ""


@dataclass
class Grid:
    """All cells of one benchmark; lines and columns in the order in which they are shown.

    `cells` has the columns of `LINE` and `COLUMN`, and the `Cell` of each row in `cell`.
    """

    lines: list[Line]
    columns: list[Column]
    cells: pd.DataFrame

    def __post_init__(self) -> None:
        rows = self.cells[[*LINE, *COLUMN, "cell"]].itertuples(index=False, name=None)
        self._by_key: dict[tuple[str, ...], Cell] = {row[:-1]: row[-1] for row in rows}

    def cell(self, line: Line, column: Column) -> Cell | None:
        """The cell of a line in a column, None where it is empty."""
        return self._by_key.get((*line, *column))


@dataclass
class Block:
    """A part of a wide table with its own heading; `labels` distinguish its columns."""

    heading: str
    columns: list[Column]
    labels: list[str]
    lines: list[Line] = field(default_factory=list)


def headline_rows(rows: pd.DataFrame, benchmark: str, table_spec: TableSpec) -> pd.DataFrame:
    """The rows of a benchmark that the main table shows."""
    headline = table_spec["headline"]
    shown = (rows["benchmark"] == benchmark) & (rows["metric"] == headline["metric"])
    for name in ("language", "setting"):
        matches = re.compile(headline.get(name, ".*")).fullmatch
        shown &= np.array([matches(value) is not None for value in rows[name]], dtype=bool)
    return rows[shown]


def notes_for(table_spec: TableSpec, languages: Iterable[str]) -> list[str]:
    """The notes of a benchmark that belong below a table with these languages."""
    shown = {None, *languages}
    return [note["text"] for note in table_spec.get("notes", []) if note.get("language") in shown]


def without_language(rows: pd.DataFrame, column: str = "checkpoint") -> list[str]:
    """Each row's checkpoint without its language: models tuned for one language each share a line."""
    return [
        checkpoint.removesuffix(f"-{language}")
        for checkpoint, language in zip(rows[column], rows["language"], strict=True)
    ]


def _line_order(line: Line) -> tuple[Any, ...]:
    """Sort key: models by name and controls last; models without tuning before tuned ones.

    Within one tuning: base, IRCoder's intermediate checkpoints by step, IRCoder, the ablations by
    name, and then the differences in the same order.
    """
    start, step, tuning = split_checkpoint(line.checkpoint)
    rank = (_START_ORDER.get(start, len(_START_ORDER)), start, not step, int(step or 0))
    last = (line.base not in ("", f"base-{tuning}".removesuffix("-")), line.base, line.kind == PAPER)
    return line.checkpoint == CONTROL, line.model, tuning, line.kind == DIFFERENCE, rank, last


def _column_order(metrics: list[str]) -> Callable[[Column], tuple[Any, ...]]:
    """Sort key: metrics as listed and then by name, settings by name, all languages together first."""

    def order(column: Column) -> tuple[Any, ...]:
        rank = metrics.index(column.metric) if column.metric in metrics else len(metrics)
        return rank, column.metric, column.setting, column.language != "all", column.language

    return order


def verdict_of(row: Mapping[Any, Any], lower: Iterable[str]) -> int:
    """1 or -1 when the interval of a difference excludes zero, depending on which sign is better; else 0."""
    if pd.isna(row["ci_low"]) or row["ci_low"] <= 0 <= row["ci_high"]:
        return 0
    return (1 if row["value"] > 0 else -1) * (-1 if row["metric"] in lower else 1)


def _cells(rows: pd.DataFrame, value: str, kind: str, lower: Iterable[str] = ()) -> pd.DataFrame:
    """Rows of a long table as cells of the wide one; `value` names the column to show."""
    cells = []
    for row in rows.rename(columns={value: "value"}).to_dict("records"):
        verdict = verdict_of(row, lower) if kind == DIFFERENCE else 0
        bounds = (row.get(name) for name in ("ci_low", "ci_high"))
        low, high = (None if pd.isna(bound) else bound for bound in bounds)
        counts = {name: int(row.get(name, 0)) for name in ("problems", "samples")}
        cells.append(Cell(row["value"], low, high, verdict, **counts, citation=row.get("citation", "")))
    base = without_language(rows, "base") if kind == DIFFERENCE else ""
    table = rows[["model", *COLUMN]].assign(checkpoint=without_language(rows), base=base, kind=kind)
    return table.assign(cell=pd.Series(cells, index=table.index, dtype=object))


def grid(
    scores: pd.DataFrame, differences: pd.DataFrame, paper: pd.DataFrame, metrics: list[str], lower: Iterable[str]
) -> Grid:
    """Lay out the rows of one benchmark.

    `metrics` is their order, `lower` those whose smaller values are better. Figures of the paper
    have their own lines, below the line of the same model and checkpoint.
    """
    parts = [
        _cells(scores, "value", SCORE),
        _cells(differences, "difference", DIFFERENCE, set(lower)),
        _cells(paper, "value", PAPER),
    ]
    cells = pd.concat(parts).drop_duplicates([*LINE, *COLUMN], keep="last")
    lines = [Line(*names) for names in cells[LINE].drop_duplicates().itertuples(index=False, name=None)]
    return Grid(sorted(lines, key=_line_order), sorted(_columns(cells), key=_column_order(metrics)), cells)


def _columns(cells: pd.DataFrame) -> list[Column]:
    return [Column(*names) for names in cells[COLUMN].drop_duplicates().itertuples(index=False, name=None)]


def with_controls(table: Grid) -> Grid:
    """Move the cells of the controls to the columns of the models that they are controls of.

    Controls run once a task; except for the sampling plan, their setting is that of the models.
    """
    is_control = table.cells["checkpoint"] == CONTROL
    models, controls = table.cells[~is_control], table.cells[is_control].rename(columns={"setting": "own"})
    columns = models[COLUMN].drop_duplicates()
    columns = columns.assign(task=[_SAMPLING.sub("", setting) for setting in columns["setting"]])
    controls = controls.assign(task=[_SAMPLING.sub("", setting) for setting in controls["own"]])
    moved = controls.merge(columns, how="left", on=["language", "metric", "task"])
    moved["setting"] = moved["setting"].fillna(moved["own"])
    moved = moved[table.cells.columns].drop_duplicates([*LINE, *COLUMN], keep="last")
    cells = pd.concat([models, moved])
    shown = set(_columns(cells))
    return Grid(table.lines, [column for column in table.columns if column in shown], cells)


def blocks(table: Grid) -> list[Block]:
    """Cut a grid by metric, and by setting if there are several languages.

    Blocks in which only controls have values (such as a relative drop from 0) are left out if there
    are blocks with values of models.
    """
    parts = []
    for metric in dict.fromkeys(column.metric for column in table.columns):
        columns = [column for column in table.columns if column.metric == metric]
        languages = {column.language for column in columns}
        if len(languages) == 1:
            parts.append(Block(f"{metric}, {languages.pop()}", columns, [column.setting for column in columns]))
            continue
        for setting in sorted({column.setting for column in columns}):
            shown = [column for column in columns if column.setting == setting]
            parts.append(Block(f"{metric}, {setting}", shown, [column.language for column in shown]))
    for block in parts:
        block.lines = [line for line in table.lines if any(table.cell(line, column) for column in block.columns)]
    return [block for block in parts if any(line.checkpoint != CONTROL for line in block.lines)] or parts
