"""Records of the run: reading, following links, digests, outcomes and versions."""

import json
from base64 import urlsafe_b64encode

import pyarrow as pa
import pytest
import yaml

from scripts.lib import ledger
from scripts.lib.files import sha256_text
from scripts.lib.job import InputError
from scripts.lib.parquet import write_table
from scripts.lib.schemas.ledger import LEDGER
from scripts.provenance import outcomes, run_crate, tools
from scripts.provenance.digests import digest_of, files_in
from scripts.provenance.jobs import name_of, record
from scripts.provenance.lineage import lineage
from scripts.provenance.snakemake_records import Job, closure, jobs_of
from scripts.provenance.yaml_dump import yaml_dump
from tests.support.small_results import write_ledger, write_outcomes


def write_record(folder, output, rule, inputs, job_hash=1, **more):
    """A record as Snakemake writes it: names of more than 254 characters continue in a folder."""
    name = urlsafe_b64encode(output.encode()).decode()
    parts = [name[start : start + 254] for start in range(0, len(name), 254)]
    path = folder.joinpath(*(f"@{part}" for part in parts[:-1]), parts[-1])
    path.parent.mkdir(parents=True, exist_ok=True)
    entry = {"rule": rule, "input": inputs, "log": [f"{rule}.log"], "job_hash": job_hash}
    path.write_text(json.dumps(entry | more))


def test_records_are_read_back_with_long_and_unusual_names(tmp_path):
    names = ["results/C++/a b.txt", "results/" + "long" * 200, "results/ü"]
    for name in names:
        write_record(tmp_path, name, "make", ["in"])
    jobs = jobs_of(tmp_path)
    assert sorted(jobs) == sorted(names)
    assert all(job.outputs == sorted(names) and job.inputs == ["in"] for job in jobs.values())


def test_an_earlier_run_of_a_job_is_another_job(tmp_path):
    write_record(tmp_path, "new", "make", ["b"], job_hash=2)
    write_record(tmp_path, "old", "make", ["a"], job_hash=1)
    assert jobs_of(tmp_path)["new"].outputs == ["new"]


def test_a_record_being_written_is_skipped(tmp_path):
    write_record(tmp_path, "out", "make", [])
    (tmp_path / "aGFsZg==").write_text('{"rule": "ma')
    assert list(jobs_of(tmp_path)) == ["out"]


def test_missing_records_are_an_error(tmp_path):
    with pytest.raises(InputError, match="without --drop-metadata"):
        jobs_of(tmp_path / "metadata")


def test_closure_contains_only_jobs_that_contributed():
    first, second, other = Job("a", ["raw"], ["r/x"]), Job("b", ["r/x"], ["r/y"]), Job("c", [], ["r/z/w"])
    writers = {output: job for job in (first, second, other) for output in job.outputs}
    assert closure(["r/y"], writers, "r") == [first, second]


def test_files_next_to_the_outputs_of_a_job_belong_to_it():
    index, user = Job("read", [], ["r/C/shards.json"]), Job("compile", ["r/C/000.parquet"], ["r/ir.parquet"])
    writers = {"r/C/shards.json": index, "r/ir.parquet": user}
    assert [job.rule for job in closure(["r/ir.parquet"], writers, "r")] == ["compile", "read"]
    assert index.outputs == ["r/C/000.parquet", "r/C/shards.json"]


def test_files_in_a_folder_below_the_outputs_of_a_job_belong_to_it():
    index, user = Job("read", [], ["r/C/shards.json"]), Job("ir", ["r/C/modules/000.parquet"], ["r/ir.parquet"])
    closure(["r/ir.parquet"], {"r/C/shards.json": index, "r/ir.parquet": user}, "r")
    assert index.outputs == ["r/C/modules/000.parquet", "r/C/shards.json"]


def test_a_result_that_no_job_wrote_is_an_error():
    with pytest.raises(InputError, match="no record of the job that wrote r/stray/x"):
        closure(["r/stray/x"], {"r/y": Job("b", [], ["r/y"])}, "r")


def test_run_times_do_not_change_a_digest(tmp_path):
    write_outcomes(tmp_path / "one", seconds=0.5)
    write_outcomes(tmp_path / "two", seconds=99.5)
    tables = [tmp_path / name / "ir" / "C" / "000.parquet" for name in ("one", "two")]
    assert tables[0].read_bytes() != tables[1].read_bytes()
    assert digest_of(tables[0]) == digest_of(tables[1])
    assert list(digest_of(tables[0])) == ["rows_sha256"]


def test_any_other_cell_changes_the_digest_of_rows(tmp_path):
    schema = pa.schema([("id", pa.string()), ("seconds", pa.float64())])
    for name in ("a", "b"):
        write_table(tmp_path / f"{name}.parquet", [{"id": name, "seconds": 1.0}], schema)
    assert digest_of(tmp_path / "a.parquet") != digest_of(tmp_path / "b.parquet")


def test_digest_of_bytes(tmp_path):
    (tmp_path / "a.txt").write_text("text")
    assert digest_of(tmp_path / "a.txt") == {"bytes": 4, "sha256": sha256_text("text")}


