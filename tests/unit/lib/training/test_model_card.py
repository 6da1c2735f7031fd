"""Model cards: metadata as the hub expects them, results from the learning curve, equal bytes."""

import pytest
from huggingface_hub import ModelCard

from scripts.lib.training.model_card import Card, flatten, last_measures, render

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
