"""Tables, records, report, crate and audit by their rules, on small fixed results."""

import json
import re
import shutil
import subprocess
import sys
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
import rocrate

from scripts.lib.files import read_json, sha256_file, write_json
from scripts.lib.parquet import read_table, write_table
from scripts.provenance.audit import audit
from tests.support.equal_results import CRATE, same_times
from tests.support.small_results import MODEL
from tests.workflow.small_run.driver import copy_project, edited, planned, run

BENCHMARKS = ["validation", "humaneval", "multipl-e"]
AUDIT = "results/provenance/audit.txt"
# Files that are made again with any table, because they describe all tables.
ABOUT = {"jobs.json", "report.html", "config.yaml", "audit.txt", "ro-crate-metadata.json", "workflow", "inputs"}
ABOUT |= {"cost.csv", "job_costs.csv", "cost.html", "timeline.svg"}
# What roc-validator recommends and the crate lacks (docs/reference/results.md): the first two of the
# workflow itself and of the compilers that only this test has.
RECOMMENDED = [
    "The SoftwareApplication id SHOULD be an absolute URI",
    "The Application SHOULD have a url",
    "The README.md SHOULD be about the crate",
    "The README.md SHOULD have text/markdown as its encodingFormat",
    "The Main Workflow SHOULD comply with Bioschemas ComputationalWorkflow profile version 1.0 or later",
    "The `publisher` property of a `Root Data Entity` SHOULD be an `Organization`",
    "The author SHOULD have an organizational affiliation.",
    "The author SHOULD have a Contextual Entity which specifies the organizational `affiliation`.",
    "The organization SHOULD have a URL.",
]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return copy_project(tmp_path_factory.mktemp("project"))


@pytest.fixture(scope="module")
def finished(project, tmp_path_factory):
    """The folder of a finished small run."""
    folder = tmp_path_factory.mktemp("run")
    run(project, folder)
    return folder


@pytest.fixture
def results(finished, tmp_path):
    """A copy of the finished run's results, which tests damage."""
    return Path(shutil.copytree(finished / "results", tmp_path / "results"))


def faults(results: Path, project: Path) -> list[str]:
    """The problems that the audit finds."""
    return audit(results, project, BENCHMARKS, 2)[0]


def test_a_finished_run_has_nothing_to_do(project, finished):
    assert planned(project, finished) == set()


@pytest.mark.resilience
def test_equal_runs_have_equal_records(project, finished, tmp_path, monkeypatch):
    """Durations and the folder of the results do not matter."""
    other = tmp_path / "elsewhere"
    monkeypatch.setenv("SMALL_RUN_SECONDS", "2.5")
    run(project, tmp_path, "--config", f"results_dir={other}")
    tables = [results / "ir/C/000.parquet" for results in (other, finished / "results")]
    assert tables[0].read_bytes() != tables[1].read_bytes()
    for name in (CRATE, "provenance/jobs.json", "report.html", "tables/scores.csv"):
        texts = [(results / name).read_text() for results in (other, finished / "results")]
        assert same_times(name, texts[0]) == same_times(name, texts[1]), name
        assert str(tmp_path) not in texts[0]
        assert str(project) not in texts[0]


