"""The corpus of a config in any format: its programs, its size, and a fingerprint of its files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.sources import tables, tree
from scripts.sources.record import Record


@dataclass(frozen=True)
class Corpus:
    """The programs of one language: `root` of the corpus, the config's `settings`, the language's
    file `suffixes`.
    """

    root: Path
    language: str
    settings: dict[str, Any]
    suffixes: list[str]

    @property
    def is_tree(self) -> bool:
        """Whether each program is a file."""
        return self.settings["format"] == "tree"

    @property
    def has_ir(self) -> bool:
        """Whether the corpus has modules for its programs."""
        return self.settings["columns"]["ir"] is not None

    def fingerprint(self) -> str:
        """A text that changes when a file of the language changes; no contents are read."""
        if self.is_tree:
            return tree.fingerprint(self.root, self.language, self.suffixes)
        return tables.fingerprint(self.root, self.language, self.settings)

    def total_bytes(self) -> int:
        """Approximate size of all texts in bytes."""
        if self.is_tree:
            limit = self.settings["max_bytes"]
            return sum(min(entry.size, limit) for entry in tree.entries(self.root, self.language, self.suffixes))
        return tables.total_bytes(self.root, self.language, self.settings)

    def records(self) -> Iterator[Record]:
        """Every program, in no particular order."""
        if self.is_tree:
            return tree.records(self.root, self.language, self.suffixes, self.settings)
        return tables.records(self.root, self.language, self.settings)
