"""Trainings in separate processes: resumed after a kill, with one and two processes, with and
without LoRA.
"""

import csv
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from transformers import AutoModelForCausalLM

from scripts.lib.checkpoints import last_checkpoint
from scripts.lib.files import read_json
from scripts.lib.job import InputError
from scripts.lib.prompts import Example
from scripts.lib.training import preflight
from scripts.lib.training.curves import curve_rows, write_curve
from scripts.lib.training.launch import JOB, run_training
from scripts.lib.training.model_tokenizer import load_tokenizer
from scripts.lib.training.spec import TrainingSpec
from scripts.lib.training.token_shards import write_shards
from scripts.lib.training.worker import _deepspeed, _explained
from scripts.pretrain.deepspeed_operators import build
from tests.support.killed_trainings import killed_and_resumed
from tests.support.paths import ROOT
from tests.support.tiny_families import FAMILIES
from tests.support.tiny_training import (
    GPT,
    LLAMA,
    LLAMA_LORA,
    LORA,
    merged,
    spec_for,
    weights_of,
    write_all,
    write_data,
)

STEPS = 150
ADAPTER = "adapter_model.safetensors"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    write_all(folder)
    return folder


def weights(spec: TrainingSpec) -> bytes:
    return weights_of(spec.output).read_bytes()


def largest_difference(first: TrainingSpec, second: TrainingSpec) -> float:
    a, b = (load_file(weights_of(spec.output)) for spec in (first, second))
    assert a.keys() == b.keys()
    return max((a[name] - b[name]).abs().max().item() for name in a)


def test_a_killed_training_ends_with_the_same_bytes_and_milestones(inputs, tmp_path, caplog):
    settings = {"max_steps": STEPS, "epochs": 20, "save_steps": 7}
    milestones = (10, 14, STEPS - 1, STEPS)
    unbroken = replace(spec_for(inputs, tmp_path / "unbroken", **settings), milestones=milestones)
    facts = run_training(unbroken)
    assert (facts["world_size"], facts["effective_batch"], facts["steps"]) == (1, 2, STEPS)
    spec = replace(spec_for(inputs, tmp_path / "killed", **settings), milestones=milestones)
    resumed = killed_and_resumed(spec, tmp_path, caplog)
    assert weights(unbroken) == weights(resumed)
    saved = [
        [Path(spec.checkpoints, "milestones", str(step), ADAPTER).read_bytes() for step in milestones]
        for spec in (unbroken, resumed)
    ]
    assert saved[0] == saved[1] and len(set(saved[0])) == len(milestones)
    assert saved[0][-1] == Path(unbroken.output, ADAPTER).read_bytes()
    curves = [curve_rows(read_json(Path(spec.checkpoints, "history.json"))) for spec in (unbroken, resumed)]
    assert curves[0] == curves[1]
    assert curves[0][-1]["validation_loss"] < curves[0][0]["validation_loss"] - 0.5


def test_reports_can_be_per_epoch_and_incomplete_batches_dropped(tmp_path):
    write_all(tmp_path)
    shutil.rmtree(tmp_path / "data")
    write_data(tmp_path / "data", count=23)
    every = {"eval_steps": "epoch", "save_steps": "epoch", "drop_last": True, "log_steps": 100}
    spec = spec_for(tmp_path, tmp_path / "run", epochs=3, max_steps=None, batch_size=4, accumulation=2, **every)
    # Five full batches make three steps, the last of which has one batch.
    assert run_training(spec)["steps"] == 9
    rows = curve_rows(read_json(Path(spec.checkpoints, "history.json")))
    assert [row["step"] for row in rows if "validation_loss" in row] == [0, 3, 6, 9]
    assert all("train_loss" in row for row in rows if row["step"])
    assert last_checkpoint(Path(spec.checkpoints)).endswith("checkpoint-9")


