"""Other base models: a small random Llama, and a real model in a GGUF file."""

import json

import pytest
import torch
from safetensors.torch import load_file

from scripts.lib.files import read_json
from scripts.pretrain.import_base import load_base
from scripts.workflow.validation import read_yaml
from tests.workflow.conftest import ROOT
from tests.workflow.jobs import jobs_in

pytestmark = pytest.mark.training

TINY = str(ROOT / "tests/workflow/tiny.yaml")
SMOLLM2 = str(ROOT / "config/examples/smollm2.yaml")
FEW_STEPS = {"max_steps": 2, "eval_steps": 2, "save_steps": 2}


def test_a_llama_is_trained_by_all_trainings(tmp_path, workflow):
    workflow(tmp_path, "finetune", "--configfile", TINY, "--config", "models=[tiny-llama]")
    models = tmp_path / "results/models/tiny-llama"
    for base in ("base", "ircoder"):
        assert read_json(models / base / "config.json")["model_type"] == "llama"
        for tuning in ("instruct", "commits-Python"):
            config = read_json(models / f"{base}-{tuning}" / "adapter_config.json")
            assert config["base_model_name_or_path"] == f"results/models/tiny-llama/{base}"
    before, after = (load_file(models / name / "model.safetensors") for name in ("base", "ircoder"))
    equal = {name: torch.equal(tensor, after[name][: len(tensor)]) for name, tensor in before.items()}
    changed = {name.split(".")[-2] for name in before if not equal[name]}
    assert changed == {"q_proj", "k_proj", "v_proj", "o_proj", "embed_tokens", "lm_head"}


def test_the_dequantised_model_answers_as_trained():
    entry = read_yaml(ROOT / "config/models.yaml")["smollm2-135m"]
    model, tokenizer = load_base(entry, str(ROOT), offline=True)
    prompt = tokenizer("The capital of France is", return_tensors="pt")
    text = tokenizer.decode(model.generate(**prompt, max_new_tokens=5, do_sample=False)[0])
    assert "Paris" in text
    assert tokenizer.decode(tokenizer("int main() {\n\treturn 0;\n}")["input_ids"]) == "int main() {\n\treturn 0;\n}"


def test_the_example_plans_all_stages(tmp_path, workflow):
    planned = {job.split()[0] for job in jobs_in(workflow(tmp_path, "--dry-run", "--configfile", SMOLLM2).stdout)}
    assert {"pretrain_import", "pretrain_adapter", "pretrain_ablation_adapter", "evaluate_generate", "all"} <= planned


def test_a_real_model_is_trained_on_pairs(tmp_path, workflow):
    overlay = {"pretrain": {"training": FEW_STEPS, "loss_documents": 1}, "languages": ["C"]}
    words = [f"{key}={json.dumps(value)}" for key, value in overlay.items()]
    workflow(tmp_path, "pretrain", "--configfile", SMOLLM2, "--config", *words, timeout=1800)
    folder = tmp_path / "results-smollm2/models/smollm2-135m"
    facts = read_json(folder / "adapter/training.json")
    assert (facts["steps"], facts["world_size"]) == (2, 1)
    assert facts["trained_parameters"] < 10_000_000
    assert read_json(folder / "ircoder/config.json")["model_type"] == "llama"
