"""The run's RO-Crate: its entities, their links, and equal bytes for equal runs."""

import json
import subprocess
from pathlib import Path

import pyarrow as pa
import pytest

from scripts.provenance import crate, crate_entities, run_crate
from scripts.provenance.jobs import name_of, outside_path
from scripts.provenance.run_crate import CONFIG, SNAKEFILE, WORKFLOW, Run, build

DIGEST = {"bytes": 1, "sha256": "0" * 64}
ROWS = {"rows_sha256": "1" * 64}
HUB = "https://hub/a/b/tree/c0"
JOBS = [
    {"rule": "compile_shard", "inputs": ["project/resources/a b.txt"], "outputs": ["ir/C++/000.parquet", "removed/x"]},
    {"rule": "tables_scores", "inputs": ["ir/C++/000.parquet", "removed/x"], "outputs": ["tables/scores.csv"]},
    {"rule": "provenance_report", "inputs": ["tables/scores.csv", "provenance/jobs.json"], "outputs": ["report.html"]},
]
RULES = {
    "compile_shard": {"script": "scripts/compile/shard.py", "env": ""},
    "tables_scores": {"script": "scripts/tables/scores.py", "env": "envs/tables.yaml"},
    "provenance_report": {"script": "scripts/provenance/report.py", "env": ""},
    "unused": {"script": "scripts/unused.py", "env": ""},
}
TOOLS = {
    "snakemake": "9.27.1",
    "python": "3.11.2",
    "software": {
        "cc 1": {"version": "cc 1 LLVM 19", "url": None, "rules": ["compile_shard", "unused"]},
        "snakemake 9.27.1": {
            "version": "9.27.1",
            "url": "https://pypi.org/project/snakemake/9.27.1/",
            "rules": ["tables_scores"],
        },
    },
}
INPUT = "provenance/inputs/project/resources/a%20b.txt"
SCRIPT = "https://archive.softwareheritage.org/swh:1:cnt:"
# Seconds since 1970 of 1 January 2024 at 00:00:00 UTC.
NEW_YEAR = 1704067200


@pytest.fixture
def run():
    copies = [SNAKEFILE, *(WORKFLOW + part for entry in RULES.values() for part in entry.values() if part)]
    named = {name for entry in JOBS for name in (*entry["inputs"], *entry["outputs"]) if name != "removed/x"}
    files = dict.fromkeys([*copies, *named, CONFIG], DIGEST) | {"ir/C++/000.parquet": ROWS}
    authors = [{"name": "the developers"}]
    citation = {"title": "t", "license": "MIT", "date-released": "2020-01-01", "version": "1.0", "authors": authors}
    return Run(
        jobs=JOBS,
        files=files,
        tools=TOOLS,
        rules=RULES,
        revisions={HUB: ["a/b", "c0"]},
        citation=citation,
        outside={"project/resources/a b.txt": "provenance/inputs/project/resources/a b.txt"},
        content_ids={WORKFLOW + entry["script"]: f"swh:1:cnt:{rule}" for rule, entry in RULES.items()},
        times={"ir/C++/000.parquet": (NEW_YEAR, NEW_YEAR + 1.9), "report.html": (NEW_YEAR + 60.0, NEW_YEAR + 61.0)},
        agent="A. Person",
        version="1.0+abc.dirty",
    )


@pytest.fixture
def graph(run):
    return {entity["@id"]: entity for entity in build(run).metadata.generate()["@graph"]}


def identifiers(references):
    return [reference["@id"] for reference in references]


def test_equal_runs_have_equal_bytes(run):
    first, second = (json.dumps(build(run).metadata.generate()) for _ in range(2))
    assert first == second


def test_every_file_is_an_entity_of_its_own(run, graph):
    files = [entity for entity in graph.values() if "File" in entity["@type"]]
    assert len(files) == len(run.files)
    assert graph["ir/C%2B%2B/000.parquet"]["identifier"] == "rows-sha256:" + "1" * 64
    assert graph["tables/scores.csv"]["sha256"] == "0" * 64
    assert graph["provenance/jobs.json"]["name"] == "jobs.json"
    assert graph[INPUT]["alternateName"] == "project/resources/a b.txt"
    assert graph["#removed/x"]["description"] == "removed after its last use"


def test_a_file_that_changes_after_the_crate_was_written_has_no_digest():
    properties = crate_entities.file_properties("provenance/cost.csv", {})
    assert not {"sha256", "contentSize", "identifier"} & set(properties)


