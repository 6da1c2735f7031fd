"""What the pages about a completion and about the problems of a task show."""

import re
from typing import Any

from scripts.explorer.rows import Row, all_rows, one_row

_COMPLETION = """
    SELECT completions.*, generations.prompt, generations.target, generations.problem AS problem_key,
      generations.row, problems.problem, problems.reference, cells.setting, cells.model, cells.checkpoint,
      cells.engine, cells.version, cells.sampling, cells.generations AS file,
      executions.status, executions.detail, executions.message, executions.exit_code, executions.signal,
      executions.stdout, executions.stderr, programs.text AS program, programs.tests, programs.key AS program_key
    FROM completions
    JOIN generations ON generations.key = completions.generation
    JOIN problems ON problems.key = generations.problem
    JOIN cells ON cells.key = completions.cell
    LEFT JOIN executions ON executions.completion = completions.key
    LEFT JOIN programs ON programs.key = executions.program
    WHERE completions.key = :key
"""
_OTHERS = """
    SELECT completions.key, completions.sample, cells.setting, cells.model, cells.checkpoint, executions.status
    FROM generations
    JOIN completions ON completions.generation = generations.key
    JOIN cells ON cells.key = generations.cell
    LEFT JOIN executions ON executions.completion = completions.key
    WHERE generations.problem = :problem
    ORDER BY cells.setting = 'control', cells.model, cells.setting, cells.checkpoint, completions.sample
    LIMIT 200
"""
# Controls last; `base` comes before `ircoder` in the alphabet.
_CELLS = """
    SELECT * FROM cells WHERE task = :task ORDER BY setting = 'control', model, setting, checkpoint
"""
_SOLVED = """
    SELECT generations.problem, generations.cell, min(completions.key) AS completion, count(*) AS samples,
      sum(executions.status = 'passed') AS passed
    FROM generations
    JOIN completions ON completions.generation = generations.key
    LEFT JOIN executions ON executions.completion = completions.key
    WHERE generations.task = :task
    GROUP BY generations.key
"""
_VALUES = """
    SELECT problem_scores.problem, scores.cell, scores.metric, problem_scores.value
    FROM problem_scores JOIN scores ON scores.key = problem_scores.score
    WHERE problem_scores.task = :task AND problem_scores.problem IS NOT NULL ORDER BY scores.metric
"""
# The language of the code of a task, where it is not that of the task's name.
_LANGUAGES = {"py": "Python", "python": "Python", "func_name": "Python", "cpp": "C++", "js": "JavaScript", "rs": "Rust"}


def language_of(task: str) -> str:
    """The language of a task's programs, for highlighting."""
    name = task.partition("/")[2]
    return _LANGUAGES.get(name, name)


async def read_completion(database: Any, key: str) -> dict[str, Any] | None:
    """A completion with prompt, reference, verdict and program; None for an unknown key."""
    completion = await one_row(database, _COMPLETION, key=key)
    if completion is None:
        return None
    others = await all_rows(database, _OTHERS, problem=completion["problem_key"])
    return {"completion": completion, "others": others, "language": language_of(completion["task"])}


async def read_matrix(database: Any, task: str) -> dict[str, Any] | None:
    """Problems and cells of a task, with what each cell solved; None for an unknown task."""
    cells = await all_rows(database, _CELLS, task=task)
    if not cells:
        return None
    solved: dict[str, dict[str, Row]] = {}
    for row in await all_rows(database, _SOLVED, task=task):
        solved.setdefault(row["problem"], {})[row["cell"]] = row
    values = await all_rows(database, _VALUES, task=task)
    metric = values[0]["metric"] if values and not cells[0]["executions"] else ""
    for row in values:
        entry = solved.get(row["problem"], {}).get(row["cell"])
        if entry is not None and row["metric"] == metric:
            entry["value"] = row["value"]
    models = [cell["key"] for cell in cells if cell["setting"] != "control"]
    # Only problems that a model was given: controls may have more.
    names = [name for name, row in solved.items() if not models or any(cell in row for cell in models)]
    problems = await all_rows(database, "SELECT key, problem FROM problems WHERE task = :task", task=task)
    labels = {row["key"]: row["problem"] for row in problems}
    order = sorted(names, key=lambda name: _in_order(labels[name]))
    return {"task": task, "cells": cells, "metric": metric, "rows": [(labels[name], solved[name]) for name in order]}


def _in_order(name: str) -> list[tuple[str, int]]:
    """A key that sorts names by their texts and numbers in turn."""
    return [(text, int(number or 0)) for text, number in re.findall(r"(\D*)(\d*)", name)]
