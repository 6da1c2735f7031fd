"""Renders a benchmark's table as CSV, Markdown, LaTeX or HTML."""

import html
from collections.abc import Callable
from dataclasses import dataclass, field

from scripts.lib.csv_files import csv_text
from scripts.lib.escape import html_prose, markdown, markdown_prose, one_line, tex, tex_label
from scripts.lib.markdown_table import markdown_table
from scripts.lib.schemas.scores import CONTROL
from scripts.lib.scores import number
from scripts.tables.layout import DIFFERENCE, Block, Cell, Column, Grid, Line, blocks, with_controls

VERDICTS = {1: "▲", -1: "▼", 0: ""}
FIGURES = ("value", "ci_low", "ci_high")
INTERVALS = "In brackets: 95 % percentile bootstrap intervals over problems"
DIFFERENCES = "differences are paired by problem. ▲ better and ▼ worse: the difference's interval excludes zero"


@dataclass(frozen=True)
class Texts:
    """Title, caption, digits after the decimal point, and notes below the table; CSV needs none of them."""

    title: str = ""
    caption: str = ""
    decimals: int = 0
    notes: list[str] = field(default_factory=list)


def legend(differences: bool) -> str:
    """The last line below a table; it explains differences if the table has any."""
    return f"{INTERVALS}; {DIFFERENCES}." if differences else f"{INTERVALS}."


def has_differences(table: Grid) -> bool:
    """Whether a table has lines with differences."""
    return any(line.kind == DIFFERENCE for line in table.lines)


def figure(value: float, decimals: int, signed: bool) -> str:
    """Round a number and format it, with its sign for differences; a rounded zero has no sign."""
    text = f"{value:+.{decimals}f}" if signed else f"{value:.{decimals}f}"
    return text if float(text) else text.lstrip("+-")


def with_interval(cell: Cell | None, decimals: int, signed: bool = False) -> str:
    """`12.3 [10.1, 14.0] ▲`, or an empty text."""
    return " ".join(filter(None, _parts(cell, decimals, signed)))


def _parts(cell: Cell | None, decimals: int, signed: bool) -> tuple[str, str, str]:
    """The value, interval and mark of a cell as texts, each empty where there is nothing to show."""
    if cell is None:
        return "", "", ""
    bounds = [figure(bound, decimals, signed) for bound in (cell.low, cell.high) if bound is not None]
    return figure(cell.value, decimals, signed), f"[{', '.join(bounds)}]" if bounds else "", VERDICTS[cell.verdict]


def counts(table: Grid, column: Column) -> str:
    """Numbers of problems and samples of the models' scores in a column; several if checkpoints differ."""
    lines = (line for line in table.lines if line.checkpoint != CONTROL and line.kind != DIFFERENCE)
    cells = (table.cell(line, column) for line in lines)
    numbers = {(cell.problems, cell.samples) for cell in cells if cell is not None and cell.problems}
    return ", ".join(f"{problems} × {samples}" for problems, samples in sorted(numbers))


def as_csv(table: Grid, texts: Texts) -> str:
    """One line a model and checkpoint, and three columns `language:setting:metric:{value,ci_low,ci_high}` a score."""
    names = [":".join((*column, name)) for column in table.columns for name in FIGURES]
    columns = ["model", "checkpoint", *names]
    rows = []
    for line in table.lines:
        cells = [table.cell(line, column) for column in table.columns]
        values = [(cell.value, cell.low, cell.high) if cell else (None,) * 3 for cell in cells]
        figures = (number(value) for triple in values for value in triple)
        rows.append(dict(zip(columns, (*line.labels, *figures), strict=True)))
    return csv_text(columns, rows)


def _markdown_block(table: Grid, block: Block, decimals: int) -> list[str]:
    header = ["model", "checkpoint", *map(markdown, block.labels)]
    rows = []
    for line in block.lines:
        cells = (_parts(table.cell(line, column), decimals, line.kind == DIFFERENCE) for column in block.columns)
        rows.append([*map(markdown, line.labels), *(" ".join(filter(None, parts)) for parts in cells)])
    rows.append(["problems × samples", "", *(counts(table, column) for column in block.columns)])
    return [f"## {markdown(block.heading)}", "", *markdown_table(header, rows, range(2, len(header))), ""]


