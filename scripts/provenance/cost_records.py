"""What the jobs of a results folder have cost: their records, as rows of the tables of costs."""

import re
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.lib.cost import DONE, SUFFIX, read_record

Row = dict[str, Any]

SNAKEMAKE, BETWEEN = "snakemake", "between_jobs"
STAGES = ("sources", "compile", "dedup", "pairs", "pretrain", "finetune", "evaluate", "tables", "provenance", SNAKEMAKE)
SUMMED = ("wall_seconds", "user_seconds", "system_seconds", "killed_seconds", "gpu_seconds", "bytes_written")
_SACCT_SECONDS = 60
_AT_A_TIME = 500
_UNITS = {"K": 1 / 1e3 * 1.024, "M": 1.048576, "G": 1073.741824, "T": 1099511.627776}


def _key(row: Row) -> tuple[Any, ...]:
    stage = STAGES.index(row["stage"]) if row["stage"] in STAGES else len(STAGES)
    return stage, row["rule"], row["model"], row["checkpoint"]


def _row(record: Mapping[str, Any], job: str, attempt: Mapping[str, Any]) -> Row:
    """A row of `JOB_COSTS` without the columns of sacct."""
    about = {"stage": job.split("/")[0], "rule": record["rule"], "job": job}
    wildcards = record["wildcards"]
    names = {name: wildcards.get(name, "") for name in ("model", "checkpoint")}
    return {**about, **names, **attempt, "gpu_seconds": round(attempt["gpus"] * attempt["wall_seconds"], 3)}


def read_attempts(results: str | Path) -> list[Row]:
    """Rows of `JOB_COSTS` of all records below the logs of a results folder, in the order of their
    starts; the columns of sacct are None.
    """
    logs = Path(results, "logs")
    rows = []
    for path in sorted(logs.rglob(f"*{SUFFIX}")):
        record, job = read_record(path), str(path.relative_to(logs)).removesuffix(SUFFIX)
        rows += [_row(record, job, attempt) for attempt in record["attempts"]]
    for row in rows:
        row |= {"sacct_cpu_seconds": None, "sacct_peak_memory_mb": None}
    return sorted(rows, key=lambda row: (row["started"], row["job"]))


def by_rule(attempts: Iterable[Row]) -> list[Row]:
    """Rows of `COST`: attempts grouped by stage, rule, model and checkpoint."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in attempts:
        groups.setdefault(_key(row), []).append(row)
    return [_sum(groups[key]) for key in sorted(groups)]


def _sum(rows: Sequence[Row]) -> Row:
    """The row of a group."""
    first = rows[0]
    total: Row = {name: first[name] for name in ("stage", "rule", "model", "checkpoint")}
    total |= {"jobs": len({row["job"] for row in rows}), "attempts": len(rows)}
    total |= {name: round(sum(row[name] for row in rows), 3) for name in SUMMED}
    total["peak_memory_mb"] = max(row["peak_memory_mb"] for row in rows)
    # Of several attempts the successful one has the outputs.
    total["output_bytes"] = sum(row["output_bytes"] for row in rows if row["state"] == DONE)
    for name, combined in (("sacct_cpu_seconds", sum), ("sacct_peak_memory_mb", max)):
        known = [row[name] for row in rows if row[name] is not None]
        total[name] = round(combined(known), 3) if known else None
    return total


# --- SLURM ----------------------------------------------------------------------------------------


def seconds_of(time: str) -> float:
    """Seconds of a duration as sacct writes it: `[days-][hours:]minutes:seconds`."""
    days, _, rest = time.rpartition("-")
    value = 0.0
    for part in rest.split(":"):
        value = 60 * value + float(part or 0)
    return value + 86400 * int(days or 0)


def megabytes_of(size: str) -> float:
    """Megabytes (10^6 bytes) of a size as sacct writes it: `12345K`, `1.2G`; 0 for an empty text."""
    match = re.fullmatch(r"([\d.]+)([KMGT]?)", size)
    return float(match[1]) * _UNITS.get(match[2], 1e-6) if match else 0.0


def parse_sacct(text: str) -> dict[str, tuple[float, float]]:
    """CPU seconds and largest memory in MB by job, from lines `id|time|memory` of jobs and their
    steps.
    """
    usage: dict[str, tuple[float, float]] = {}
    for line in text.splitlines():
        step, time, memory = [*line.split("|"), "", ""][:3]
        job = step.partition(".")[0]
        seconds, megabytes = usage.get(job, (0.0, 0.0))
        usage[job] = max(seconds, seconds_of(time)), max(megabytes, megabytes_of(memory))
    return usage


def ask_sacct(jobs: Sequence[str]) -> dict[str, tuple[float, float]]:
    """What sacct knows of SLURM jobs, as `parse_sacct`; empty where sacct is missing or fails."""
    if not jobs or shutil.which("sacct") is None:
        return {}
    usage: dict[str, tuple[float, float]] = {}
    for start in range(0, len(jobs), _AT_A_TIME):
        names = ",".join(jobs[start : start + _AT_A_TIME])
        command = ["sacct", "--noheader", "--parsable2", "--format=JobID,TotalCPU,MaxRSS", f"--jobs={names}"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_SACCT_SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return usage
        usage |= parse_sacct(done.stdout) if done.returncode == 0 else {}
    return usage


def add_sacct(rows: Iterable[Row]) -> None:
    """Fill the columns of sacct of the rows whose SLURM job it knows."""
    rows = [row for row in rows if row["slurm_job"]]
    usage = ask_sacct(sorted({row["slurm_job"] for row in rows}))
    for row in rows:
        if row["slurm_job"] in usage:
            row["sacct_cpu_seconds"], row["sacct_peak_memory_mb"] = usage[row["slurm_job"]]
