"""A run as an RO-Crate of the Provenance Run profile, built with the library rocrate.

`build` adds the entities of RO-Crate 1.1 and Workflow Run RO-Crate 0.5: the workflow and its steps,
the software, one action a job, and every file with its size and SHA-256.
"""

import mimetypes
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from rocrate.model import ContextEntity, Entity
from rocrate.rocrate import ROCrate

from scripts.provenance.digests import ROWS, Digest
from scripts.provenance.jobs import PACKAGE, PROJECT, REMOVED

FOLDER = "provenance/"
WORKFLOW = f"{FOLDER}workflow/"
SNAKEFILE = f"{WORKFLOW}Snakefile"
CONFIG, REPORT, SCORES = f"{FOLDER}config.yaml", "report.html", "tables/scores.csv"
TERMS = "https://w3id.org/ro/terms/workflow-run/context"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/provenance/0.5": ("Provenance Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
DONE = {"actionStatus": "http://schema.org/CompletedActionStatus"}
MEDIA_TYPES = {
    ".parquet": "application/vnd.apache.parquet",
    ".jsonl": "application/jsonl",
    ".zst": "application/zstd",
    ".smk": "text/x-snakemake",
    ".safetensors": "application/octet-stream",
    ".tex": "application/x-tex",
    ".md": "text/markdown",
    ".yaml": "application/yaml",
    ".cff": "application/yaml",
}

# Files of the run by the name that jobs.json gives them.
Files = dict[str, Entity]


@dataclass(frozen=True)
class Run:
    """What the crate describes.

    `jobs` are entries of jobs.json, `files` maps a file's name there to its digest, `tools` is the
    content of tools.json, `rules` maps a rule to its `script` and `env` (paths in the project, `env`
    may be empty), `revisions` maps an address on a hub to repository and commit, and `citation` is
    the content of CITATION.cff.
    """

    jobs: list[dict[str, Any]]
    files: dict[str, Digest]
    tools: dict[str, Any]
    rules: dict[str, dict[str, str]]
    revisions: dict[str, list[str]]
    citation: dict[str, Any]

    @property
    def used_rules(self) -> list[str]:
        """Names of the rules that have a job, sorted."""
        return sorted({entry["rule"] for entry in self.jobs})

    def script_of(self, rule: str) -> str:
        """Name of the crate's copy of a rule's script."""
        return WORKFLOW + self.rules[rule]["script"]


def media_type(name: str) -> str:
    """The media type of a file by its name."""
    return MEDIA_TYPES.get(PurePosixPath(name).suffix) or mimetypes.guess_type(name, strict=False)[0] or "text/plain"


def content_id(*names: str) -> str:
    """An identifier that depends on the names only."""
    return f"#{uuid.uuid5(uuid.NAMESPACE_URL, chr(10).join(names))}"


def add_context(crate: ROCrate, identifier: str, kind: str, /, **properties: Any) -> Entity:
    """Add an entity that is no file of the crate."""
    return crate.add(ContextEntity(crate, identifier, properties={"@type": kind, **properties}))


def file_properties(name: str, digest: Digest) -> dict[str, Any]:
    """Name, media type, and size and SHA-256 of a file, or the digest of its rows if it holds run times."""
    properties = {"name": PurePosixPath(name).name, "encodingFormat": media_type(name)}
    if "rows_sha256" in digest:
        note = "SHA-256 over all columns except `seconds`, the run times"
        return {**properties, "identifier": ROWS + digest["rows_sha256"], "description": note}
    return {**properties, "contentSize": str(digest["bytes"]), "sha256": digest["sha256"]}


def path_in_crate(name: str) -> str:
    """The path of a result relative to the folder of the crate, `provenance/`."""
    return name.removeprefix(FOLDER) if name.startswith(FOLDER) else f"../{name}"


