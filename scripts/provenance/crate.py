"""The run as an RO-Crate of the Provenance Run profile: `provenance/ro-crate-metadata.json`, the workflow beside it.

The crate (RO-Crate 1.1, Workflow Run RO-Crate 0.5) names the workflow and its config, every tool with its version,
every job with the files that went in and came out, and every file with its size and SHA-256. It holds no time of day,
no path of a machine and no random identifier, so that equal runs have equal crates.
"""

import shutil
from pathlib import Path
from typing import Any

import yaml

from scripts.lib.code import SCRIPTS
from scripts.lib.files import atomic_directory, read_json, write_json, write_text
from scripts.lib.job import job
from scripts.provenance import entities
from scripts.provenance.digests import digest_of

PROJECT = SCRIPTS.parent
COPIED = ("Snakefile", "CITATION.cff", "LICENSE", "config", "envs", "rules", "scripts")


def project_files() -> list[Path]:
    """The workflow's own files, relative to the project, sorted."""
    places = [PROJECT / name for name in COPIED]
    files = [file for place in places for file in (place.rglob("*") if place.is_dir() else [place]) if file.is_file()]
    kept = (file.relative_to(PROJECT) for file in files if file.suffix != ".pyc")
    return sorted(file for file in kept if not any(part.startswith((".", "__")) for part in file.parts))


def copy_workflow(folder: str | Path) -> list[str]:
    """Copy the workflow's files into a folder; return their names in it."""
    names = project_files()
    with atomic_directory(folder) as temporary:
        for name in names:
            (temporary / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(PROJECT / name, temporary / name)
    return [name.as_posix() for name in names]


def crate(found: dict[str, Any], tools: dict[str, Any], own: dict[str, dict], rules: dict[str, dict]) -> dict[str, Any]:
    """The JSON-LD document.

    `found` is the content of jobs.json, `tools` that of tools.json, `own` maps names inside `provenance/` to digests
    (the workflow's copy, the config, the report), `rules` maps a rule to its `script` and `env` (paths in the project).
    """
    files = {entities.result_id(name): digest for name, digest in found["files"].items()} | own
    scripts = {rule: f"workflow/{entry['script']}" for rule, entry in rules.items()}
    parts = [entities.file_entity(name, digest) for name, digest in sorted(files.items())]
    parts += [entities.removed_entity(entities.result_id(name)) for name in found["removed"]]
    entities.mark_scripts(parts, scripts, rules, tools)
    used = sorted({entry["rule"] for entry in found["jobs"]})
    actions = [action for entry in found["jobs"] for action in entities.job_actions(entry, scripts)]
    citation = yaml.safe_load((PROJECT / "CITATION.cff").read_text(encoding="utf-8"))
    graph = [
        *entities.roots(citation, parts, actions),
        *parts,
        *entities.workflow(parts, used, scripts),
        *entities.software(tools),
        *entities.run(found["jobs"], actions),
        *actions,
    ]
    return {"@context": entities.CONTEXT, "@graph": entities.merged(graph)}


if __name__ == "__main__":
    with job(snakemake):
        output, inputs = snakemake.output, snakemake.input
        write_text(output.config, yaml.safe_dump(dict(snakemake.params.config), sort_keys=True, allow_unicode=True))
        copied = {f"workflow/{name}": Path(output.workflow, name) for name in copy_workflow(output.workflow)}
        beside = {"config.yaml": output.config, "jobs.json": inputs.jobs, "tools.json": inputs.tools, **copied}
        beside |= {"../report.html": inputs.report, "outcomes.json": inputs.outcomes}
        digests = {name: digest_of(path) for name, path in beside.items()}
        document = crate(read_json(inputs.jobs), read_json(inputs.tools), digests, snakemake.params.rules)
        write_json(output.crate, document)
