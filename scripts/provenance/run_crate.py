"""A run as an RO-Crate of the Provenance Run profile, built with the library rocrate.

`build` adds the entities of RO-Crate 1.1 and Workflow Run RO-Crate 0.5: the workflow and its steps,
the software, one action per job, and every file with its size and SHA-256.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from rocrate.model import Entity
from rocrate.rocrate import ROCrate

from scripts.provenance.crate_entities import (
    Times,
    add_context,
    add_file,
    add_removed,
    file_properties,
    id_of_names,
    references,
    time_properties,
    time_text,
)
from scripts.provenance.digests import Digest
from scripts.provenance.jobs import REMOVED
from scripts.provenance.tools import package_page

METADATA = "ro-crate-metadata.json"
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
# Start of the URI of a source text by its content.
SOFTWARE_HERITAGE = "https://archive.softwareheritage.org/"
DONE = {"actionStatus": "http://schema.org/CompletedActionStatus"}

# Files of the run by the name that jobs.json gives them.
Files = dict[str, Entity]


@dataclass(frozen=True)
class Run:
    """What the crate describes.

    `jobs` are entries of jobs.json, `files` maps a file's name there to its digest, `tools` is the
    content of tools.json, `rules` maps a rule to its `script` and `env` (paths in the project, `env`
    may be empty), `revisions` maps an address on a hub to repository and commit, and `citation` is
    the content of CITATION.cff. `outside` maps the name of a file outside the results to its
    identifier: the path of a copy in the crate, or a URI. `content_ids` has the identifier of each
    script's text at Software Heritage, by script. `times` are those of the jobs by their first
    output, `agent` is the name of whoever started them, and `version` is the workflow's, with the
    commit and whether files differed from it.
    """

    jobs: list[dict[str, Any]]
    files: dict[str, Digest]
    tools: dict[str, Any]
    rules: dict[str, dict[str, str]]
    revisions: dict[str, list[str]]
    citation: dict[str, Any]
    outside: dict[str, str]
    content_ids: dict[str, str]
    times: dict[str, Times]
    agent: str
    version: str

    @property
    def used_rules(self) -> list[str]:
        """Names of the rules that have a job, sorted."""
        return sorted({entry["rule"] for entry in self.jobs})

    def script_of(self, rule: str) -> str:
        """Name of the crate's copy of a rule's script."""
        return WORKFLOW + self.rules[rule]["script"]

    @property
    def period(self) -> Times:
        """When the first job started and the last one ended."""
        starts = [start for start, _ in self.times.values() if start is not None]
        ends = [end for _, end in self.times.values() if end is not None]
        return min(starts, default=None), max(ends, default=None)


def add_files(crate: ROCrate, run: Run) -> Files:
    """Add all files of the run, sorted by name."""
    files = {
        name: add_file(crate, name, digest, run.outside.get(name))
        for name, digest in sorted(run.files.items())
        if name != SNAKEFILE
    }
    named = {name for entry in run.jobs for name in (*entry["inputs"], *entry["outputs"])}
    removed = sorted(name for name in named if name.startswith(REMOVED))
    return files | {name: add_removed(crate, name) for name in removed}


def add_scripts(crate: ROCrate, run: Run, files: Files) -> Files:
    """Add the source text of each rule's script, under an identifier that its content determines;
    return them by the name of the copy in the crate, which is an encoding of the text.
    """
    scripts: Files = {}
    for name in sorted({run.script_of(rule) for rule in run.used_rules}):
        address = SOFTWARE_HERITAGE + run.content_ids[name]
        properties = {"name": name.removeprefix(WORKFLOW), "version": str(run.citation["version"]), "url": address}
        scripts[name] = add_context(crate, address, "SoftwareSourceCode", encoding=files[name], **properties)
    return scripts


def add_program(crate: ROCrate, name: str, version: str, url: str | None) -> Entity:
    """Add a program under its address, or under its name where no address is known."""
    known = {"url": url} if url else {}
    identifier = url or f"#software/{quote(name)}"
    return add_context(crate, identifier, "SoftwareApplication", name=name, version=version, **known)


def add_software(crate: ROCrate, run: Run, files: Files, scripts: Files) -> None:
    """Add the programs that jobs ran, with their versions, and name those that each rule's script needs."""
    python = add_context(crate, "#python", "ComputerLanguage", name="Python", version=run.tools["python"])
    needs: dict[str, dict[str, Entity]] = {name: {} for name in scripts}
    for name, entry in run.tools["software"].items():
        program = add_program(crate, name, entry["version"], entry["url"])
        for rule in set(entry["rules"]).intersection(run.used_rules):
            needs[run.script_of(rule)][program.id] = program
    for rule in run.used_rules:
        if run.rules[rule]["env"]:
            environment = files[WORKFLOW + run.rules[rule]["env"]]
            needs[run.script_of(rule)][environment.id] = environment
    for script, requirements in needs.items():
        scripts[script]["programmingLanguage"] = python
        if requirements:
            needed = references(requirements[identifier] for identifier in sorted(requirements))
            scripts[script]["softwareRequirements"] = needed