def add_file(crate: ROCrate, name: str, digest: Digest, is_script: bool = False) -> Entity:
    """Add a file; those of the project and of Python packages, which are not in the crate, as fragments."""
    properties = file_properties(name, digest)
    if name.startswith((PROJECT, PACKAGE)):
        return add_context(crate, f"#{quote(name)}", "File", **properties)
    if is_script:
        properties["@type"] = ["File", "SoftwareSourceCode"]
    return crate.add_file(dest_path=path_in_crate(name), properties=properties)


def add_removed(crate: ROCrate, name: str) -> Entity:
    """Add a temporary file, which existed only until its last use."""
    description = "removed after its last use"
    return add_context(crate, f"#{quote(name)}", "CreativeWork", name=PurePosixPath(name).name, description=description)


def add_files(crate: ROCrate, run: Run) -> Files:
    """Add all files of the run, sorted by name."""
    scripts = {run.script_of(rule) for rule in run.used_rules}
    files = {
        name: add_file(crate, name, digest, name in scripts)
        for name, digest in sorted(run.files.items())
        if name != SNAKEFILE
    }
    named = {name for entry in run.jobs for name in (*entry["inputs"], *entry["outputs"])}
    removed = sorted(name for name in named if name.startswith(REMOVED))
    return files | {name: add_removed(crate, name) for name in removed}


def add_software(crate: ROCrate, run: Run, files: Files) -> None:
    """Add the programs that jobs ran, with their versions, and name those that each rule's script needs."""
    python = add_context(crate, "#python", "ComputerLanguage", name="Python", version=run.tools["python"])
    needs: dict[str, dict[str, Entity]] = {run.script_of(rule): {} for rule in run.used_rules}
    for name, entry in run.tools["software"].items():
        program = add_context(
            crate, f"#software/{quote(name)}", "SoftwareApplication", name=name, version=entry["version"]
        )
        for rule in set(entry["rules"]).intersection(run.used_rules):
            needs[run.script_of(rule)][program.id] = program
    for rule in run.used_rules:
        if run.rules[rule]["env"]:
            environment = files[WORKFLOW + run.rules[rule]["env"]]
            needs[run.script_of(rule)][environment.id] = environment
    for script, requirements in needs.items():
        files[script]["programmingLanguage"] = python
        if requirements:
            files[script]["softwareRequirements"] = [requirements[identifier] for identifier in sorted(requirements)]


def add_workflow(crate: ROCrate, run: Run, files: Files) -> tuple[Entity, dict[str, Entity]]:
    """Add the Snakefile as the crate's main entity, with its steps and parameters; return it and the steps by rule."""
    properties = file_properties(SNAKEFILE, run.files[SNAKEFILE])
    properties["@type"] = ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"]
    properties["name"] = "IRCoder reproduction workflow"
    workflow = crate.add_workflow(
        dest_path=path_in_crate(SNAKEFILE),
        properties=properties,
        main=True,
        lang="snakemake",
        lang_version=run.tools["snakemake"],
    )
    steps = {}
    for position, rule in enumerate(run.used_rules):
        script, identifier = files[run.script_of(rule)], f"{workflow.id}#{rule}"
        steps[rule] = add_context(crate, identifier, "HowToStep", name=rule, position=str(position), workExample=script)
    workflow["step"] = list(steps.values())
    workflow["hasPart"] = [files[script] for script in sorted({run.script_of(rule) for rule in run.used_rules})]
    workflow["input"] = [add_parameter(crate, "config", files[CONFIG])]
    workflow["output"] = [
        add_parameter(crate, "report", files[REPORT]),
        add_parameter(crate, "scores", files[SCORES]),
    ]
    return workflow, steps


def add_parameter(crate: ROCrate, name: str, example: Entity) -> Entity:
    """Add an input or output of the workflow, of which the run's file is an example."""
    encoding = {"encodingFormat": example["encodingFormat"]}
    parameter = crate.add_formal_parameter(name, "File", identifier=f"#parameter-{name}", properties=encoding)
    example["exampleOfWork"] = parameter
    return parameter


