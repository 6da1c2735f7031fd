"""The examples whose scores are published evaluate a base model and train nothing."""

import pytest

from scripts.workflow.config import read_yaml
from tests.workflow.conftest import ROOT
from tests.workflow.jobs import jobs_in

EXAMPLES = ROOT / "config/examples"


@pytest.mark.parametrize("name", ["recode-codegen", "multipl-e-starcoderbase"])
def test_published_scores_need_no_training(workflow, tmp_path, name):
    output = workflow(tmp_path, "tables", "--dry-run", "--configfile", str(EXAMPLES / f"{name}.yaml")).stdout
    rules = {job.split()[0] for job in jobs_in(output)}
    assert {"fetch_base", "fetch_benchmark", "evaluate_generate", "evaluate_execute", "tables_benchmark"} <= rules
    assert not {rule for rule in rules if rule.startswith(("compile", "dedup", "pairs", "pretrain", "finetune"))}


@pytest.mark.parametrize("name", ["recode-codegen", "multipl-e-starcoderbase"])
def test_published_scores_are_of_models_in_the_table(name):
    models = read_yaml(ROOT / "config/models.yaml")
    example = read_yaml(EXAMPLES / f"{name}.yaml")
    assert {models[model]["source"] for model in example["models"]} == {"hub"}
    assert example["evaluate"]["checkpoints"] == ["base"]
