"""Token sequences on disk: safetensors shards, memory-mapped and read one sequence at a time."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from scripts.lib.prompts import Example

# Sequences per shard; 8,192 sequences of 4,096 tokens are 134 MB.
SHARD_SEQUENCES = 8192


def write_shard(path: Path, sequences: Sequence[Sequence[int] | np.ndarray], masked: Sequence[int]) -> None:
    """Write n sequences of token ids as one shard: `input_ids` (int32, joined), `offsets` (int64,
    n + 1), `masked` (int32, n).
    """
    lengths = [len(ids) for ids in sequences]
    save_file(
        {
            "input_ids": np.concatenate([np.asarray(ids, dtype=np.int32) for ids in sequences]),
            "offsets": np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
            "masked": np.asarray(masked, dtype=np.int32),
        },
        str(path),
    )


def write_shards(folder: Path, examples: Sequence[Example]) -> None:
    """Write sequences as the shards `000.safetensors`, `001.safetensors`, … of a new folder."""
    folder.mkdir(parents=True)
    for number, start in enumerate(range(0, len(examples), SHARD_SEQUENCES)):
        part = examples[start : start + SHARD_SEQUENCES]
        ids, masked = [example.input_ids for example in part], [example.masked for example in part]
        write_shard(folder / f"{number:03}.safetensors", ids, masked)


class TokenShards:
    """All sequences of a folder of shards, in the order of file names."""

    def __init__(self, folder: str | Path) -> None:
        """Open every shard; raise `FileNotFoundError` when the folder has none."""
        self.paths = sorted(Path(folder).glob("*.safetensors"))
        if not self.paths:
            raise FileNotFoundError(2, "no token shards", str(folder))
        self._shards = [safe_open(str(path), framework="numpy") for path in self.paths]
        self._offsets = [shard.get_tensor("offsets") for shard in self._shards]
        self._masked = [shard.get_tensor("masked") for shard in self._shards]
        self._ends = list(accumulate(len(masked) for masked in self._masked))

    def __len__(self) -> int:
        """Number of sequences."""
        return self._ends[-1]

    def __getitem__(self, index: int) -> Example:
        """One sequence, read from disk; raises `IndexError` outside 0 to len - 1."""
        if not 0 <= index < len(self):
            raise IndexError(index)
        number = bisect_right(self._ends, index)
        row = index - (self._ends[number - 1] if number else 0)
        start, end = self._offsets[number][row : row + 2]
        ids = self._shards[number].get_slice("input_ids")[int(start) : int(end)]
        return Example(input_ids=ids.tolist(), masked=int(self._masked[number][row]))

    def lengths(self) -> Iterator[int]:
        """Number of tokens of each sequence."""
        for offsets in self._offsets:
            yield from np.diff(offsets).tolist()