def add_job(crate: ROCrate, entry: Mapping[str, Any], script: Entity, files: Files) -> Entity:
    """Add the execution of one job; `entry` is the job's entry in jobs.json."""
    inputs, outputs = entry["inputs"], entry["outputs"]
    properties = {
        "name": f"{entry['rule']}: {outputs[0]}",
        "description": f"the rule {entry['rule']} made {len(outputs)} files from {len(inputs)}",
        **DONE,
    }
    return crate.add_action(
        script,
        identifier=content_id("job", entry["rule"], *outputs),
        object=[files[name] for name in inputs],
        result=[files[name] for name in outputs],
        properties=properties,
    )


def add_control(crate: ROCrate, rule: str, step: Entity, action: Entity) -> Entity:
    """Add the link between a job's execution and the step of the workflow that it executes."""
    properties = {"@type": "ControlAction", "name": f"run of {rule}", **DONE}
    return crate.add_action(step, identifier=content_id("control", action.id), object=action, properties=properties)


def add_run(crate: ROCrate, run: Run, workflow: Entity, files: Files) -> Entity:
    """Add the execution of the whole workflow: from files that no job made to files that no job read."""
    outputs = {name for entry in run.jobs for name in entry["outputs"]}
    inputs = {name for entry in run.jobs for name in entry["inputs"]}
    sources, results = (inputs - outputs) | {CONFIG}, (outputs - inputs) | {REPORT, SCORES}
    description = f"{len(run.jobs)} jobs, from {len(sources)} files of the project and its config to tables and report"
    return crate.add_action(
        workflow,
        identifier="#run",
        object=[files[name] for name in sorted(sources)],
        result=[files[name] for name in sorted(results)],
        properties={"name": "run of the whole workflow", "description": description, **DONE},
    )


def add_engine(crate: ROCrate, version: str, controls: Iterable[Entity], run: Entity) -> Entity:
    """Add Snakemake and its part in the run: it executed the workflow's steps."""
    snakemake = add_context(crate, "#snakemake", "SoftwareApplication", name="Snakemake", version=version)
    properties = {"@type": "OrganizeAction", "name": "run of Snakemake", **DONE}
    return crate.add_action(snakemake, identifier="#engine", object=list(controls), result=run, properties=properties)


def describe(crate: ROCrate, citation: Mapping[str, Any]) -> None:
    """State what the crate is, its license and the profiles that it conforms to."""
    crate.metadata.extra_contexts.append(TERMS)
    crate.name = f"A run of: {citation['title']}"
    crate.description = (
        "The inputs of a run, its jobs, and every output file with its digest. "
        "The date is that of the workflow's release, so that crates of equal results have equal bytes."
    )
    crate.datePublished = citation["date-released"]
    address = f"https://spdx.org/licenses/{citation['license']}"
    crate.license = add_context(crate, address, "CreativeWork", name=citation["license"], identifier=address)
    crate.root_dataset["conformsTo"] = [
        add_context(crate, address, "CreativeWork", name=name, version=version)
        for address, (name, version) in PROFILES.items()
    ]


def build(run: Run) -> ROCrate:
    """The crate of a run; its metadata are `crate.metadata.generate()`."""
    crate = ROCrate(version="1.1")
    describe(crate, run.citation)
    files = add_files(crate, run)
    workflow, steps = add_workflow(crate, run, files)
    files[SNAKEFILE] = workflow
    add_software(crate, run, files)
    actions = [add_job(crate, entry, files[run.script_of(entry["rule"])], files) for entry in run.jobs]
    controls = [
        add_control(crate, entry["rule"], steps[entry["rule"]], action)
        for entry, action in zip(run.jobs, actions, strict=True)
    ]
    whole = add_run(crate, run, workflow, files)
    engine = add_engine(crate, run.tools["snakemake"], controls, whole)
    repositories = [
        add_context(crate, address, "CreativeWork", name=name, version=commit, url={"@id": address})
        for address, (name, commit) in sorted(run.revisions.items())
    ]
    crate.root_dataset["mentions"] = [whole, engine, *actions, *repositories]
    return crate
