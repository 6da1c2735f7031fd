"""Writes what the run has cost up to here: the tables, and a part of the report."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from scripts.lib.code_hash import SCRIPTS
from scripts.lib.files import write_text
from scripts.lib.job import job
from scripts.provenance.cost_records import STAGES, Row, by_rule, read_attempts
from scripts.provenance.cost_tables import write_costs

TEMPLATE = "cost.html.j2"
_SUMS = ("jobs", "user_seconds", "system_seconds", "killed_seconds", "wall_seconds", "gpu_seconds", "output_bytes")


def total(name: str, rows: list[Row]) -> Row:
    """The sum of rows of the table of costs, and the largest memory."""
    sums: Row = {column: sum(row[column] for row in rows) for column in _SUMS}
    return {"name": name, **sums, "peak_memory_mb": max((row["peak_memory_mb"] for row in rows), default=0.0)}


def duration(seconds: float) -> str:
    """A duration for readers: seconds below two minutes, then minutes, then hours."""
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:,.1f} h"


def size(count: float) -> str:
    """A number of bytes for readers, with units of 1,000."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"


def section(attempts: list[Row]) -> dict[str, Any]:
    """Values of the template."""
    rows = by_rule(attempts)
    stages = [name for name in (*STAGES, "") if any(row["stage"] == name for row in rows)]
    ends = [row["started"] + row["wall_seconds"] for row in attempts]
    return {
        "total": total("all", rows),
        "stages": [total(stage, [row for row in rows if row["stage"] == stage]) for stage in stages],
        "rules": [
            total(rule, [row for row in rows if row["rule"] == rule])
            for rule in dict.fromkeys(row["rule"] for row in rows)
        ],
        "elapsed": max(ends, default=0.0) - min((row["started"] for row in attempts), default=0.0),
        "repeated": len(attempts) - len({row["job"] for row in attempts}),
        "cpus": sorted({row["cpu"] for row in attempts}),
        "machines": len({row["machine"] for row in attempts}),
    }


def render(values: dict[str, Any]) -> str:
    """The part of the report."""
    loader = FileSystemLoader(SCRIPTS / "provenance")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"duration": duration, "size": size}
    return environment.get_template(TEMPLATE).render(values)


if __name__ == "__main__":
    with job() as snakemake:
        results = Path(snakemake.config["results_dir"])
        write_costs(results)
        write_text(snakemake.output.section, render(section(read_attempts(results))))
