"""Layout of a benchmark's wide table: rows are models and checkpoints, columns are languages and settings."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from scripts.lib.schemas.scores import CONTROL
from scripts.lib.scores import Row, base_of, split_checkpoint

# A place in a table: language, setting, metric.
Place = tuple[str, str, str]
# A line of a table: model, checkpoint without its language.
Line = tuple[str, str]


# How samples were drawn, as part of a setting; of the controls, whose samples are given, `control`.
_SAMPLING = re.compile(r"(^|-)(control|t\d(\.\d+)?|greedy|teacher-forced)(?=$|[-.])")


@dataclass(frozen=True)
class Cell:
    """A figure with its interval; `verdict` of a difference is 1 for clearly better, -1 for clearly worse, else 0."""

    value: float
    low: float | None = None
    high: float | None = None
    verdict: int = 0
    problems: int = 0
    samples: int = 0
    citation: str = ""


@dataclass
class Grid:
    """All cells of one benchmark: `cells[line][place]`, lines and places in the order in which they are shown."""

    lines: list[Line]
    places: list[Place]
    cells: dict[Line, dict[Place, Cell]]


@dataclass
class Block:
    """A part of a wide table with one heading: the places of its columns and the labels that tell them apart."""

    heading: str
    places: list[Place]
    labels: list[str]
    lines: list[Line] = field(default_factory=list)


def is_headline(row: Row, benchmark: str, table_spec: dict[str, Any]) -> bool:
    """Whether the main table shows a row's figure; `table_spec` is the benchmark's entry of config/tables.yaml."""
    wanted = table_spec["headline"]
    if row["benchmark"] != benchmark or row["metric"] != wanted["metric"]:
        return False
    return all(re.fullmatch(wanted.get(name, ".*"), row[name]) for name in ("language", "setting"))


def notes_for(table_spec: dict[str, Any], languages: Iterable[str]) -> list[str]:
    """The notes of a benchmark's entry of config/tables.yaml that belong below a table with these languages."""
    shown = {None, *languages}
    return [note["text"] for note in table_spec.get("notes", []) if note.get("language") in shown]


def line_of(row: Row) -> Line:
    """The line of a score: models tuned for one language each share a line, as each fills its own column."""
    return row["model"], row["checkpoint"].removesuffix(f"-{row['language']}")


def difference_line(line: Line) -> Line:
    """The line below an IRCoder line that holds its differences from the base."""
    return line[0], f"{line[1]} - {base_of(line[1])}"


def paper_line(line: Line) -> Line:
    """The line below a model's line that holds the paper's figures."""
    return line[0], f"{line[1]} (paper)"


def _line_order(line: Line) -> tuple:
    """Sorting key: models by name and controls last; plain before tuned checkpoints.

    Of one tuning: base, IRCoder's saved checkpoints by their step, IRCoder, and then the differences in the same order.
    """
    model, checkpoint = line
    plain = checkpoint.removesuffix(" (paper)")
    start, step, tuning = split_checkpoint(plain.split(" - ")[0])
    rank = (" - " in plain, start == "ircoder", not step, int(step or 0), plain != checkpoint)
    return checkpoint == CONTROL, model, tuning, rank


def _place_order(metrics: list[str]) -> Callable[[Place], tuple]:
    """Sorting key of places: metrics as listed and then by name, settings by name, all languages together first."""

    def order(place: Place) -> tuple:
        language, setting, metric = place
        rank = metrics.index(metric) if metric in metrics else len(metrics)
        return rank, metric, setting, language != "all", language

    return order


def _verdict(row: Row, lower_is_better: Iterable[str]) -> int:
    """1 or -1 when the difference's interval lies on one side of zero, by what is better for the metric."""
    if row["ci_low"] is None or row["ci_low"] <= 0 <= row["ci_high"]:
        return 0
    return (1 if row["difference"] > 0 else -1) * (-1 if row["metric"] in lower_is_better else 1)


def grid(scores: list[Row], differences: list[Row], paper: list[Row], metrics: list[str], lower: list[str]) -> Grid:
    """Lay out the rows of one benchmark; rows of other benchmarks are passed over.

    `paper` figures stand in lines of their own, below the line of the same model and checkpoint.
    """
    cells: dict[Line, dict[Place, Cell]] = {}

    def put(line: Line, row: Row, cell: Cell) -> None:
        cells.setdefault(line, {})[row["language"], row["setting"], row["metric"]] = cell

    for row in scores:
        counts = {"problems": int(row["problems"]), "samples": int(row["samples"])}
        put(line_of(row), row, Cell(row["value"], row["ci_low"], row["ci_high"], **counts))
    for row in differences:
        cell = Cell(row["difference"], row["ci_low"], row["ci_high"], _verdict(row, lower), int(row["problems"]))
        put(difference_line(line_of(row)), row, cell)
    for row in paper:
        put(paper_line(line_of(row)), row, Cell(row["value"], citation=row["citation"]))
    places = {place for line in cells.values() for place in line}
    return Grid(sorted(cells, key=_line_order), sorted(places, key=_place_order(metrics)), cells)


def with_controls(table: Grid) -> Grid:
    """The grid with the controls' cells in the columns of the models that they are controls of.

    Controls are run once a task; their setting is the models' but for the way of sampling.
    """
    own = {place for line, cells in table.cells.items() if line[1] != CONTROL for place in cells}
    cells = dict(table.cells)
    for line in (line for line in table.lines if line[1] == CONTROL):
        moved: dict[Place, Cell] = {}
        for place, cell in cells[line].items():
            columns = [other for other in own if _controlled(other) == _controlled(place)]
            moved |= dict.fromkeys(columns or [place], cell)
        cells[line] = moved
    places = {place for line in cells.values() for place in line}
    return Grid(table.lines, [place for place in table.places if place in places], cells)


def _controlled(place: Place) -> Place:
    """A place without the way of sampling in its setting."""
    return place[0], _SAMPLING.sub("", place[1]), place[2]


def blocks(table: Grid) -> list[Block]:
    """Cut a grid by metric, and by setting where there are several languages and several settings."""
    found = []
    for metric in dict.fromkeys(place[2] for place in table.places):
        places = [place for place in table.places if place[2] == metric]
        languages, settings = ({place[part] for place in places} for part in (0, 1))
        if len(languages) == 1:
            found.append(Block(f"{metric}, {languages.pop()}", places, [place[1] for place in places]))
            continue
        for setting in sorted(settings):
            chosen = [place for place in places if place[1] == setting]
            found.append(Block(f"{metric}, {setting}", chosen, [place[0] for place in chosen]))
    for block in found:
        block.lines = [line for line in table.lines if table.cells[line].keys() & set(block.places)]
    return found
