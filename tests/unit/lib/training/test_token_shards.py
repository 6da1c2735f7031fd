"""Token shards give back what was written, over any number of files."""

import random

import numpy as np
import pytest
from safetensors.numpy import save_file

from scripts.lib.job import InputError
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


def test_every_changed_bit_of_a_shard_is_noticed_and_the_file_named(tmp_path):
    examples = [Example(list(range(start, start + 20)), 3) for start in range(50)]
    write_shards(tmp_path / "train", examples)
    file = tmp_path / "train/000.safetensors"
    content = file.read_bytes()
    generator = random.Random(11)
    for _ in range(200):
        changed = bytearray(content)
        changed[generator.randrange(len(content))] ^= 1 << generator.randrange(8)
        file.write_bytes(changed)
        with pytest.raises(InputError, match=r"000\.safetensors is damaged"):
            list(TokenShards(tmp_path / "train"))


def test_a_shard_of_an_earlier_version_is_read(tmp_path):
    arrays = {"input_ids": np.arange(5, dtype=np.int32), "offsets": np.array([0, 2, 5]), "masked": np.array([0, 1])}
    save_file(arrays, str(tmp_path / "000.safetensors"))
    assert [(each.input_ids, each.masked) for each in TokenShards(tmp_path)] == [([0, 1], 0), ([2, 3, 4], 1)]
