"""The run as an RO-Crate of the Provenance Run profile: `provenance/ro-crate-metadata.json`, the workflow beside it.

The crate (RO-Crate 1.1, Workflow Run RO-Crate 0.5) names the workflow and its config, every tool with its version,
every job with the files that went in and came out, and every file with its size and SHA-256. It holds no time of day,
no path of a machine and no random identifier, so that equal runs have equal crates.
"""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from scripts.lib.code_hash import SCRIPTS
from scripts.lib.files import atomic_directory, read_json, write_json, write_text
from scripts.lib.job import job
from scripts.provenance import entities
from scripts.provenance.digests import digest_of
from scripts.provenance.jobs import RECORDS, REMOVED, name_of, record
from scripts.provenance.snakemake_records import closure, jobs_of
from scripts.provenance.yaml_dump import readable_yaml

PROJECT = SCRIPTS.parent
STAGE = "provenance"
COPIED = ("Snakefile", "CITATION.cff", "LICENSE", "config", "envs", "rules", "scripts")


def project_files(scripts: Iterable[str]) -> list[Path]:
    """The workflow's own files, among them the rules' scripts, relative to the project, sorted."""
    places = [PROJECT / name for name in COPIED]
    files = [file for place in places for file in (place.rglob("*") if place.is_dir() else [place]) if file.is_file()]
    kept = (file.relative_to(PROJECT) for file in files if file.suffix != ".pyc")
    own = {file for file in kept if not any(part.startswith((".", "__")) for part in file.parts)}
    return sorted(own | set(map(Path, scripts)))


def copy_workflow(folder: str | Path, scripts: Iterable[str]) -> list[str]:
    """Copy the workflow's files into a folder; return their names in it."""
    names = project_files(scripts)
    with atomic_directory(folder) as temporary:
        for name in names:
            (temporary / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(PROJECT / name, temporary / name)
    return [name.as_posix() for name in names]


def own_jobs(targets: list[str], results: str) -> list[dict[str, Any]]:
    """The jobs of this stage behind its files, as jobs.json, which is one of these files, has the others."""
    jobs = [entry for entry in closure(targets, jobs_of(RECORDS), results) if entry.rule.startswith(STAGE)]
    return record(jobs, results, 1)["jobs"]


def crate(
    found: dict[str, Any],
    tools: dict[str, Any],
    own: dict[str, dict],
    rules: dict[str, dict],
    revisions: dict[str, list[str]],
) -> dict[str, Any]:
    """The JSON-LD document.

    `found` is the content of jobs.json with the jobs of this stage, `tools` that of tools.json, `own` maps names of
    files that jobs.json lacks to digests, `rules` maps a rule to its `script` and `env` (paths in the project),
    `revisions` an address on a hub to repository and commit.
    """
    files = {entities.result_id(name): digest for name, digest in (found["files"] | own).items()}
    used = {entry["rule"] for entry in found["jobs"]}
    scripts = {rule: f"workflow/{rules[rule]['script']}" for rule in used}
    parts = [entities.file_entity(name, digest) for name, digest in sorted(files.items())]
    named = {name for entry in found["jobs"] for name in (*entry["inputs"], *entry["outputs"])}
    parts += [entities.removed_entity(name) for name in sorted(named) if name.startswith(REMOVED)]
    entities.mark_scripts(parts, scripts, rules, tools)
    actions = [action for entry in found["jobs"] for action in entities.job_actions(entry, scripts)]
    citation = yaml.safe_load((PROJECT / "CITATION.cff").read_text(encoding="utf-8"))
    sources = entities.repositories(revisions)
    graph = [
        *entities.roots(citation, parts, actions, sources),
        *sources,
        *parts,
        *entities.workflow(sorted(used), scripts),
        *entities.software(tools),
        *entities.run(found["jobs"], actions),
        *actions,
    ]
    return {"@context": entities.CONTEXT, "@graph": entities.merged(graph)}


if __name__ == "__main__":
    with job() as snakemake:
        output, params, results = snakemake.output, snakemake.params, snakemake.config["results_dir"]
        write_text(output.config, readable_yaml(dict(params.config)))
        copied = copy_workflow(output.workflow, [entry["script"] for entry in params.rules.values()])
        beside = {f"{STAGE}/workflow/{name}": Path(output.workflow, name) for name in copied}
        beside |= {name_of(path, results): Path(path) for path in (output.config, *snakemake.input)}
        document = read_json(snakemake.input.jobs)
        document["jobs"] += own_jobs(list(snakemake.input), results)
        digests = {name: digest_of(path) for name, path in beside.items()}
        tools = read_json(snakemake.input.tools)
        write_json(output.crate, crate(document, tools, digests, params.rules, params.revisions))
