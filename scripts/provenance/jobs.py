"""What made what: every job behind the run's results, with its files and their digests, as `provenance/jobs.json`."""

import os
from pathlib import Path
from typing import Any

from scripts.lib.code import SCRIPTS
from scripts.lib.files import write_json
from scripts.lib.job import job
from scripts.provenance.digests import digest_all, files_in
from scripts.provenance.snakemake_records import Job, closure, jobs_of

PROJECT = "project/"
ROOT = SCRIPTS.parent
RECORDS = Path(".snakemake", "metadata")


def name_of(path: str | Path, results: str) -> str:
    """A path as the records spell it: relative to the results folder, or `project/` and relative to the project."""
    place = Path(path).resolve()
    inside = Path(results).resolve()
    if place.is_relative_to(inside):
        return place.relative_to(inside).as_posix()
    return PROJECT + Path(os.path.relpath(place, ROOT)).as_posix()


def expand(paths: list[str]) -> list[Path]:
    """Files for paths of files and folders, each once, sorted."""
    return sorted({file for path in paths for file in files_in(path)})


def record(jobs: list[Job], results: str, threads: int) -> dict[str, Any]:
    """The content of jobs.json: `jobs` with `rule`, `inputs` and `outputs`, `files` with digests by name, `removed`.

    Folders stand as their files. Outputs that were removed after use, as temporary files are, are in `removed`.
    """
    listed, named, removed = [], {}, set()
    for one in jobs:
        entry: dict[str, Any] = {"rule": one.rule}
        for side, paths in (("inputs", one.inputs), ("outputs", one.outputs)):
            removed.update(name_of(path, results) for path in paths if not Path(path).exists())
            files = {name_of(path, results): path for path in expand(paths)}
            entry[side] = sorted(files)
            named.update(files)
        listed.append(entry)
    digests = digest_all(list(named.values()), threads)
    listed.sort(key=lambda entry: (entry["rule"], entry["outputs"]))
    return {"jobs": listed, "files": {name: digests[path] for name, path in named.items()}, "removed": sorted(removed)}


if __name__ == "__main__":
    with job(snakemake):
        results = snakemake.config["results_dir"]
        found = closure(list(snakemake.input), jobs_of(RECORDS), results)
        write_json(snakemake.output[0], record(found, results, snakemake.threads))
