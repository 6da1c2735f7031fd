"""Trainings on a GPU agree with one on a CPU, in each number format and with each option.

The same tests run on a CPU where the option exists there.
"""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from scripts.lib.files import read_json
from scripts.lib.training.batches import check_isolation
from scripts.lib.training.curves import curve_rows
from scripts.lib.training.launch import run_training
from scripts.lib.training.models import make_model
from scripts.lib.training.spec import TrainingSpec
from tests.support.killed_trainings import killed_and_resumed
from tests.support.tiny_families import FAMILIES
from tests.support.tiny_tokenizer import tiny_tokenizer
from tests.support.tiny_training import LLAMA, LLAMA_LORA, LORA, merged, spec_for, write_all

STEPS = 30
SETTINGS = {"max_steps": STEPS, "epochs": 20, "eval_steps": STEPS, "save_steps": STEPS}
# Largest distance of the trained weights from those of the CPU, as a share of what the training
# changed (root mean squares), and largest relative difference of the validation losses. Adam scales
# small gradients up, and their rounding errors with them.
TOLERANCES = {"fp32": (0.05, 0.002), "tf32": (0.2, 0.01), "bf16": (0.5, 0.02)}


def case(name: str, device: str, tolerance: str, **changes: object):
    """A training on a device with other settings than the reference, and its tolerance."""
    values = {"precision": "bf16" if tolerance == "bf16" else "fp32", "tf32": tolerance == "tf32", **changes}
    marks = [pytest.mark.gpu] if device == "cuda" else []
    return pytest.param(device, values, TOLERANCES[tolerance], id=f"{device} {name}", marks=marks)


RECOMPUTED = {"gradient_checkpointing": True}
CASES = [
    case("with other kernels", "cpu", "fp32", attention="eager", optimizer="adamw_torch_fused", **RECOMPUTED),
    case("in fp32", "cuda", "fp32"),
    case("with TF32", "cuda", "tf32"),
    case("in bf16", "cuda", "bf16"),
    case("activations recomputed", "cuda", "fp32", **RECOMPUTED),
    case("fused optimizer", "cuda", "fp32", optimizer="adamw_torch_fused"),
    case("eager attention", "cuda", "fp32", attention="eager"),
    case("SDPA", "cuda", "bf16", attention="sdpa"),
    case("compiled", "cuda", "fp32", compile=True),
]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    write_all(folder)
    return folder


def trained(inputs: Path, folder: Path, device: str = "cpu", **changes: object) -> TrainingSpec:
    """Train without dropout, whose random numbers differ between devices."""
    spec = replace(
        spec_for(inputs, folder, **{**SETTINGS, **changes}), gpu=device == "cuda", lora={**LORA, "dropout": 0}
    )
    run_training(spec)
    return spec


@pytest.fixture(scope="module")
def reference(inputs, tmp_path_factory):
    return trained(inputs, tmp_path_factory.mktemp("reference"))


def base_weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "base" / "model.safetensors")


def weights(spec: TrainingSpec) -> dict[str, torch.Tensor]:
    """Those of the base with the trained adapter merged, which is done once."""
    folder = Path(spec.output).with_name("merged")
    return load_file(Path(folder if folder.exists() else merged(spec), "model.safetensors"))