def test_a_milestone_after_the_end_is_a_one_line_error(inputs, tmp_path):
    spec = replace(spec_for(inputs, tmp_path, max_steps=12), milestones=(12, 13))
    with pytest.raises(InputError, match=r"milestone 13 is after the last of 12 steps; lower it"):
        run_training(spec)


def test_too_few_sequences_for_a_batch_are_a_one_line_error(inputs, tmp_path):
    with pytest.raises(
        InputError, match=r"drops all 40 training sequences, fewer than the 64 of one batch.*lower batch_size"
    ):
        run_training(spec_for(inputs, tmp_path, batch_size=64, drop_last=True))


@pytest.mark.parametrize(
    ("sequences", "steps"), [(256_000, 4000), (256_031, 4000), (256_032, 4001), (70, 1), (95, 1), (96, 2)]
)
def test_steps_have_full_batches_with_drop_last(inputs, tmp_path, sequences, steps):
    many = {"batch_size": 8, "processes": 4, "accumulation": 2, "epochs": 1, "max_steps": None, "drop_last": True}
    assert spec_for(inputs, tmp_path, **many).settings.steps(sequences) == steps


def test_half_precision_adds_its_block_to_the_deepspeed_configuration():
    plain = read_json(ROOT / "config/deepspeed/zero2.json")
    assert not {"bf16", "fp16"} & plain.keys()
    assert _deepspeed(plain, "fp32") == plain and _deepspeed(None, "bf16") is None
    assert _deepspeed(plain, "bf16") == {**plain, "bf16": {"enabled": True}}
    assert _deepspeed({"bf16": {"enabled": "auto"}}, "bf16") == {"bf16": {"enabled": "auto"}}


def test_batches_without_labels_leave_loss_and_weights_finite(tmp_path):
    write_all(tmp_path)
    for name, rows in (("train", 12), ("validation", 3)):
        shutil.rmtree(tmp_path / "data" / name)
        lost, short = Example(list(range(30)), 30), Example(list(range(20)), 4)
        write_shards(tmp_path / "data" / name, [lost] * (rows - 1) + [short])
    spec = spec_for(tmp_path, tmp_path / "run", max_steps=6, epochs=1, log_steps=1, eval_steps=3, save_steps=3)
    run_training(spec)
    rows = curve_rows(read_json(Path(spec.checkpoints, "history.json")))
    losses = [row["train_loss"] for row in rows if "train_loss" in row]
    assert len(losses) == 6 and sorted(losses)[:5] == [0] * 5 and 0 < max(losses) < 10
    assert all(0 <= row["validation_accuracy"] <= 1 for row in rows if "validation_loss" in row)
    assert all(tensor.isfinite().all() for tensor in load_file(weights_of(spec.output)).values())


def test_accuracy_rises_and_is_in_curve_and_tracker(inputs, tmp_path):
    spec = replace(
        spec_for(inputs, tmp_path, max_steps=120, epochs=20, eval_steps=60, save_steps=60, trackers=["tensorboard"]),
        tensorboard=str(tmp_path / "tensorboard"),
    )
    run_training(spec)
    write_curve(Path(spec.checkpoints), tmp_path / "curve.csv")
    with (tmp_path / "curve.csv").open(newline="") as stream:
        accuracies = [float(row["validation_accuracy"]) for row in csv.DictReader(stream) if row["validation_accuracy"]]
    assert len(accuracies) == 3 and accuracies[0] < 0.1 and accuracies[-1] > 0.3
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    assert [event.value for event in events.Scalars("eval/accuracy")] == pytest.approx(accuracies)


def test_two_processes_train_together_and_resume(inputs, tmp_path, caplog):
    settings = {"max_steps": STEPS, "epochs": 40, "save_steps": 7, "processes": 2, "batch_size": 1, "accumulation": 2}
    unbroken = spec_for(inputs, tmp_path / "unbroken", **settings)
    facts = run_training(unbroken)
    assert (facts["world_size"], facts["distributed_type"], facts["effective_batch"]) == (2, "MULTI_CPU", 4)
    resumed = killed_and_resumed(spec_for(inputs, tmp_path / "killed", **settings), tmp_path, caplog)
    assert largest_difference(unbroken, resumed) < 1e-5