@pytest.fixture
def copied(finished, tmp_path):
    """A copy of the finished run, in which tests run again."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


@pytest.mark.resilience
def test_new_decimals_of_one_table_remake_that_table_and_the_main_one(project, copied):
    with edited(project, "config/tables.yaml", lambda text: text.replace("  decimals: 1\n", "  decimals: 2\n", 1)):
        shown = {f"humaneval.{suffix}" for suffix in ("md", "tex", "html")} | {"main.md", "main.html"}
        assert planned(project, copied) == shown | ABOUT
        run(project, copied)
        assert "62.00" in (copied / "results/tables/humaneval.md").read_text()


def test_a_comment_in_tables_yaml_reruns_nothing(project, copied):
    with edited(project, "config/tables.yaml", lambda text: f"# a comment\n{text}"):
        assert planned(project, copied) == set()


@pytest.mark.resilience
def test_a_result_of_the_paper_remakes_the_wide_tables(project, copied):
    row = f"multipl-e,d,{MODEL},base,t0.2,pass@1,12.5,invented for a test\n"
    with edited(project, "config/paper_results.csv", lambda text: text + row):
        wide = {f"{name}.{suffix}" for name in BENCHMARKS for suffix in ("csv", "md", "tex", "html")}
        assert planned(project, copied) == wide | ABOUT
        run(project, copied, "results/tables/multipl-e.md")
        assert "(paper)" in (copied / "results/tables/multipl-e.md").read_text()


def test_the_audit_reports_what_it_checked(finished):
    lines = (finished / AUDIT).read_text().splitlines()
    assert len(lines) == 5
    assert re.match(r"\d{3} files have the digests", lines[0])


def test_the_audit_fails_with_one_line_for_each_problem(project, copied):
    (copied / "results/models" / MODEL / "ircoder/config.json").write_text("{}")
    (copied / "results/pairs/C/perf.parquet/00000.parquet").unlink()
    only = ("--allowed-rules", "audited", "provenance_audit", "--forcerun", "provenance_audit")
    printed = run(project, copied, *only, succeeds=False)
    assert re.search(rf"^ERROR models/{MODEL}/ircoder/config\.json: sha256 is \w+, the crate has \w+$", printed, re.M)
    assert re.search(r"^ERROR pairs/C/perf\.parquet/00000\.parquet: is missing$", printed, re.M)
    assert not (copied / AUDIT).exists()


def replace(path: Path, pattern: str, new: str) -> None:
    """Replace the first match of a pattern, which must match."""
    text, count = re.subn(pattern, new, path.read_text(), count=1)
    assert count == 1
    path.write_text(text)


@pytest.mark.parametrize(
    ("file", "pattern", "new", "fault"),
    [
        (
            "tables/scores.csv",
            r"base,t0\.2,pass@1,22,",
            "base,t0.2,pass@1,23,",
            r"scores\.csv: .*: differs from .*json",
        ),
        ("tables/scores.csv", r"(?m)^humaneval.*\n", "", r"humaneval\.csv: .* is in no row of scores\.csv"),
        ("tables/multipl-e.csv", r",62,", ",63,", r"multipl-e\.csv: .*: value is 63, scores\.csv has 62"),
        ("tables/multipl-e.md", r"62\.0", "63.0", r"tables/multipl-e\.md: sha256 is"),
        ("tables/humaneval.html", r"\+40\.0", "+41.0", r"tables/humaneval\.html: sha256 is"),
        ("tables/validation.tex", r"3\.202", "3.203", r"tables/validation\.tex: sha256 is"),
        ("pairs/statistics.csv", r"C,perf,3,", "C,perf,4,", r"C, perf: 4 sources end in 3 outcomes"),
        ("pairs/statistics.csv", r"2,1,1\n", "2,1,0\n", r"C, perf: 2 pairs, 1 in the splits"),
        ("scores/multipl-e/d/t0.2/tiny-gpt-bigcode.base.json", r'"p00": 20\.0', '"p00": 80.0', r"mean over problems"),
        (
            "provenance/jobs.json",
            r'"pairs/C/perf\.parquet/00000\.parquet",',
            '"pairs/C/other.parquet",',
            r"but no job wrote it",
        ),
    ],
)
def test_the_audit_finds_contradictions(results, project, file, pattern, new, fault):
    assert faults(results, project) == []
    replace(results / file, pattern, new)
    assert any(re.search(fault, line) for line in faults(results, project))


def test_the_audit_computes_validation_losses_again(results, project):
    path = results / "models" / MODEL / "losses" / "base.parquet"
    table = read_table(path)
    rows = table.to_pylist()
    rows[0]["loss"] += 1
    write_table(path, rows, table.schema)
    lines = [line for line in faults(results, project) if "the documents give" in line]
    assert len(lines) == 6


def test_the_crate_names_every_result(finished):
    results = finished / "results"
    graph = {entity["@id"]: entity for entity in read_json(results / CRATE)["@graph"]}
    unnamed = {"audit.txt", CRATE}
    files = {
        path.relative_to(results).as_posix()
        for path in results.rglob("*")
        if path.is_file() and path.name[0] != "." and path.relative_to(results).parts[0] not in ("logs", "benchmarks")
    }
    named = {name for name, entity in graph.items() if "File" in entity["@type"]}
    missing = {name for name in files if name not in named and Path(name).name not in unnamed}
    assert missing == set()
    entity = graph["tables/scores.csv"]
    assert entity["sha256"] == sha256_file(results / "tables/scores.csv")
    assert graph[f"#removed/models/{MODEL}/scratch.txt"]["description"] == "removed after its last use"


def unresolved(folder: Path) -> list[str]:
    """Identifiers in a crate that are neither URIs nor names in the metadata nor paths of the folder."""
    names = {entity["@id"] for entity in read_json(folder / CRATE)["@graph"]}
    paths = {name.partition("#")[0] for name in names if not re.match("[a-z]+:|#", name)}
    assert len(paths) > 50
    return sorted(path for path in paths if not (folder / unquote(path)).exists() or ".." in Path(path).parts)


def test_every_path_of_the_crate_resolves_after_packing_and_unpacking(finished, tmp_path):
    """The copy elsewhere holds all files with their digests, inputs and workflow included."""
    archive = shutil.make_archive(str(tmp_path / "crate"), "zip", finished / "results")
    shutil.unpack_archive(archive, tmp_path / "other")
    assert unresolved(tmp_path / "other") == []
    graph = read_json(tmp_path / "other" / CRATE)["@graph"]
    digests = {unquote(one["@id"]): one["sha256"] for one in graph if "sha256" in one}
    assert "provenance/inputs/project/config/paper_results.csv" in digests
    wrong = [name for name, digest in digests.items() if sha256_file(tmp_path / "other" / name) != digest]
    assert wrong == []
    (tmp_path / "other" / "tables" / "scores.csv").unlink()
    assert unresolved(tmp_path / "other") == ["tables/scores.csv"]


def test_the_crate_states_who_ran_the_jobs_and_when(finished):
    graph = {entity["@id"]: entity for entity in read_json(finished / "results" / CRATE)["@graph"]}
    jobs = [entity for entity in graph.values() if entity["@type"] == "CreateAction"]
    spans = [(datetime.fromisoformat(job["startTime"]), datetime.fromisoformat(job["endTime"])) for job in jobs]
    assert all(start <= end for start, end in spans)
    run = graph["#run"]
    assert run["startTime"] == min(start for start, _ in spans).isoformat()
    assert run["endTime"] == max(end for _, end in spans).isoformat()
    assert {job["agent"]["@id"] for job in jobs} == {graph["./"]["author"]["@id"]} == {"#agent"}
    assert graph["#agent"]["name"]
    assert graph["provenance/workflow/Snakefile"]["version"].startswith("0.1.0")


VALIDATE = """
import json, sys
import requests
from rocrate_validator.utils import http
documents = json.load(open(sys.argv[2]))

