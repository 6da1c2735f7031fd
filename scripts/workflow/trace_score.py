"""Print what a score depends on, or which scores depend on a program.

`python -m scripts.workflow.trace_score humaneval Python tiny-gpt-bigcode ircoder pass@1` follows a score down
to the programs of the corpus, `python -m scripts.workflow.trace_score --program C/Source_1` a program up to the
scores. Both read the records of a finished run.
"""

import argparse
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from scripts.lib.csv_files import write_csv
from scripts.lib.files import read_json
from scripts.lib.job import InputError
from scripts.lib.ledger import counted
from scripts.lib.parquet import iter_rows, parts_of
from scripts.lib.schemas.ledger import Outcome
from scripts.lib.schemas.scores import key_text
from scripts.provenance.digests import digest_of
from scripts.provenance.lineage import ancestors, descendants, lineage
from scripts.provenance.run_record import read_starts
from scripts.workflow.command import add_results, one_line_errors, printable, required, results_folder
from scripts.workflow.ledger_search import ledgers, programs
from scripts.workflow.problem_view import problem_rows, problem_text
from scripts.workflow.score_search import file_of, find_score, read_scores, score_files

Jobs = list[dict[str, Any]]
# Digits of a digest that are printed.
DIGITS = 12
# Files up to this size are hashed again.
_HASHED = 64 << 20
PROJECT, PACKAGE = "project/", "package/"


def read_record(results: Path) -> dict[str, Any]:
    """The jobs of a run and the digests of their files; raise `InputError` without a record."""
    path = required(results / "provenance" / "jobs.json", "let the run end first, or run: snakemake report")
    record: dict[str, Any] = read_json(path)
    return record


def digest_text(results: Path, record: dict[str, Any], name: str) -> str:
    """The recorded digest of a file, and whether the file still has it."""
    entry = record["files"].get(name)
    if entry is None:
        return "no digest"
    kind = "sha256" if "sha256" in entry else "rows_sha256"
    text = f"{kind} {entry[kind][:DIGITS]}"
    path = results / name
    if name.startswith((PROJECT, PACKAGE)):
        return text
    if not path.is_file():
        return f"{text}, missing now"
    if path.stat().st_size > _HASHED:
        return text
    return f"{text}, unchanged" if digest_of(path).get(kind) == entry[kind] else f"{text}, CHANGED SINCE"