def test_a_process_whose_job_has_ended_does_not_train(inputs, tmp_path):
    spec = spec_for(inputs, tmp_path, max_steps=2)
    Path(spec.checkpoints).mkdir(parents=True)
    spec.write(tmp_path / "spec.json")
    other = subprocess.Popen(["sleep", "600"])
    try:
        command = [sys.executable, "-m", "scripts.lib.training.worker", str(tmp_path / "spec.json")]
        environment = {**os.environ, JOB: str(other.pid)}
        ended = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    finally:
        other.kill()
        other.wait()
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == f"error the job of this training (process {other.pid}) has ended"
    assert not list(Path(spec.checkpoints).iterdir())


def test_a_merged_model_has_the_new_tokens_and_no_local_path(inputs, tmp_path):
    spec = spec_for(inputs, tmp_path, max_steps=2)
    run_training(spec)
    folder = merged(spec)
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), load_tokenizer(folder)
    assert tokenizer.convert_tokens_to_ids(["<source_to_llvm>", "<|pad|>"]) == [257, 258]
    assert model.get_input_embeddings().weight.shape[0] == model.get_output_embeddings().weight.shape[0] == 259
    with torch.no_grad():
        assert torch.isfinite(model(torch.tensor([[1, 257, 2]])).logits).all()
    for file in [*Path(spec.output).glob("*.json"), *Path(folder).glob("*.json")]:
        assert str(tmp_path.parent) not in file.read_text()


@pytest.mark.parametrize(
    ("family", "targets", "saved"),
    [
        ("bloom", ["query_key_value"], ["word_embeddings", "lm_head"]),
        ("mpt", ["Wqkv"], ["wte", "lm_head"]),
        ("gpt_neox", ["query_key_value"], ["embed_in", "embed_out"]),
    ],
)
def test_models_of_other_architectures_are_trained_and_merged(tmp_path, family, targets, saved):
    write_all(tmp_path, FAMILIES[family])
    lora = {**LORA, "targets": targets, "modules_to_save": saved}
    spec = replace(spec_for(tmp_path, tmp_path / "run", max_steps=2, eval_steps=2, save_steps=2), lora=lora)
    run_training(spec)
    rows = curve_rows(read_json(Path(spec.checkpoints, "history.json")))
    assert all(0 < row["validation_loss"] < 20 for row in rows if "validation_loss" in row)
    model = AutoModelForCausalLM.from_pretrained(merged(spec))
    assert model.config.model_type == family
    with torch.no_grad():
        assert torch.isfinite(model(torch.tensor([[1, 257, 2]])).logits).all()


def test_all_weights_of_a_model_from_scratch_are_trained(inputs, tmp_path):
    spec = replace(spec_for(inputs, tmp_path), base=str(inputs / "tokenizer"), architecture=GPT, lora=None)
    facts = run_training(spec)
    model = AutoModelForCausalLM.from_pretrained(spec.output)
    assert facts["trained_parameters"] == sum(parameter.numel() for parameter in model.parameters())


def test_a_context_that_is_too_short_is_a_one_line_error(inputs, tmp_path):
    (inputs / "longer").mkdir(exist_ok=True)
    spec = replace(spec_for(inputs, tmp_path), architecture={**GPT, "n_positions": 30}, lora=None)
    with pytest.raises(InputError, match=r"context of .* has 30; lower"):
        run_training(spec)


@pytest.fixture(scope="module")
def operators(tmp_path_factory):
    """DeepSpeed's operator, compiled in a minute and a half."""
    folder = tmp_path_factory.mktemp("deepspeed")
    build(folder / "operators", str(folder / "log"))
    return str(folder / "operators")


