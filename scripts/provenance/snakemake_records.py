"""What Snakemake 9 recorded of the jobs of a working directory: rule, inputs and log of every output file.

Records lie in `.snakemake/metadata`, one JSON file for each output, named by the URL-safe base64 of the output's path;
names that are too long for the file system continue in folders that start with `@`.
"""

import json
from base64 import urlsafe_b64decode
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.lib.job import InputError


@dataclass
class Job:
    """One executed job: its rule and its files, as paths in Snakemake's spelling, sorted, and when it
    started and ended, in seconds since 1970 (None where Snakemake has not recorded it).
    """

    rule: str
    inputs: list[str]
    outputs: list[str] = field(default_factory=list)
    started: float | None = None
    ended: float | None = None


def _output_of(record: Path, folder: Path) -> str:
    """The output file that a record describes."""
    parts = record.relative_to(folder).parts
    return urlsafe_b64decode("".join(part.removeprefix("@") for part in parts)).decode()


def read_records(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every output file with its record; records that another process is writing are skipped."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            try:
                record = json.loads(path.read_text(encoding="utf-8"))
            except json.JSONDecodeError:
                continue
            if record.get("rule"):
                yield _output_of(path, folder), record


def jobs_of(folder: Path) -> dict[str, Job]:
    """The job that wrote each output file; outputs of one job share one object.

    Raises `InputError` when Snakemake has no records.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is missing; run without --drop-metadata, which deletes the records of jobs")
    jobs: dict[tuple, Job] = {}
    writers: dict[str, Job] = {}
    for output, record in read_records(folder):
        # The log file identifies the job; the hash distinguishes an earlier run, which had other outputs.
        key = record["rule"], tuple(record["log"] or ()), record["job_hash"]
        times = record.get("starttime"), record.get("endtime")
        job = jobs.setdefault(key, Job(record["rule"], sorted(record["input"] or ()), [], *times))
        job.outputs.append(output)
        writers[output] = job
    for job in jobs.values():
        job.outputs.sort()
    return writers


def _neighbours(writers: dict[str, Job]) -> dict[str, list[Job]]:
    """Jobs by the folders of their outputs."""
    folders: dict[str, list[Job]] = defaultdict(list)
    for output, job in writers.items():
        folder = str(Path(output).parent)
        if job not in folders[folder]:
            folders[folder].append(job)
    return folders


def closure(targets: list[str], writers: dict[str, Job], results: str) -> list[Job]:
    """All jobs that contributed to `targets`, sorted by rule and outputs.

    A file below `results` without a record belongs to the only job that wrote into its folder, like
    the shards of a checkpoint, or else into the nearest folder above it; it is added to the outputs of
    that job. Raises `InputError` when there is no such job.
    """
    folders = _neighbours(writers)
    jobs: dict[int, Job] = {}
    waiting = list(targets)
    while waiting:
        path = waiting.pop()
        job = writers.get(path)
        if job is None and _is_below(path, results):
            job = _writer_into_folder(path, folders, results)
            job.outputs = sorted({*job.outputs, path})
            writers[path] = job
        if job is not None and id(job) not in jobs:
            jobs[id(job)] = job
            waiting.extend(job.inputs)
    return sorted(jobs.values(), key=lambda job: (job.rule, job.outputs))


def _is_below(path: str, folder: str) -> bool:
    return Path(path).is_relative_to(folder)


def _writer_into_folder(path: str, folders: dict[str, list[Job]], results: str) -> Job:
    parents = [str(folder) for folder in Path(path).parents if folder != Path(results)]
    jobs = next((folders[folder] for folder in parents if folder in folders), [])
    if len({job.rule for job in jobs}) != 1 or len(jobs) != 1:
        raise InputError(f"Snakemake has no record of the job that wrote {path}; delete the file and run again")
    return jobs[0]
