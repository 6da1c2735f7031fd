"""How long an ablation is trained, and what its card says of its data."""

import pytest
from snakemake.iocontainers import Params

from scripts.lib.csv_files import write_csv
from scripts.lib.prompts import Example
from scripts.lib.schemas.training import TOKEN_STATISTICS
from scripts.lib.training.spec import TrainingSettings
from scripts.lib.training.token_shards import TokenShards, write_shards
from scripts.lib.training.usage import merged_usage
from scripts.pretrain.adapter import data_description, equal_steps, usage_of
from tests.support.tiny_training import SETTINGS


def shards(folder, count, length):
    write_shards(folder, [Example([1] * length, 0)] * count)
    return TokenShards(folder)


def settings(**changes):
    return TrainingSettings(**{**SETTINGS, **changes})


@pytest.mark.parametrize(
    ("ircoder", "own", "steps"),
    [
        # 30 steps of 2 sequences of 64 tokens each.
        ({"max_steps": 30, "epochs": 9}, {"max_steps": 5, "epochs": 1}, 30),
        ({"max_steps": 30, "epochs": 9}, {"batch_size": 4}, 15),
        ({"max_steps": 30, "epochs": 9, "accumulation": 3}, {"max_steps": None, "epochs": 1}, 90),
        # An epoch of 40 sequences has 20 steps.
        ({"max_steps": None, "epochs": 1}, {}, 20),
    ],
)
def test_an_ablation_with_equal_tokens_has_as_many_steps_as_that_takes(tmp_path, ircoder, own, steps):
    reference, few = shards(tmp_path / "ircoder", 40, 64), shards(tmp_path / "own", 3, 64)
    assert equal_steps(few, settings(**own), reference, settings(**ircoder)) == steps


def test_shorter_sequences_take_more_steps(tmp_path):
    reference, short = shards(tmp_path / "ircoder", 40, 64), shards(tmp_path / "own", 10, 16)
    same = settings(max_steps=10, epochs=9)
    assert equal_steps(short, same, reference, same) == 40


def test_the_card_of_an_ablation_names_what_differs(tmp_path):
    write_csv(tmp_path / "statistics.csv", TOKEN_STATISTICS.names, [])
    assert data_description(tmp_path / "statistics.csv")[0] == "Pairs of source and LLVM IR in both directions."
    text = data_description(tmp_path / "statistics.csv", {"documents": "source", "equal_tokens": True})[0]
    assert text.endswith('with `documents: "source"`; `equal_tokens: true`.')


def test_the_snippet_of_an_ablation_fits_its_documents():
    templates = {"source_to_llvm": "{source}\n<source_to_llvm>\n{llvm}"}
    source = usage_of(Params(fromdict={"templates": templates, "overlay": {"documents": "source"}}), "models/x")
    assert "<source_to_llvm>" not in source and source.count("AutoPeftModelForCausalLM") == 2
    assert merged_usage(source, ".").count("AutoModelForCausalLM") == 2 and "Peft" not in merged_usage(source, ".")
    for params in ({"templates": templates}, {"templates": templates, "overlay": {"modules": "shuffled"}}):
        assert "<source_to_llvm>" in usage_of(Params(fromdict=params), "models/x")
