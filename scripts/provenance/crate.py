"""Writes the run's RO-Crate, `ro-crate-metadata.json`, with the folder of results as its root.

The crate names the workflow and its config, every tool with its version, every job with its input
and output files, when it ran and for whom, and every file with its size and SHA-256. All of these
files are below the results: copies of the workflow and of inputs are in `provenance/`. A large
input is not copied, but named by a URI that its digest determines.

Jobs, files and digests are equal in the crates of equal runs; times, agent and commit may differ.
"""

import getpass
import hashlib
import os
import shutil
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from scripts.lib.code_hash import SCRIPTS
from scripts.lib.files import atomic_directory, read_json, sha256_file, write_json, write_text
from scripts.lib.job import job
from scripts.provenance.crate_entities import NAMED_BY_DIGEST, Times
from scripts.provenance.digests import Digest, digest_of
from scripts.provenance.jobs import PACKAGE, RECORDS, name_of, named_files, outside_path, record
from scripts.provenance.jobs import PROJECT as OF_PROJECT
from scripts.provenance.run_crate import WORKFLOW, Run, build
from scripts.provenance.run_record import commit_of, git_user
from scripts.provenance.snakemake_records import Job, closure, jobs_of
from scripts.provenance.yaml_dump import yaml_dump

PROJECT = SCRIPTS.parent
STAGE = "provenance"
COPIED = ("Snakefile", "CITATION.cff", "LICENSE", "config", "envs", "rules", "scripts")
INPUTS = f"{STAGE}/inputs"
# Inputs of at most so many bytes are copied into the crate.
COPIED_BYTES = 10_000_000


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


def name_by_digest(path: Path, name: str) -> str:
    """The URI of a file by its SHA-256 (RFC 6920), with its name, since two files may be equal."""
    digest = urlsafe_b64encode(bytes.fromhex(sha256_file(path))).decode().rstrip("=")
    return f"{NAMED_BY_DIGEST}{digest}?name={quote(name)}"


def copy_inputs(folder: str | Path, names: Iterable[str]) -> dict[str, str]:
    """Copy files that are no results into a folder of the crate, large ones excepted; return their
    identifiers by name.
    """
    identifiers = {}
    with atomic_directory(folder) as temporary:
        for name in sorted(names):
            path, copy = outside_path(name), name.replace("../", "outside/")
            if path.stat().st_size > COPIED_BYTES:
                identifiers[name] = name_by_digest(path, name)
                continue
            (temporary / copy).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, temporary / copy)
            identifiers[name] = f"{INPUTS}/{copy}"
    return identifiers


def heritage_id(path: Path) -> str:
    """The identifier of a file's content at Software Heritage, which is Git's digest of it."""
    content = path.read_bytes()
    blob = f"blob {len(content)}\0".encode() + content
    return f"swh:1:cnt:{hashlib.sha1(blob, usedforsecurity=False).hexdigest()}"


def times_of(jobs: list[Job], results: str) -> dict[str, Times]:
    """Start and end of each job, by each of its outputs."""
    return {name: (job.started, job.ended) for job in jobs for name in named_files(job.outputs, results)}


def version_of(release: Any) -> str:
    """The workflow's version: its release, and where known the commit and whether files differ from it."""
    commit, changed = commit_of(PROJECT)
    return f"{release}+{commit}{'.dirty' if changed else ''}" if commit else str(release)


def agent_name() -> str:
    """Whoever started the run: the name in Git's settings, or else the account."""
    try:
        return git_user(PROJECT) or getpass.getuser()
    except (KeyError, OSError):  # an account without a name
        return f"user {os.getuid()}"


if __name__ == "__main__":
    with job() as snakemake:
        output, params, results = snakemake.output, snakemake.params, snakemake.config["results_dir"]
        write_text(output.config, yaml_dump(dict(params.config)))
        scripts = sorted({entry["script"] for entry in params.rules.values()})
        copied = copy_workflow(output.workflow, scripts)
        paths = {WORKFLOW + name: Path(output.workflow, name) for name in copied}
        paths |= {name_of(path, results): Path(path) for path in (output.config, *snakemake.input)}
        records = read_json(snakemake.input.jobs)
        jobs = closure(list(snakemake.input), jobs_of(RECORDS), results)
        # jobs.json cannot have the jobs of this stage, since it is one of their files.
        own = record([entry for entry in jobs if entry.rule.startswith(STAGE)], results, 1)["jobs"]
        # What the run cost is written again at its end, so no digest of it would hold.
        unrecorded: dict[str, Digest] = {name: {} for entry in own for name in entry["outputs"]}
        citation = yaml.safe_load((PROJECT / "CITATION.cff").read_text(encoding="utf-8"))
        run = Run(
            jobs=records["jobs"] + own,
            files=unrecorded | records["files"] | {name: digest_of(path) for name, path in paths.items()},
            tools=read_json(snakemake.input.tools),
            rules=params.rules,
            revisions=params.revisions,
            citation=citation,
            outside=copy_inputs(
                output.inputs, [name for name in records["files"] if name.startswith((OF_PROJECT, PACKAGE))]
            ),
            content_ids={WORKFLOW + name: heritage_id(PROJECT / name) for name in scripts},
            times=times_of(jobs, results),
            agent=agent_name(),
            version=version_of(citation["version"]),
        )
        write_json(output.crate, build(run).metadata.generate())
