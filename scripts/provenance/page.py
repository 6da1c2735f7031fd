"""What the report's page shows, as plain values for its template."""

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from scripts.lib.csv_files import read_csv
from scripts.lib.files import read_json
from scripts.lib.schemas.ir import CompileStatus
from scripts.lib.schemas.pairs import SourceOutcome, Split
from scripts.provenance.lineage import trail

FUNNEL = ("sources", *SourceOutcome)
# Files of the table of digests in the page itself; the crate has all.
LISTED = 2000
# The score files of a task's reference solutions, whole and as the protocol cuts them.
REFERENCES = ("reference.control", "ceiling.control")

CAPTIONS = {
    "funnel": "What became of every source file, by language and variant.",
    "ir_lengths": "Bytes of IR a module: from the 5th to the 95th percentile, the middle half, the median.",
    "validation_loss": "Mean validation loss by language, direction and variant, with 95 % bootstrap intervals.",
    "learning_curves": "Training and validation loss over the steps of every training.",
    "base_vs_ircoder": "Headline metric of every benchmark with 95 % bootstrap intervals over problems.",
}


def with_code(text: str) -> Markup:
    """Text for the page, with what stands between backticks as code."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def inline_svg(path: str | Path) -> Markup:
    """A figure as an element of the page: without XML prologue, its size left to the page's width.

    Identifiers get the figure's name before them, so that those of two figures in one page differ.
    """
    text = Path(path).read_text(encoding="utf-8")
    text = text[text.index("<svg") :].rstrip()
    name = Path(path).stem
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'(href="#|url\(#)', rf"\g<1>{name}-", text)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, count=1, flags=re.S)
    return Markup(re.sub(r'(<svg\b[^>]*?) width="([\d.]+)pt" height="[\d.]+pt"', _sized, text, count=1))


def _sized(match: re.Match) -> str:
    """The opening tag with its width as the largest that the page gives it."""
    return f'{match[1]} style="max-width:{float(match[2]) / 0.75:.0f}px"'


def statuses(counts: list[dict[str, Any]]) -> dict[str, Any]:
    """Columns that occur and one row a language and variant, `{"language", "variant", "counts", "total"}`."""
    table: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for row in counts:
        table[row["language"], row["variant"]][row["status"]] = row["count"]
    columns = [status for status in CompileStatus if any(status in cells for cells in table.values())]
    rows = [
        {"language": language, "variant": variant, "total": sum(cells.values())}
        | {"counts": [cells.get(status, 0) for status in columns]}
        for (language, variant), cells in sorted(table.items())
    ]
    return {"columns": columns, "rows": rows}


def read_funnel(path: str | Path) -> list[dict[str, Any]]:
    """The columns of `pairs/statistics.csv` that add up, and those of the splits, as numbers."""
    rows = read_csv(path)
    numbers = (*FUNNEL, *Split)
    return [
        {"language": row["language"], "variant": row["variant"]} | {name: int(row[name]) for name in numbers}
        for row in rows
    ]


def reference_failures(paths: list[str]) -> list[dict[str, Any]]:
    """Reference solutions that did not pass, by name: `{"file", "names"}` of each score file that has some."""
    found = [{"file": path, "names": read_json(path)["failures"]} for path in paths if Path(path).stem in REFERENCES]
    return [entry for entry in found if entry["names"]]


def digests(files: dict[str, dict[str, Any]], jobs: list[dict[str, Any]]) -> dict[str, Any]:
    """Rows of the table of files: name, rule, size, digest; at most `LISTED`, and how many there are."""
    makers = {output: job["rule"] for job in jobs for output in job["outputs"]}
    rows = [
        {"name": name, "rule": makers.get(name, "input"), "bytes": entry.get("bytes")}
        | {"digest": entry.get("sha256") or entry["rows_sha256"], "rows": "rows_sha256" in entry}
        for name, entry in sorted(files.items())
    ]
    return {"rows": rows[:LISTED], "total": len(rows)}


def rules_of(jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """How many jobs and files each rule has."""
    found: dict[str, dict[str, Any]] = {}
    for job in jobs:
        entry = found.setdefault(job["rule"], {"rule": job["rule"], "jobs": 0, "files": 0})
        entry["jobs"] += 1
        entry["files"] += len(job["outputs"])
    return [found[rule] for rule in sorted(found)]


def example_trail(jobs: list[dict[str, Any]]) -> dict[str, Any]:
    """A score of IRCoder and the way back from it; the first by name, of a model's generations where there are any."""
    names = sorted(name for job in jobs for name in job["outputs"] if name.startswith("scores/"))
    chosen = next((name for name in names if ".ircoder" in name), names[0] if names else "tables/scores.csv")
    return {"name": chosen, "steps": trail(chosen, jobs)}


def totals(funnel: list[dict[str, Any]], config: dict[str, Any], record: dict[str, Any]) -> list[tuple[str, str]]:
    """The figures at the head of the page: number and what is counted."""
    sources = {row["language"]: row["sources"] for row in funnel}
    return [
        (f"{len(config['languages'])}", "languages"),
        (f"{sum(sources.values()):,}", "source files"),
        (f"{sum(row['pairs'] for row in funnel):,}", "pairs"),
        (f"{len(config['models'])}", "model" if len(config["models"]) == 1 else "models"),
        (f"{len(record['jobs']):,}", "jobs"),
        (f"{len(record['files']):,}", "files traced"),
    ]
