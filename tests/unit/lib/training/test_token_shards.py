"""Token shards give back what was written, over any number of files."""

import numpy as np
import pytest

from scripts.lib.prompts import Example
from scripts.lib.training import token_shards
from scripts.lib.training.token_shards import TokenShards, write_shards


@pytest.fixture
def examples():
    generator = np.random.default_rng(3)
    lengths = generator.integers(1, 30, size=25)
    return [Example(generator.integers(60_000, size=n).tolist(), int(n) // 2) for n in lengths]


def test_sequences_are_read_in_order_from_several_shards(tmp_path, examples, monkeypatch):
    monkeypatch.setattr(token_shards, "SHARD_SEQUENCES", 10)
    write_shards(tmp_path / "train", examples)
    shards = TokenShards(tmp_path / "train")
    assert [path.name for path in shards.paths] == ["000.safetensors", "001.safetensors", "002.safetensors"]
    assert len(shards) == 25
    assert list(shards) == examples
    assert list(shards.lengths()) == [len(example.input_ids) for example in examples]


def test_bytes_are_the_same_each_time(tmp_path, examples):
    for name in ("a", "b"):
        write_shards(tmp_path / name, examples)
    assert (tmp_path / "a/000.safetensors").read_bytes() == (tmp_path / "b/000.safetensors").read_bytes()


@pytest.mark.parametrize("index", [-1, 25])
def test_an_index_out_of_range_is_an_error(tmp_path, examples, index):
    write_shards(tmp_path / "train", examples)
    with pytest.raises(IndexError):
        TokenShards(tmp_path / "train")[index]


def test_the_error_about_missing_shards_has_the_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="no token shards"):
        TokenShards(tmp_path)
