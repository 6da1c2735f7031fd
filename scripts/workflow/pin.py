"""Pin the open revisions of a config to commits: `python -m scripts.workflow.pin --help`, or `make
pin`.

A revision is open when it is missing, a branch, or a short commit. Each open revision of a model or
data set is resolved on the hub, and its commit is written to config/revisions.lock.yaml, which the
workflow uses. Revisions that are already in the file are not resolved again.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi
from huggingface_hub.errors import HfHubHTTPError
from snakemake.cli import parse_config
from snakemake.common.configfile import load_configfile
from snakemake.utils import update_config

from scripts.lib.hub import hub_errors
from scripts.lib.job import InputError
from scripts.lib.revisions import LOCK, Lock, Revision, locked_commit, revisions_in, with_commits, write_lock
from scripts.workflow.config import check, read_lock, read_words
from scripts.workflow.validation import ConfigError

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 30  # seconds, for one request to the hub


def merged_config(files: Sequence[str], values: Sequence[str]) -> dict[str, Any]:
    """The default config, updated as Snakemake does it with config files and `key=value` pairs."""
    config: dict[str, Any] = {}
    for file in (ROOT / "config" / "config.yaml", *files):
        update_config(config, load_configfile(str(file)))
    update_config(config, parse_config(list(values)))
    return config


def resolve(revision: Revision) -> str:
    """The hub's commit of a revision, or of the default branch where it is empty; raises
    `InputError`.
    """
    with hub_errors(revision.repository, revision.revision or "(default)", "the config"):
        info = HfApi().repo_info(
            revision.repository, repo_type=revision.kind, revision=revision.revision or None, timeout=TIMEOUT
        )
    if info.sha is None:
        raise InputError(f"{revision.repository}: the hub reports no commit; set the revision in the config")
    return info.sha


def resolve_all(revisions: Sequence[Revision]) -> tuple[dict[Revision, str], list[str]]:
    """The commits of revisions, and a line for each failure; stops when the hub cannot be reached."""
    commits, faults = {}, []
    for revision in revisions:
        try:
            commits[revision] = resolve(revision)
        except InputError as error:
            faults.append(str(error))
            if not isinstance(error.__cause__, HfHubHTTPError):
                break
    return commits, faults


def described(revision: Revision, commit: str = "") -> str:
    """A revision, and its commit where it is known, as a line of output."""
    name = f"{revision.kind} {revision.repository} at {revision.revision or 'its default branch'}"
    return f"{name}: {commit}" if commit else name


def open_revisions(config: dict[str, Any], lock: Lock, update: bool) -> list[Revision]:
    """The open revisions of a config; without `update`, those that the lock does not have."""
    tables = check(config, ROOT)
    parts = [config, {name: tables.models[name] for name in config["models"]}, tables.benchmarks]
    used = [revision for revision in revisions_in(parts) if not revision.is_commit]
    return [revision for revision in used if update or locked_commit(lock, revision) is None]


def pin(config: dict[str, Any], update: bool) -> None:
    """Pin the open revisions of a config in the lock file; end the process with one line for all
    failures.
    """
    lock = read_lock(ROOT)
    revisions = open_revisions(config, lock, update)
    if not revisions:
        print("every revision of the config is a whole commit or pinned")
        return
    print("\n".join(["revisions to resolve on the hub:", *(f"  {described(revision)}" for revision in revisions)]))
    if config["hub"]["offline"]:
        sys.exit("error: no revision was resolved, because hub.offline is true; add --config hub={offline: false}")
    commits, faults = resolve_all(revisions)
    if commits:
        write_lock(ROOT, with_commits(lock, commits))
        print("\n".join([f"written to {LOCK}:", *(f"  {described(*item)}" for item in commits.items())]))
    if faults:
        missing = len(revisions) - len(commits)
        sys.exit(
            f"error: {missing} of {len(revisions)} revisions are not pinned: {' '.join('; '.join(faults).split())}"
        )


def main() -> None:
    """Command line: a config, given as to Snakemake."""
    parser = argparse.ArgumentParser(description="Write the commits of a config's models and data sets to a lock file.")
    parser.add_argument("--configfile", nargs="+", default=[], metavar="FILE", help="update config/config.yaml")
    parser.add_argument("--config", nargs="+", default=[], metavar="KEY=VALUE", help="update the files")
    parser.add_argument("--update", action="store_true", help="resolve pinned revisions again")
    arguments = parser.parse_args()
    try:
        config = merged_config(arguments.configfile, arguments.config)
        read_words(config, ROOT)
        pin(config, arguments.update)
    except ConfigError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
