"""What made what: every job behind the run's results, with its files and their digests, as `provenance/jobs.json`."""

import os
from pathlib import Path
from typing import Any

from scripts.lib.code_hash import SCRIPTS
from scripts.lib.files import write_json
from scripts.lib.job import job
from scripts.provenance.digests import digest_all, files_in
from scripts.provenance.snakemake_records import Job, closure, jobs_of

# What stands before the names of the project's own files, of files of Python packages, and of files that are gone.
PROJECT, PACKAGE, REMOVED = "project/", "package/", "removed/"
SITE = "site-packages"
ROOT = SCRIPTS.parent
RECORDS = Path(".snakemake", "metadata")


def name_of(path: str | Path, results: str) -> str:
    """A path as the records spell it, free of places of this machine.

    Results are relative to their folder; `project/` stands before a path relative to the project, `package/` before one
    in an installed Python package.
    """
    place = Path(path).resolve()
    if SITE in place.parts:
        return PACKAGE + Path(*place.parts[place.parts.index(SITE) + 1 :]).as_posix()
    inside = Path(results).resolve()
    if place.is_relative_to(inside):
        return place.relative_to(inside).as_posix()
    return PROJECT + Path(os.path.relpath(place, ROOT)).as_posix()


def named_files(paths: list[str], results: str) -> dict[str, Path | None]:
    """Files behind paths of files and folders, by name; a removed one is `removed/` and its name, and has no path."""
    found: dict[str, Path | None] = {}
    for path in paths:
        files = files_in(path)
        found |= {name_of(file, results): file for file in files}
        if not files and not Path(path).is_dir():
            found[REMOVED + name_of(path, results)] = None
    return found


def record(jobs: list[Job], results: str, threads: int) -> dict[str, Any]:
    """The content of jobs.json: `jobs` with `rule`, `inputs` and `outputs`, and `files` with digests, both by name.

    Folders stand as their files. What was removed after its last use, as temporary files are, has no digest.
    """
    listed = []
    named: dict[str, Path | None] = {}
    for one in jobs:
        inputs, outputs = named_files(one.inputs, results), named_files(one.outputs, results)
        listed.append({"rule": one.rule, "inputs": sorted(inputs), "outputs": sorted(outputs)})
        named |= inputs | outputs
    there = {name: path for name, path in named.items() if path is not None}
    digests = digest_all(list(there.values()), threads)
    listed.sort(key=lambda entry: (entry["rule"], entry["outputs"]))
    return {"jobs": listed, "files": {name: digests[path] for name, path in there.items()}}


if __name__ == "__main__":
    with job() as snakemake:
        results = snakemake.config["results_dir"]
        found = closure(list(snakemake.input), jobs_of(RECORDS), results)
        write_json(snakemake.output[0], record(found, results, snakemake.threads))
