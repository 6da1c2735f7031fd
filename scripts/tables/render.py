"""A benchmark's table as csv, Markdown, LaTeX or HTML."""

import csv
import html
import io
from collections.abc import Callable
from dataclasses import dataclass, field

from scripts.lib.escape import markdown, markdown_prose, one_line, tex, tex_label
from scripts.lib.schemas.scores import CONTROL
from scripts.lib.scores import number
from scripts.tables.layout import Block, Cell, Grid, Line, Place, blocks, with_controls

VERDICTS = {1: "▲", -1: "▼", 0: ""}
FIGURES = ("value", "ci_low", "ci_high")
INTERVALS = "In brackets: 95 % percentile bootstrap intervals over problems"
DIFFERENCES = "differences are paired by problem. ▲ better and ▼ worse: the difference's interval excludes zero"


@dataclass(frozen=True)
class TableSpec:
    """Title, caption, digits after the point, and notes that must stand under the table; csv needs none of them."""

    title: str = ""
    caption: str = ""
    decimals: int = 0
    notes: list[str] = field(default_factory=list)


def legend(differences: bool) -> str:
    """The last line below a table, which explains differences where the table has any."""
    return f"{INTERVALS}; {DIFFERENCES}." if differences else f"{INTERVALS}."


def is_difference(line: Line) -> bool:
    """Whether a line holds differences, which are shown with their sign."""
    return " - " in line[1]


def figure(value: float, decimals: int, signed: bool) -> str:
    """A rounded figure, signed for differences; a rounded zero has no sign."""
    text = f"{value:+.{decimals}f}" if signed else f"{value:.{decimals}f}"
    return text if float(text) else text.lstrip("+-")


def _parts(cell: Cell | None, decimals: int, signed: bool) -> tuple[str, str, str]:
    """A cell's figure, interval and mark as text; empty strings where there is nothing."""
    if cell is None:
        return "", "", ""
    bounds = [figure(bound, decimals, signed) for bound in (cell.low, cell.high) if bound is not None]
    return figure(cell.value, decimals, signed), f"[{', '.join(bounds)}]" if bounds else "", VERDICTS[cell.verdict]


def counts(table: Grid, place: Place) -> str:
    """Problems and samples behind the models' scores of a column; several where checkpoints differ."""
    cells = [table.cells[line].get(place) for line in table.lines if line[1] != CONTROL and not is_difference(line)]
    found = {(cell.problems, cell.samples) for cell in cells if cell is not None and cell.problems}
    return ", ".join(f"{problems} × {samples}" for problems, samples in sorted(found))


