"""The shards of each language, from the index that reading its sources wrote."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NotRequired, Protocol, TypedDict

from snakemake.exceptions import WorkflowError

from scripts.lib.files import read_json


class Shard(TypedDict):
    """A shard in `shards.json`: number of rows, SHA-256 of its table, and a digest of its modules."""

    rows: int
    sha256: str
    modules: NotRequired[str]


class LanguageWildcards(Protocol):
    """Wildcards of a job for one language."""

    language: str


class ShardWildcards(Protocol):
    """Wildcards of a job for one shard."""

    language: str
    shard: str


@cache
def _parsed(index: Path, changed: int) -> Mapping[str, Shard]:
    """The shards of an index; `changed`, its modification time, makes the cache follow the file."""
    del changed
    shards: Mapping[str, Shard] = read_json(index)["shards"]
    return shards


@dataclass(frozen=True)
class Shards:
    """The shards below a folder `sources/`; a language has none before its sources are read.

    Methods that take wildcards are input functions or params of rules.
    """

    folder: Path

    def of(self, language: str) -> Mapping[str, Shard]:
        """The shards of a language by name."""
        index = self.folder / language / "shards.json"
        return _parsed(index, index.stat().st_mtime_ns) if index.exists() else {}

    def names(self, language: str) -> list[str]:
        """Names of a language's shards, in order; raise `WorkflowError` if a shard's table is gone."""
        names = sorted(self.of(language), key=int)
        for name in names:
            if not Path(self.table(language, name)).exists():
                index = self.folder / language / "shards.json"
                fault = f"{index} names the shard {name}, whose table is gone"
                raise WorkflowError(f"{fault}; delete {index} and run again")
        return names

    def rows(self, language: str) -> int:
        """Number of sources of a language."""
        return sum(shard["rows"] for shard in self.of(language).values())

    def table(self, language: str, shard: str) -> str:
        """Path of a shard's table of sources."""
        return str(self.folder / language / f"{shard}.parquet")

    def _shard(self, wildcards: ShardWildcards) -> Shard | None:
        return self.of(wildcards.language).get(wildcards.shard)

    def digest(self, wildcards: ShardWildcards) -> str:
        """SHA-256 of a shard's table; as a param it reruns the job when, and only when, the table
        changed.
        """
        shard = self._shard(wildcards)
        return shard["sha256"] if shard else ""

    def digests(self, wildcards: LanguageWildcards) -> list[str]:
        """`digest` of each of a language's shards, in order."""
        shards = self.of(wildcards.language)
        return [shards[name]["sha256"] for name in sorted(shards, key=int)]

    def module_digest(self, wildcards: ShardWildcards) -> list[str | None]:
        """SHA-256 of a shard's sources, and a digest of its modules."""
        shard = self._shard(wildcards)
        return [shard["sha256"], shard.get("modules")] if shard else [None, None]
