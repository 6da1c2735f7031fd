"""Which checkpoints a run has, from small tables."""

from typing import Any

import pytest

from scripts.workflow.checkpoint_plan import CheckpointPlan
from scripts.workflow.validation import ConfigError

SOURCE = {"repository": "owner/tuned", "revision": ""}
MODELS: dict[str, Any] = {
    "scratch": {"source": "scratch"},
    "hub": {"source": "hub", "checkpoints": {"ircoder": SOURCE, "ircoder-instruct": {"path": "folder"}}},
    "gguf": {"source": "gguf"},
}


def plan(
    *models: str, checkpoints: tuple[str, ...] = ("base", "ircoder"), milestones: tuple[int, ...] = ()
) -> CheckpointPlan:
    """The plan of a run with some models."""
    config = {
        "models": list(models),
        "evaluate": {"checkpoints": list(checkpoints)},
        "pretrain": {"milestones": list(milestones), "training": {"max_steps": 100}},
    }
    return CheckpointPlan(config, MODELS, ["instruct"])


def test_a_checkpoint_is_trained_unless_it_is_imported() -> None:
    run = plan("scratch", "hub")
    assert run.is_trained("scratch", "base") and not run.is_trained("hub", "base")
    assert run.is_trained("scratch", "ircoder") and not run.is_trained("hub", "ircoder")
    assert (run.imports_by("repository"), run.imports_by("path")) == (["hub/ircoder"], ["hub/ircoder-instruct"])
    assert (run.models_from("scratch"), run.models_from("gguf", "hub")) == (["scratch"], ["gguf", "hub"])


def test_trainings_are_in_their_order() -> None:
    run = plan("scratch", "hub")
    assert run.trainings("scratch") == ["base", "pretrain", "base-instruct", "ircoder-instruct"]
    assert run.trainings("hub") == ["base-instruct"]
    assert plan("hub", checkpoints=("base",)).trainings("gguf") == ["base-instruct"]


def test_losses_are_compared_where_a_model_is_trained_on_pairs() -> None:
    assert plan("scratch", "hub").compared_losses() == [
        ("hub", "base"),
        ("hub", "ircoder"),
        ("scratch", "base"),
        ("scratch", "ircoder"),
    ]
    assert plan("hub").compared_losses() == []


def test_pretraining_ends_in_the_evaluated_checkpoints_and_the_milestones() -> None:
    assert plan("scratch", milestones=(20, 10)).pretrained() == ["ircoder", "ircoder-10", "ircoder-20"]
    assert plan("scratch", checkpoints=("ircoder-10",), milestones=(10,)).pretrained() == ["ircoder-10"]
    assert plan("scratch", checkpoints=("base",), milestones=(10,)).pretrained() == ["base"]


def test_a_milestone_after_the_last_step_is_a_fault() -> None:
    plan("scratch", milestones=(100,)).check()
    with pytest.raises(ConfigError, match=r"^config: pretrain\.milestones: step 101 is after the last step"):
        plan("scratch", milestones=(101,)).check()


def test_an_evaluated_checkpoint_that_nothing_makes_is_a_fault() -> None:
    plan("scratch", checkpoints=("ircoder-7",), milestones=(7,)).check()
    with pytest.raises(ConfigError, match=r"nothing makes ircoder-7 of scratch; add 7 to pretrain\.milestones"):
        plan("scratch", checkpoints=("ircoder-7",)).check()