def distance(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> float:
    """Root mean square of the differences of all weights that have the same shape in both."""
    names = [name for name in first if name in second and first[name].shape == second[name].shape]
    return torch.cat([(first[name] - second[name]).flatten() for name in names]).square().mean().sqrt().item()


def validation_losses(spec: TrainingSpec) -> list[float]:
    """Before the first and after the last step."""
    rows = curve_rows(read_json(Path(spec.checkpoints, "history.json")))
    return [row["validation_loss"] for row in rows if "validation_loss" in row]


@pytest.mark.parametrize(("device", "changes", "tolerance"), CASES)
def test_merged_weights_and_losses_are_those_of_a_training_on_the_cpu(
    inputs, reference, tmp_path, device, changes, tolerance
):
    spec = trained(inputs, tmp_path, device, **changes)
    expected, base = weights(reference), base_weights(inputs)
    share = distance(weights(spec), expected) / distance(expected, base)
    first, last = validation_losses(spec)
    assert share < tolerance[0]
    assert [first, last] == pytest.approx(validation_losses(reference), rel=tolerance[1])
    assert last < first - 0.2


@pytest.mark.gpu
def test_automatic_precision_is_bf16_on_a_gpu_that_has_it(inputs, tmp_path):
    spec = replace(spec_for(inputs, tmp_path, max_steps=2), gpu=True)
    assert run_training(spec)["precision"] == ("bf16" if torch.cuda.is_bf16_supported() else "fp32")


@pytest.mark.gpu
def test_a_training_killed_on_a_gpu_resumes(inputs, tmp_path, caplog):
    settings = {"max_steps": 150, "epochs": 20, "save_steps": 7, "precision": "fp32"}
    unbroken = replace(spec_for(inputs, tmp_path / "unbroken", **settings), gpu=True)
    run_training(unbroken)
    resumed = killed_and_resumed(replace(spec_for(inputs, tmp_path / "killed", **settings), gpu=True), tmp_path, caplog)
    expected, base = weights(unbroken), base_weights(inputs)
    assert distance(weights(resumed), expected) < 0.01 * distance(expected, base)


@pytest.mark.gpu
def test_a_base_in_8_bits_is_trained_and_merged_unquantised(tmp_path):
    pytest.importorskip("bitsandbytes")
    write_all(tmp_path, LLAMA)
    spec = replace(spec_for(tmp_path, tmp_path, max_steps=20, quantization="int8"), lora=LLAMA_LORA, gpu=True)
    assert run_training(spec)["quantization"] == "int8"
    assert {tensor.dtype for tensor in weights(spec).values()} == {torch.float32}
    first, *_, last = validation_losses(spec)
    assert last < first


@pytest.mark.gpu
def test_two_processes_train_on_two_gpus(inputs, reference, tmp_path):
    if torch.cuda.device_count() < 2:
        pytest.skip("there is one GPU")
    spec = replace(spec_for(inputs, tmp_path, **SETTINGS, processes=2, batch_size=1), gpu=True)
    facts = run_training(spec)
    assert (facts["world_size"], facts["distributed_type"], facts["effective_batch"]) == (2, "MULTI_GPU", 2)
    assert validation_losses(spec)[-1] < validation_losses(spec)[0]


# GPT-BigCode does not give flash-attn the positions.
ISOLATED = [(family, attention) for family in ("llama", "gpt_bigcode") for attention in ("eager", "sdpa")]


@pytest.mark.parametrize(
    ("device", "family", "attention"),
    [
        *(("cpu", *names) for names in ISOLATED),
        *(pytest.param("cuda", *names, marks=pytest.mark.gpu) for names in ISOLATED),
        pytest.param("cuda", "llama", "flash_attention_2", marks=pytest.mark.gpu),
    ],
)
def test_attention_stays_inside_documents(device, family, attention):
    if attention == "flash_attention_2":
        pytest.importorskip("flash_attn")
    model = make_model(FAMILIES[family], tiny_tokenizer(), attention).to(device)
    with torch.autocast(device, torch.bfloat16):
        check_isolation(model, 1, "none", family)


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_a_training_in_bf16_with_isolated_documents_learns(tmp_path, device):
    write_all(tmp_path)
    spec = replace(
        spec_for(tmp_path, tmp_path, **SETTINGS, precision="bf16"), isolate_documents=True, gpu=device == "cuda"
    )
    run_training(spec)
    first, last = validation_losses(spec)
    assert last < first - 0.2
    # What training changes in the configuration is undone.
    assert AutoModelForCausalLM.from_pretrained(merged(spec)).config.use_cache
