"""Records every job of the run, with its files and their digests: `provenance/jobs.json`."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from scripts.lib.code_hash import SCRIPTS
from scripts.lib.files import write_json
from scripts.lib.job import job
from scripts.provenance.digests import digest_all, files_in
from scripts.provenance.snakemake_records import Job, closure, jobs_of

# Prefixes of the names of the project's files, of files of Python packages, and of removed files.
PROJECT, PACKAGE, REMOVED = "project/", "package/", "removed/"
SITE = "site-packages"
ROOT = SCRIPTS.parent
RECORDS = Path(".snakemake", "metadata")


def name_of(path: str | Path, results: str) -> str:
    """The name of a file in the records, which is the same on every machine.

    Results are named relative to their folder, other files relative to the project with the prefix
    `project/`, and files of installed Python packages with the prefix `package/`.
    """
    absolute = Path(path).resolve()
    if SITE in absolute.parts:
        return PACKAGE + Path(*absolute.parts[absolute.parts.index(SITE) + 1 :]).as_posix()
    folder = Path(results).resolve()
    if absolute.is_relative_to(folder):
        return absolute.relative_to(folder).as_posix()
    return PROJECT + Path(os.path.relpath(absolute, ROOT)).as_posix()


def outside_path(name: str, project: Path = ROOT) -> Path:
    """The path of a file that is no result, by its name in the records; it may not exist."""
    if name.startswith(PACKAGE):
        package, *rest = name.removeprefix(PACKAGE).split("/")
        spec = find_spec(package)
        return Path(spec.origin if spec and spec.origin else f"missing/{package}/__init__.py").parent.joinpath(*rest)
    return project / name.removeprefix(PROJECT)


def named_files(paths: list[str], results: str) -> dict[str, Path | None]:
    """The files at paths of files and folders, by name.

    A removed file is named with the prefix `removed/` and has no path.
    """
    named: dict[str, Path | None] = {}
    for path in paths:
        files = files_in(path)
        named |= {name_of(file, results): file for file in files}
        if not files and not Path(path).is_dir():
            named[REMOVED + name_of(path, results)] = None
    return named


def record(jobs: list[Job], results: str, threads: int) -> dict[str, Any]:
    """The content of jobs.json: `jobs` with `rule`, `inputs` and `outputs`, and `files` with digests, both by name.

    Folders are replaced by their files. Temporary files, which were removed after their last use,
    have no digest.
    """
    entries = []
    named: dict[str, Path | None] = {}
    for one in jobs:
        inputs, outputs = named_files(one.inputs, results), named_files(one.outputs, results)
        entries.append({"rule": one.rule, "inputs": sorted(inputs), "outputs": sorted(outputs)})
        named |= inputs | outputs
    paths = {name: path for name, path in named.items() if path is not None}
    digests = digest_all(list(paths.values()), threads)
    entries.sort(key=lambda entry: (entry["rule"], entry["outputs"]))
    return {"jobs": entries, "files": {name: digests[path] for name, path in paths.items()}}


if __name__ == "__main__":
    with job() as snakemake:
        results = snakemake.config["results_dir"]
        jobs = closure(list(snakemake.input), jobs_of(RECORDS), results)
        write_json(snakemake.output[0], record(jobs, results, snakemake.threads))
