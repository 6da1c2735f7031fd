"""Print how large a difference of scores an evaluation can detect: `python -m scripts.tables.power
--help`. The formulas are in `variances`.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import yaml

from scripts.lib.files import read_json
from scripts.lib.job import InputError
from scripts.lib.markdown_table import markdown_table
from scripts.lib.schemas.scores import KEY
from scripts.lib.scores import in_main_table, split_checkpoint
from scripts.tables.differences import paired_problems, problem_values
from scripts.tables.variances import (
    Criterion,
    Design,
    Variances,
    assumed,
    detectable,
    measured,
    problems_needed,
    samples_needed,
    seeds_needed,
    training_variance,
)

ROOT = Path(__file__).resolve().parents[2]
# Problems of HumanEval, from which the benchmarks of programs are made.
HUMAN_EVAL = 164
# Metrics that are the share of a problem's samples, so that the variance of sampling is known.
SHARES = ("pass@1", "compiles@1")
PLANS = {"config/paper.yaml": "paper", "config/config.yaml": "small"}
_NAMES = ("benchmark", "language", "model", "checkpoint", "setting", "metric")


class Row(NamedTuple):
    """A line of a table: the size of an evaluation, and the variances of its differences."""

    name: str
    design: Design
    variances: Variances


def seed_checkpoints(results: Path) -> list[str]:
    """Checkpoints of a run that differ from IRCoder in the seed of their training alone."""
    file = results / "provenance" / "config.yaml"
    config = yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else {}
    ablations: Mapping[str, Mapping[str, Any]] = config.get("ablations") or {}
    return [name for name, changes in ablations.items() if set(changes) == {"seed"}]


class FinishedRun:
    """The scores of a finished run.

    results: its folder. training: variance between trainings where the run has not several seeds.
    Raises `InputError` for a folder without scores.
    """

    def __init__(self, results: Path, training: float) -> None:
        files = sorted((results / "scores").rglob("*.json"))
        if not files:
            raise InputError(f"{results}/scores has no score files; name the results folder of a finished run")
        rows = [row for file in files for row in read_json(file)["rows"]]
        self.scores = {tuple(row[name] for name in KEY): row for row in rows}
        self.values = pd.concat(map(problem_values, files))
        self.seeds, self.training = seed_checkpoints(results), training

    def _training(self, row: Mapping[str, str], sampling: float, design: Design) -> float:
        """Variance between trainings of a score of IRCoder: measured where the run has several."""
        _, _, tuning = split_checkpoint(row["checkpoint"])
        names = [row["checkpoint"], *("-".join(filter(None, (name, tuning))) for name in self.seeds)]
        keys = [tuple({**row, "checkpoint": name}[part] for part in KEY) for name in names]
        scores = [self.scores[key]["value"] for key in keys if key in self.scores]
        return training_variance(scores, sampling, design) if len(scores) > 1 else self.training

    def rows(self) -> list[Row]:
        """Each score of IRCoder whose base was scored too, if the two differ in some problem or some
        samples of a problem pass and others fail: else it says nothing of variances.
        """
        rows = []
        for row, (base,), (ircoder,) in paired_problems(self.values):
            if not in_main_table(row["checkpoint"]) or not in_main_table(row["base"]):
                continue
            design = Design(len(base), int(self.scores[tuple(row[name] for name in KEY)]["samples"]), 1)
            variances = measured(base, ircoder, design.samples, row["metric"] in SHARES)
            if not variances.between and not variances.sampling:
                continue
            training = self._training(row, variances.sampling, design)
            variances = Variances(variances.between, variances.sampling, training)
            rows.append(Row(" ".join(row[name] for name in _NAMES), design, variances))
        return rows


def mean_variances(rows: Sequence[Row], benchmark: str) -> Variances | None:
    """The mean variances of a benchmark's pass@1; None where the rows have none."""
    own = [row.variances for row in rows if row.name.startswith(f"{benchmark} ") and row.name.endswith(" pass@1")]
    if not own:
        return None
    parts = [[each.between for each in own], [each.sampling for each in own], [each.training for each in own]]
    return Variances(*(sum(part) / len(part) for part in parts))


