"""The main table: each benchmark's headline metric, base beside IRCoder, their difference, and the controls."""

import html
from collections.abc import Callable, Iterator
from typing import Any

from scripts.lib.escape import markdown, markdown_prose
from scripts.lib.files import write_text
from scripts.lib.job import job
from scripts.lib.schemas.scores import CONTROL
from scripts.lib.scores import Row, read_differences, read_scores, split_checkpoint
from scripts.tables.layout import (
    Cell,
    Grid,
    Line,
    Place,
    difference_line,
    grid,
    is_headline,
    notes_for,
    with_controls,
)
from scripts.tables.render import VERDICTS, figure, legend

WORDS = ("benchmark", "language", "setting", "metric", "tuning")
OPTIONAL = ("base", "IRCoder", "difference")
HEAD = (*WORDS, *OPTIONAL, "reference (ceiling) / empty")
IRCODER = "ircoder"
# Lines of text by model.
Lines = dict[str, list[list[str]]]


def _with_interval(cell: Cell | None, decimals: int, signed: bool = False) -> str:
    """`12.3 [10.1, 14.0] ▲`, or nothing."""
    if cell is None:
        return ""
    bounds = [figure(bound, decimals, signed) for bound in (cell.low, cell.high) if bound is not None]
    interval = f"[{', '.join(bounds)}]" if bounds else ""
    return " ".join(filter(None, (figure(cell.value, decimals, signed), interval, VERDICTS[cell.verdict])))


def _controls(cells: Grid, place: Place, decimals: int) -> str:
    """What the controls score at a place, `100.0 / 0.0`, or `100.0 (98.2) / 0.0` with a ceiling; nothing without."""
    names = ("reference", "ceiling", "empty")
    found = {name: cell for name in names if (cell := cells.cells.get((name, CONTROL), {}).get(place))}
    if not found:
        return ""
    texts = {name: figure(found[name].value, decimals, False) if name in found else "–" for name in names}
    ceiling = f" ({texts['ceiling']})" if "ceiling" in found else ""
    return f"{texts['reference']}{ceiling} / {texts['empty']}"


def _pairs(cells: Grid) -> Iterator[tuple[Line, Line]]:
    """Lines of base and IRCoder that belong together, in the grid's order; either may have no cells.

    Each checkpoint that was saved on the way is a pair with the base, after the last one's.
    """
    checkpoints = {
        line: split_checkpoint(line[1]) for line in cells.lines if line[1] != CONTROL and " - " not in line[1]
    }
    for model, tuning in dict.fromkeys((line[0], tuning) for line, (_, _, tuning) in checkpoints.items()):
        own = [(start, step) for line, (start, step, name) in checkpoints.items() if (line[0], name) == (model, tuning)]
        steps = {step for start, step in own if start == IRCODER}
        for step in sorted(steps, key=lambda step: int(step or 0)) or [""]:
            names = (["base", tuning], [IRCODER, step, tuning])
            yield tuple((model, "-".join(filter(None, parts))) for parts in names)


def benchmark_lines(cells: Grid, table_spec: dict[str, Any]) -> Lines:
    """The main table's lines of one benchmark; `table_spec` is its entry of config/tables.yaml."""
    decimals, lines = table_spec["decimals"], {}
    for base, ircoder in _pairs(cells):
        own = [cells.cells.get(line, {}) for line in (base, ircoder)]
        for place in (place for place in cells.places if any(place in part for part in own)):
            change = cells.cells.get(difference_line(ircoder), {}).get(place)
            figures = [_with_interval(part.get(place), decimals) for part in own]
            figures += [_with_interval(change, decimals, True), _controls(cells, place, decimals)]
            _, step, tuning = split_checkpoint(ircoder[1])
            tuning = f"{tuning or 'none'}{f', step {step}' if step else ''}"
            lines.setdefault(base[0], []).append([table_spec["title"], *place, tuning, *figures])
    return lines


def main_lines(scores: list[Row], differences: list[Row], table_specs: dict[str, dict[str, Any]]) -> Lines:
    """All lines by model, models by name, benchmarks in the order of config/tables.yaml."""
    found: Lines = {}
    for benchmark, table_spec in table_specs.items():
        chosen = [[row for row in rows if is_headline(row, benchmark, table_spec)] for rows in (scores, differences)]
        cells = with_controls(grid(*chosen, [], [], table_spec.get("lower_is_better", [])))
        for model, lines in benchmark_lines(cells, table_spec).items():
            found.setdefault(model, []).extend(lines)
    return dict(sorted(found.items()))


