"""The course of a run as a figure: when jobs of which rule ran."""

from pathlib import Path

from scripts.lib.csv_files import read_csv
from scripts.lib.figure import note, panels, save_svg
from scripts.lib.intervals import merged
from scripts.lib.job import job
from scripts.lib.palette import FAINT, SERIES
from scripts.provenance.cost_records import SNAKEMAKE, STAGES, Row

_LANE_INCHES = 0.21
_LONGEST_MINUTES = 180


def read_jobs(path: str | Path) -> list[Row]:
    """What the figure needs of the rows of the table of the cost of jobs."""
    numbers = ("started", "wall_seconds", "user_seconds", "system_seconds")
    rows = read_csv(path)
    return [
        {"stage": row["stage"], "rule": row["rule"], **{name: float(row[name]) for name in numbers}} for row in rows
    ]


def draw_timeline(attempts: list[Row], path: str | Path) -> None:
    """Draw a line for each rule, in the order of their first jobs, with the time in which at least
    one of its jobs ran, and next to it the number of attempts and the CPU time.
    """
    jobs = [row for row in attempts if row["stage"] != SNAKEMAKE]
    rules = list(dict.fromkeys(row["rule"] for row in jobs))
    figure, [axes] = panels(1, 1, 8.0, 0.9 + _LANE_INCHES * max(len(rules), 4))
    if not jobs:
        note(axes, "no job has a record of its cost")
        save_svg(figure, path)
        return
    begin = min(row["started"] for row in jobs)
    last = max(row["started"] + row["wall_seconds"] for row in jobs) - begin
    unit, name = (3600, "hours") if last > 60 * _LONGEST_MINUTES else (60, "minutes")
    for lane, rule in enumerate(rules):
        rows = [row for row in jobs if row["rule"] == rule]
        spans = merged((row["started"] - begin, row["started"] - begin + row["wall_seconds"]) for row in rows)
        stage = rows[0]["stage"]
        colour = SERIES[STAGES.index(stage) % len(SERIES)] if stage in STAGES else FAINT
        axes.broken_barh(
            [(start / unit, (end - start) / unit) for start, end in spans], (lane - 0.4, 0.8), color=colour
        )
        used = sum(row["user_seconds"] + row["system_seconds"] for row in rows)
        text = f" {len(rows)}, {used / 60:.1f} min"
        axes.text(spans[-1][1] / unit, lane, text, va="center", fontsize=7, color=FAINT)
    axes.set_yticks(range(len(rules)), rules, fontsize=7)
    axes.set_ylim(len(rules) - 0.5, -0.5)
    axes.set_xlim(0, 1.15 * last / unit)
    axes.set_xlabel(f"{name} since the first job started")
    axes.set_title("Course of the run: number of jobs and CPU time of each rule")
    save_svg(figure, path)


if __name__ == "__main__":
    with job() as snakemake:
        draw_timeline(read_jobs(snakemake.input[0]), snakemake.output[0])
