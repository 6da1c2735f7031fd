"""Values that the template of the report shows."""

import re
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import Markup, escape

from scripts.lib.files import read_json
from scripts.lib.ledger import summarise
from scripts.lib.palette import FAINT, GRID, INK
from scripts.lib.schemas.ir import CompileStatus
from scripts.lib.schemas.pairs import SourceOutcome, Split
from scripts.provenance.jobs import PACKAGE, PROJECT
from scripts.provenance.lineage import lineage

# Columns of the table from sources to pairs.
FUNNEL = ("sources", *SourceOutcome, *Split)
# Rows of the table of files in the report; the crate has all files.
LISTED = 2000
# Score files of a task's reference solutions: complete, and cut at the stop sequences.
REFERENCES = ("reference.control", "ceiling.control")

# The tables that each figure draws, as patterns of names of files.
FIGURE_DATA = {
    "funnel": "pairs/statistics.csv",
    "ir_lengths": "pairs/statistics.csv",
    "validation_loss": "tables/validation.csv",
    "learning_curves": "models/*/curves/*.csv",
    "base_vs_ircoder": "tables/scores.csv",
}
# Colours of the figures and the variables of the page that replace them, for its dark mode.
COLOURS = {INK: "var(--ink)", FAINT: "var(--faint)", GRID: "var(--line)"}


def caption(text: str) -> Markup:
    """A caption for Snakemake's report, which is reStructuredText, as HTML; inline code is the only
    markup that it contains.
    """
    return with_code(" ".join(text.replace("``", "`").split()))


def figure_data(files: Iterable[str]) -> dict[str, list[str]]:
    """Names of the tables that each figure draws, among the run's files."""
    names = sorted(files)
    return {figure: [name for name in names if fnmatch(name, pattern)] for figure, pattern in FIGURE_DATA.items()}


def with_code(text: str) -> Markup:
    """Escape a text for the report, with the parts between backticks as code."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def inline_svg(path: str | Path) -> Markup:
    """Read a figure as an element of the report: without XML prologue, as wide as the page allows.

    Identifiers are prefixed with the figure's name, so that they are unique in the report.
    """
    text = Path(path).read_text(encoding="utf-8")
    text = text[text.index("<svg") :].rstrip()
    name = Path(path).stem
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'(href="#|url\(#)', rf"\g<1>{name}-", text)
    for colour, variable in COLOURS.items():
        text = re.sub(colour, variable, text, flags=re.I)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, count=1, flags=re.S)
    return Markup(re.sub(r'(<svg\b[^>]*?) width="([\d.]+)pt" height="[\d.]+pt"', _sized, text, count=1))


def _sized(match: re.Match) -> str:
    """The opening tag with the figure's width as its maximum."""
    return f'{match[1]} style="max-width:{float(match[2]) / 0.75:.0f}px"'


def statuses(counts: list[dict[str, Any]]) -> dict[str, Any]:
    """Pivot the counts of outcomes: one row per language and variant, one column per status that
    occurs.

    Rows are `{"language", "variant", "counts", "total"}`.
    """
    if not counts:
        return {"columns": [], "rows": []}
    table = pd.DataFrame(counts).pivot(index=["language", "variant"], columns="status", values="count")
    table = table.reindex(columns=[status for status in CompileStatus if status in table.columns])
    columns = list(table.columns)
    cells = table.fillna(0).astype(int).reset_index().to_dict("records")
    rows = [{**row, "counts": [row[status] for status in columns]} for row in cells]
    return {"columns": columns, "rows": [{**row, "total": sum(row["counts"])} for row in rows]}


def funnel(ledgers: dict[str, str], variants: list[str]) -> list[dict[str, Any]]:
    """The columns of `FUNNEL` by language and variant, from the ledger of each language."""
    rows = []
    for language, path in ledgers.items():
        counted = summarise(path, language, variants)["variants"]
        for variant in variants:
            counts = {**counted[variant]["funnel"], **counted[variant]["splits"]}
            rows.append({"language": language, "variant": variant} | {name: counts[name] for name in FUNNEL})
    return rows


def reference_failures(paths: list[str]) -> list[dict[str, Any]]:
    """Names of reference solutions that did not pass: `{"file", "names"}` for each score file with such solutions."""
    entries = [{"file": path, "names": read_json(path)["failures"]} for path in paths if Path(path).stem in REFERENCES]
    return [entry for entry in entries if entry["names"]]


def digests(files: dict[str, dict[str, Any]], jobs: list[dict[str, Any]]) -> dict[str, Any]:
    """Rows of the table of files, at most `LISTED`, and the number of files; `is_result` is False for
    files outside the results.
    """
    rules = {output: job["rule"] for job in jobs for output in job["outputs"]}
    rows = [
        {"name": name, "rule": rules.get(name, "input"), "bytes": entry.get("bytes")}
        | {"digest": entry.get("sha256") or entry["rows_sha256"], "rows": "rows_sha256" in entry}
        | {"is_result": not name.startswith((PROJECT, PACKAGE))}
        for name, entry in sorted(files.items())
    ]
    return {"rows": rows[:LISTED], "total": len(rows)}


def rules_of(jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Numbers of jobs and files of each rule, sorted by name."""
    numbers: dict[str, dict[str, Any]] = {}
    for job in jobs:
        entry = numbers.setdefault(job["rule"], {"rule": job["rule"], "jobs": 0, "files": 0})
        entry["jobs"] += 1
        entry["files"] += len(job["outputs"])
    return [numbers[rule] for rule in sorted(numbers)]


def example_lineage(jobs: list[dict[str, Any]]) -> dict[str, Any]:
    """The lineage of one score file: the first one of IRCoder by name, or else the first of any."""
    names = sorted(name for job in jobs for name in job["outputs"] if name.startswith("scores/"))
    example = next((name for name in names if ".ircoder" in name), names[0] if names else "tables/scores.csv")
    return {"name": example, "steps": lineage(example, jobs)}


def totals(funnel: list[dict[str, Any]], config: dict[str, Any], record: dict[str, Any]) -> list[tuple[str, str]]:
    """The numbers at the top of the report, each with what it counts."""
    sources = {row["language"]: row["sources"] for row in funnel}
    return [
        (f"{len(config['languages'])}", "languages"),
        (f"{sum(sources.values()):,}", "source files"),
        (f"{sum(row['pairs'] for row in funnel):,}", "pairs"),
        (f"{len(config['models'])}", "model" if len(config["models"]) == 1 else "models"),
        (f"{len(record['jobs']):,}", "jobs"),
        (f"{len(record['files']):,}", "files traced"),
    ]
