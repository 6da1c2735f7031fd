"""Write a page of `docs/results` from the tables of one run: `python -m scripts.tables.results_page
--help`.

The page's folder stores the run's tables and figures, and every number of the page is computed from
them.
"""

import argparse
import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import ceil
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from scripts.lib.escape import markdown
from scripts.lib.files import read_json, write_json, write_text
from scripts.lib.intervals import merged
from scripts.lib.job import InputError
from scripts.lib.markdown_table import markdown_table
from scripts.lib.schemas.scores import CONTROL
from scripts.lib.score_tables import read_differences, read_scores
from scripts.lib.scores import BASE, IRCODER
from scripts.lib.zstd_lines import read_lines
from scripts.tables.layout import Cell, TableSpec, headline_rows, verdict_of
from scripts.tables.render import figure, with_interval

ROOT = Path(__file__).resolve().parents[2]
TABLES = ("tables/scores.csv", "tables/differences.csv")
FIGURES = ("figures/validation_loss.svg", "figures/base_vs_ircoder.svg")
# Packages that determine what a model computes.
PACKAGES = ("torch", "transformers", "peft")
_MEASURE = ["benchmark", "language", "setting", "metric"]
_LEVEL = 0.05


def store(results: Path, folder: Path) -> None:
    """Copy what the page needs of a finished run into its folder.

    Raises `InputError` for a run that has not succeeded.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "run.json", facts(results))
    for name in (*TABLES, *FIGURES):
        shutil.copyfile(results / name, folder / Path(name).name)


def facts(results: Path) -> dict[str, Any]:
    """Commit, hours, processors and packages of a finished run, and what was trained in it.

    Raises `InputError` if its last start has not succeeded.
    """
    starts = read_json(results / "provenance/run.json")["starts"]
    if not starts or not starts[-1]["succeeded"]:
        raise InputError(f"{results}: the last start of the run has not succeeded; finish it first")
    attempts = pd.read_csv(results / "provenance/job_costs.csv", keep_default_na=False)
    # A job that ran again after a change has the cost of its last attempt.
    jobs = attempts[attempts["state"] == "done"].drop_duplicates(["stage", "job"], keep="last")
    software = {
        name.split()[0]: tool for name, tool in read_json(results / "provenance/tools.json")["software"].items()
    }
    statistics = pd.read_csv(results / "pairs/statistics.csv")
    return {
        "commits": sorted({start["commit"] for start in starts}),
        "changed": sorted({name for start in starts for name in start["changed"]}),
        "minutes": busy_seconds(jobs[jobs["stage"] != "snakemake"]) / 60,
        "cpu": sorted(set(jobs["cpu"]) - {""}),
        "packages": {name: software[name]["version"] for name in PACKAGES},
        "programs": int(statistics.groupby("language")["sources"].max().sum()),
        "trainings": {path.parent.name: read_json(path) for path in sorted(results.glob("models/*/*/training.json"))},
        "stages": stage_costs(jobs),
        "empty_modules": empty_modules(results),
    }


def empty_modules(results: Path) -> dict[str, int]:
    """How many modules with performance optimisation of each checkpoint are empty texts."""
    counts = {}
    for path in sorted(results.glob("generations/source-to-llvm/perf/t*/*.jsonl.zst")):
        texts = [text for row in read_lines(path, json.loads) for text in row["completions"]]
        counts[path.name.removesuffix(".jsonl.zst").rpartition(".")[2]] = texts.count("")
    return counts


def busy_seconds(jobs: pd.DataFrame) -> float:
    """The time in which at least one of these jobs ran."""
    spans = merged(zip(jobs["started"], jobs["started"] + jobs["wall_seconds"], strict=True))
    return sum(end - start for start, end in spans)


def stage_costs(jobs: pd.DataFrame) -> list[dict[str, Any]]:
    """Of each stage the number of jobs, their CPU time in minutes and the largest memory in GB."""
    return [
        {
            "stage": stage,
            "jobs": len(rows),
            "cpu_minutes": rows[["user_seconds", "system_seconds", "killed_seconds"]].sum().sum() / 60,
            "memory_gb": rows["peak_memory_mb"].max() / 1000,
        }
        for stage, rows in jobs.groupby("stage", sort=False)
    ]


class Page:
    """What the template of a page shows of a stored run.

    folder: the stored files. specs: config/tables.yaml.
    """

    def __init__(self, folder: Path, specs: Mapping[str, TableSpec]) -> None:
        self.specs, self.run = specs, read_json(folder / "run.json")
        self.scores = read_scores(folder / "scores.csv")
        self.differences = read_differences(folder / "differences.csv")
        checkpoints = dict.fromkeys(self.scores[self.scores["checkpoint"] != CONTROL]["checkpoint"])
        first = [name for name in (BASE, IRCODER) if name in checkpoints]
        self.checkpoints = [*first, *(name for name in sorted(checkpoints) if name not in first)]

    def _headlines(self, rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
        """The benchmark and the rows of each measure of the main table, in its order."""
        for benchmark, spec in self.specs.items():
            for _, group in headline_rows(rows, benchmark, spec).groupby(_MEASURE):
                yield benchmark, group

    def score(self, benchmark: str, language: str, setting: str, metric: str, checkpoint: str) -> str:
        """The value of a score as the tables show it; raise `InputError` if the run has none."""
        names = ("benchmark", "language", "setting", "metric", "checkpoint")
        row = _one(self.scores, dict(zip(names, (benchmark, language, setting, metric, checkpoint), strict=True)))
        return figure(row["value"], self.specs[benchmark]["decimals"], False)

    def problems(self, benchmark: str, language: str, setting: str) -> int:
        """The number of problems of the headline metric of a benchmark."""
        key = {"benchmark": benchmark, "language": language, "setting": setting, "checkpoint": IRCODER}
        return int(_one(self.scores, {**key, "metric": self.specs[benchmark]["headline"]["metric"]})["problems"])

    def _names(self, benchmark: str, row: Mapping[Any, Any]) -> list[str]:
        return [markdown(text) for text in (self.specs[benchmark]["title"], row["language"], row["setting"])]

    def training(self, fact: str) -> str:
        """A fact of `training.json`, several if trainings differ in it."""
        return " or ".join(sorted({str(training[fact]) for training in self.run["trainings"].values()}))

    def versions(self) -> str:
        """The packages that determine what a model computes."""
        return ", ".join(f"{name} {version}" for name, version in self.run["packages"].items())

    def score_table(self) -> str:
        """A line for each measure of the main table: problems, and the score of each checkpoint."""
        head = ["benchmark", "language", "setting", "metric", "problems", *self.checkpoints]
        lines = []
        for benchmark, group in self._headlines(self.scores):
            rows = {row["checkpoint"]: row for row in group.to_dict("records")}
            models = [rows[name] for name in self.checkpoints if name in rows]
            if models:
                texts = [self._score(rows.get(name), benchmark) for name in self.checkpoints]
                problems = f"{models[0]['problems']:.0f}"
                lines.append([*self._names(benchmark, models[0]), markdown(models[0]["metric"]), problems, *texts])
        return "\n".join(markdown_table(head, lines, right=range(4, len(head))))

    def _score(self, row: Mapping[Any, Any] | None, benchmark: str) -> str:
        cell = None if row is None else Cell(row["value"], row["ci_low"], row["ci_high"])
        return with_interval(cell, self.specs[benchmark]["decimals"])

    def _compared(self) -> Iterator[tuple[str, pd.DataFrame]]:
        """Measures with the differences between IRCoder and every other checkpoint."""
        yield from self._headlines(self.differences[self.differences["checkpoint"] == IRCODER])

    def difference_table(self) -> str:
        """A line for each measure of the main table: IRCoder minus each other checkpoint."""
        others = [name for name in self.checkpoints if name != IRCODER]
        head = ["benchmark", "language", "setting", *(f"IRCoder − {name}" for name in others)]
        lines = []
        for benchmark, group in self._compared():
            rows = {row["base"]: row for row in group.to_dict("records")}
            texts = [self._difference(rows.get(name), benchmark) for name in others]
            lines.append([*self._names(benchmark, next(iter(rows.values()))), *texts])
        return "\n".join(markdown_table(head, lines, right=range(3, len(head))))

    def _difference(self, row: Mapping[Any, Any] | None, benchmark: str) -> str:
        decimals = self.specs[benchmark]["decimals"]
        return with_interval(None if row is None else self._difference_cell(row, benchmark), decimals, signed=True)

    def _difference_cell(self, row: Mapping[Any, Any], benchmark: str) -> Cell:
        """A difference with its verdict."""
        lower = self.specs[benchmark].get("lower_is_better", ())
        verdict = verdict_of({**row, "value": row["difference"]}, lower)
        return Cell(row["difference"], row["ci_low"], row["ci_high"], verdict)

    def compare(self, benchmark: str, language: str, setting: str, other: str) -> str:
        """Two scores of the headline metric and their difference, as a part of a sentence.

        Raises `InputError` if the run has no such scores.
        """
        metric = self.specs[benchmark]["headline"]["metric"]
        key = {"benchmark": benchmark, "language": language, "setting": setting, "metric": metric}
        own, others = (_one(self.scores, {**key, "checkpoint": name}) for name in (IRCODER, other))
        row = _one(self.differences, {**key, "checkpoint": IRCODER, "base": other})
        decimals = self.specs[benchmark]["decimals"]
        values = [figure(each["value"], decimals, False) for each in (own, others)]
        cell = self._difference_cell(row, benchmark)
        words = {1: "better", -1: "worse", 0: "no clear difference"}[cell.verdict]
        difference = with_interval(replace(cell, verdict=0), decimals, signed=True)
        return f"{values[0]} against {values[1]}, a difference of {difference}: {words}"

    def excluding_zero(self) -> dict[str, int]:
        """How many differences of the table there are, how many exclude zero, and how many would by
        chance if there were none, rounded up.
        """
        cells = [
            self._difference_cell(row, benchmark)
            for benchmark, group in self._compared()
            for row in group.to_dict("records")
        ]
        excluding = sum(cell.verdict != 0 for cell in cells)
        return {"all": len(cells), "excluding": excluding, "chance": ceil(_LEVEL * len(cells))}

    def cost_table(self) -> str:
        """A line for each stage: jobs, minutes of CPU time, largest memory in GB."""
        lines = [
            [markdown(row["stage"]), str(row["jobs"]), f"{row['cpu_minutes']:.1f}", f"{row['memory_gb']:.1f}"]
            for row in self.run["stages"]
        ]
        return "\n".join(markdown_table(["stage", "jobs", "CPU minutes", "memory, GB"], lines, right=(1, 2, 3)))

    def cpu_minutes(self) -> float:
        """CPU time of the whole run, in minutes."""
        return float(sum(row["cpu_minutes"] for row in self.run["stages"]))


def _one(rows: pd.DataFrame, key: Mapping[str, str]) -> dict[Any, Any]:
    """The row with these texts; raises `InputError` unless there is exactly one."""
    for name, value in key.items():
        rows = rows[rows[name] == value]
    if len(rows) != 1:
        raise InputError(f"the run has {len(rows)} rows of {' '.join(key.values())}; the page needs one")
    (row,) = rows.to_dict("records")
    return row


def render(folder: Path) -> str:
    """The page of the stored run in a folder, by the template with the folder's name."""
    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(
        loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    specs = yaml.safe_load((ROOT / "config/tables.yaml").read_text(encoding="utf-8"))
    return environment.get_template(f"{folder.name}.md.j2").render(page=Page(folder, specs))


def main() -> None:
    """Parse the command line, and write the page."""
    parser = argparse.ArgumentParser(description="Write a page of results from the stored tables of a run.")
    parser.add_argument("folder", type=Path, help="folder of the page, such as docs/results/smollm2")
    parser.add_argument("--store", type=Path, metavar="RESULTS", help="first store the tables of this finished run")
    arguments = parser.parse_args()
    try:
        if arguments.store:
            store(arguments.store, arguments.folder)
        write_text(arguments.folder.with_suffix(".md"), render(arguments.folder))
    except (InputError, OSError) as error:
        sys.exit(f"{error}")


if __name__ == "__main__":
    main()
