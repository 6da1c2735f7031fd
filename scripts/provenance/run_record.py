"""Records each start of Snakemake that wrote to a results folder: `provenance/run.json`.

The file has times and the state of the checkout. It is therefore no output of a rule, and digests do
not cover it: equal runs have equal results, but not equal records.
"""

import os
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypedDict

from scripts.lib.files import read_json, sha256_file, sha256_text, write_json

NAME = "provenance/run.json"
# How an error begins in the log of a job.
_ERROR = "ERROR "
# What determines the work of a run, besides the config: files and folders of the project.
CODE = ("Snakefile", "config", "envs", "rules", "scripts")


class Failure(TypedDict):
    """A job that failed, after all attempts.

    outputs, log: paths relative to the results, the outputs sorted. error: the last error in the
    job's log, or its last line; empty where it wrote none.
    """

    rule: str
    outputs: list[str]
    log: str
    error: str


class Start(TypedDict):
    """One start of Snakemake.

    commit: Git commit of the checkout; None where it is not a repository of its own or Git is
    missing.
    changed: files that differ from the commit or that it lacks, relative to the project, sorted;
    the checkout was dirty if there are any.
    code_sha256: digest of the workflow's files, which is equal for equal code, with or without Git.
    started, ended: in UTC, to the second; ended is None while it runs or when it was killed.
    succeeded: whether all jobs ended well; None like `ended`.
    targets: rules and files that the command line named; empty for the default.
    failures: jobs that failed, sorted by rule and outputs.
    """

    commit: str | None
    changed: list[str]
    code_sha256: str
    snakemake: str
    started: str
    ended: str | None
    succeeded: bool | None
    targets: list[str]
    failures: list[Failure]


def _git(project: Path, *arguments: str) -> str | None:
    """The output of a Git command in the project; None where it fails."""
    command = ["git", "--no-optional-locks", "-C", str(project), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def commit_of(project: Path) -> tuple[str | None, list[str]]:
    """Commit of a checkout and its changed files; (None, []) where the project is no checkout."""
    top = _git(project, "rev-parse", "--show-toplevel")
    commit = _git(project, "rev-parse", "HEAD")
    status = _git(project, "status", "--porcelain", "-z", "--no-renames", "--untracked-files=all")
    if not top or not commit or status is None or Path(top.rstrip("\n")).resolve() != project.resolve():
        return None, []
    return commit.strip(), sorted(entry[3:] for entry in status.split("\0") if entry)


def git_user(project: Path) -> str | None:
    """The name that Git's settings have for commits in a project; None where they have none."""
    return (_git(project, "config", "user.name") or "").strip() or None


def code_digest(project: Path) -> str:
    """SHA-256 over names and content of the workflow's files, without compiled and hidden ones."""
    paths = [path for name in CODE for path in [project / name, *sorted((project / name).rglob("*"))]]
    files = {path.relative_to(project): path for path in paths if path.is_file() and path.suffix != ".pyc"}
    visible = {name: path for name, path in files.items() if not any(part.startswith(".") for part in name.parts)}
    return sha256_text("".join(f"{name.as_posix()} {sha256_file(path)}\n" for name, path in sorted(visible.items())))


def read_starts(results: str | Path) -> list[Start]:
    """All recorded starts for a results folder, the latest last; empty where there is no record."""
    path = Path(results, NAME)
    starts: list[Start] = read_json(path)["starts"] if path.is_file() else []
    return starts


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def last_error(log: Path) -> str:
    """The last error in a job's log, without its level; the last line where there is none."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(_ERROR)]
    return errors[-1].removeprefix(_ERROR) if errors else "".join(lines[-1:])


def failures_of(jobs: Iterable[Any], results: str | Path) -> list[Failure]:
    """What the record states of jobs of Snakemake's plan that failed."""

    def below(path: Any) -> str:
        return os.path.relpath(path, results)

    failures: list[Failure] = [
        {
            "rule": job.rule.name,
            "outputs": sorted(map(below, job.output)),
            "log": below(job.log[0]) if job.log else "",
            "error": last_error(Path(job.log[0])) if job.log else "",
        }
        for job in jobs
    ]
    return sorted(failures, key=lambda failure: (failure["rule"], failure["outputs"]))


def record_start(results: str | Path, project: str | Path, snakemake: str, targets: Iterable[str] = ()) -> None:
    """Add a start with the state of the checkout; call it once the run holds the results folder."""
    commit, changed = commit_of(Path(project))
    state: Start = {
        "commit": commit,
        "changed": changed,
        "code_sha256": code_digest(Path(project)),
        "snakemake": snakemake,
        "started": _now(),
        "ended": None,
        "succeeded": None,
        "targets": sorted(map(str, targets)),
        "failures": [],
    }
    write_json(Path(results, NAME), {"starts": [*read_starts(results), state]})


def record_end(results: str | Path, failed: Iterable[Any] | None = None) -> None:
    """Add time and outcome to the latest start, where it was recorded; `failed` are the jobs of
    Snakemake's plan that failed, None after success.
    """
    starts = read_starts(results)
    if starts:
        starts[-1] |= {"ended": _now(), "succeeded": failed is None, "failures": failures_of(failed or (), results)}
        write_json(Path(results, NAME), {"starts": starts})