def plan_rows(plan: str, rows: Sequence[Row], otherwise: Variances, seeds: int) -> Iterator[Row]:
    """The benchmarks of programs with the size that a sampling plan gives them.

    rows: those of a finished run, whose variances are used; otherwise: the variances without them.
    """
    benchmarks = yaml.safe_load((ROOT / "config" / "benchmarks.yaml").read_text(encoding="utf-8"))
    for benchmark, entry in benchmarks.items():
        if "pass_at" in entry and plan in entry["sampling"]:
            settings = entry["sampling"][plan]
            design = Design(settings.get("problems") or HUMAN_EVAL, settings["samples"], seeds)
            own = mean_variances(rows, benchmark)
            yield Row(f"{benchmark} pass@1, {'measured' if own else 'assumed'}", design, own or otherwise)


def _number(value: int | None) -> str:
    return "none" if value is None else f"{value:,}"


def _cells(row: Row, difference: float, test: Criterion) -> list[str]:
    needed = (problems_needed, samples_needed, seeds_needed)
    numbers = [_number(each(row.variances, difference, row.design, test)) for each in needed]
    return [f"{detectable(row.variances, row.design, test):.1f}", *numbers]


def table(rows: Sequence[Row], difference: float, test: Criterion) -> list[str]:
    """Lines of a table: what each evaluation can detect, and what it needs to detect `difference`."""
    head = ["score", "problems", "samples", "seeds", "detects"]
    head += [f"{what} to detect {difference:g}" for what in ("problems", "samples", "seeds")]
    cells = [[row.name, *map(str, row.design), *_cells(row, difference, test)] for row in rows]
    return markdown_table(head, cells, right=range(1, len(head)), aligned=True)


def report(arguments: argparse.Namespace) -> str:
    """What is printed."""
    test = Criterion(arguments.level, arguments.power)
    training = arguments.training_sd**2
    otherwise = assumed(arguments.rate, arguments.sampled, arguments.correlation, training)
    rows = FinishedRun(arguments.results, training).rows() if arguments.results else []
    lines = []
    for config, plan in PLANS.items():
        chosen = list(plan_rows(plan, rows, otherwise, arguments.seeds))
        lines += [f"Sampling plan {plan} ({config}):", "", *table(chosen, arguments.difference, test), ""]
    if arguments.results:
        lines += [f"Scores of {arguments.results} that vary:", "", *table(rows, arguments.difference, test), ""]
    lines += [
        f"detects: smallest true difference in points, with power {test.power:g} at level {test.level:g}",
        f"to detect {arguments.difference:g}: number needed if the other two stay the same; none: no number is enough",
        f"assumed: rate {arguments.rate:g}, {arguments.sampled:g} of the variance due to sampling, correlation "
        f"{arguments.correlation:g}; standard deviation between trainings {arguments.training_sd:g} points "
        "where a run has no seeds",
    ]
    return "\n".join(lines)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description="Print how large a difference of scores an evaluation can detect.")
    parser.add_argument("--results", type=Path, metavar="FOLDER", help="finished run whose variances are used")
    parser.add_argument("--difference", type=float, default=5.0, metavar="POINTS", help="difference to detect; 5")
    parser.add_argument("--power", type=float, default=0.8, help="probability of detecting it; 0.8")
    parser.add_argument("--level", type=float, default=0.05, help="level of the two-sided test; 0.05")
    parser.add_argument("--seeds", type=int, default=1, help="trainings of each model in the plans; 1")
    parser.add_argument("--training-sd", type=float, default=1.0, metavar="POINTS", help="between trainings; 1")
    parser.add_argument("--rate", type=float, default=0.2, help="assumed share of samples that pass; 0.2")
    parser.add_argument("--sampled", type=float, default=0.4, help="assumed part of variance due to sampling; 0.4")
    parser.add_argument("--correlation", type=float, default=0.8, help="assumed between two checkpoints; 0.8")
    arguments = parser.parse_args()
    shares = {name: getattr(arguments, name) for name in ("power", "level", "rate")}
    wrong = [name for name, value in shares.items() if not 0 < value < 1]
    if wrong or arguments.difference <= 0 or arguments.seeds < 1 or not 0 <= arguments.sampled <= 1:
        sys.exit(
            "error: an option is out of range; --power, --level and --rate are between 0 and 1, "
            "--sampled from 0 to 1, --difference above 0, --seeds at least 1"
        )
    try:
        print(report(arguments))
    except InputError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
