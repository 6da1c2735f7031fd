"""The files of a benchmark's task: their checksums and their problems."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.evaluate.benchmarks.problems import FORMS, Problem, Row
from scripts.lib.commits import read_commits
from scripts.lib.files import sha256_file
from scripts.lib.job import InputError
from scripts.lib.json_lines import read_jsonl


@dataclass(frozen=True)
class Task:
    """What a task is made of.

    form: how its rows become problems, a key of `problems.FORMS`.
    name: its name within the benchmark.
    rows: files of rows, in reading order; references: files of our own solutions, for data that has none.
    sizes: for commits, how many of the rows each split has.
    """

    form: str
    name: str
    rows: Sequence[str]
    references: Sequence[str] = ()
    sizes: Mapping[str, int] | None = None


def checksums(paths: Sequence[str]) -> dict[str, str]:
    """SHA-256 of each file, by its name."""
    return {Path(path).name: sha256_file(path) for path in paths}


def read_references(paths: Sequence[str]) -> Mapping[str, str]:
    """Solutions by problem name, from files of rows with `name` and `completion`."""
    return {row["name"]: row["completion"] for path in paths for row in read_jsonl(path)}


def read_problems(task: Task, limit: int | None = None) -> list[Problem]:
    """The problems of a task, those of the first `limit` groups; raise `InputError` for rows without a needed field."""
    if task.sizes is not None:
        rows: list[Row] = read_commits(task.rows[0], "test", task.sizes)
    else:
        rows = [row for path in task.rows for row in read_jsonl(path)]
    try:
        problems = FORMS[task.form](rows, read_references(task.references), task.name)
    except KeyError as error:
        raise InputError(f"{task.rows[0]}: a row lacks the field {error}; give the public data set's fields") from error
    if not problems:
        raise InputError(f"{task.rows[0]} has no problems; give the public data set's rows")
    groups = set(list(dict.fromkeys(problem.group for problem in problems))[:limit])
    return [problem for problem in problems if problem.group in groups]