def add_workflow(crate: ROCrate, run: Run, files: Files, scripts: Files) -> tuple[Entity, dict[str, Entity]]:
    """Add the Snakefile as the crate's main entity, with its steps and parameters; return it and the steps by rule."""
    properties = file_properties(SNAKEFILE, run.files[SNAKEFILE])
    properties["@type"] = ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"]
    properties |= {"name": run.citation["title"], "version": run.version}
    workflow = crate.add_workflow(
        dest_path=SNAKEFILE,
        properties=properties,
        main=True,
        lang="snakemake",
        lang_version=run.tools["snakemake"],
    )
    steps = {}
    for position, rule in enumerate(run.used_rules):
        script, identifier = scripts[run.script_of(rule)], f"{workflow.id}#{rule}"
        steps[rule] = add_context(crate, identifier, "HowToStep", name=rule, position=str(position), workExample=script)
    workflow["step"] = references(steps.values())
    workflow["hasPart"] = references(scripts.values())
    workflow["creator"] = references(
        add_context(crate, f"#developers-{position}", "Organization", name=author["name"])
        for position, author in enumerate(run.citation["authors"], start=1)
    )
    workflow["license"] = crate.license
    workflow["input"] = add_parameter(crate, "config", files[CONFIG])
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


def add_job(
    crate: ROCrate, entry: Mapping[str, Any], script: Entity, files: Files, circumstances: dict[str, Any]
) -> Entity:
    """Add the execution of one job; `entry` is the job's entry in jobs.json, and `circumstances` are
    its times and agent.
    """
    inputs, outputs = entry["inputs"], entry["outputs"]
    properties = {
        "name": f"{entry['rule']}: {outputs[0]}",
        "description": f"the rule {entry['rule']} made {len(outputs)} files from {len(inputs)}",
        **DONE,
        **circumstances,
    }
    action = crate.add_action(
        script,
        identifier=id_of_names("job", entry["rule"], *outputs),
        result=references(files[name] for name in outputs),
        properties=properties,
    )
    if inputs:
        action["object"] = references(files[name] for name in inputs)
    return action


def add_control(crate: ROCrate, rule: str, step: Entity, action: Entity) -> Entity:
    """Add the link between a job's execution and the step of the workflow that it executes."""
    properties = {"@type": "ControlAction", "name": f"run of {rule}", **DONE}
    return crate.add_action(step, identifier=id_of_names("control", action.id), object=action, properties=properties)


def add_run(crate: ROCrate, run: Run, workflow: Entity, files: Files, agent: Entity) -> Entity:
    """Add the execution of the whole workflow: from files that no job made to files that no job read."""
    outputs = {name for entry in run.jobs for name in entry["outputs"]}
    inputs = {name for entry in run.jobs for name in entry["inputs"]}
    sources, results = (inputs - outputs) | {CONFIG}, (outputs - inputs) | {REPORT, SCORES}
    description = f"{len(run.jobs)} jobs, from {len(sources)} files of the project and its config to tables and report"
    properties = {"name": "run of the whole workflow", "description": description, "agent": agent, **DONE}
    return crate.add_action(
        workflow,
        identifier="#run",
        object=references(files[name] for name in sorted(sources)),
        result=references(files[name] for name in sorted(results)),
        properties=properties | time_properties(run.period),
    )


def add_engine(crate: ROCrate, run: Run, controls: Iterable[Entity], whole: Entity, agent: Entity) -> Entity:
    """Add Snakemake and its part in the run: it executed the workflow's steps."""
    version = run.tools["snakemake"]
    snakemake = add_program(crate, "Snakemake", version, package_page("snakemake", version))
    properties = {"@type": "OrganizeAction", "name": "run of Snakemake", "agent": agent, **DONE}
    properties |= time_properties(run.period)
    listed = references(controls)
    return crate.add_action(snakemake, identifier="#engine", object=listed, result=whole, properties=properties)


def describe(crate: ROCrate, run: Run, agent: Entity) -> None:
    """State what the crate is, who made it and when, its license and the profiles that it conforms to."""
    citation, (_, ended) = run.citation, run.period
    crate.metadata.extra_contexts.append(TERMS)
    crate.name = f"A run of: {citation['title']}"
    crate.description = "The inputs of a run, its jobs, and every output file with its digest."
    crate.datePublished = citation["date-released"] if ended is None else time_text(ended)
    crate.root_dataset["author"] = agent
    address = f"https://spdx.org/licenses/{citation['license']}"
    crate.license = add_context(crate, address, "CreativeWork", name=citation["license"], identifier=address)
    crate.root_dataset["conformsTo"] = [
        add_context(crate, address, "CreativeWork", name=name, version=version)
        for address, (name, version) in PROFILES.items()
    ]


def build(run: Run) -> ROCrate:
    """The crate of a run; its metadata are `crate.metadata.generate()`."""
    crate = ROCrate(version="1.1")
    agent = add_context(crate, "#agent", "Person", name=run.agent)
    describe(crate, run, agent)
    files = add_files(crate, run)
    scripts = add_scripts(crate, run, files)
    workflow, steps = add_workflow(crate, run, files, scripts)
    files[SNAKEFILE] = workflow
    add_software(crate, run, files, scripts)
    actions = []
    for entry in run.jobs:
        circumstances = {"agent": agent} | time_properties(run.times.get(entry["outputs"][0], (None, None)))
        actions.append(add_job(crate, entry, scripts[run.script_of(entry["rule"])], files, circumstances))
    controls = [
        add_control(crate, entry["rule"], steps[entry["rule"]], action)
        for entry, action in zip(run.jobs, actions, strict=True)
    ]
    whole = add_run(crate, run, workflow, files, agent)
    engine = add_engine(crate, run, controls, whole, agent)
    repositories = [
        add_context(crate, address, "CreativeWork", name=name, version=commit, url={"@id": address})
        for address, (name, commit) in sorted(run.revisions.items())
    ]
    crate.root_dataset["mentions"] = [whole, engine, *actions, *repositories]
    return crate
