"""Shuffle documents on disk, bucket by bucket, so that memory need not hold all of them."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

_HEADER = np.dtype(
    [("rank", "<i8"), ("language", "<i4"), ("tokens", "<i4"), ("lost_source", "<f8"), ("lost_llvm", "<f8")]
)


@dataclass(frozen=True)
class RankedDocument:
    """A document for shuffling.

    rank: position in the shuffled order. language: index of its language. lost_source, lost_llvm:
    shares of source and module that were left out, 0 to 1. ids: token ids, int32.
    """

    rank: int
    language: int
    lost_source: float
    lost_llvm: float
    ids: np.ndarray


def read_bucket(path: Path) -> list[RankedDocument]:
    """The documents of a bucket, sorted by rank."""
    return sorted(_records(path.read_bytes()), key=lambda document: document.rank)


def _records(content: bytes) -> Iterator[RankedDocument]:
    """The documents of a bucket; their ids are views of `content`."""
    position = 0
    while position < len(content):
        header = np.frombuffer(content, _HEADER, 1, position)[0]
        position += _HEADER.itemsize
        ids = np.frombuffer(content, "<i4", header["tokens"], position)
        position += ids.nbytes
        lost = float(header["lost_source"]), float(header["lost_llvm"])
        yield RankedDocument(int(header["rank"]), int(header["language"]), *lost, ids)


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
        lost = document.lost_source, document.lost_llvm
        header = np.array([(document.rank, document.language, len(document.ids), *lost)], _HEADER)
        self._streams[bucket].write(header.tobytes())
        self._streams[bucket].write(document.ids.astype("<i4", copy=False).tobytes())

    def paths(self) -> list[Path]:
        """The files of the buckets, in the order of their ranks; nothing can be added afterwards."""
        self.close()
        return [self.folder / str(bucket) for bucket in sorted(self._streams)]
