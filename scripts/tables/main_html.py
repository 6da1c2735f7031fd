"""The main table as a fragment of the report: narrow enough for a small window, with links to the score files."""

import html
from collections.abc import Iterable, Mapping
from urllib.parse import quote

import pandas as pd

from scripts.lib.escape import html_prose
from scripts.lib.schemas.scores import CONTROL
from scripts.lib.scores import split_checkpoint
from scripts.tables.layout import without_language
from scripts.tables.render import VERDICTS

# What identifies a score of a model: title, language, setting, metric, model, start (`base` or
# `ircoder`), and tuning with step as the table shows it.
Key = tuple[str, ...]
# Addresses of score files, relative to the report.
Links = dict[Key, str]


def tuning_text(tuning: str, step: str) -> str:
    """A tuning with the step of the checkpoint that it started from, as the table shows them."""
    return f"{tuning or 'none'}{f', step {step}' if step else ''}"


def score_links(rows: pd.DataFrame, titles: Mapping[str, str]) -> Links:
    """The address of each score of a model; `rows` are scores with the path of their file in `file`."""
    models = rows[rows["checkpoint"] != CONTROL]
    links: Links = {}
    for row, checkpoint in zip(models.to_dict("records"), without_language(models), strict=True):
        start, step, tuning = split_checkpoint(checkpoint)
        names = (titles[row["benchmark"]], row["language"], row["setting"], row["metric"], row["model"])
        links[(*names, start, tuning_text(tuning, step))] = quote(row["file"])
    return links


def _figure(cell: str, address: str | None = None) -> str:
    """A cell with a value, its mark, and its interval below; the value is a link where it has an address."""
    value, _, rest = cell.replace("-", "−").partition(" [")
    bounds, _, mark = rest.partition("] ")
    interval = f'<span class="interval">[{bounds.removesuffix("]")}]</span>' if rest else ""
    state = {VERDICTS[1]: ' class="better"', VERDICTS[-1]: ' class="worse"'}.get(mark, "")
    shown = f'<a href="{html.escape(address)}">{value}</a>' if address and value else value
    return f"<td{state}>{shown}{f' {mark}' if mark else ''}{interval}</td>"


def _line(model: str, line: Mapping[str, str], links: Links) -> str:
    """One line: what was scored, then the difference, then what it is the difference of."""
    key = (line["benchmark"], line["language"], line["setting"], line["metric"], model)
    tuning = line["tuning"]
    parts = (line["metric"], line["setting"], "" if tuning == "none" else tuning)
    what = " · ".join(filter(None, parts))
    base = links.get((*key, "base", tuning)) or links.get((*key, "base", tuning.partition(", step")[0]))
    addresses = {"base": base, "IRCoder": links.get((*key, "ircoder", tuning))}
    figures = [_figure(line[name], addresses.get(name)) for name in ("difference", "base", "IRCoder") if name in line]
    last = list(line)[-1]
    name = f"{line['benchmark']} · {line['language']}"
    words = f'<th scope="row">{html.escape(name)}</th><th scope="row">{html.escape(what)}</th>'
    return f"<tr>{words}{''.join(figures)}{_figure(line[last])}</tr>"


def as_html(names: list[str], lines: Mapping[str, list[list[str]]], notes: Iterable[str], links: Links) -> str:
    """A table for each model, then the notes; `names` are the columns of `lines`."""
    head = ["benchmark", "score", *(name for name in ("difference", "base", "IRCoder") if name in names), names[-1]]
    cells = "".join(f'<th scope="col">{name}</th>' for name in head)
    text = []
    for model, rows in lines.items():
        text += [
            f"<h3>{html.escape(model)}</h3>",
            '<div class="wide"><table class="main sortable">',
            f"<thead><tr>{cells}</tr></thead><tbody>",
            *(_line(model, dict(zip(names, row, strict=True)), links) for row in rows),
            "</tbody></table></div>",
        ]
    return "\n".join([*text, *(f'<p class="note">{html_prose(note)}</p>' for note in notes)]) + "\n"
