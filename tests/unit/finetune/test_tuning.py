"""Rows of a tuning set as shards, including rows that are too long."""

import pytest

from scripts.finetune.tuning import encode_splits
from scripts.lib.job import InputError
from scripts.lib.prompts import PromptSettings
from scripts.lib.training.token_shards import TokenShards
from tests.support.tiny_tokenizer import tiny_tokenizer

CUT = PromptSettings("{diff}>", "diff", 20, 8, overflow="truncate_right")
SHORT, LONG = ({"diff": "+ 1"}, "one"), ({"diff": "+" * 50}, "lost")


def test_training_includes_rows_without_response_and_validation_does_not(tmp_path):
    splits = {"train": [LONG, SHORT, LONG], "validation": [LONG, SHORT]}
    assert encode_splits(tiny_tokenizer(), CUT, splits, tmp_path) == {"train": 3, "validation": 1}
    train = TokenShards(tmp_path / "train")
    assert [(len(row.input_ids), row.masked) for row in (train[0], train[1])] == [(20, 20), (8, 4)]


def test_a_validation_without_any_response_is_not_written(tmp_path):
    splits = {"train": [SHORT], "validation": [LONG]}
    assert encode_splits(tiny_tokenizer(), CUT, splits, tmp_path)["validation"] == 0
    assert not (tmp_path / "validation").exists()


def test_a_training_set_without_any_response_is_a_one_line_error(tmp_path):
    with pytest.raises(InputError, match=r"no training row retains its response; raise `length`"):
        encode_splits(tiny_tokenizer(), CUT, {"train": [LONG], "validation": []}, tmp_path)


def test_an_empty_training_set_is_a_one_line_error(tmp_path):
    with pytest.raises(InputError, match="there are no training rows"):
        encode_splits(tiny_tokenizer(), CUT, {"train": [], "validation": [SHORT]}, tmp_path)
