"""Revisions of models and data sets on the Hugging Face hub: where they are named, and the commits of `make pin`.

A config names them anywhere: as a mapping with `revision` and one of `repository` (a model), `id` or `dataset` (a data
set). `config/revisions.lock.yaml` has, for a repository and the revision as the config says it (none, a branch, or a
short commit), the commit that it was when it was pinned. A whole commit in the config is used as it is.
"""

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from scripts.lib.files import write_text

LOCK = Path("config", "revisions.lock.yaml")
# The kind of a repository by the key that names it; kinds are as the hub's client spells them.
_KINDS = {"repository": "model", "id": "dataset", "dataset": "dataset"}
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHORT = re.compile(r"[0-9a-f]{7,39}")
_HEADER = """\
# Commits of models and data sets, by repository and by the revision that a config names ("" for none).
# Written by `make pin`; a whole commit in a config is used instead (docs/reference/data.md).
"""

# kind -> repository -> revision as the config says it -> commit
Lock = dict[str, dict[str, dict[str, str]]]


@dataclass(frozen=True, order=True)
class Revision:
    """A repository of the hub at a revision; `kind` is `model` or `dataset`."""

    kind: str
    repository: str
    revision: str

    @property
    def is_commit(self) -> bool:
        """Whether it can be nothing else tomorrow: a whole commit, 40 hexadecimal digits."""
        return _COMMIT.fullmatch(self.revision) is not None

    @property
    def address(self) -> str:
        """The page of the repository at the revision."""
        folder = "datasets/" if self.kind == "dataset" else ""
        return f"https://huggingface.co/{folder}{self.repository}/tree/{self.revision or 'main'}"


def _named(value: Any) -> Iterator[tuple[dict[str, Any], Revision]]:
    """Every mapping inside a value that names a repository and a revision."""
    if isinstance(value, Mapping):
        for key in _KINDS.keys() & value.keys():
            if isinstance(value.get("revision"), str) and isinstance(value[key], str):
                yield value, Revision(_KINDS[key], value[key], value["revision"])
        value = value.values()
    elif not isinstance(value, list | tuple):
        return
    for part in value:
        yield from _named(part)


def revisions_in(value: Any) -> list[Revision]:
    """All revisions that a part of a config or table names, sorted, each once."""
    return sorted({revision for _, revision in _named(value)})


def gated_in(value: Any) -> frozenset[str]:
    """Repositories whose entries say `gated: true`."""
    return frozenset(revision.repository for mapping, revision in _named(value) if mapping.get("gated"))


def locked_commit(lock: Lock, wanted: Revision) -> str | None:
    """The commit that the lock has for a revision; None for a whole commit, and where the lock has none."""
    if wanted.is_commit:
        return None
    return lock.get(f"{wanted.kind}s", {}).get(wanted.repository, {}).get(wanted.revision)


def pin_in_place(value: Any, lock: Lock) -> None:
    """Put the lock's commits in the place of the revisions that a config names."""
    for mapping, revision in list(_named(value)):
        mapping["revision"] = locked_commit(lock, revision) or revision.revision


def pinned(value: Any, lock: Lock) -> Any:
    """A copy of a value with the lock's commits for the revisions in it."""
    copy = deepcopy(value)
    pin_in_place(copy, lock)
    return copy


def faults_in(lock: Lock) -> list[str]:
    """Entries of a lock file that no pinning writes: a short commit that is not the beginning of its commit."""
    return [
        f"{repository}: {commit} does not begin with {revision}"
        for repositories in lock.values()
        for repository, commits in repositories.items()
        for revision, commit in commits.items()
        if _SHORT.fullmatch(revision) and not commit.startswith(revision)
    ]


def with_commits(lock: Lock, commits: Mapping[Revision, str]) -> Lock:
    """A lock with more commits, in its order of keys."""
    entries = {
        Revision(kind.removesuffix("s"), repository, revision): commit
        for kind, repositories in lock.items()
        for repository, known in repositories.items()
        for revision, commit in known.items()
    }
    merged: Lock = {}
    for revision, commit in sorted({**entries, **commits}.items()):
        known = merged.setdefault(f"{revision.kind}s", {}).setdefault(revision.repository, {})
        known[revision.revision] = commit
    return merged


def write_lock(root: str | Path, lock: Lock) -> None:
    """Write the lock file of a project."""
    write_text(Path(root, LOCK), _HEADER + yaml.safe_dump(lock, sort_keys=True))
