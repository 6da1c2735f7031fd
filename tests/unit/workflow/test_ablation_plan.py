"""What an ablation trains on, and what it shares with IRCoder, from a small config."""

from typing import Any

import pytest

from scripts.workflow.ablation_plan import AblationPlan
from scripts.workflow.checkpoint_plan import CheckpointPlan
from scripts.workflow.validation import ConfigError

TEMPLATES = {"source_to_llvm": "{source}<>{llvm}", "llvm_to_source": "{llvm}<>{source}"}
PRETRAIN: dict[str, Any] = {
    "templates": TEMPLATES,
    "llvm_tokens": 640,
    "packing": "concat",
    "context": 1024,
    "isolate_documents": False,
    "train_documents": None,
    "validation_documents": 24,
    "new_embeddings": "mean",
    "milestones": [],
    "lora": {"r": 32},
    "training": {"epochs": 8, "max_steps": 200},
}
SOURCE_ONLY = {"documents": "source", "equal_tokens": True}


def config_with(**ablations: dict[str, Any]) -> dict[str, Any]:
    """A config with ablations, whose names are written with `_` for `-`."""
    return {
        "languages": ["C", "D"],
        "variants": ["perf", "size"],
        "seed": 484,
        "pretrain": PRETRAIN,
        "models": ["tiny"],
        "evaluate": {"checkpoints": ["base", "ircoder"]},
        "ablations": {name.replace("_", "-"): overlay for name, overlay in ablations.items()},
    }


def plan(**ablations: dict[str, Any]) -> AblationPlan:
    return AblationPlan(config_with(**ablations))


def test_an_ablation_has_the_settings_of_ircoder_except_its_own() -> None:
    run = plan(slow={"training": {"max_steps": 400}}, one_way={"directions": ["llvm_to_source"]})
    ircoder, slow, one_way = (run.settings(name) for name in ("ircoder", "slow", "one-way"))
    assert {key for key in slow if slow[key] != ircoder[key]} == {"training"}
    assert slow["training"] == {"epochs": 8, "max_steps": 400}
    assert one_way["templates"] == {"llvm_to_source": TEMPLATES["llvm_to_source"]}
    assert (ircoder["seed"], ircoder["documents"], ircoder["modules"]) == (484, "pairs", "own")


def test_samples_and_tokens_are_shared_where_nothing_differs() -> None:
    run = plan(
        slow={"training": {"epochs": 9}},
        shuffled={"modules": "shuffled"},
        source_only=SOURCE_ONLY,
        source_short={"documents": "source"},
        perf_only={"variants": ["perf"]},
        seed_2={"seed": 2},
    )
    assert {name: (run.sample_owner(name), run.tokens_owner(name)) for name in run.names} == {
        "slow": ("ircoder", "ircoder"),
        "shuffled": ("ircoder", "shuffled"),
        "source-only": ("source-only", "source-only"),
        "source-short": ("source-only", "source-only"),
        "perf-only": ("perf-only", "perf-only"),
        "seed-2": ("seed-2", "seed-2"),
    }


def test_trainings_that_differ_in_their_seed_are_replicates() -> None:
    more = {**SOURCE_ONLY, "seed": 2}
    run = plan(seed_2={"seed": 2}, source_only=SOURCE_ONLY, source_2=more, slow={"training": {"epochs": 9}})
    assert run.replicates == {"ircoder": ["ircoder", "seed-2"], "source-only": ["source-only", "source-2"]}
    assert plan(source_only=SOURCE_ONLY).replicates == {}


@pytest.mark.parametrize(
    ("overlay", "message"),
    [
        ({"languages": ["c"]}, r"^config: ablations\.one\.languages: the run has no 'c'"),
        ({"variants": ["Size"]}, r"the run has no 'Size'; did you mean 'size'"),
        ({"directions": ["llvm"]}, r"ablations\.one\.directions: the run has no 'llvm'"),
    ],
)
def test_an_ablation_on_what_the_run_lacks_is_a_one_line_error(overlay: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        plan(one=overlay).check()


def test_ablations_are_evaluated_trained_and_compared_like_ircoder() -> None:
    config = config_with(source_only=SOURCE_ONLY)
    run = CheckpointPlan(config, {"tiny": {"source": "scratch"}}, ["instruct"])
    assert run.evaluated == ["base", "ircoder", "source-only"]
    assert run.pretrained() == ["ircoder", "source-only"]
    assert run.compared_losses() == [("tiny", name) for name in run.evaluated]
    assert run.trainings("tiny") == [
        *("base", "pretrain", "source-only"),
        *("base-instruct", "ircoder-instruct", "source-only-instruct"),
    ]
    alone = {**config, "evaluate": {"checkpoints": ["base"]}}
    assert CheckpointPlan(alone, {"tiny": {"source": "hub"}}, []).trainings("tiny") == ["source-only"]