@pytest.mark.training
def test_deepspeed_is_used_and_agrees_with_plain_training(inputs, tmp_path, caplog, operators):
    settings = {"max_steps": STEPS, "epochs": 20, "save_steps": 7}
    plain = spec_for(inputs, tmp_path / "plain", **settings)
    run_training(plain)
    settings["deepspeed"] = read_json(ROOT / "config/deepspeed/zero2.json")
    unbroken = replace(spec_for(inputs, tmp_path / "unbroken", **settings), extensions=operators)
    facts = run_training(unbroken)
    assert (facts["world_size"], facts["distributed_type"]) == (1, "DEEPSPEED")
    spec = replace(spec_for(inputs, tmp_path / "killed", **settings), extensions=operators)
    resumed = killed_and_resumed(spec, tmp_path, caplog)
    assert largest_difference(unbroken, resumed) < 1e-5
    assert largest_difference(plain, unbroken) < 1e-5


@pytest.mark.training
@pytest.mark.parametrize("quantization", ["int8", "int4"])
def test_a_quantised_base_is_merged_unquantised(tmp_path, quantization):
    write_all(tmp_path, LLAMA)
    spec = replace(spec_for(tmp_path, tmp_path, max_steps=2, quantization=quantization), lora=LLAMA_LORA)
    assert run_training(spec)["quantization"] == quantization
    weights = load_file(weights_of(merged(spec)))
    assert {str(tensor.dtype) for tensor in weights.values()} == {"torch.float32"}


def test_packages_and_keys_that_the_settings_need_are_checked_before_the_start(inputs, tmp_path, monkeypatch):
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.setattr(preflight.importlib.util, "find_spec", lambda name: None)
    for changes, message in (
        ({"quantization": "int8"}, "quantization needs the Python package bitsandbytes"),
        ({"deepspeed": {}, "trackers": ["tensorboard"]}, "trackers: tensorboard needs"),
        ({"deepspeed": {"zero_optimization": {}}}, "deepspeed needs the Python package deepspeed"),
    ):
        with pytest.raises(InputError, match=message):
            preflight.check_packages(spec_for(inputs, tmp_path, **changes))
    monkeypatch.setattr(preflight.importlib.util, "find_spec", lambda name: name)
    with pytest.raises(InputError, match="WANDB_API_KEY is not set"):
        preflight.check_packages(spec_for(inputs, tmp_path, trackers=["wandb"]))


def test_memory_and_disk_space_are_checked_before_the_start(inputs, tmp_path, monkeypatch):
    spec = spec_for(inputs, tmp_path)
    Path(spec.checkpoints).mkdir()
    preflight.check_room(spec)
    needed = preflight.needed_memory(spec, 4)
    total, trained = preflight.count_weights(spec)
    assert needed == total * 4 + trained * 16 and 0 < trained < total + trained
    monkeypatch.setattr(preflight, "memory_limit", lambda: needed - 1)
    with pytest.raises(InputError, match=r"need at least .* of memory"):
        preflight.check_room(spec)
    monkeypatch.setattr(preflight, "memory_limit", lambda: needed)
    monkeypatch.setattr(preflight.shutil, "disk_usage", lambda path: SimpleNamespace(free=10))
    with pytest.raises(InputError, match=r"of disk space, but 0\.0 MB are free"):
        preflight.check_room(spec)


@pytest.mark.parametrize(
    ("error", "start"),
    [
        (OSError(28, "No space left on device"), "the disk is full"),
        (RuntimeError("PytorchStreamWriter failed writing file data/0"), "the disk is full"),
        (RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 64 vs 0"), "the disk is full"),
        (RuntimeError("basic_ios::clear: iostream error"), "the disk is full"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
            "the training ran out of memory",
        ),
        (torch.OutOfMemoryError("CUDA out of memory"), "the training ran out of memory"),
    ],
)
def test_errors_of_the_machine_are_one_line(error, start):
    assert _explained(error).startswith(start)
    assert "\n" not in _explained(error)


def test_errors_of_the_program_have_no_one_line_explanation():
    assert _explained(RuntimeError("shape mismatch")) is None