def main_notes(scores: list[Row], table_specs: dict[str, dict[str, Any]]) -> list[str]:
    """The benchmarks' own notes on what the main table shows of them."""
    shown = {
        name: {row["language"] for row in scores if is_headline(row, name, table_spec)}
        for name, table_spec in table_specs.items()
    }
    return [
        f"{table_spec['title']}: {text}"
        for name, table_spec in table_specs.items()
        if shown[name]
        for text in notes_for(table_spec, shown[name])
    ]


def shown_columns(found: Lines) -> tuple[list[str], Lines]:
    """Heads and lines without the columns of checkpoints that the run has not, and of differences from them."""
    lines = [line for own in found.values() for line in own]
    places = [place for place, name in enumerate(HEAD) if name not in OPTIONAL or any(line[place] for line in lines)]
    kept = {model: [[line[place] for place in places] for line in own] for model, own in found.items()}
    return [HEAD[place] for place in places], kept


def _markdown_rows(head: list[str], lines: list[list[str]]) -> Iterator[str]:
    """A pipe table, padded so that it also reads well in a terminal."""
    shown = [head, *lines]
    widths = [max(len(line[place]) for line in shown) for place in range(len(head))]
    sides: list[Callable] = [str.ljust if name in WORDS else str.rjust for name in head]
    rule = ["-" * width if name in WORDS else "-" * (width - 1) + ":" for name, width in zip(head, widths, strict=True)]
    for line in (shown[0], rule, *lines):
        cells = (side(cell, width) for side, cell, width in zip(sides, line, widths, strict=True))
        yield f"| {' | '.join(cells)} |"


def as_markdown(found: Lines, notes: list[str]) -> str:
    """A heading and a table for each model, then the notes."""
    text = []
    head, found = shown_columns(found)
    for model, lines in found.items():
        words = sum(name in WORDS for name in head)
        escaped = [[*map(markdown, line[:words]), *line[words:]] for line in lines]
        text += [f"# {markdown(model)}", "", *_markdown_rows(head, escaped), ""]
    for note in (*notes, legend("difference" in head)):
        text += [markdown_prose(note), ""]
    return "\n".join(text[:-1]) + "\n"


def _html_figure(cell: str) -> str:
    value, _, rest = cell.replace("-", "−").partition(" [")
    bounds, _, mark = rest.partition("] ")
    interval = f' <span class="interval">[{bounds.removesuffix("]")}]</span>' if rest else ""
    state = {VERDICTS[1]: ' class="better"', VERDICTS[-1]: ' class="worse"'}.get(mark, "")
    return f"<td{state}>{value}{f' {mark}' if mark else ''}{interval}</td>"


def as_html(found: Lines, notes: list[str]) -> str:
    """A fragment for the report: a table for each model, then the notes."""
    text = []
    names, found = shown_columns(found)
    head = "".join(f'<th scope="col">{name}</th>' for name in names)
    for model, lines in found.items():
        text += [
            f"<h3>{html.escape(model)}</h3>",
            '<div class="wide"><table class="main">',
            f"<thead><tr>{head}</tr></thead><tbody>",
        ]
        for line in lines:
            words = "".join(f'<th scope="row">{html.escape(cell)}</th>' for cell in line[: len(WORDS)])
            text.append(f"<tr>{words}{''.join(map(_html_figure, line[len(WORDS) :]))}</tr>")
        text.append("</tbody></table></div>")
    return "\n".join([*text, *(f'<p class="note">{html.escape(note)}</p>' for note in notes)]) + "\n"


if __name__ == "__main__":
    with job() as snakemake:
        scores, table_specs = read_scores(snakemake.input.scores), snakemake.params.table_specs
        lines = main_lines(scores, read_differences(snakemake.input.differences), table_specs)
        notes = [*main_notes(scores, table_specs), *snakemake.params.notes]
        write_text(snakemake.output.md, as_markdown(lines, notes))
        write_text(snakemake.output.html, as_html(lines, notes))
