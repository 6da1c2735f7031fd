"""The frame of all trainings: specification, results, milestones and the workspace of an
interrupted training.
"""

from pathlib import Path
from types import SimpleNamespace

import pytest
from huggingface_hub import ModelCard

from scripts.lib.files import read_json, write_json
from scripts.lib.job import InputError
from scripts.lib.seeds import seed_for
from scripts.lib.training import job as training_job
from scripts.lib.training.job import TrainingJob, run_job
from scripts.lib.training.spec import TrainingSpec, milestone_folder
from tests.support.tiny_training import LORA, SETTINGS

FACTS = {"steps": 12, "seed": 1}
HISTORY = [{"step": 4, "loss": 3.5}, {"step": 8, "eval_loss": 3.0, "eval_accuracy": 0.2}]


@pytest.fixture
def snakemake(tmp_path):
    """The job of a rule that trains an adapter."""
    params = SimpleNamespace(
        settings={"seed": 7, "lora": LORA, "pad_to": 32, "training": SETTINGS},
        code="0123",
        gpu=False,
        card={"title": "Tiny", "license": "MIT", "license_link": None, "base": None},
        checkpoints=str(tmp_path / "checkpoints"),
        tensorboard=None,
    )
    return SimpleNamespace(
        input={"operators": []},
        output=SimpleNamespace(curve=str(tmp_path / "curve.csv")),
        params=params,
        wildcards=SimpleNamespace(model="tiny"),
    )


@pytest.fixture
def job(tmp_path):
    """A training whose data are written by a function."""
    (tmp_path / "base").mkdir()
    base = str(tmp_path / "base")
    return TrainingJob(
        name="pretrain",
        inputs=[base],
        base=base,
        tokenizer=base,
        base_name="tiny/base",
        data=lambda folder: Path(folder, "tokens").write_text("1 2 3"),
        title="Tiny, trained",
        description=["Numbers."],
        milestones={8: str(tmp_path / "milestones/8"), 4: str(tmp_path / "milestones/4")},
    )


@pytest.fixture
def specs(monkeypatch):
    """Specifications of the trainings that were started; each writes what a training process
    writes.
    """
    started: list[TrainingSpec] = []

    def train(spec):
        started.append(spec)
        write_json(Path(spec.checkpoints, "history.json"), HISTORY)
        for folder in (Path(spec.output), *(milestone_folder(Path(spec.checkpoints), n) for n in spec.milestones)):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "adapter_model.safetensors").write_text(folder.name)
        return FACTS

    monkeypatch.setattr(training_job, "run_training", train)
    return started


def test_a_job_writes_weights_facts_card_and_curve(snakemake, job, specs, tmp_path):
    run_job(snakemake, job, str(tmp_path / "adapter"))
    assert {path.name for path in (tmp_path / "adapter").iterdir()} == {
        "README.md",
        "adapter_model.safetensors",
        "training.json",
    }
    assert read_json(tmp_path / "adapter/training.json") == FACTS
    assert "# Tiny, trained\n" in (tmp_path / "adapter/README.md").read_text()
    assert (tmp_path / "curve.csv").read_text().splitlines()[1:] == ["4,,3.5,,", "8,,,3.0,0.2"]
    assert list((tmp_path / "checkpoints").iterdir()) == []


def test_the_specification_has_the_settings_of_the_rule(snakemake, job, specs, tmp_path):
    run_job(snakemake, job, str(tmp_path / "adapter"))
    (spec,) = specs
    assert (spec.lora, spec.pad_to, spec.milestones, spec.name) == (LORA, 32, (4, 8), "tiny/base")
    assert spec.seed == seed_for(7, "pretrain", "tiny")
    assert spec.architecture is None and spec.extensions is None


def test_milestones_have_their_weights_step_and_results(snakemake, job, specs, tmp_path):
    run_job(snakemake, job, str(tmp_path / "adapter"))
    for step, measures in ((4, set()), (8, {"loss", "accuracy"})):
        folder = tmp_path / "milestones" / str(step)
        assert (folder / "adapter_model.safetensors").read_text() == str(step)
        assert read_json(folder / "training.json") == {**FACTS, "saved_at_step": step}
        card = ModelCard.load(folder / "README.md")
        assert f"# Tiny, trained, step {step}\n" in card.text
        assert {result.metric_type for result in card.data.eval_results or []} == measures


def test_an_interrupted_job_reuses_its_data_and_workspace(snakemake, job, specs, tmp_path, monkeypatch):
    def fail(spec):
        specs.append(spec)
        Path(spec.data, "tokens").write_text("4 5 6")
        raise InputError("killed")

    with monkeypatch.context() as patch, pytest.raises(InputError, match="killed"):
        patch.setattr(training_job, "run_training", fail)
        run_job(snakemake, job, str(tmp_path / "adapter"))
    assert not (tmp_path / "adapter").exists()
    assert Path(specs[0].data, "tokens").read_text() == "4 5 6"
    run_job(snakemake, job, str(tmp_path / "adapter"))
    assert specs[1].data == specs[0].data and specs[1].checkpoints == specs[0].checkpoints
