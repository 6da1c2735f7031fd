"""Shows what a model wrote for the problems of a score, and its verdicts."""

from collections import Counter
from pathlib import Path
from typing import Any

from scripts.evaluate.generations import read_generations
from scripts.lib.files import read_json
from scripts.lib.job import InputError
from scripts.lib.parquet import read_table
from scripts.lib.schemas.evaluation import ExecutionStatus
from scripts.workflow.command import suggestion
from scripts.workflow.score_search import VALIDATION, Score

Executions = dict[str, list[dict[str, Any]]]


def _sibling(name: str, stage: str, suffix: str) -> str:
    """The file of another stage that belongs to a score file."""
    return name.replace("scores/", f"{stage}/", 1).removesuffix(".json") + suffix


def _executions(results: Path, name: str) -> Executions:
    """The rows of the executions of each problem; empty where nothing is executed."""
    path = results / _sibling(name, "executions", ".parquet")
    rows: Executions = {}
    for row in read_table(path).to_pylist() if path.is_file() else []:
        rows.setdefault(row["id"], []).append(row)
    return rows


def _message(row: dict[str, Any]) -> str:
    """How an execution ended, with the first line of its error where that is recorded."""
    parts = (row["status"], row["detail"], row["message"])
    return ": ".join(dict.fromkeys(part for part in parts if part))


def _values(results: Path, name: str, score: Score) -> dict[str, float]:
    """The value of each problem of a score; raise `InputError` for a score without such values."""
    if score["benchmark"] == VALIDATION:
        raise InputError("validation losses have documents, not problems; read the table models/*/losses/*.parquet")
    values: dict[str, float] = read_json(results / name)["per_problem"].get(score["setting"], {}).get(score["metric"])
    if not values:
        raise InputError(
            f"{name} has no values by problem for {score['setting']}, {score['metric']}; choose a mean over problems"
        )
    return values


def problem_rows(results: Path, name: str, score: Score) -> list[tuple[str, ...]]:
    """A row for each problem of a score, with a header: value, outcomes and first failure."""
    executions = _executions(results, name)
    rows: list[tuple[str, ...]] = [("problem", "value", "samples", "first failure")]
    for problem, value in _values(results, name, score).items():
        samples = executions.get(problem, [])
        counts = Counter(row["status"] for row in samples)
        failure = next((_message(row) for row in samples if row["status"] != ExecutionStatus.PASSED), "")
        shown = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
        rows.append((problem, format(value, ".4g"), shown, failure))
    return rows


def problem_text(results: Path, name: str, score: Score, problem: str) -> str:
    """Prompt, completions and outcomes of one problem; raise `InputError` for an unknown one."""
    generations = {one.id: one for one in read_generations(results / _sibling(name, "generations", ".jsonl.zst"))}
    if problem not in generations:
        raise InputError(f"no problem '{problem}' in {name}; {suggestion(problem, generations) or 'see PROBLEM=all'}")
    generation = generations[problem]
    lines = [f"--- prompt of {problem}", generation.prompt]
    samples = _executions(results, name).get(problem, [])
    for number, (completion, reason) in enumerate(zip(generation.completions, generation.finish_reasons, strict=True)):
        outcome = f"; {_message(samples[number])}" if number < len(samples) else ""
        lines += [f"--- completion {number} (ended by {reason}{outcome})", completion]
    value = _values(results, name, score).get(problem)
    return "\n".join([*lines, *([f"--- {score['metric']}: {value:.4g}"] if value is not None else [])])
