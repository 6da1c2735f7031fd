"""The run's RO-Crate: its entities, their links, and equal bytes for equal runs."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from scripts.lib.code_hash import SCRIPTS
from scripts.provenance import run_crate
from scripts.provenance.audit import path_of
from scripts.provenance.jobs import name_of
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
    "software": {"cc 1": {"version": "cc 1 LLVM 19", "rules": ["compile_shard", "unused"]}},
}


@pytest.fixture
def run():
    copies = [SNAKEFILE, *(WORKFLOW + part for entry in RULES.values() for part in entry.values() if part)]
    named = {name for entry in JOBS for name in (*entry["inputs"], *entry["outputs"]) if name != "removed/x"}
    files = dict.fromkeys([*copies, *named, CONFIG], DIGEST) | {"ir/C++/000.parquet": ROWS}
    citation = {"title": "t", "license": "MIT", "date-released": "2024-01-01"}
    return Run(JOBS, files, TOOLS, RULES, {HUB: ["a/b", "c0"]}, citation)


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
    assert graph["../ir/C%2B%2B/000.parquet"]["identifier"] == "rows-sha256:" + "1" * 64
    assert graph["../tables/scores.csv"]["sha256"] == "0" * 64
    assert graph["jobs.json"]["name"] == "jobs.json"
    assert graph["#removed/x"]["description"] == "removed after its last use"


def test_a_job_links_its_script_inputs_and_outputs(graph):
    (action,) = (entity for entity in graph.values() if entity.get("name") == "tables_scores: tables/scores.csv")
    assert action["instrument"] == {"@id": "workflow/scripts/tables/scores.py"}
    assert identifiers(action["object"]) == ["../ir/C%2B%2B/000.parquet", "#removed/x"]
    assert identifiers(action["result"]) == ["../tables/scores.csv"]
    assert {"@id": action["@id"]} in graph["./"]["mentions"]


def test_the_run_leads_from_files_of_no_job_to_the_results(graph):
    assert identifiers(graph["#run"]["object"]) == ["#project/resources/a%20b.txt", "config.yaml", "jobs.json"]
    assert identifiers(graph["#run"]["result"]) == ["../report.html", "../tables/scores.csv"]
    assert len(graph["#engine"]["object"]) == len(JOBS)


def test_scripts_name_the_software_that_their_rules_use(graph):
    assert identifiers(graph["workflow/scripts/compile/shard.py"]["softwareRequirements"]) == ["#software/cc%201"]
    assert identifiers(graph["workflow/scripts/tables/scores.py"]["softwareRequirements"]) == [
        "workflow/envs/tables.yaml"
    ]
    assert "softwareRequirements" not in graph["workflow/scripts/provenance/report.py"]
    assert graph["workflow/scripts/unused.py"]["@type"] == "File"


def test_the_workflow_has_a_step_for_each_rule_of_the_run(graph):
    steps = [graph[identifier]["name"] for identifier in identifiers(graph["workflow/Snakefile"]["step"])]
    assert steps == ["compile_shard", "provenance_report", "tables_scores"]


def test_repositories_of_a_hub_are_mentioned_with_their_commits(graph):
    assert (graph[HUB]["name"], graph[HUB]["version"]) == ("a/b", "c0")
    assert {"@id": HUB} in graph["./"]["mentions"]


def test_the_audit_finds_the_path_of_every_identifier(tmp_path, monkeypatch):
    project = SCRIPTS.parent
    for path in (run_crate.__file__, pa.__file__):
        assert path_of(f"#{name_of(path, 'results')}", tmp_path, project) == Path(path).resolve()
    assert not path_of("#package/no_such_package/x", tmp_path, project).exists()
    assert path_of("../pairs/C%2B%2B/a%20b", tmp_path, project) == tmp_path / "../pairs/C++/a b"
