"""The corpus of a config, whatever its format: its programs one by one, how large it is, and what tells of a change."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.sources import tables, tree
from scripts.sources.record import Record


@dataclass(frozen=True)
class Corpus:
    """The programs of one language: `root` of the corpus, the config's `settings`, the language's file `suffixes`."""

    root: Path
    language: str
    settings: dict[str, Any]
    suffixes: list[str]

    @property
    def is_tree(self) -> bool:
        """Whether programs are files of their own."""
        return self.settings["format"] == "tree"

    @property
    def has_ir(self) -> bool:
        """Whether programs come with modules."""
        return self.settings["columns"]["ir"] is not None

    def fingerprint(self) -> str:
        """A text that changes with every change of the language's programs; reads no contents."""
        if self.is_tree:
            return tree.fingerprint(self.root, self.language, self.suffixes)
        return tables.fingerprint(self.root, self.language, self.settings)

    def total_bytes(self) -> int:
        """About how many bytes of text there are."""
        if self.is_tree:
            most = self.settings["max_bytes"]
            return sum(min(entry.size, most) for entry in tree.entries(self.root, self.language, self.suffixes))
        return tables.total_bytes(self.root, self.language, self.settings)

    def records(self) -> Iterator[Record]:
        """Every program, in no particular order."""
        if self.is_tree:
            return tree.records(self.root, self.language, self.suffixes, self.settings)
        return tables.records(self.root, self.language, self.settings)