def test_a_job_links_its_script_inputs_and_outputs(graph):
    (action,) = (entity for entity in graph.values() if entity.get("name") == "tables_scores: tables/scores.csv")
    assert action["instrument"] == {"@id": f"{SCRIPT}tables_scores"}
    assert identifiers(action["object"]) == ["ir/C%2B%2B/000.parquet", "#removed/x"]
    assert action["result"] == {"@id": "tables/scores.csv"}
    assert {"@id": action["@id"]} in graph["./"]["mentions"]


def test_actions_have_the_times_of_their_jobs_and_an_agent(graph):
    (action,) = (entity for entity in graph.values() if str(entity.get("name")).startswith("compile_shard: "))
    assert (action["startTime"], action["endTime"]) == ("2024-01-01T00:00:00+00:00", "2024-01-01T00:00:01+00:00")
    run = graph["#run"]
    assert (run["startTime"], run["endTime"]) == ("2024-01-01T00:00:00+00:00", "2024-01-01T00:01:01+00:00")
    assert graph["./"]["datePublished"] == run["endTime"]
    assert graph[action["agent"]["@id"]]["name"] == "A. Person"
    (unknown,) = (entity for entity in graph.values() if entity.get("name") == "tables_scores: tables/scores.csv")
    assert "endTime" not in unknown


def test_the_workflow_has_the_version_with_its_commit(graph):
    workflow = graph["provenance/workflow/Snakefile"]
    assert workflow["version"] == "1.0+abc.dirty"
    assert graph[workflow["creator"]["@id"]]["name"] == "the developers"


def test_the_run_leads_from_files_of_no_job_to_the_results(graph):
    assert identifiers(graph["#run"]["object"]) == [INPUT, "provenance/config.yaml", "provenance/jobs.json"]
    assert identifiers(graph["#run"]["result"]) == ["report.html", "tables/scores.csv"]
    assert len(graph["#engine"]["object"]) == len(JOBS)


def test_scripts_name_the_software_that_their_rules_use(graph):
    assert graph[f"{SCRIPT}compile_shard"]["softwareRequirements"] == {"@id": "#software/cc%201"}
    assert identifiers(graph[f"{SCRIPT}tables_scores"]["softwareRequirements"]) == [
        "https://pypi.org/project/snakemake/9.27.1/",
        "provenance/workflow/envs/tables.yaml",
    ]
    assert "softwareRequirements" not in graph[f"{SCRIPT}provenance_report"]
    assert graph[f"{SCRIPT}tables_scores"]["encoding"] == {"@id": "provenance/workflow/scripts/tables/scores.py"}
    assert f"{SCRIPT}unused" not in graph


def test_the_workflow_has_a_step_for_each_rule_of_the_run(graph):
    steps = [graph[identifier]["name"] for identifier in identifiers(graph["provenance/workflow/Snakefile"]["step"])]
    assert steps == ["compile_shard", "provenance_report", "tables_scores"]


def test_repositories_of_a_hub_are_mentioned_with_their_commits(graph):
    assert (graph[HUB]["name"], graph[HUB]["version"]) == ("a/b", "c0")
    assert {"@id": HUB} in graph["./"]["mentions"]


def test_the_audit_finds_the_path_of_every_name(tmp_path):
    for path in (run_crate.__file__, pa.__file__):
        assert outside_path(name_of(path, "results")) == Path(path).resolve()
    assert not outside_path("package/no_such_package/x").exists()
    assert outside_path("project/../a", tmp_path / "project").resolve() == tmp_path / "a"


def test_small_inputs_are_copied_and_large_ones_named_by_their_digest(tmp_path, monkeypatch):
    monkeypatch.setattr(crate, "COPIED_BYTES", 4)
    monkeypatch.setattr(crate, "outside_path", lambda name: tmp_path / Path(name).name)
    (tmp_path / "a b").write_text("text")
    (tmp_path / "large").write_text("longer")
    names = ["project/../../a b", "package/large"]
    identifiers = crate.copy_inputs(tmp_path / "inputs", names)
    assert identifiers["project/../../a b"] == "provenance/inputs/project/outside/outside/a b"
    assert (tmp_path / "inputs/project/outside/outside/a b").read_text() == "text"
    # The SHA-256 of "longer", base64url without padding.
    digest = "c4NK3c7HX6_X1zcXyhYUoTJGUv-nC0tsRPo1muWmnas"
    assert identifiers["package/large"] == f"ni:///sha-256;{digest}?name=package/large"
    assert not (tmp_path / "inputs/package/large").exists()


def test_content_is_identified_as_git_identifies_it(tmp_path):
    path = tmp_path / "a.py"
    path.write_bytes(b"print('\xc3\xa9')\n")
    done = subprocess.run(["git", "hash-object", str(path)], capture_output=True, text=True, check=True)
    assert crate.heritage_id(path) == f"swh:1:cnt:{done.stdout.strip()}"
