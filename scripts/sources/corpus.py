"""The corpus of a config in any format: its programs, its size, and a fingerprint of its files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.sources import tables, tree
from scripts.sources.record import Record

# Pieces are small, because a killed job reads its unfinished piece again, and few, because all their
# temporary files are open at once when they are joined.
_PIECE_BYTES = 64 << 20
_MOST_PIECES = 256

Piece = tables.TablePiece | tree.TreePiece


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

    def measured(self) -> "MeasuredCorpus":
        """The corpus with its size; reads metadata of all its files."""
        if not self.is_tree:
            listed = tables.all_rows(self.root, self.language, self.settings)
            rows = [rows for variant in listed.values() for rows in variant]
            source, ir = sum(each.source_bytes for each in rows), sum(each.ir_bytes for each in rows)
            return MeasuredCorpus(self, source, ir, listed)
        limit = self.settings["max_bytes"]
        candidates = tree.entries(self.root, self.language, self.suffixes)
        return MeasuredCorpus(self, sum(min(entry.size, limit) for entry in candidates), 0, {})

    def records(self, piece: Piece, with_modules: bool = False) -> Iterator[Record]:
        """Every program of a piece; modules have their text only if it is wanted."""
        if isinstance(piece, tree.TreePiece):
            return tree.records(piece, self.root, self.language, self.settings)
        return tables.records(piece, self.root, self.language, self.settings, with_modules)


@dataclass(frozen=True)
class MeasuredCorpus:
    """A corpus and about how many bytes of text its programs and modules have; `listed` are the rows
    of its tables.
    """

    corpus: Corpus
    source_bytes: int
    ir_bytes: int
    listed: dict[str, list[tables.Rows]]

    def pieces(self) -> Iterator[Piece]:
        """The corpus in pieces that can be read in any order."""
        corpus = self.corpus
        first = corpus.settings["first"]
        size = max(_PIECE_BYTES, (self.source_bytes + self.ir_bytes) // _MOST_PIECES)
        if not corpus.is_tree:
            return tables.pieces(self.listed, size, first)
        tree.prepare(corpus.root, corpus.language)
        candidates = tree.selected(corpus.root, corpus.language, corpus.suffixes, first)
        return tree.pieces(candidates, size, corpus.settings["max_bytes"])
