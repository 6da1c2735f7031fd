"""Compare two runs: `python -m scripts.workflow.compare A B [--out FOLDER]`.

Prints what differs in config, code, tools, inputs and data, and what it did to each score; writes
the same as `comparison.csv` and `comparison.html`.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from scripts.lib.csv_files import write_csv
from scripts.lib.escape import one_line
from scripts.lib.files import write_text
from scripts.lib.job import InputError
from scripts.lib.scores import number
from scripts.workflow.command import one_line_errors, printable, results_folder
from scripts.workflow.run_differences import Difference, run_differences
from scripts.workflow.score_changes import Change, frame, score_changes

SEED = 484
# Lines of a part, and scores, that are printed; the files have all.
PRINTED = 12
TEMPLATE = "compare.html.j2"


def shown(value: float | None) -> str:
    """A value with six significant digits; empty for None."""
    return "" if value is None else format(value, ".6g")


def signed(value: float | None) -> str:
    """A difference with its sign and four significant digits; empty for None."""
    return "" if value is None else format(value, "+.4g") if value else "0"


def counts(changes: Sequence[Change]) -> str:
    """A sentence on how many scores changed."""
    if not changes:
        return "No scores: neither run has tables/scores.csv."
    common = [change for change in changes if change.first is not None and change.second is not None]
    different = [change for change in common if change.difference]
    clear = sum(change.is_clear for change in different)
    return (
        f"{len(common)} scores in both runs: {len(different)} differ, {clear} with an interval that excludes zero; "
        f"{sum(change.second is None for change in changes)} only in A, "
        f"{sum(change.first is None for change in changes)} only in B."
    )


def _part_lines(differences: Sequence[Difference]) -> list[str]:
    lines: list[str] = []
    for part in dict.fromkeys(difference.part for difference in differences):
        rows = [difference for difference in differences if difference.part == part]
        lines += [
            f"  {part}: {one_line(row.name)}: {one_line(row.first)[:80]} → {one_line(row.second)[:80]}"
            for row in rows[:PRINTED]
        ]
        if len(rows) > PRINTED:
            lines.append(f"  {part}: and {len(rows) - PRINTED} more")
    return lines or ["  nothing: config, code, tools, inputs and outcomes of programs are equal"]


def _strength(change: Change) -> tuple[bool, bool, float]:
    """Order of the printed scores: clear differences first, losses after benchmarks, then by size."""
    return not change.is_clear, change.key[0] == "validation", -abs(change.difference or 0)


def text(first: Path, second: Path, differences: Sequence[Difference], changes: Sequence[Change]) -> str:
    """The comparison as text: all kinds of differences, and the scores that changed most clearly."""
    lines = [f"A: {first}", f"B: {second}", "", "what differs (A → B):", *_part_lines(differences)]
    lines += ["", counts(changes)]
    changed = sorted((change for change in changes if change.difference), key=_strength)
    for change in changed[:PRINTED]:
        interval = f" [{signed(change.low)}, {signed(change.high)}]" if change.low is not None else ""
        basis = f", {change.problems} problems" if change.problems else ""
        values = f"{shown(change.first)} → {shown(change.second)}"
        lines.append(f"  {' '.join(change.key)}: {values}, difference {signed(change.difference)}{interval}{basis}")
    if len(changed) > PRINTED:
        lines.append(f"  and {len(changed) - PRINTED} more")
    return "\n".join(lines)


def page(first: Path, second: Path, differences: Sequence[Difference], changes: Sequence[Change]) -> str:
    """The comparison as one HTML page without scripts."""
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"number": shown, "signed": signed}
    ordered = sorted(changes, key=lambda change: (not change.is_clear, not change.difference, change.key))
    values = {"first": first, "second": second, "differences": differences, "changes": ordered}
    return environment.get_template(TEMPLATE).render(values, summary=counts(changes))


def compare(first: Path, second: Path, out: Path) -> str:
    """Write comparison.csv, differences.csv and comparison.html to `out`; return the text.

    Raises `InputError` when one of the runs lacks its records or tables.
    """
    differences, changes = run_differences(first, second), score_changes(first, second, SEED)
    table = frame(changes)
    cells = table.astype(object).where(table.notna(), None).to_dict("records")
    rows = ({str(name): number(v) if isinstance(v, float) else v for name, v in row.items()} for row in cells)
    write_csv(out / "comparison.csv", list(table.columns), rows)
    columns = ("part", "name", "first", "second")
    write_csv(out / "differences.csv", columns, ({name: getattr(row, name) for name in columns} for row in differences))
    write_text(out / "comparison.html", page(first, second, differences, changes))
    return text(first, second, differences, changes)


def main() -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(prog="compare", description="Compare two runs: what differs, and its effect.")
    parser.add_argument("first", metavar="A", help="a results folder")
    parser.add_argument("second", metavar="B", help="another one; differences are B minus A")
    parser.add_argument("--out", type=Path, default=Path("comparison"), help="folder of the files that are written")
    arguments = parser.parse_args()
    with one_line_errors("compare"):
        if not arguments.first or not arguments.second:
            raise InputError("name two results folders: make compare A=results B=results-mine")
        print(printable(compare(results_folder(arguments.first), results_folder(arguments.second), arguments.out)))
        print(f"\nwritten: {arguments.out}/comparison.html, comparison.csv (scores), differences.csv (the rest)")


if __name__ == "__main__":
    main()