def test_hidden_files_of_a_folder_are_left_out(tmp_path):
    for name in ("b/config.json", "a.txt", ".snakemake_timestamp", "b/.cache/x"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    assert [path.relative_to(tmp_path).as_posix() for path in files_in(tmp_path)] == ["a.txt", "b/config.json"]


def test_names_are_independent_of_the_machine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert name_of("results/pairs/C/perf.parquet", "results") == "pairs/C/perf.parquet"
    assert name_of(tmp_path / "results" / "x", str(tmp_path / "results")) == "x"
    assert name_of(run_crate.__file__, "results") == "project/scripts/provenance/run_crate.py"
    assert name_of(pa.__file__, "results") == "package/pyarrow/__init__.py"


def test_record_lists_the_files_of_folders_and_removed_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "r" / "model").mkdir(parents=True)
    (tmp_path / "r" / "model" / "config.json").write_text("{}")
    content = record([Job("train", ["r/scratch.txt"], ["r/model"])], "r", 1)
    assert content["jobs"] == [{"rule": "train", "inputs": ["removed/scratch.txt"], "outputs": ["model/config.json"]}]
    assert list(content["files"]) == ["model/config.json"]


JOBS = [
    {"rule": "read", "inputs": [], "outputs": ["sources"]},
    {"rule": "compile", "inputs": ["sources"], "outputs": ["ir/0"]},
    {"rule": "compile", "inputs": ["sources"], "outputs": ["ir/1"]},
    {"rule": "train", "inputs": ["ir/0", "ir/1"], "outputs": ["model"]},
    {"rule": "score", "inputs": ["model"], "outputs": ["scores/a.json"]},
]


def test_lineage_leads_from_a_score_to_the_sources():
    steps = [(step.rule, step.jobs) for step in lineage("scores/a.json", JOBS)]
    assert steps == [("score", 1), ("train", 1), ("compile", 2), ("read", 1)]


def test_outcomes_count_every_row_and_list_failures(tmp_path):
    ledgers = {language: str(tmp_path / "pairs" / language / "ledger.parquet") for language in ("C", "D")}
    for language in ledgers:
        write_ledger(tmp_path, language)
    content = outcomes.outcomes(ledgers)
    assert {(row["language"], row["variant"], row["status"]): row["count"] for row in content["counts"]} == {
        (language, variant, status): count
        for language in ("C", "D")
        for variant in ("perf", "size")
        for status, count in (("ok", 2), ("compile_error", 1))
    }
    assert content["compilers"]["C"] == [{"compiler": "cc 1.2", "llvm": "19.1.7"}]
    assert content["preparation"] == [{"language": "D", "programs": 3, "rewritten": 1, "before": 1, "after": 2}]
    named = ("language", "status", "path", "id", "variant", "message")
    assert [tuple(row[name] for name in named) for row in content["failures"]] == [
        (language, "compile_error", f"{language}/Source_{name}/source", name, variant, "source:1: error: <no> & never")
        for language, name in (("C", "c2"), ("D", "d2"))
        for variant in ("perf", "size")
    ]


def test_only_the_first_failures_are_listed(tmp_path, monkeypatch):
    monkeypatch.setattr(ledger, "_ROWS", 7)
    rows = [
        {"id": f"{number:04}", "path": str(number), "variant": "perf", "outcome": outcome, "detail": "no"}
        for number in range(1000)
        for outcome in ("timeout", "pair")
    ]
    write_table(tmp_path / "ledger.parquet", rows, LEDGER.schema)
    listed = outcomes.first_failures(str(tmp_path / "ledger.parquet"))["timeout"]
    assert [row["id"] for row in listed] == [f"{number:04}" for number in range(outcomes.NAMED)]


def test_pins_are_read_from_requirements_and_conda_files():
    lines = ["torch==2.13.0  # CPU", "python=3.11", "# no==pin", "pip", "rich>=3"]
    assert tools.pins(lines) == {"torch": "2.13.0", "python": "3.11"}


def test_conda_packages_name_the_rules_that_use_them():
    rules = {"tables_scores": {"script": "", "env": "envs/tables.yaml"}, "other": {"script": "", "env": ""}}
    content = tools.tools({"C": [{"compiler": "cc 1", "llvm": "19"}]}, rules, "conda", "9.27.1")
    assert content["software"]["python 3.11"] == {
        "version": "3.11",
        "url": "https://anaconda.org/conda-forge/python#3.11",
        "rules": ["tables_scores"],
    }
    assert content["software"]["cc 1"] == {"version": "cc 1 LLVM 19", "url": None, "rules": ["compile_shard"]}


def test_software_is_identified_by_an_address_of_its_version():
    assert tools.package_page("torch", "2.13.0+cpu") == "https://pypi.org/project/torch/2.13.0/"
    found = tools.compiler_versions({"C": [{"compiler": "clang 19.1.7", "llvm": "19.1.7"}]})
    assert found["clang 19.1.7"]["url"] == "https://clang.llvm.org/#clang%2019.1.7"


def test_host_packages_are_those_installed():
    packages = tools.host_packages()
    assert any(name.startswith("pyarrow ") for name in packages)
    assert not any(name.startswith("pytest ") for name in packages)


def test_yaml_keeps_values_and_lines():
    value = {"template": "### Diff:\n{diff}\n\n### Message:\n", "b": [1, 2.5, None, True, "yes"], "a": "plain"}
    text = yaml_dump(value)
    assert yaml.safe_load(text) == value
    assert text.index("a: plain") < text.index("template: |")
