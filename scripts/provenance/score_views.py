"""Views of the scores for the report: which problems each checkpoint solved, and robustness as a heat map."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from scripts.lib.csv_files import read_csv
from scripts.lib.files import read_json
from scripts.lib.schemas.scores import CONTROL

ROBUST = "robust_pass@1"
# Metrics of which a problem's value is the percentage of samples that solve it.
SOLVES = re.compile(r"(robust_)?pass@1")
# Problems shown of each task; the score files have all.
SHOWN = 500


def column_name(row: Mapping[str, Any]) -> str:
    """Model and checkpoint as the heading of a column."""
    return f"{row['model']} {row['checkpoint']}"


def _is_headline(row: Mapping[str, Any], headline: Mapping[str, str]) -> bool:
    """Whether the main table shows a score; `headline` is that of the benchmark in config/tables.yaml."""
    patterns = {name: headline.get(name, ".*") for name in ("language", "setting")}
    return row["metric"] == headline["metric"] and all(
        re.fullmatch(pattern, row[name]) for name, pattern in patterns.items()
    )


def problem_matrices(paths: Iterable[str], headlines: Mapping[str, Mapping[str, str]]) -> list[dict[str, Any]]:
    """What each checkpoint solved of the problems of each task, in the order of the benchmarks.

    Each entry has `benchmark`, `name` (language, setting, metric), `columns` (model and checkpoint),
    `rows` of `{"problem", "values"}` with the percentage of samples that pass (None where the
    problem was not evaluated), `solved`, the number of problems with at least one such sample in
    each column, and `total`, the number of problems.
    """
    tasks: dict[tuple[str, str], dict[str, dict[str, float]]] = {}
    for path in paths:
        content = read_json(path)
        for row in content["rows"]:
            headline = headlines.get(row["benchmark"])
            is_shown = headline is not None and row["checkpoint"] != CONTROL and _is_headline(row, headline)
            if is_shown and SOLVES.fullmatch(row["metric"]):
                name = " · ".join((row["language"], row["metric"], row["setting"]))
                values = content["per_problem"][row["setting"]][row["metric"]]
                tasks.setdefault((row["benchmark"], name), {})[column_name(row)] = values
    order = {benchmark: position for position, benchmark in enumerate(headlines)}
    keys = sorted(tasks, key=lambda key: (order[key[0]], key[1]))
    return [{"benchmark": key[0], "name": key[1], **_matrix(tasks[key])} for key in keys]


def _natural(name: str) -> list[Any]:
    """A sort key by which `HumanEval/9` precedes `HumanEval/10`."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]


def _matrix(columns: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    names = sorted(columns)
    problems = sorted({problem for values in columns.values() for problem in values}, key=_natural)
    rows = [{"problem": one, "values": [columns[name].get(one) for name in names]} for one in problems]
    solved = [sum(value > 0 for value in columns[name].values()) for name in names]
    return {"columns": names, "rows": rows[:SHOWN], "solved": solved, "total": len(problems)}


def robustness(scores: str) -> dict[str, Any]:
    """Robust pass@1 of the models, by perturbation: `columns`, and `rows` of `{"setting", "values"}`;
    empty where ReCode was not evaluated. `scores` is the path of the long table.
    """
    rows = [row for row in read_csv(scores) if row["metric"] == ROBUST and row["checkpoint"] != CONTROL]
    columns = sorted({column_name(row) for row in rows})
    values = {(row["setting"], column_name(row)): float(row["value"]) for row in rows}
    settings = sorted({row["setting"] for row in rows})
    return {
        "columns": columns,
        "rows": [{"setting": one, "values": [values.get((one, name)) for name in columns]} for one in settings],
    }
