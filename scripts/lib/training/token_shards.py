"""Token sequences on disk: safetensors shards, memory-mapped and read one sequence at a time.

Safetensors files have no checksums, and a changed token would go unnoticed into a training. So each
shard has the CRC-32 of each sequence, compared when that is read, and one of the rest, compared when
the shard is opened. Shards that were written without them are read without.
"""

import zlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from scripts.lib.job import InputError
from scripts.lib.prompts import Example

# Sequences per shard; 8,192 sequences of 4,096 tokens are 134 MB.
SHARD_SEQUENCES = 8192
_CHECKSUM = "crc32"


def _index_sum(tensors: dict[str, np.ndarray]) -> str:
    """Checksum of all tensors but the token ids."""
    total = 0
    for name in ("offsets", "masked", "checksums"):
        total = zlib.crc32(tensors[name].tobytes(), total)
    return f"{total:08x}"


def write_shard(path: Path, sequences: Sequence[Sequence[int] | np.ndarray], masked: Sequence[int]) -> None:
    """Write n sequences of token ids as one shard: `input_ids` (int32, joined), `offsets` (int64,
    n + 1), `masked` (int32, n), `checksums` (uint32, n).
    """
    arrays = [np.asarray(ids, dtype=np.int32) for ids in sequences]
    tensors: dict[str, np.ndarray] = {
        "input_ids": np.concatenate(arrays),
        "offsets": np.concatenate([[0], np.cumsum([len(ids) for ids in arrays])]).astype(np.int64),
        "masked": np.asarray(masked, dtype=np.int32),
        "checksums": np.array([zlib.crc32(ids.tobytes()) for ids in arrays], dtype=np.uint32),
    }
    save_file(tensors, str(path), metadata={_CHECKSUM: _index_sum(tensors)})


def write_shards(folder: Path, examples: Sequence[Example]) -> None:
    """Write sequences as the shards `000.safetensors`, `001.safetensors`, … of a new folder."""
    folder.mkdir(parents=True)
    for number, start in enumerate(range(0, len(examples), SHARD_SEQUENCES)):
        part = examples[start : start + SHARD_SEQUENCES]
        ids, masked = [example.input_ids for example in part], [example.masked for example in part]
        write_shard(folder / f"{number:03}.safetensors", ids, masked)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Turn errors about damaged content into an `InputError` that names the shard."""
    try:
        yield
    except (SafetensorError, SystemError, OverflowError, ValueError, TypeError, MemoryError) as error:
        remedy = f"delete {path.parent.parent} and run again"
        raise InputError(f"{path} is damaged ({' '.join(str(error).split())}); {remedy}") from error


class _Shard:
    """An open shard; raises `InputError` when it has changed since it was written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with _naming(path):
            self._file = safe_open(str(path), framework="numpy")
            names = self._file.keys()
            tensors = {name: self._file.get_tensor(name) for name in names if name != "input_ids"}
            self._checksums = tensors.get("checksums")
            self.offsets, self.masked = self._index(tensors, (self._file.metadata() or {}).get(_CHECKSUM))

    def _index(self, tensors: dict[str, np.ndarray], expected: str | None) -> tuple[np.ndarray, np.ndarray]:
        """The offsets and masked lengths, compared with their checksum."""
        if not {"offsets", "masked"} <= tensors.keys():
            raise ValueError("it lacks a tensor")
        if (expected or self._checksums is not None) and (self._checksums is None or _index_sum(tensors) != expected):
            raise ValueError("its index has changed since it was written")
        return tensors["offsets"], tensors["masked"]

    def sequence(self, row: int) -> Any:
        """The token ids of one sequence."""
        start, end = map(int, self.offsets[row : row + 2])
        with _naming(self.path):
            ids = self._file.get_slice("input_ids")[start:end]
            if self._checksums is not None and zlib.crc32(ids.tobytes()) != self._checksums[row]:
                raise ValueError(f"sequence {row} has changed since it was written")
        return ids


class TokenShards:
    """All sequences of a folder of shards, in the order of file names."""

    def __init__(self, folder: str | Path) -> None:
        """Open every shard; raise `FileNotFoundError` when the folder has none."""
        self.paths = sorted(Path(folder).glob("*.safetensors"))
        if not self.paths:
            raise FileNotFoundError(2, "no token shards", str(folder))
        self._shards = [_Shard(path) for path in self.paths]
        self._ends = list(accumulate(len(shard.masked) for shard in self._shards))

    def __len__(self) -> int:
        """Number of sequences."""
        return self._ends[-1]

    def __getitem__(self, index: int) -> Example:
        """One sequence, read from disk; raises `IndexError` outside 0 to len - 1, and `InputError`
        when the sequence has changed since it was written.
        """
        if not 0 <= index < len(self):
            raise IndexError(index)
        number = bisect_right(self._ends, index)
        row = index - (self._ends[number - 1] if number else 0)
        shard = self._shards[number]
        return Example(input_ids=shard.sequence(row).tolist(), masked=int(shard.masked[row]))

    def lengths(self) -> Iterator[int]:
        """Number of tokens of each sequence."""
        for shard in self._shards:
            yield from np.diff(shard.offsets).tolist()
