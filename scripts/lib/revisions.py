"""Revisions of models and data sets on the Hugging Face hub, and the commits that `make pin`
recorded.

A config names a revision in any mapping with the key `revision` and one of `repository` (a model),
`id` or `dataset` (a data set). `config/revisions.lock.yaml` records, for a repository and a
revision as the config spells it (empty, a branch or a short commit), the commit that it was when it
was pinned. A full commit in the config is used as it is.
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
# Kind of a repository, as the hub's client spells it, by the key that names it.
_KINDS = {"repository": "model", "id": "dataset", "dataset": "dataset"}
_COMMIT = re.compile(r"[0-9a-f]{40}")
_SHORT = re.compile(r"[0-9a-f]{7,39}")
_HEADER = """\
# Commits of models and data sets, by repository and by the revision that a config names ("" for
# none). Written by `make pin`; a whole commit in a config is used instead (docs/reference/data.md).
"""

# kind -> repository -> revision as the config spells it -> commit
Lock = dict[str, dict[str, dict[str, str]]]


@dataclass(frozen=True, order=True)
class Revision:
    """A repository of the hub at a revision; `kind` is `model` or `dataset`."""

    kind: str
    repository: str
    revision: str

    @property
    def is_commit(self) -> bool:
        """Whether the revision is a full commit of 40 hexadecimal digits, which never changes."""
        return _COMMIT.fullmatch(self.revision) is not None

    @property
    def address(self) -> str:
        """The page of the repository at the revision."""
        folder = "datasets/" if self.kind == "dataset" else ""
        return f"https://huggingface.co/{folder}{self.repository}/tree/{self.revision or 'main'}"


def _named(value: Any) -> Iterator[tuple[Any, Revision]]:
    """Every mapping in a value that names a repository and a revision."""
    if isinstance(value, Mapping):
        for key in _KINDS.keys() & value.keys():
            if isinstance(value.get("revision"), str) and isinstance(value[key], str):
                yield value, Revision(_KINDS[key], value[key], value["revision"])
        for part in value.values():
            yield from _named(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _named(part)


def revisions_in(value: Any) -> list[Revision]:
    """All revisions that a part of a config or table names, sorted, without repetition."""
    return sorted({revision for _, revision in _named(value)})


def gated_in(value: Any) -> frozenset[str]:
    """Repositories with `gated: true`."""
    return frozenset(revision.repository for mapping, revision in _named(value) if mapping.get("gated"))


def locked_commit(lock: Lock, wanted: Revision) -> str | None:
    """The commit that the lock has for a revision; None for a full commit and where the lock has no
    entry.
    """
    if wanted.is_commit:
        return None
    return lock.get(f"{wanted.kind}s", {}).get(wanted.repository, {}).get(wanted.revision)


def pin_in_place(value: Any, lock: Lock) -> None:
    """Replace the revisions in a config by the commits of the lock, where it has any."""
    for mapping, revision in list(_named(value)):
        mapping["revision"] = locked_commit(lock, revision) or revision.revision


def pinned(value: Any, lock: Lock) -> Any:
    """A copy of a value with its revisions replaced by the commits of the lock."""
    copy = deepcopy(value)
    pin_in_place(copy, lock)
    return copy


def faults_in(lock: Lock) -> list[str]:
    """Inconsistent entries of a lock file: short commits that their commit does not begin with."""
    return [
        f"{repository}: {commit} does not begin with {revision}"
        for repositories in lock.values()
        for repository, commits in repositories.items()
        for revision, commit in commits.items()
        if _SHORT.fullmatch(revision) and not commit.startswith(revision)
    ]


def with_commits(lock: Lock, commits: Mapping[Revision, str]) -> Lock:
    """A lock with additional commits, sorted."""
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
