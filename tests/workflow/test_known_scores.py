"""The examples with published scores evaluate a base model without training."""

import pytest

from scripts.workflow.validation import read_yaml
from tests.workflow.conftest import ROOT
from tests.workflow.jobs import jobs_in

EXAMPLES = ROOT / "config/examples"


@pytest.mark.parametrize("name", ["recode-codegen", "multipl-e-starcoderbase"])
def test_examples_with_published_scores_train_nothing(workflow, tmp_path, name):
    output = workflow(tmp_path, "tables", "--dry-run", "--configfile", str(EXAMPLES / f"{name}.yaml")).stdout
    rules = {job.split()[0] for job in jobs_in(output)}
    assert {"fetch_base", "fetch_benchmark", "evaluate_generate", "evaluate_execute", "tables_benchmark"} <= rules
    assert not {rule for rule in rules if rule.startswith(("compile", "dedup", "pairs", "pretrain", "finetune"))}


@pytest.mark.parametrize("name", ["recode-codegen", "multipl-e-starcoderbase"])
def test_examples_with_published_scores_name_models_of_the_table(name):
    models = read_yaml(ROOT / "config/models.yaml")
    example = read_yaml(EXAMPLES / f"{name}.yaml")
    assert {models[model]["source"] for model in example["models"]} == {"hub"}
    assert example["evaluate"]["checkpoints"] == ["base"]