def as_markdown(table: Grid, texts: Texts) -> str:
    """A heading, the caption, a pipe table for each block, and the legend."""
    table = with_controls(table)
    lines = [f"# {markdown(texts.title)}", "", markdown_prose(texts.caption), ""]
    for block in blocks(table):
        lines += _markdown_block(table, block, texts.decimals)
    for note in (*texts.notes, legend(has_differences(table))):
        lines += [markdown_prose(note), ""]
    return "\n".join(lines[:-1]) + "\n"


def _tex_cell(parts: tuple[str, str, str], signed: bool) -> str:
    value, bounds, mark = parts
    shown = f"${value}$" if signed and value else value
    small = f"{{\\scriptsize {bounds}}}" if bounds else ""
    return " ".join(filter(None, (shown, small, tex(mark))))


def _tex_block(table: Grid, block: Block, texts: Texts, name: str) -> list[str]:
    head = " & ".join(map(tex, ["Model", "Checkpoint", *block.labels]))
    lines = [
        "\\begin{table}",
        "\\centering",
        f"\\caption{{{tex(f'{texts.title}: {block.heading}. {texts.caption}')}}}",
    ]
    lines += [f"\\label{{tab:{name}}}", f"\\begin{{tabular}}{{ll{'r' * len(block.labels)}}}", "\\toprule"]
    lines += [f"{head} \\\\", "\\midrule"]
    for line in block.lines:
        signed = line.kind == DIFFERENCE
        cells = (_parts(table.cell(line, column), texts.decimals, signed) for column in block.columns)
        lines.append(" & ".join([*map(tex, line.labels), *(_tex_cell(parts, signed) for parts in cells)]) + " \\\\")
    lines += ["\\midrule", "\\multicolumn{2}{l}{problems $\\times$ samples} & "]
    lines[-1] += " & ".join(tex(counts(table, column)) for column in block.columns) + " \\\\"
    return [*lines, "\\bottomrule", "\\end{tabular}", "\\end{table}", ""]


def as_tex(table: Grid, texts: Texts) -> str:
    """One floating table per block, to be included with `\\input`."""
    table = with_controls(table)
    lines = ["% needs \\usepackage{booktabs,amssymb}"]
    for position, block in enumerate(blocks(table), start=1):
        lines += _tex_block(table, block, texts, f"{tex_label(texts.title)}-{position}")
    notes = (*texts.notes, legend(has_differences(table)))
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
    return "control" if line.checkpoint == CONTROL else line.kind


def _html_block(table: Grid, block: Block, decimals: int) -> list[str]:
    head = "".join(f'<th scope="col">{html.escape(label).replace(".", ".<wbr>")}</th>' for label in block.labels)
    lines = [f"<h4>{html.escape(block.heading)}</h4>", '<div class="wide"><table>']
    lines.append(f'<thead><tr><th scope="col">model</th><th scope="col">checkpoint</th>{head}</tr></thead>')
    lines.append("<tbody>")
    for line in block.lines:
        names = "".join(f'<th scope="row">{html.escape(name).replace(" - ", " − ")}</th>' for name in line.labels)
        signed = line.kind == DIFFERENCE
        cells = "".join(_html_cell(table.cell(line, column), decimals, signed) for column in block.columns)
        lines.append(f'<tr class="{_html_kind(line)}">{names}{cells}</tr>')
    size = "".join(f"<td>{counts(table, column)}</td>" for column in block.columns)
    lines.append(f'</tbody><tfoot><tr><th scope="row" colspan="2">problems × samples</th>{size}</tr></tfoot>')
    return [*lines, "</table></div>"]


def as_html(table: Grid, texts: Texts) -> str:
    """A fragment of HTML for the report: caption, blocks and notes, without a heading."""
    table = with_controls(table)
    lines = [f"<p>{html.escape(texts.caption)}</p>"]
    for block in blocks(table):
        lines += _html_block(table, block, texts.decimals)
    return "\n".join([*lines, *(f'<p class="note">{html_prose(text)}</p>' for text in texts.notes)]) + "\n"


FORMATS: dict[str, Callable[[Grid, Texts], str]] = {
    "csv": as_csv,
    "md": as_markdown,
    "tex": as_tex,
    "html": as_html,
}
