"""Writes the run's RO-Crate, `provenance/ro-crate-metadata.json`, and a copy of the workflow next to it.

The crate names the workflow and its config, every tool with its version, every job with its input
and output files, and every file with its size and SHA-256. It holds no time of day, no path of a
machine and no random identifier, so that equal runs have equal crates.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from scripts.lib.code_hash import SCRIPTS
from scripts.lib.files import atomic_directory, read_json, write_json, write_text
from scripts.lib.job import job
from scripts.provenance.digests import digest_of
from scripts.provenance.jobs import RECORDS, name_of, record
from scripts.provenance.run_crate import Run, build
from scripts.provenance.snakemake_records import closure, jobs_of
from scripts.provenance.yaml_dump import yaml_dump

PROJECT = SCRIPTS.parent
STAGE = "provenance"
COPIED = ("Snakefile", "CITATION.cff", "LICENSE", "config", "envs", "rules", "scripts")


def project_files(scripts: Iterable[str]) -> list[Path]:
    """Paths of the workflow's files and of the rules' scripts, relative to the project, sorted."""
    paths = [PROJECT / name for name in COPIED]
    files = [file for path in paths for file in (path.rglob("*") if path.is_dir() else [path]) if file.is_file()]
    relative = (file.relative_to(PROJECT) for file in files if file.suffix != ".pyc")
    visible = {file for file in relative if not any(part.startswith((".", "__")) for part in file.parts)}
    return sorted(visible | set(map(Path, scripts)))


def copy_workflow(folder: str | Path, scripts: Iterable[str]) -> list[str]:
    """Copy the workflow's files into a folder; return their names in it."""
    names = project_files(scripts)
    with atomic_directory(folder) as temporary:
        for name in names:
            (temporary / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(PROJECT / name, temporary / name)
    return [name.as_posix() for name in names]


def jobs_of_this_stage(targets: list[str], results: str) -> list[dict[str, Any]]:
    """Entries for the jobs of this stage, which jobs.json cannot have, since it is one of their files."""
    jobs = [entry for entry in closure(targets, jobs_of(RECORDS), results) if entry.rule.startswith(STAGE)]
    return record(jobs, results, 1)["jobs"]


if __name__ == "__main__":
    with job() as snakemake:
        output, params, results = snakemake.output, snakemake.params, snakemake.config["results_dir"]
        write_text(output.config, yaml_dump(dict(params.config)))
        copied = copy_workflow(output.workflow, [entry["script"] for entry in params.rules.values()])
        paths = {f"{STAGE}/workflow/{name}": Path(output.workflow, name) for name in copied}
        paths |= {name_of(path, results): Path(path) for path in (output.config, *snakemake.input)}
        records = read_json(snakemake.input.jobs)
        run = Run(
            jobs=records["jobs"] + jobs_of_this_stage(list(snakemake.input), results),
            files=records["files"] | {name: digest_of(path) for name, path in paths.items()},
            tools=read_json(snakemake.input.tools),
            rules=params.rules,
            revisions=params.revisions,
            citation=yaml.safe_load((PROJECT / "CITATION.cff").read_text(encoding="utf-8")),
        )
        write_json(output.crate, build(run).metadata.generate())
