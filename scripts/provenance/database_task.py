"""Rows of the run's database for one task of a benchmark: prompts, completions, executions, scores."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.lib.files import read_json
from scripts.lib.job import InputError
from scripts.lib.parquet import iter_rows
from scripts.lib.schemas.scores import CONTROL, KEY
from scripts.lib.zstd_lines import read_lines
from scripts.provenance.database_file import Part
from scripts.provenance.database_language import Limit

REFERENCE = f"{CONTROL}/reference.{CONTROL}"


@dataclass(frozen=True)
class Cell:
    """A checkpoint on a task in a setting.

    task: benchmark and task, joined by `/`. name: setting, and model with checkpoint, joined by `/`.
    is_executed: whether there is a table of executions.
    """

    task: str
    name: str
    is_executed: bool

    @property
    def key(self) -> str:
        """Name of the cell's files, without folder and suffix."""
        return f"{self.task}/{self.name}"

    @property
    def generations(self) -> str:
        """File of the completions, relative to the results."""
        return f"generations/{self.key}.jsonl.zst"

    @property
    def executions(self) -> str | None:
        """Table of the executions, relative to the results."""
        return f"executions/{self.key}.parquet" if self.is_executed else None

    @property
    def programs(self) -> str | None:
        """Table of the programs that were executed, relative to the results."""
        return f"programs/{self.key}.parquet" if self.is_executed else None

    @property
    def scores(self) -> str:
        """File of the scores, relative to the results."""
        return f"scores/{self.key}.json"

    @property
    def files(self) -> list[str]:
        """All files of the cell."""
        return [name for name in (self.generations, self.executions, self.programs, self.scores) if name]


def score_key(row: Mapping[str, Any]) -> str:
    """The key of a row of the tables of scores or differences."""
    return "/".join(str(row[name]) for name in KEY)


class TaskRows:
    """The rows of one task.

    results: the folder of results. cells: the task's cells. text: keeps texts that are not too large.
    """

    def __init__(self, results: Path, cells: Iterable[Cell], text: Limit) -> None:
        self.results, self.cells, self.text = results, list(cells), text
        self.task = self.cells[0].task
        self.problems: dict[str, str | None] = {}
        self.programs: set[str] = set()

    def files(self) -> list[str]:
        """The files that rows are read from, relative to the results."""
        return [name for cell in self.cells for name in cell.files]

    def rows(self) -> Part:
        """All rows, each with its table."""
        for cell in self.cells:
            yield from self._generations(cell)
            yield from self._executions(cell)
            yield from self._programs(cell)
        # Last, because names of problems come from the generations.
        for cell in self.cells:
            yield from self._problem_scores(cell)
        for name, reference in sorted(self.problems.items()):
            yield "problems", {"key": self._key(name), "task": self.task, "problem": name, "reference": reference}

    def _key(self, name: str) -> str:
        return f"{self.task}/{name}"

    def _cell(self, cell: Cell, first: Mapping[str, Any]) -> Part:
        setting, _, trained = cell.name.partition("/")
        row = read_json(self.results / cell.scores)["rows"][0]
        if f"{row['model']}.{row['checkpoint']}" != trained:
            raise InputError(f"{self.results / cell.scores} has scores of another checkpoint; delete it and run again")
        yield (
            "cells",
            {
                "key": cell.key,
                "task": self.task,
                "benchmark": row["benchmark"],
                "setting": setting,
                "model": row["model"],
                "checkpoint": row["checkpoint"],
                "engine": first["engine"],
                "version": first["version"],
                "sampling": json.dumps(first["sampling"], sort_keys=True),
                "generations": cell.generations,
                "executions": cell.executions,
                "scores": cell.scores,
            },
        )

    def _generations(self, cell: Cell) -> Part:
        generations = read_lines(self.results / cell.generations, json.loads)
        yield from self._cell(cell, generations[0])
        for number, row in enumerate(generations):
            name, key = row["id"], f"{cell.key}/{row['id']}"
            self.problems.setdefault(name, None)
            if cell.name == REFERENCE:
                self.problems[name] = self.text(row["completions"][0])
            common = {"task": self.task, "cell": cell.key}
            texts = {"prompt": self.text(row["prompt"]), "target": self.text(row.get("target") or None)}
            yield "generations", {**common, **texts, "key": key, "problem": self._key(name), "row": number}
            samples = zip(row["completions"], row["finish_reasons"], row["seeds"], strict=True)
            for sample, (text, reason, seed) in enumerate(samples):
                about = {"finish_reason": reason, "seed": str(seed), "text": self.text(text)}
                identity = {"key": f"{key}#{sample}", "generation": key, "sample": sample}
                yield "completions", {**common, **identity, **about}

    def _executions(self, cell: Cell) -> Part:
        if cell.executions is not None:
            for row in iter_rows(self.results / cell.executions):
                keys = {"completion": f"{cell.key}/{row['id']}#{row['sample']}", "program": self._key(row["program"])}
                yield "executions", {**row, **keys, "task": self.task, "cell": cell.key}

    def _programs(self, cell: Cell) -> Part:
        """The programs that no earlier cell has."""
        if cell.programs is not None:
            for number, row in enumerate(iter_rows(self.results / cell.programs)):
                if row["program"] not in self.programs:
                    self.programs.add(row["program"])
                    first = row["files"][0]
                    texts = {"text": self.text(first["text"]), "tests": self.text(row["tests"])}
                    identity = {"key": self._key(row["program"]), "file": cell.programs, "row": number}
                    yield "programs", {"task": self.task, "name": first["name"], **texts, **identity}

    def _problem_scores(self, cell: Cell) -> Part:
        content = read_json(self.results / cell.scores)
        for row in content["rows"]:
            score = score_key(row)
            for name, value in content["per_problem"].get(row["setting"], {}).get(row["metric"], {}).items():
                problem = self._key(name) if name in self.problems else None
                identity = {"key": f"{score}/{name}", "task": self.task, "score": score, "cell": cell.key}
                yield "problem_scores", {**identity, "name": name, "problem": problem, "value": value}
