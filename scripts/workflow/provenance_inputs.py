"""What is recorded of a run as a whole: its rules, where their programs come from, and its config."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from scripts.lib.revisions import revisions_in


class ScriptedRule(Protocol):
    """What is recorded of a rule of Snakemake's; paths are relative to the folder of its file."""

    name: str
    basedir: object
    script: str | None
    conda_env: object  # a path, a function of the wildcards or None


def _below(folder: object, path: object, root: str) -> str:
    """A file that a rule names relative to its folder, as a path below `root`; empty without one."""
    return os.path.relpath(Path(str(folder), path), root) if isinstance(path, str) else ""


def scripted_rules(rules: Iterable[ScriptedRule], root: str) -> dict[str, dict[str, str]]:
    """Script and environment of every rule of the project that has a script, as paths below `root`.

    Rules of a workflow that uses this one as a module are not recorded.
    """
    return {
        rule.name: {
            "script": _below(rule.basedir, rule.script, root),
            "env": _below(rule.basedir, getattr(rule.conda_env, "recorded", rule.conda_env), root),
        }
        for rule in rules
        if rule.script and Path(str(rule.basedir)).is_relative_to(root)
    }


def captions(root: str | Path) -> dict[str, str]:
    """The captions of figures, tables and pages in Snakemake's report, by the names of their files."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(Path(root, "rules/captions").glob("*.rst"))}


def deployment(methods: Iterable[object]) -> str:
    """Where the rules' programs come from, by Snakemake's deployment methods: `conda` environments
    or the `host`.
    """
    return "conda" if "conda" in {str(method) for method in methods} else "host"


def recorded_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config as the results depend on it, without the key that says where they are."""
    return {key: config[key] for key in sorted(config) if key != "results_dir"}


def pairs_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of the config that determine the pairs."""
    data = ("corpus", "languages", "variants", "seed", "shard_size", "ir_shard_size")
    return {key: config[key] for key in sorted((*data, "compile", "keep_ll", "dedup", "pairs"))}


def used_revisions(*entries: object) -> dict[str, list[str]]:
    """Models and data sets of the hub that some entries name: repository and commit, by the address
    of the commit.
    """
    return {used.address: [used.repository, used.revision] for used in revisions_in(list(entries))}