def answer(url, *_, **__):
    response = requests.Response()
    response.status_code = 200 if url in documents else 404
    response._content = json.dumps(documents.get(url)).encode()
    response.headers["Content-Type"] = "application/ld+json"
    return response

http.HttpRequester.__getattr__ = lambda self, name: answer
from rocrate_validator import models, services
settings = services.ValidationSettings(
    rocrate_uri=sys.argv[1], profile_identifier="provenance-run-crate", requirement_severity=models.Severity.RECOMMENDED
)
print(*(f"{issue.severity.name} {issue.message}" for issue in services.validate(settings).get_issues()), sep="\\n")
"""


def test_the_crate_conforms_to_its_profiles(finished, tmp_path):
    """roc-validator checks it, with local copies of the vocabularies that it would fetch."""
    vocabulary = read_json(Path(rocrate.__file__).parent / "data" / "ro-crate.jsonld")
    old = {name: f"https://bioschemas.org/{name}" for name in ("ComputationalWorkflow", "FormalParameter")}
    old |= {name: f"https://bioschemas.org/ComputationalWorkflow#{name}" for name in ("input", "output")}
    vocabulary["@context"] |= old
    write_json(
        tmp_path / "documents.json",
        {
            "https://w3id.org/ro/crate/1.1/context": vocabulary,
            "https://w3id.org/ro/terms/workflow-run/context": {
                "@context": {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}
            },
        },
    )
    command = [sys.executable, "-c", VALIDATE, str(finished / "results"), str(tmp_path / "documents.json")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    issues = done.stdout.splitlines()
    assert set(issues) == {f"RECOMMENDED {message}" for message in RECOMMENDED}, done.stdout
    assert len(issues) < 20


class Page(HTMLParser):
    """Elements of a page: open tags, identifiers, internal and external links."""

    VOID = frozenset({"meta", "link", "br", "wbr", "img", "hr", "input", "col"})

    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links, self.tags, self.attributes = [], [], [], [], set()

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.tags.append(tag)
        self.attributes |= set(values)
        self.ids += [values["id"]] if "id" in values else []
        self.links += [values[name] for name in ("href", "xlink:href", "src") if name in values]
        self.links += re.findall(r"url\(([^)]*)\)", values.get("style", "") + values.get("clip-path", ""))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in self.VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page(finished):
    parser = Page()
    parser.feed((finished / "results/report.html").read_text())
    return parser


def test_the_report_is_well_formed_and_self_contained(page):
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links if link[:1] == "#"} <= set(page.ids)
    assert [link for link in page.links if re.match("[a-z]+:|//", link)] == []
    assert page.tags.count("svg") == 6
    assert page.tags.count("script") == 1
    assert "src" not in page.attributes


def test_every_link_of_the_report_is_a_file_of_the_run(page, finished):
    files = {unquote(link) for link in page.links if link[:1] != "#"}
    linked = {f"scores/multipl-e/d/t0.2/{MODEL}.{checkpoint}.json" for checkpoint in ("base", "ircoder")}
    linked |= {f"models/{MODEL}/losses/base.parquet", "pairs/statistics.csv", "tables/scores.csv", CRATE}
    assert linked <= files
    # The small run's Snakefile has no record of its starts.
    missing = {name for name in files if not (finished / "results" / name).is_file()}
    assert missing <= {"provenance/run.json"}


def test_the_report_describes_the_run(finished):
    text = (finished / "results/report.html").read_text()
    shown = ["HumanEval", "MultiPL-E", "source:1: error: &lt;no&gt; &amp; never", "R-MinHash", "cc 1.2", "seed: 1"]
    assert [part for part in shown if part not in text] == []
    digest = json.loads((finished / "results/provenance/jobs.json").read_text())["files"]["tables/scores.csv"]["sha256"]
    assert digest in text


def test_snakemakes_report_contains_the_figures(project, finished):
    run(project, finished, "--report", "snakemake.html")
    text = (finished / "snakemake.html").read_text()
    assert "base_vs_ircoder" in text
