"""Model cards: metadata as the hub expects them, results from the learning curve, equal bytes."""

import json
from dataclasses import replace

import pytest
import yaml
from huggingface_hub import ModelCard

from scripts.lib.hub_license import license_metadata
from scripts.lib.training.model_card import Card, flatten, last_measures, merged_card, render
from scripts.lib.training.usage import pair_usage
from tests.support.paths import ROOT

CURVE = """step,learning_rate,train_loss,validation_loss,validation_accuracy
0,,,5.1,0.01
5,0.1,4.2,,
6,,,4.04321,0.25
9,0.0,3.9,,
"""


@pytest.fixture
def card(tmp_path):
    """A card of a model tuned from a base of the hub."""
    (tmp_path / "curve.csv").write_text(CURVE)
    return Card(
        title="Tiny, tuned",
        license="Apache-2.0",
        base="owner/base",
        data=["Rows.", "", "| language |", "|---|", "| C |"],
        settings={"lora": {"r": 4}, "seed": 1},
        facts={"steps": 9},
        curve=tmp_path / "curve.csv",
    )


def test_metadata_state_base_license_and_validation_results(card):
    data = ModelCard(render(card)).data
    assert (data.base_model, data.license, data.language) == ("owner/base", "apache-2.0", "code")
    assert (data.library_name, data.pipeline_tag) == ("transformers", "text-generation")
    assert data.model_name == "Tiny, tuned"
    assert {result.metric_type: result.metric_value for result in data.eval_results} == {
        "loss": 4.0432,
        "accuracy": 0.25,
    }


def test_text_shows_settings_facts_and_the_last_measures(card):
    text = render(card)
    assert "# Tiny, tuned\n\nLicense: Apache-2.0.\n" in text
    assert "| lora.r | `4` |\n| seed | `1` |\n\n| fact | value |\n| --- | --- |\n| steps | `9` |\n" in text
    assert "| train_loss | `3.9` |\n| validation_accuracy | `0.25` |\n| validation_loss | `4.0432` |\n" in text
    assert text.endswith("|\n") and "\n\n\n" not in text


def test_the_same_training_has_the_same_card(card):
    assert render(card) == render(card)


def test_a_milestone_states_the_measures_up_to_its_step(card):
    assert last_measures(card.curve, 5) == {"train_loss": 4.2, "validation_loss": 5.1, "validation_accuracy": 0.01}


def test_a_training_without_validation_states_no_result(card):
    card.curve.write_text("step,learning_rate,train_loss,validation_loss,validation_accuracy\n5,0.1,4.2,,\n")
    data = ModelCard(render(card)).data
    assert data.eval_results is None
    assert data.get("model_name") is None


def test_nested_settings_have_dotted_names():
    assert flatten({"a": {"b": {"c": 1}}, "d": [2]}) == {"a.b.c": 1, "d": [2]}


TEMPLATES = {
    "source_to_llvm": "{source}\n<source_to_llvm>\n{llvm}",
    "llvm_to_source": "{llvm}\n<llvm_to_source>\n{source}",
}


def test_an_adapters_card_becomes_that_of_the_merged_model(card):
    adapter = replace(
        card,
        base="../base",
        relation="adapter",
        datasets=["../../../pairs"],
        usage=pair_usage(TEMPLATES, "models/adapter"),
    )
    text = render(adapter)
    data = ModelCard(text).data
    assert (data.library_name, data.base_model, data.datasets) == ("peft", "../base", ["../../../pairs"])
    assert data.base_model_relation == "adapter"
    assert 'folder = "models/adapter"' in text and "AutoPeftModelForCausalLM.from_pretrained(folder)" in text
    assert all(json.dumps(template) in text for template in TEMPLATES.values())
    assert r"return 0;\n}\n\n<source_to_llvm>\n" in text
    merged = merged_card(text)
    data = ModelCard(merged).data
    assert (data.library_name, data.base_model, data.base_model_relation) == ("transformers", "../base", "finetune")
    assert 'folder = "."' in merged and "peft" not in merged.lower().partition("## data")[0]
    assert merged.partition("## Data")[2] == text.partition("## Data")[2]


def test_the_seed_is_stated_once(card):
    text = render(replace(card, facts={"steps": 9, "seed": 15991328391404896400}))
    assert text.count("| seed |") == 1 and "15991328391404896400" not in text


@pytest.mark.parametrize(
    ("license", "link", "expected"),
    [
        ("BigCode OpenRAIL-M", None, ("bigcode-openrail-m", None, None)),
        ("Llama 2 Community License", None, ("llama2", None, None)),
        (
            "DeepSeek License",
            "https://example.org/license",
            ("other", "deepseek-license", "https://example.org/license"),
        ),
        ("", None, ("unknown", None, None)),
    ],
)
def test_licenses_have_the_hubs_identifiers(card, license, link, expected):
    data = ModelCard(render(replace(card, license=license, license_link=link))).data
    assert (data.license, data.license_name, data.license_link) == expected


def test_the_licenses_of_the_table_of_models_are_identifiers_or_have_a_link():
    for name, entry in yaml.safe_load((ROOT / "config/models.yaml").read_text()).items():
        metadata = license_metadata([entry["license"] or "unknown"], entry.get("license_link"))
        assert metadata["license"] != "other" or metadata["license_link"], name