def as_csv(table: Grid, table_spec: TableSpec) -> str:
    """One line a model and checkpoint; three columns `language:setting:metric:{value,ci_low,ci_high}` a place."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(["model", "checkpoint", *(":".join((*place, name)) for place in table.places for name in FIGURES)])
    for line in table.lines:
        cells = [table.cells[line].get(place) for place in table.places]
        values = [(cell.value, cell.low, cell.high) if cell else (None,) * 3 for cell in cells]
        writer.writerow([*line, *(number(value) for triple in values for value in triple)])
    return stream.getvalue()


def _markdown_block(table: Grid, block: Block, decimals: int) -> list[str]:
    rule = ["---", "---", *["---:"] * len(block.labels)]
    rows = [["model", "checkpoint", *map(markdown, block.labels)], rule]
    for line in block.lines:
        cells = (_parts(table.cells[line].get(place), decimals, is_difference(line)) for place in block.places)
        rows.append([*map(markdown, line), *(" ".join(filter(None, parts)) for parts in cells)])
    rows.append(["problems × samples", "", *(counts(table, place) for place in block.places)])
    return [f"## {markdown(block.heading)}", "", *(f"| {' | '.join(row)} |" for row in rows), ""]


def as_markdown(table: Grid, table_spec: TableSpec) -> str:
    """A heading, the caption, a pipe table for each block, and the legend."""
    table = with_controls(table)
    lines = [f"# {markdown(table_spec.title)}", "", markdown_prose(table_spec.caption), ""]
    for block in blocks(table):
        lines += _markdown_block(table, block, table_spec.decimals)
    for note in (*table_spec.notes, legend(any(map(is_difference, table.lines)))):
        lines += [markdown_prose(note), ""]
    return "\n".join(lines[:-1]) + "\n"


def _tex_cell(parts: tuple[str, str, str], signed: bool) -> str:
    value, bounds, mark = parts
    shown = f"${value}$" if signed and value else value
    small = f"{{\\scriptsize {bounds}}}" if bounds else ""
    return " ".join(filter(None, (shown, small, tex(mark))))


def _tex_block(table: Grid, block: Block, table_spec: TableSpec, name: str) -> list[str]:
    head = " & ".join(map(tex, ["Model", "Checkpoint", *block.labels]))
    lines = [
        "\\begin{table}",
        "\\centering",
        f"\\caption{{{tex(f'{table_spec.title}: {block.heading}. {table_spec.caption}')}}}",
    ]
    lines += [f"\\label{{tab:{name}}}", f"\\begin{{tabular}}{{ll{'r' * len(block.labels)}}}", "\\toprule"]
    lines += [f"{head} \\\\", "\\midrule"]
    for line in block.lines:
        signed = is_difference(line)
        cells = (_parts(table.cells[line].get(place), table_spec.decimals, signed) for place in block.places)
        lines.append(" & ".join([*map(tex, line), *(_tex_cell(parts, signed) for parts in cells)]) + " \\\\")
    lines += ["\\midrule", "\\multicolumn{2}{l}{problems $\\times$ samples} & "]
    lines[-1] += " & ".join(tex(counts(table, place)) for place in block.places) + " \\\\"
    return [*lines, "\\bottomrule", "\\end{tabular}", "\\end{table}", ""]


def as_tex(table: Grid, table_spec: TableSpec) -> str:
    """One floating table a block, to be read in by `\\input`."""
    table = with_controls(table)
    lines = ["% needs \\usepackage{booktabs,amssymb}"]
    for place, block in enumerate(blocks(table), start=1):
        lines += _tex_block(table, block, table_spec, f"{tex_label(table_spec.title)}-{place}")
    notes = (*table_spec.notes, legend(any(map(is_difference, table.lines))))
    return "\n".join([*lines, *(f"% {one_line(note)}" for note in notes)]) + "\n"


def _html_cell(cell: Cell | None, decimals: int, signed: bool) -> str:
    if cell is None:
        return "<td></td>"
    value, bounds, mark = (part.replace("-", "−") for part in _parts(cell, decimals, signed))
    state = {1: ' class="better"', -1: ' class="worse"', 0: ""}[cell.verdict]
    title = f' title="{html.escape(cell.citation)}"' if cell.citation else ""
    small = f' <span class="interval">{bounds}</span>' if bounds else ""
    return f"<td{state}{title}>{value}{f' {mark}' if mark else ''}{small}</td>"


def _html_kind(line: Line) -> str:
    """The CSS class of a line."""
    if is_difference(line):
        return "difference"
    return "paper" if line[1].endswith("(paper)") else "control" if line[1] == CONTROL else "score"


def _html_block(table: Grid, block: Block, decimals: int) -> list[str]:
    head = "".join(f'<th scope="col">{html.escape(label).replace(".", ".<wbr>")}</th>' for label in block.labels)
    lines = [f"<h4>{html.escape(block.heading)}</h4>", '<div class="wide"><table>']
    lines.append(f'<thead><tr><th scope="col">model</th><th scope="col">checkpoint</th>{head}</tr></thead>')
    lines.append("<tbody>")
    for line in block.lines:
        names = "".join(f'<th scope="row">{html.escape(name).replace(" - ", " − ")}</th>' for name in line)
        signed = is_difference(line)
        cells = "".join(_html_cell(table.cells[line].get(place), decimals, signed) for place in block.places)
        lines.append(f'<tr class="{_html_kind(line)}">{names}{cells}</tr>')
    size = "".join(f"<td>{counts(table, place)}</td>" for place in block.places)
    lines.append(f'</tbody><tfoot><tr><th scope="row" colspan="2">problems × samples</th>{size}</tr></tfoot>')
    return [*lines, "</table></div>"]


def as_html(table: Grid, table_spec: TableSpec) -> str:
    """A fragment for the report: no heading, the caption, the blocks, the notes."""
    table = with_controls(table)
    lines = [f"<p>{html.escape(table_spec.caption)}</p>"]
    for block in blocks(table):
        lines += _html_block(table, block, table_spec.decimals)
    return "\n".join([*lines, *(f'<p class="note">{html.escape(text)}</p>' for text in table_spec.notes)]) + "\n"


FORMATS: dict[str, Callable[[Grid, TableSpec], str]] = {
    "csv": as_csv,
    "md": as_markdown,
    "tex": as_tex,
    "html": as_html,
}
