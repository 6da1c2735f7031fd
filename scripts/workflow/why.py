"""Print what became of a program: `python -m scripts.workflow.why PROGRAM [--results FOLDER]`.

PROGRAM is its path in the corpus, a folder of it, or its id or the beginning of that. The answer is
read from the ledgers of the stage `pairs`.
"""

import argparse
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from scripts.lib.csv_files import read_csv
from scripts.lib.parquet import iter_batches
from scripts.lib.schemas.ir import CompileStatus
from scripts.lib.schemas.ledger import Outcome
from scripts.lib.schemas.pairs import LENGTHS
from scripts.workflow.command import add_results, one_line_errors, printable, results_folder
from scripts.workflow.ledger_search import Rows, by_id, programs

# Programs that are explained in full; more are listed with their outcomes.
EXPLAINED = 5
LISTED = 50


def of_program(rows: Rows) -> dict[tuple[str, str, str], Rows]:
    """Rows by language, path and id, the variants of one program together."""
    groups: dict[tuple[str, str, str], Rows] = {}
    for row in rows:
        groups.setdefault((row["language"], row["path"], row["id"]), []).append(row)
    return groups


def _command(results: Path, row: dict[str, Any]) -> str:
    """The command that compiled a program, with placeholders for paths; empty where none was run."""
    table = results / "ir" / row["language"] / f"{row['shard']}.parquet"
    if not row["shard"] or not table.is_file():
        return ""
    for batch in iter_batches(table, ["id", "variant", "command"]):
        mask = pc.and_(
            pc.equal(batch["id"], pa.scalar(row["id"])), pc.equal(batch["variant"], pa.scalar(row["variant"]))
        )
        for command in batch["command"].filter(mask).to_pylist():
            return command or ""
    return ""


def _problems(results: Path, row: dict[str, Any]) -> list[str]:
    """A line for each benchmark problem that a contaminated program shares text with."""
    path = results / "pairs" / row["language"] / "contamination.csv"
    rows = [entry for entry in (read_csv(path) if path.is_file() else []) if entry["id"] == row["id"]]
    return [
        f"{entry['benchmark']} {entry['problem']}: {entry['ngrams']} n-grams in its {entry['parts']}, such as "
        f'"{entry["text"]}"'
        for entry in rows
    ]


def _outcome_lines(row: dict[str, Any], detail: bool = True) -> list[str]:
    outcome = Outcome(row["outcome"])
    lines = [f"  {row['variant']:<5} {outcome}: {outcome.meaning}"]
    if detail and row["detail"]:
        lines.append(f"        {row['detail']}")
    return lines


def _variant_lines(results: Path, row: dict[str, Any]) -> list[str]:
    """What became of a program in one variant, with what is known of it."""
    outcome = Outcome(row["outcome"])
    problems = _problems(results, row) if outcome is Outcome.CONTAMINATED else []
    lines = [*_outcome_lines(row, detail=not problems), *(f"        {problem}" for problem in problems)]
    if outcome is Outcome.PAIR:
        lines.append(f"        pairs/{row['language']}/{row['variant']}.parquet, split {row['split']}")
    if row["source_bytes"] is not None:
        lines.append("        lengths: " + ", ".join(f"{name} {row[name]:,}" for name in LENGTHS))
    if row["compiler"] and outcome.status is not CompileStatus.REJECTED_SOURCE:
        lines.append(f"        compiler: {row['compiler']}" + (f", LLVM {row['llvm']}" if row["llvm"] else ""))
    if command := _command(results, row):
        lines.append(f"        command: {command}")
    if row["unprepared"]:
        lines.append(f"        rewritten for the compiler; before that: {row['unprepared']}")
    return lines


def explain(results: Path, rows: Rows) -> list[str]:
    """What became of one program, in all variants, and of those that represent it."""
    first = rows[0]
    license_name = f", license {first['license']}" if first["license"] else ""
    lines = [f"{first['path']}  (id {first['id']}, {first['language']}{license_name})"]
    for row in rows:
        lines += _variant_lines(results, row)
    for kept in dict.fromkeys(row["kept"] for row in rows if row["kept"]):
        own = by_id(results, first["language"], kept)
        if own:
            lines.append(f"  what became of {own[0]['path']} (id {kept}):")
            lines += [f"  {line}" for row in own for line in _outcome_lines(row)]
    shard = next((row["shard"] for row in rows if row["shard"]), None)
    read = [f"pairs/{first['language']}/ledger.parquet"]
    read += [f"{stage}/{first['language']}/{shard}.parquet" for stage in ("sources", "ir") if shard]
    return [*lines, f"  read: {', '.join(read)} below {results}"]


def why(results: Path, name: str) -> str:
    """The answer for a path, a folder or an id; raise `InputError` when it names no program."""
    groups = of_program(programs(results, name))
    if len(groups) <= EXPLAINED:
        return "\n\n".join("\n".join(explain(results, rows)) for rows in groups.values())
    lines = [f"{len(groups)} programs; name one of them for the details"]
    for (_, path, program), rows in list(groups.items())[:LISTED]:
        lines.append(f"{path}  {program}  " + ", ".join(f"{row['variant']} {row['outcome']}" for row in rows))
    more = len(groups) - LISTED
    return "\n".join([*lines, *([f"… and {more} more"] if more > 0 else [])])


def main() -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(prog="why", description="Print what became of a program of the corpus.")
    parser.add_argument("program", help="path in the corpus, folder, or id of a program (6 digits or more)")
    add_results(parser)
    arguments = parser.parse_args()
    with one_line_errors("why"):
        print(printable(why(results_folder(arguments.results), arguments.program)))


if __name__ == "__main__":
    main()
