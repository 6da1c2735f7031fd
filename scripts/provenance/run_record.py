"""Records each start of Snakemake that wrote to a results folder: `provenance/run.json`.

The file has times and the state of the checkout. It is therefore no output of a rule, and digests do
not cover it: equal runs have equal results, but not equal records.
"""

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict

from scripts.lib.files import read_json, sha256_file, sha256_text, write_json

NAME = "provenance/run.json"
# What determines the work of a run, besides the config: files and folders of the project.
CODE = ("Snakefile", "config", "envs", "rules", "scripts")


class Start(TypedDict):
    """One start of Snakemake.

    commit: Git commit of the checkout; None where it is not a repository of its own or Git is
    missing.
    changed: files that differ from the commit or that it lacks, relative to the project, sorted;
    the checkout was dirty if there are any.
    code_sha256: digest of the workflow's files, which is equal for equal code, with or without Git.
    started, ended: in UTC, to the second; ended is None while it runs or when it was killed.
    succeeded: whether all jobs ended well; None like `ended`.
    """

    commit: str | None
    changed: list[str]
    code_sha256: str
    snakemake: str
    started: str
    ended: str | None
    succeeded: bool | None


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


def record_start(results: str | Path, project: str | Path, snakemake: str) -> None:
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
    }
    write_json(Path(results, NAME), {"starts": [*read_starts(results), state]})


def record_end(results: str | Path, succeeded: bool) -> None:
    """Add time and outcome to the latest start, where it was recorded."""
    starts = read_starts(results)
    if starts:
        starts[-1] |= {"ended": _now(), "succeeded": succeeded}
        write_json(Path(results, NAME), {"starts": starts})
