"""What the page about a score shows: the files, jobs and sources that it was computed from."""

from typing import Any

from scripts.explorer.rows import all_rows, one_row

_SCORE = """
    SELECT scores.*, cells.scores AS file, cells.generations, cells.executions, cells.task
    FROM scores JOIN cells ON cells.key = scores.cell WHERE scores.key = :key
"""
# All files that the score's file was made from, directly or through others.
_ANCESTORS = """
    WITH RECURSIVE ancestors (name) AS (
      SELECT :file
      UNION
      SELECT job_inputs.file FROM ancestors
      JOIN files ON files.name = ancestors.name
      JOIN job_inputs ON job_inputs.job = files.job
    )
"""
_RULES = f"""{_ANCESTORS}
    SELECT jobs.stage, jobs.rule, count(DISTINCT jobs.key) AS jobs, count(*) AS files, sum(files.bytes) AS bytes,
      min(files.name) AS example
    FROM ancestors JOIN files ON files.name = ancestors.name JOIN jobs ON jobs.key = files.job
    GROUP BY jobs.rule
"""
_EXTERNAL_INPUTS = f"""{_ANCESTORS}
    SELECT files.name, files.bytes, files.sha256
    FROM ancestors JOIN files ON files.name = ancestors.name WHERE files.job IS NULL ORDER BY files.name LIMIT 1000
"""
_PROGRAMS = f"""{_ANCESTORS}
    SELECT pairs.language, pairs.variant, pairs.split, count(*) AS pairs, sum(pairs.source_bytes) AS source_bytes
    FROM ancestors JOIN pairs ON pairs.file = ancestors.name
    GROUP BY pairs.language, pairs.variant, pairs.split ORDER BY pairs.language, pairs.variant, pairs.split
"""
_PROBLEMS = """
    SELECT name, problem_scores.value, min(completions.key) AS completion
    FROM problem_scores
    LEFT JOIN generations ON generations.problem = problem_scores.problem AND generations.cell = :cell
    LEFT JOIN completions ON completions.generation = generations.key
    WHERE problem_scores.score = :key GROUP BY problem_scores.key ORDER BY problem_scores.key
"""
_STAGES = ("sources", "compile", "dedup", "pairs", "pretrain", "finetune", "evaluate")


async def read_score(database: Any, key: str) -> dict[str, Any] | None:
    """A score with its problems, and what it was computed from by stage; None for an unknown key."""
    score = await one_row(database, _SCORE, key=key)
    if score is None:
        return None
    rules = await all_rows(database, _RULES, file=score["file"])
    rules.sort(key=lambda row: (_STAGES.index(row["stage"]) if row["stage"] in _STAGES else -1, row["rule"]))
    return {
        "score": score,
        "rules": rules,
        "external_inputs": await all_rows(database, _EXTERNAL_INPUTS, file=score["file"]),
        "programs": await all_rows(database, _PROGRAMS, file=score["file"]),
        "problems": await all_rows(database, _PROBLEMS, key=key, cell=score["cell"]),
    }
