"""Resolve the revisions that a config leaves open, once: `python -m scripts.workflow.pin --help`, or `make pin`.

Every model and data set of the config without a whole commit (none, a branch, a short commit) is looked up on the hub
and its commit written to config/revisions.lock.yaml, which the workflow then uses. What the file has is not looked up.
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
SECONDS = 30  # for one answer of the hub


def merged_config(files: Sequence[str], values: Sequence[str]) -> dict[str, Any]:
    """The default config with config files and `key=value` words laid over it, as Snakemake does it."""
    config: dict[str, Any] = {}
    for file in (ROOT / "config" / "config.yaml", *files):
        update_config(config, load_configfile(str(file)))
    update_config(config, parse_config(list(values)))
    return config


def resolve(wanted: Revision) -> str:
    """The commit that the hub has for a revision; its default branch for none. Raises `InputError` with one line."""
    with hub_errors(wanted.repository, wanted.revision or "(default)", "the config"):
        found = HfApi().repo_info(
            wanted.repository, repo_type=wanted.kind, revision=wanted.revision or None, timeout=SECONDS
        )
    return found.sha


def resolve_all(wanted: Sequence[Revision]) -> tuple[dict[Revision, str], list[str]]:
    """Commits of revisions, and one line for each that has none; ends early when the hub cannot be reached at all."""
    commits, faults = {}, []
    for revision in wanted:
        try:
            commits[revision] = resolve(revision)
        except InputError as error:
            faults.append(str(error))
            if not isinstance(error.__cause__, HfHubHTTPError):
                break
    return commits, faults


def described(revision: Revision, commit: str = "") -> str:
    """A line that says what is looked up, and what was found."""
    asked = f"{revision.kind} {revision.repository} at {revision.revision or 'its default branch'}"
    return f"{asked}: {commit}" if commit else asked


def open_revisions(config: dict[str, Any], lock: Lock, update: bool) -> list[Revision]:
    """The revisions of a checked config that are no whole commits; without `update`, those that the lock lacks."""
    tables = check(config, ROOT)
    parts = [config, {name: tables.models[name] for name in config["models"]}, tables.benchmarks]
    used = [revision for revision in revisions_in(parts) if not revision.is_commit]
    return [revision for revision in used if update or locked_commit(lock, revision) is None]


def pin(config: dict[str, Any], update: bool) -> None:
    """Look up what a config leaves open and write the lock file; end the process with one line for what fails."""
    lock = read_lock(ROOT)
    wanted = open_revisions(config, lock, update)
    if not wanted:
        print("every revision of the config is a whole commit or pinned")
        return
    print("\n".join(["to look up on the hub:", *(f"  {described(revision)}" for revision in wanted)]))
    if config["hub"]["offline"]:
        sys.exit("error: nothing was looked up, because hub.offline is true; add --config hub={offline: false}")
    commits, faults = resolve_all(wanted)
    if commits:
        write_lock(ROOT, with_commits(lock, commits))
        print("\n".join([f"written to {LOCK}:", *(f"  {described(*item)}" for item in commits.items())]))
    if faults:
        left = len(wanted) - len(commits)
        sys.exit(f"error: {left} of {len(wanted)} revisions are not pinned: {' '.join('; '.join(faults).split())}")


def main() -> None:
    """Command line: the config as Snakemake is given it."""
    parser = argparse.ArgumentParser(description="Write the commits of a config's models and data sets to a lock file.")
    parser.add_argument("--configfile", nargs="+", default=[], metavar="FILE", help="laid over config/config.yaml")
    parser.add_argument("--config", nargs="+", default=[], metavar="KEY=VALUE", help="laid over the files")
    parser.add_argument("--update", action="store_true", help="look up again what is pinned")
    given = parser.parse_args()
    try:
        config = merged_config(given.configfile, given.config)
        read_words(config, ROOT)
        pin(config, given.update)
    except ConfigError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
