"""The record of a run's starts: commit, changed files, code, times."""

import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts.provenance.run_record import code_digest, commit_of, read_starts, record_end, record_start


def git(folder: Path, *arguments: str) -> str:
    """Output of a Git command in a folder, with an author."""
    author = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    return subprocess.run(["git", *author, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def checkout(tmp_path):
    """A repository with two committed files."""
    folder = tmp_path / "project"
    (folder / "scripts").mkdir(parents=True)
    (folder / "Snakefile").write_text("rule all:\n")
    (folder / "scripts" / "one.py").write_text("1\n")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "one")
    return folder


def test_commit_and_changed_files_of_a_checkout_are_recorded(checkout):
    commit = git(checkout, "rev-parse", "HEAD").strip()
    assert commit_of(checkout) == (commit, [])
    (checkout / "Snakefile").write_text("rule other:\n")
    (checkout / "scripts" / "neü.py").write_text("2\n")
    assert commit_of(checkout) == (commit, ["Snakefile", "scripts/neü.py"])


def test_a_copy_inside_another_repository_has_no_commit(checkout):
    assert commit_of(checkout / "scripts") == (None, [])


def test_a_machine_without_git_has_no_commit(checkout, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert commit_of(checkout) == (None, [])


def test_the_digest_of_code_follows_content_and_name_alone(checkout):
    before = code_digest(checkout)
    (checkout / "scripts" / "one.pyc").write_text("3")
    (checkout / "notes.txt").write_text("3")
    (checkout / "scripts" / "one.py").touch()
    assert code_digest(checkout) == before
    (checkout / "scripts" / "one.py").rename(checkout / "scripts" / "two.py")
    assert code_digest(checkout) != before


def test_starts_are_added_and_the_latest_one_gets_its_end(checkout, tmp_path):
    results = tmp_path / "results"
    record_end(results)
    assert read_starts(results) == []
    record_start(results, checkout, "9.27.1")
    record_start(results, checkout, "9.27.1", ["pairs"])
    record_end(results, [])
    first, second = read_starts(results)
    assert (first["ended"], first["succeeded"]) == (None, None)
    assert second["succeeded"] is False
    assert second["started"] <= second["ended"]
    assert (first["targets"], second["targets"]) == ([], ["pairs"])


class FailedJob:
    """What the record reads of a job of Snakemake's plan."""

    def __init__(self, rule: str, log: Path, outputs: list[Path]):
        self.rule, self.log, self.output = SimpleNamespace(name=rule), [str(log)], list(map(str, outputs))


def test_a_failed_job_is_recorded_with_its_last_error(checkout, tmp_path):
    results = tmp_path / "results"
    log = results / "logs" / "a.log"
    log.parent.mkdir(parents=True)
    log.write_text("INFO start\nERROR first\nERROR pairs: no row; do this\nINFO end\n")
    record_start(results, checkout, "9.27.1")
    silent = FailedJob("dedup", results / "logs" / "none.log", [results / "d"])
    record_end(results, [FailedJob("pairs", log, [results / "b", results / "a"]), silent])
    assert read_starts(results)[-1]["failures"] == [
        {"rule": "dedup", "outputs": ["d"], "log": "logs/none.log", "error": ""},
        {"rule": "pairs", "outputs": ["a", "b"], "log": "logs/a.log", "error": "pairs: no row; do this"},
    ]
    assert read_starts(results)[-1]["succeeded"] is False
