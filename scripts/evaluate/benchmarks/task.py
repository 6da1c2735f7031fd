"""A task of a benchmark: its files, their checksums, and the problems in them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

from scripts.evaluate.benchmarks.problems import FORMS, Problem, Row, checked_row
from scripts.lib.checkpoints import path_digest
from scripts.lib.commits import read_commits
from scripts.lib.job import InputError
from scripts.lib.json_lines import numbered_rows, text_of
from scripts.lib.parquet import iter_rows
from scripts.lib.schemas.pairs import Split


@dataclass(frozen=True)
class Task:
    """A benchmark's task, such as one language.

    form: how rows become problems, a key of `problems.FORMS`.
    name: name within the benchmark.
    rows: paths of the files of rows, in reading order.
    references: paths of files with this project's solutions, for data that has none.
    sizes: for commits, the number of rows of each split.
    template: for pairs of source and module, the prompt's template, which has {source}.
    """

    form: str
    name: str
    rows: Sequence[str]
    references: Sequence[str] = ()
    sizes: Mapping[str, int] | None = None
    template: str | None = None


def checksums(paths: Sequence[str]) -> dict[str, str]:
    """SHA-256 of each file in hexadecimal digits, by the file's name, and of each folder (of pairs)
    by its own name and that of its language.
    """
    names = [Path(path).name if Path(path).is_file() else "/".join(Path(path).parts[-2:]) for path in paths]
    return dict(zip(names, map(path_digest, paths), strict=True))


def read_references(paths: Sequence[str]) -> Mapping[str, str]:
    """Solutions by problem name, from JSON lines with the fields `name` and `completion`."""
    rows = (located for path in paths for located in numbered_rows(path))
    return {text_of(row, "name", where): text_of(row, "completion", where) for where, row in rows}


def held_out_pairs(paths: Sequence[str], template: str) -> list[Row]:
    """The validation pairs of tables `pairs/{language}/{variant}.parquet`, sorted by their ids.

    Ids are hashes of the sources, so the first rows are a random sample of all languages.
    """
    columns = ["id", "path", "split", "Source_Code", "IR_Original"]
    rows = [
        {
            "name": f"{Path(path).parent.name}/{row['id']}",
            "order": row["id"],
            "path": row["path"],
            "prompt": template.replace("{source}", row["Source_Code"]),
            "module": row["IR_Original"],
        }
        for path in paths
        for row in iter_rows(path, columns)
        if row["split"] == Split.VALIDATION
    ]
    return sorted(rows, key=itemgetter("order", "name"))


def _check_names(problems: Sequence[Problem], task: Task) -> None:
    """Raise `InputError` if two prompts have one name, since results are stored by it."""
    names = Counter(problem.id for problem in problems)
    name, count = next(iter(names.most_common(1)))
    if count > 1:
        raise InputError(f"{', '.join(task.rows)}: {count} rows are named '{name[:80]}'; remove or rename all but one")


def read_problems(task: Task, limit: int | None = None) -> list[Problem]:
    """The problems of a task; with `limit`, the prompts of its first `limit` problems only.

    Raises `InputError` when a row lacks a field, two prompts have one name, or there are no problems.
    """
    rows: Iterable[Row]
    if task.sizes is not None:
        rows = read_commits(task.rows[0], "test", task.sizes)
    elif task.template is not None:
        rows = held_out_pairs(task.rows, task.template)
    else:
        rows = [checked_row(task.form, row, where) for path in task.rows for where, row in numbered_rows(path)]
    try:
        problems = FORMS[task.form](rows, read_references(task.references), task.name)
    except KeyError as error:
        raise InputError(f"{task.rows[0]}: a row lacks the field {error}; give the public data set's fields") from error
    if not problems and task.template is not None:
        raise InputError("no pair in the validation split; raise `pairs.validation_share` or add programs")
    if not problems:
        raise InputError(f"{task.rows[0]} has no problems; give the public data set's rows")
    _check_names(problems, task)
    groups = set(list(dict.fromkeys(problem.group for problem in problems))[:limit])
    return [problem for problem in problems if problem.group in groups]
