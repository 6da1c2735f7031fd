"""Entities of the RO-Crate, as plain dictionaries of JSON-LD."""

import mimetypes
import uuid
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from scripts.provenance.jobs import PACKAGE, PROJECT, REMOVED

Entity = dict[str, Any]

CRATE = "https://w3id.org/ro/crate/1.1"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/provenance/0.5": ("Provenance Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
CONTEXT = [f"{CRATE}/context", "https://w3id.org/ro/terms/workflow-run/context"]
WORKFLOW = "workflow/Snakefile"
ENGINE = "#snakemake"
DONE = {"actionStatus": "http://schema.org/CompletedActionStatus"}
FORMATS = {
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


def reference(identifier: str) -> Entity:
    """A pointer to another entity."""
    return {"@id": identifier}


def references(identifiers: Iterable[str]) -> list[Entity] | Entity:
    """Pointers to other entities, each once, sorted; a single one stands alone, as compacted JSON-LD has it."""
    found = [reference(identifier) for identifier in sorted(set(identifiers))]
    return found[0] if len(found) == 1 else found


def result_id(name: str) -> str:
    """The identifier of a job's file: a path relative to the crate, or a fragment where the crate does not have it."""
    quoted = quote(name, safe="/+")
    if name.startswith((PROJECT, PACKAGE, REMOVED)):
        return f"#{quoted}"
    return quoted.removeprefix("provenance/") if name.startswith("provenance/") else f"../{quoted}"


def content_id(*names: str) -> str:
    """An identifier that hangs on the names alone."""
    return f"#{uuid.uuid5(uuid.NAMESPACE_URL, chr(10).join(names))}"


def encoding(name: str) -> str:
    """The media type of a file name."""
    suffix = PurePosixPath(name).suffix
    return FORMATS.get(suffix) or mimetypes.guess_type(name, strict=False)[0] or "text/plain"


def file_entity(identifier: str, digest: dict[str, Any]) -> Entity:
    """A file with its size and SHA-256, or with the digest of its rows where it also holds run times."""
    entity: Entity = {"@id": identifier, "@type": "File", "name": identifier.rpartition("/")[2]}
    entity["encodingFormat"] = encoding(identifier)
    if "rows_sha256" in digest:
        note = "SHA-256 over all columns but seconds, the run times"
        return {**entity, "identifier": f"rows-sha256:{digest['rows_sha256']}", "description": note}
    return {**entity, "contentSize": str(digest["bytes"]), "sha256": digest["sha256"]}


def removed_entity(name: str) -> Entity:
    """A file that was there while the run went and was removed after its last use."""
    entity = {"@id": result_id(name), "@type": "CreativeWork", "name": name.rpartition("/")[2]}
    return {**entity, "description": "removed after its last use"}


def mark_scripts(parts: list[Entity], scripts: dict[str, str], rules: dict[str, Any], tools: dict[str, Any]) -> None:
    """Make the scripts of rules, among the files, tools of the profile, with the software that they need."""
    needs: dict[str, list[str]] = {}
    for rule, script in scripts.items():
        software = [name for name, entry in tools["software"].items() if rule in entry["rules"]]
        needs.setdefault(script, []).extend([f"#software/{quote(name)}" for name in software])
        if rules[rule]["env"]:
            needs[script].append(f"workflow/{rules[rule]['env']}")
    for part in parts:
        if part["@id"] in needs:
            part["@type"] = ["File", "SoftwareSourceCode"]
            part["softwareRequirements"] = references(needs[part["@id"]])
            part["programmingLanguage"] = reference("#python")


def software(tools: dict[str, Any]) -> list[Entity]:
    """The programs that jobs ran, with their versions, and the languages of the workflow's files."""
    found: list[Entity] = [
        {"@id": f"#software/{quote(name)}", "@type": "SoftwareApplication", "name": name, "version": entry["version"]}
        for name, entry in tools["software"].items()
    ]
    version, python = tools["snakemake"], tools["python"]
    found.append({"@id": ENGINE, "@type": "SoftwareApplication", "name": "Snakemake", "version": version})
    language = {"@type": "ComputerLanguage", "url": reference("https://snakemake.readthedocs.io")}
    found.append({"@id": "#snakemake-language", "name": "Snakemake", "version": version, **language})
    found.append({"@id": "#python", "@type": "ComputerLanguage", "name": "Python", "version": python})
    return found


def _job_id(entry: dict[str, Any]) -> str:
    return content_id("job", entry["rule"], *entry["outputs"])


def job_actions(entry: dict[str, Any], scripts: dict[str, str]) -> list[Entity]:
    """The execution of one job, and the step of the workflow that it was."""
    identifier = _job_id(entry)
    action = {
        "@id": identifier,
        "@type": "CreateAction",
        "name": f"{entry['rule']}: {entry['outputs'][0]}",
        "description": f"{len(entry['outputs'])} files made of {len(entry['inputs'])} by the rule {entry['rule']}",
        "instrument": reference(scripts[entry["rule"]]),
        "object": references([result_id(name) for name in entry["inputs"]]),
        "result": references([result_id(name) for name in entry["outputs"]]),
        **DONE,
    }
    control = {
        "@id": content_id("control", identifier),
        "@type": "ControlAction",
        "name": f"run of {entry['rule']}",
        "instrument": reference(f"{WORKFLOW}#{entry['rule']}"),
        "object": reference(identifier),
        **DONE,
    }
    return [action, control]


def workflow(used: list[str], scripts: dict[str, str]) -> list[Entity]:
    """The steps of the workflow, and what makes its Snakefile, one of the files, the crate's main entity."""
    steps = [
        {
            "@id": f"{WORKFLOW}#{rule}",
            "@type": "HowToStep",
            "name": rule,
            "position": str(place),
            "workExample": reference(scripts[rule]),
        }
        for place, rule in enumerate(used)
    ]
    main = {
        "@id": WORKFLOW,
        "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
        "name": "IRCoder reproduction workflow",
        "programmingLanguage": reference("#snakemake-language"),
        "hasPart": references(scripts.values()),
        "step": references([step["@id"] for step in steps]),
        "input": references(["#parameter-config"]),
        "output": references(["#parameter-report", "#parameter-scores"]),
    }
    formal = [
        {"@id": f"#parameter-{name}", "@type": "FormalParameter", "name": name, "additionalType": "File"}
        | {"encodingFormat": encoding(f"x.{suffix}"), "conformsTo": reference(FORMAL)}
        for name, suffix in (("config", "yaml"), ("report", "html"), ("scores", "csv"))
    ]
    examples = {"config.yaml": "config", "../report.html": "report", "../tables/scores.csv": "scores"}
    shown = [{"@id": name, "exampleOfWork": reference(f"#parameter-{kind}")} for name, kind in examples.items()]
    return [main, *steps, *formal, *shown]


FORMAL = "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"


def run(jobs: list[dict[str, Any]], actions: list[Entity]) -> list[Entity]:
    """The execution of the whole workflow, and Snakemake's part in it."""
    made = {name for entry in jobs for name in entry["outputs"]}
    read = {name for entry in jobs for name in entry["inputs"]} - made
    used = {name for entry in jobs for name in entry["inputs"]}
    final = [result_id(name) for name in made - used]
    whole = {
        "@id": "#run",
        "@type": "CreateAction",
        "name": "run of the whole workflow",
        "description": f"{len(jobs)} jobs, from {len(read)} files of the project and the config to tables and report",
        "instrument": reference(WORKFLOW),
        "object": references(["config.yaml", *(result_id(name) for name in read)]),
        "result": references(["../report.html", "../tables/scores.csv", *final]),
        **DONE,
    }
    controls = [action["@id"] for action in actions if action["@type"] == "ControlAction"]
    engine = {"@id": "#engine", "@type": "OrganizeAction", "name": "run of Snakemake", "instrument": reference(ENGINE)}
    return [whole, {**engine, "object": references(controls), "result": reference("#run"), **DONE}]


def repositories(revisions: dict[str, list[str]]) -> list[Entity]:
    """Models and data sets of a hub at the commits that were used, by address, each as name and commit."""
    return [
        {"@id": address, "@type": "CreativeWork", "name": name, "version": commit, "url": reference(address)}
        for address, (name, commit) in sorted(revisions.items())
    ]


def roots(
    citation: dict[str, Any], parts: list[Entity], actions: list[Entity], sources: Iterable[Entity] = ()
) -> list[Entity]:
    """The crate's own description: what it is, its license, its parts, what was done, `sources` from elsewhere."""
    license = f"https://spdx.org/licenses/{citation['license']}"
    mentioned = [action["@id"] for action in actions if action["@type"] == "CreateAction"]
    inside = [part["@id"] for part in parts if not part["@id"].startswith("#")]
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": f"A run of: {citation['title']}",
        "description": "What went into a run, what was done, and every file that came out, with digests. "
        "The date is the workflow's release: a crate of equal results has equal bytes.",
        "datePublished": str(citation["date-released"]),
        "license": reference(license),
        "conformsTo": references(list(PROFILES)),
        "mainEntity": reference(WORKFLOW),
        "hasPart": references(inside),
        "mentions": references(["#run", "#engine", *mentioned, *(source["@id"] for source in sources)]),
    }
    descriptor = {
        "@id": "ro-crate-metadata.json",
        "@type": "CreativeWork",
        "about": reference("./"),
        "conformsTo": references([CRATE, "https://w3id.org/workflowhub/workflow-ro-crate/1.0"]),
    }
    profiles = [
        {"@id": identifier, "@type": "CreativeWork", "name": name, "version": version}
        for identifier, (name, version) in PROFILES.items()
    ]
    terms = {"@id": license, "@type": "CreativeWork", "name": citation["license"], "identifier": license}
    return [descriptor, root, *profiles, terms]


def merged(graph: list[Entity]) -> list[Entity]:
    """One entity for each identifier, later properties over earlier ones; types are joined."""
    found: dict[str, Entity] = {}
    for entity in graph:
        known = found.setdefault(entity["@id"], {})
        types = {kind for part in (known, entity) for kind in _types(part)}
        known.update(entity)
        known["@type"] = sorted(types) if len(types) > 1 else next(iter(types))
    return list(found.values())


def _types(entity: Entity) -> list[str]:
    kinds = entity.get("@type", [])
    return [kinds] if isinstance(kinds, str) else list(kinds)
