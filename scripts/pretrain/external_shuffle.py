"""Shuffle documents on disk, bucket by bucket, so that memory need not hold all of them."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

_HEADER = np.dtype([("rank", "<i8"), ("language", "<i4"), ("tokens", "<i4"), ("lost", "<f8")])


@dataclass(frozen=True)
class RankedDocument:
    """A document for shuffling.

    rank: position in the shuffled order. language: index of its language. lost: share of its
    module's text that was left out, 0 to 1. ids: token ids.
    """

    rank: int
    language: int
    lost: float
    ids: list[int]


def _records(content: bytes) -> Iterator[RankedDocument]:
    position = 0
    while position < len(content):
        header = np.frombuffer(content, _HEADER, 1, position)[0]
        position += _HEADER.itemsize
        ids = np.frombuffer(content, "<i4", header["tokens"], position)
        position += ids.nbytes
        yield RankedDocument(int(header["rank"]), int(header["language"]), float(header["lost"]), ids.tolist())


class TokenBuckets(ExitStack):
    """Buckets of `size` consecutive ranks, each a file in a temporary folder."""

    def __init__(self, folder: Path, size: int) -> None:
        """Create `folder`."""
        super().__init__()
        self.folder, self.size = folder, size
        self._streams: dict[int, BinaryIO] = {}
        folder.mkdir(parents=True)

    def add(self, document: RankedDocument) -> None:
        """Append one document to its bucket."""
        bucket = document.rank // self.size
        if bucket not in self._streams:
            self._streams[bucket] = self.enter_context((self.folder / str(bucket)).open("wb"))
        header = np.array([(document.rank, document.language, len(document.ids), document.lost)], _HEADER)
        self._streams[bucket].write(header.tobytes())
        self._streams[bucket].write(np.asarray(document.ids, "<i4").tobytes())

    def buckets(self) -> Iterator[list[RankedDocument]]:
        """The documents of each bucket, sorted by rank; each file is deleted after it is read."""
        for bucket in sorted(self._streams):
            self._streams[bucket].close()
            path = self.folder / str(bucket)
            yield sorted(_records(path.read_bytes()), key=lambda document: document.rank)
            path.unlink()
