"""What a job of each rule has cost by how much it had to do, from the cost of the jobs of a finished
run.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from scripts.lib.csv_files import read_csv, write_csv
from scripts.workflow.estimate.planned import PlannedJob
from scripts.workflow.estimate.units import JOBS, unit_of

ANY = "*"
SNAKEMAKE = "snakemake"
KERNEL, SAMPLED = "kernel", "sampled"
SHIPPED = Path("config", "cost_rates.csv")
# Jobs whose largest amount is not this many times the smallest say nothing about growth.
_SPREAD = 1.5


@dataclass(frozen=True)
class Rate:
    """The rate of a rule: a job of `n` units costs `fixed + n · per_unit`.

    key: language, model or runner; `*` for all of the rule together. unit: what is counted. jobs:
    how many were measured, with at most `largest` units. cpu: CPU seconds. gpu: GPU seconds. bytes:
    size of the outputs. machine: processor on which it was measured. method: `kernel` for what the
    kernel counted, `sampled` for Snakemake's benchmark files, which miss the end of each job.
    """

    rule: str
    key: str
    unit: str
    jobs: int
    largest: float
    cpu_fixed: float
    cpu_per_unit: float
    gpu_fixed: float
    gpu_per_unit: float
    bytes_fixed: float
    bytes_per_unit: float
    peak_memory_mb: float
    machine: str
    method: str = KERNEL

    def cpu(self, units: float) -> float:
        """CPU seconds of a job."""
        return self.cpu_fixed + units * self.cpu_per_unit

    def gpu(self, units: float) -> float:
        """GPU seconds of a job."""
        return self.gpu_fixed + units * self.gpu_per_unit

    def bytes(self, units: float) -> float:
        """Size of the outputs of a job."""
        return self.bytes_fixed + units * self.bytes_per_unit


Rates = Mapping[tuple[str, str], Rate]


def line(points: Sequence[tuple[float, float]], least: float) -> tuple[float, float]:
    """Fixed part and growth per unit of (units, value), neither of them negative: by least squares
    where the units differ, else so that the fixed part is at most `least`.
    """
    units, values = [unit for unit, _ in points], [value for _, value in points]
    mean_units, mean = sum(units) / len(units), sum(values) / len(values)
    if max(units) < _SPREAD * min(units):
        fixed = min(least, mean)
        return (fixed, (mean - fixed) / mean_units) if mean_units else (mean, 0.0)
    spread = sum((unit - mean_units) ** 2 for unit in units)
    growth = sum((unit - mean_units) * (value - mean) for unit, value in points) / spread
    fixed = mean - growth * mean_units
    if growth < 0:
        return mean, 0.0
    return (fixed, growth) if fixed >= 0 else (0.0, mean / mean_units)


def _rate(rule: str, key: str, jobs: Sequence[tuple[PlannedJob, Mapping[str, Any]]], least: float) -> Rate:
    def fitted(amount: Any, smallest: float) -> tuple[float, float]:
        points = [(job.units, amount(cost)) for job, cost in jobs]
        return (
            (sum(value for _, value in points) / len(points), 0.0) if unit_of(rule) == JOBS else line(points, smallest)
        )

    cpu = fitted(lambda cost: cost["cpu"], least)
    gpu = fitted(lambda cost: cost["gpu"], 0.0)
    size = fitted(lambda cost: cost["bytes"], 0.0)
    names = ("cpu_fixed", "cpu_per_unit", "gpu_fixed", "gpu_per_unit", "bytes_fixed", "bytes_per_unit")
    values: dict[str, Any] = {name: _rounded(value) for name, value in zip(names, (*cpu, *gpu, *size), strict=True)}
    return Rate(
        rule=rule,
        key=key,
        unit=unit_of(rule),
        jobs=len(jobs),
        largest=_rounded(max(job.units for job, _ in jobs)),
        peak_memory_mb=round(max(cost["peak"] for _, cost in jobs), 1),
        machine=jobs[0][1]["machine"],
        **values,
    )


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def _costs(results: Path) -> dict[str, dict[str, Any]]:
    """What each job of a finished run has cost in its last, successful attempt, by name."""
    costs: dict[str, dict[str, Any]] = {}
    for row in read_csv(results / "provenance" / "job_costs.csv"):
        if row["state"] == "done":
            cpu = sum(float(row[name]) for name in ("user_seconds", "system_seconds", "killed_seconds"))
            costs[row["job"]] = {
                "cpu": cpu,
                "gpu": float(row["gpu_seconds"]),
                "bytes": float(row["output_bytes"]),
                "peak": float(row["peak_memory_mb"]),
                "machine": row["cpu"],
            }
    return costs


def measured_rates(results: Path, jobs: Iterable[PlannedJob]) -> dict[tuple[str, str], Rate]:
    """The rates of a finished run, whose plan is `jobs`."""
    return rates_of(_costs(results), jobs)


def rates_of(costs: Mapping[str, Mapping[str, Any]], jobs: Iterable[PlannedJob]) -> dict[tuple[str, str], Rate]:
    """The rates of jobs by what each has cost, by name: `cpu` and `gpu` in seconds, `bytes`, `peak` in
    MB, `machine`.
    """
    known = [(job, costs[job.name]) for job in jobs if job.name in costs]
    rates: dict[tuple[str, str], Rate] = {}
    for rule in dict.fromkeys(job.rule for job, _ in known):
        group = [item for item in known if item[0].rule == rule]
        stage = [cost["cpu"] for job, cost in known if job.stage == group[0][0].stage]
        least = min(cost["cpu"] for _, cost in group) if len(group) > 1 else min(stage)
        for key in dict.fromkeys(job.key for job, _ in group):
            rates[rule, key] = _rate(rule, key, [item for item in group if item[0].key == key], least)
        if any(job.key for job, _ in group):
            rates[rule, ANY] = _rate(rule, ANY, group, least)
    own = [cost for name, cost in costs.items() if name.startswith(SNAKEMAKE)]
    if own and known:
        total, machine = sum(cost["cpu"] for cost in own), own[0]["machine"]
        each = float(f"{total / len(known):.4g}")
        peak = max(cost["peak"] for cost in own)
        rates[SNAKEMAKE, ANY] = Rate(SNAKEMAKE, ANY, JOBS, 1, len(known), 0, each, 0, 0, 0, 0, peak, machine)
    return rates


def write_rates(path: Path, rates: Rates) -> None:
    """Write rates as CSV, sorted."""
    names = [field.name for field in fields(Rate)]
    write_csv(path, names, [{name: getattr(rate, name) for name in names} for _, rate in sorted(rates.items())])


def read_rates(path: Path) -> dict[tuple[str, str], Rate]:
    """The rates that `write_rates` wrote."""
    texts = ("rule", "key", "unit", "machine", "method")
    rates = {}
    for row in read_csv(path):
        values: dict[str, Any] = {name: value if name in texts else float(value) for name, value in row.items()}
        rates[row["rule"], row["key"]] = Rate(**{**values, "jobs": int(values["jobs"])})
    return rates