def table_lines(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of text in columns that are wide enough."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _importance(name: str) -> tuple[int, str]:
    suffixes = [".safetensors", ".parquet"]
    suffix = Path(name).suffix
    return (suffixes.index(suffix) if suffix in suffixes else len(suffixes)), name


def _steps(results: Path, record: dict[str, Any], name: str) -> list[str]:
    """A line for each rule that contributed to a file, from the file down to the sources."""
    rows = [("rule", "jobs", "one of its files", "digest")]
    for step in lineage(name, record["jobs"]):
        # Of a model the weights, of a stage of the data a table.
        output = min(step.outputs, key=_importance)
        rows.append((step.rule, str(step.jobs), output, digest_text(results, record, output)))
    return table_lines(rows)


def _outside(record: dict[str, Any], jobs: Jobs) -> list[str]:
    """A line for each file that the jobs read and that no job wrote."""
    names = sorted({name for job in jobs for name in job["inputs"] if name.startswith((PROJECT, PACKAGE))})
    rows = [(name, f"sha256 {record['files'].get(name, {}).get('sha256', '')[:DIGITS]}") for name in names]
    return table_lines(rows) if rows else ["none"]


def _pair_tables(jobs: Jobs) -> list[str]:
    """The tables of pairs that the jobs wrote, which are folders of parts."""
    parts = [Path(name) for job in jobs if job["rule"] == "pairs_language" for name in job["outputs"]]
    return sorted({str(part.parent) for part in parts if part.parent.suffix == ".parquet"})


def _part_with(results: Path, table: str, name: str) -> str:
    """The part of a table of pairs that has a program."""
    for part in parts_of(results / table):
        if any(row["id"] == name for row in iter_rows(part, ["id"], batch_size=10_000)):
            return part.relative_to(results).as_posix()
    raise InputError(f"{results / table} has no program {name}, unlike its ledger; run again")


def _command(results: Path, language: str, variant: str) -> str:
    """The command that compiled the first program of a language in a variant."""
    for path in sorted((results / "ir" / language).glob("*.parquet")):
        for row in iter_rows(path, ["variant", "status", "command"]):
            if row["variant"] == variant and row["status"] == "ok":
                return row["command"] or ""
    return ""


def _programs(results: Path, jobs: Jobs) -> list[str]:
    """A line for each table of pairs that the jobs wrote: programs, compiler and command."""
    rows = [("language", "variant", "source files", "pairs", "compiler", "command of the first program")]
    for name in _pair_tables(jobs):
        language, variant = name.split("/")[1], Path(name).stem
        counts = counted(str(ledgers(results)[language]), ["variant", "outcome", "compiler"])
        own = {key[1:]: count for key, count in counts.items() if key[0] == variant}
        compilers = {compiler for (outcome, compiler), count in own.items() if compiler and outcome == Outcome.PAIR}
        pairs = sum(count for (outcome, _), count in own.items() if outcome == Outcome.PAIR)
        shown = ", ".join(sorted(compilers))
        rows.append(
            (language, variant, str(sum(own.values())), str(pairs), shown, _command(results, language, variant))
        )
    return table_lines(rows) if len(rows) > 1 else ["none: no model of this score was trained on pairs in this run"]


def versions(results: Path) -> list[str]:
    """Commit, Snakemake, Python and the programs of the run."""
    lines = []
    if starts := read_starts(results):
        latest = starts[-1]
        changed = f", {len(latest['changed'])} files changed" if latest["changed"] else ""
        lines.append(f"commit {latest['commit'] or 'unknown'}{changed}; code sha256 {latest['code_sha256'][:DIGITS]}")
    path = results / "provenance" / "tools.json"
    if path.is_file():
        tools = read_json(path)
        lines.append(f"Snakemake {tools['snakemake']}, Python {tools['python']}, programs from: {tools['deployment']}")
        lines.append(", ".join(tools["software"]))
    return lines


def trace_score(results: Path, words: list[str]) -> tuple[list[str], str]:
    """What a score depends on, as lines, and the name of its file."""
    score = find_score(results, words)
    record, name = read_record(results), file_of(results, score)
    jobs = ancestors(name, record["jobs"])
    interval = f"95 % interval {score['ci_low']} to {score['ci_high']}" if score["ci_low"] else "no interval"
    return [
        f"{key_text(score)}: {score['value']} ({interval}; {score['problems']} problems, {score['samples']} samples)",
        f"in {name}",
        *("", "made by:", *_steps(results, record, name)),
        *("", "files from outside the run:", *_outside(record, jobs)),
        *("", "programs of the corpus:", *_programs(results, jobs)),
        *("", "versions:", *versions(results)),
    ], name


def write_lists(results: Path, name: str, folder: Path) -> list[str]:
    """Write every file and every pair that a file depends on as CSV; return the paths written."""
    record = read_record(results)
    jobs = ancestors(name, record["jobs"])
    writers = {output: job["rule"] for job in jobs for output in job["outputs"]}
    names = sorted({*writers, *(name for job in jobs for name in job["inputs"])})
    digests = [(name, record["files"].get(name, {})) for name in names]
    write_csv(
        folder / "files.csv",
        ("file", "rule", "sha256", "rows_sha256"),
        (
            {"file": name, "rule": writers.get(name, ""), **{k: v for k, v in d.items() if k != "bytes"}}
            for name, d in digests
        ),
    )
    columns = ["path", "id", "source_sha256", "ir_sha256", "split"]
    write_csv(
        folder / "programs.csv",
        ("language", "variant", *columns),
        (
            {"language": table.split("/")[1], "variant": Path(table).stem, **row}
            for table in _pair_tables(jobs)
            for row in iter_rows(results / table, columns)
        ),
    )
    return [str(folder / "files.csv"), str(folder / "programs.csv")]


def _scores_above(results: Path, record: dict[str, Any], tables: set[str]) -> list[str]:
    """A line for each checkpoint and benchmark with scores that depend on tables of pairs."""
    reached = {name for job in descendants(tables, record["jobs"]) for name in job["outputs"]}
    scores = read_scores(results)
    counts = Counter((score["model"], score["checkpoint"], score["benchmark"]) for score in scores)
    for key in list(counts):
        model, checkpoint, benchmark = key
        if reached.isdisjoint(score_files(results, benchmark, model, checkpoint)):
            del counts[key]
    rows = [("model", "checkpoint", "benchmark", "scores")]
    rows += [(*key, str(count)) for key, count in sorted(counts.items())]
    return table_lines(rows) if counts else ["none: no score of this run depends on it"]


def trace_program(results: Path, name: str) -> list[str]:
    """Which scores depend on a program; raise `InputError` when the name fits several."""
    rows = programs(results, name)
    paths = list(dict.fromkeys(row["path"] for row in rows))
    if len(paths) > 1:
        raise InputError(f"'{name}' names {len(paths)} programs, such as {', '.join(paths[:3])}; name one of them")
    record, lines, tables = read_record(results), [f"{paths[0]}  (id {rows[0]['id']})"], set()
    for row in rows:
        if row["outcome"] == Outcome.PAIR:
            table = _part_with(results, f"pairs/{row['language']}/{row['variant']}.parquet", row["id"])
            tables.add(table)
            lines.append(
                f"  {row['variant']}: in {table} ({digest_text(results, record, table)}), split {row['split']}"
            )
        else:
            lines.append(f"  {row['variant']}: {row['outcome']}, in no pair; {row['detail']}")
    if not tables:
        return [*lines, "no score depends on it"]
    if all(row["split"] == "validation" for row in rows if row["split"]):
        lines.append("  models are not trained on it: it is in the part that validation losses are measured on")
    limited = "; a training with pretrain.train_documents may leave it out"
    return [*lines, "", f"scores that depend on these tables{limited}:", *_scores_above(results, record, tables)]


def trace_problem(results: Path, words: list[str], problem: str) -> str:
    """The problems of a score, for `all`, or one of them with prompt and completions."""
    score = find_score(results, words)
    name = file_of(results, score)
    if problem == "all":
        return "\n".join([f"{key_text(score)}, in {name}", *table_lines(problem_rows(results, name, score))])
    return problem_text(results, name, score, problem)


def main() -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(
        prog="trace", description="Print what a score depends on, or which scores depend on a program."
    )
    parser.add_argument("words", nargs="*", help="words of a score's key: benchmark, language, model, checkpoint, …")
    parser.add_argument("--program", metavar="NAME", default="", help="path or id of a program, in place of a score")
    parser.add_argument("--lists", metavar="FOLDER", type=Path, help="also write files.csv and programs.csv there")
    parser.add_argument(
        "--problem", default="", help="a problem to show with prompt and completions, or all: their list"
    )
    add_results(parser)
    arguments = parser.parse_args()
    words = [word for text in arguments.words for word in text.split()]
    with one_line_errors("trace"):
        results = results_folder(arguments.results)
        if bool(words) == bool(arguments.program):
            raise InputError('name a score, CELL="humaneval Python … pass@1", or a program, PROGRAM=C/Source_1')
        if arguments.program:
            print(printable("\n".join(trace_program(results, arguments.program))))
            return
        if arguments.problem:
            print(printable(trace_problem(results, words, arguments.problem)))
            return
        lines, name = trace_score(results, words)
        print(printable("\n".join(lines)))
        if arguments.lists:
            print("\nwritten: " + ", ".join(write_lists(results, name, arguments.lists)))


if __name__ == "__main__":
    main()
