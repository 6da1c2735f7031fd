"""Rows of the run's database that belong to no language and no task: scores, truncation, jobs, costs."""

import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.lib.csv_files import read_csv
from scripts.lib.files import read_json
from scripts.lib.parquet import iter_rows
from scripts.provenance.database_file import Part
from scripts.provenance.database_task import Cell, score_key
from scripts.provenance.digests import ROWS

# The tables of a model's tokens.
_TOKENS = re.compile("tokens/[^/]+/(statistics.csv|truncated.parquet)")
SCORES, DIFFERENCES = "tables/scores.csv", "tables/differences.csv"
JOBS, COSTS = "provenance/jobs.json", "provenance/job_costs.csv"


def _numbers(row: Mapping[str, str]) -> dict[str, str | None]:
    """Cells of a CSV file, None for an empty one; SQLite turns texts into the numbers of its columns."""
    return {name: value or None for name, value in row.items()}


class RunRows:
    """The rows that describe the whole run.

    results: the folder of results. record: content of jobs.json. cells: all cells. stages: stage of
    each rule.
    """

    def __init__(self, results: Path, record: Mapping[str, Any], cells: list[Cell], stages: Mapping[str, str]) -> None:
        self.results, self.record, self.stages = results, record, stages
        self.cells = {cell.scores: cell.key for cell in cells}
        self.tokens = sorted(filter(_TOKENS.fullmatch, record["files"]))

    def files(self) -> list[str]:
        """The files that rows are read from, relative to the results."""
        return [SCORES, DIFFERENCES, JOBS, COSTS, *self.tokens]

    def rows(self) -> Part:
        """All rows, each with its table."""
        yield from self._scores()
        yield from self._differences()
        for file in self.tokens:
            yield from self._truncation(file)
        yield from self._jobs()
        yield from self._costs()

    def _scores(self) -> Part:
        cell_of = {
            score_key(row): cell
            for file, cell in sorted(self.cells.items())
            for row in read_json(self.results / file)["rows"]
        }
        for row in read_csv(self.results / SCORES):
            key = score_key(row)
            yield "scores", {**_numbers(row), "key": key, "cell": cell_of.get(key)}

    def _differences(self) -> Part:
        scores = {score_key(row) for row in read_csv(self.results / SCORES)}
        for row in read_csv(self.results / DIFFERENCES):
            both = (score_key(row), score_key({**row, "checkpoint": row["base"]}))
            score, base = (key if key in scores else None for key in both)
            key = f"{score_key(row)}/{row['base']}"
            yield "differences", {**_numbers(row), "key": key, "score": score, "base": base}

    def _truncation(self, file: str) -> Part:
        model = Path(file).parent.name
        if file.endswith(".csv"):
            for row in read_csv(self.results / file):
                yield "truncation", {**row, "key": f"{model}/{row['split']}/{row['language']}", "model": model}
            return
        for row in iter_rows(self.results / file):
            source = f"{row['language']}/{row['id']}"
            key = f"{model}/{row['split']}/{source}/{row['variant']}/{row['direction']}"
            yield "truncated_documents", {**row, "key": key, "model": model, "source": source}

    def _jobs(self) -> Part:
        record, writers = self.record, dict[str, str]()
        for job in record["jobs"]:
            key = f"{job['rule']} {job['outputs'][0]}"
            yield "jobs", {"key": key, "rule": job["rule"], "stage": self.stages.get(job["rule"], "")}
            writers |= dict.fromkeys(job["outputs"], key)
            for file in job["inputs"]:
                yield "job_inputs", {"key": f"{key} < {file}", "job": key, "file": file}
        names = {*writers, *record["files"], *(file for job in record["jobs"] for file in job["inputs"])}
        for name in sorted(names):
            digest = record["files"].get(name, {})
            rows = digest.get("rows_sha256")
            sha256 = digest.get("sha256") or (rows and f"{ROWS}{rows}")
            yield "files", {"name": name, "job": writers.get(name), "bytes": digest.get("bytes"), "sha256": sha256}

    def _costs(self) -> Part:
        attempts: Counter[str] = Counter()
        for row in read_csv(self.results / COSTS):
            attempts[row["job"]] += 1
            yield "job_costs", {**_numbers(row), "key": f"{row['job']}#{attempts[row['job']]}"}
