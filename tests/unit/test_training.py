"""Trainings in processes of their own: resumed after a death, in one process and in two, with and without LoRA."""

import json
import logging
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from scripts.lib import preflight
from scripts.lib.causal_models import load_tokenizer
from scripts.lib.curves import curve_rows
from scripts.lib.files import read_json
from scripts.lib.job import InputError
from scripts.lib.launch import PROGRESS, run_training
from scripts.lib.train import _explained
from scripts.lib.training_spec import TrainingSpec
from scripts.lib.workspace import last_checkpoint
from scripts.pretrain.deepspeed_operators import build
from tests.tiny_training import GPT, LLAMA, LLAMA_LORA, spec_for, write_all

ROOT = Path(__file__).resolve().parents[2]
STEPS = 150
RUN = "import sys; from scripts.lib.launch import run_training; from scripts.lib.training_spec import TrainingSpec\n"
RUN += "import logging; logging.basicConfig(level=logging.INFO, stream=sys.stdout)\n"
RUN += "run_training(TrainingSpec.read(sys.argv[1]))"


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    write_all(folder)
    return folder


def weights(spec: TrainingSpec) -> bytes:
    return Path(spec.output, "model.safetensors").read_bytes()


def largest_difference(first: TrainingSpec, second: TrainingSpec) -> float:
    a, b = (load_file(Path(spec.output, "model.safetensors")) for spec in (first, second))
    assert a.keys() == b.keys()
    return max((a[name] - b[name]).abs().max().item() for name in a)


def kill_at(spec: TrainingSpec, place: Path, step: int) -> None:
    """Start a training in a process of its own and kill that outright once it reports `step`."""
    spec.write(place / "killed.json")
    with subprocess.Popen(
        [sys.executable, "-c", RUN, str(place / "killed.json")], stdout=subprocess.PIPE, text=True
    ) as process:
        for line in process.stdout:
            report = line.partition(PROGRESS)[2]
            if report and json.loads(report)["step"] >= step:
                os.kill(process.pid, signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL, "the training ended before it was killed"


def trainers_of(spec: TrainingSpec) -> list[str]:
    """Command lines of living processes that train in the checkpoint folder of `spec`."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError as error:
            logging.debug("process gone: %s", error)
            continue
        if spec.checkpoints in line:
            found.append(line)
    return found


def killed_and_resumed(
    inputs: Path, place: Path, caplog, extensions: str | None = None, **changes: object
) -> TrainingSpec:
    """Train, die at a random step, and train again; return the specification."""
    spec = replace(spec_for(inputs, place, **changes), extensions=extensions)
    kill_at(spec, place, random.randint(20, STEPS - 60))
    deadline = time.monotonic() + 20
    while trainers_of(spec) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert trainers_of(spec) == []
    start = int(last_checkpoint(Path(spec.checkpoints)).rpartition("-")[2])
    caplog.clear()
    with caplog.at_level(logging.INFO):
        run_training(spec)
    reports = [json.loads(line.partition(PROGRESS)[2]) for line in caplog.messages if line.startswith(PROGRESS)]
    assert min(report["step"] for report in reports) > start > 0
    return spec


def test_a_killed_training_ends_with_the_same_bytes(inputs, tmp_path, caplog):
    settings = {"max_steps": STEPS, "epochs": 20, "save_steps": 7}
    unbroken = spec_for(inputs, tmp_path / "unbroken", **settings)
    facts = run_training(unbroken)
    assert (facts["world_size"], facts["effective_batch"], facts["steps"]) == (1, 2, STEPS)
    resumed = killed_and_resumed(inputs, tmp_path / "killed", caplog, **settings)
    assert weights(unbroken) == weights(resumed)
    curves = [curve_rows(read_json(Path(spec.checkpoints, "history.json"))) for spec in (unbroken, resumed)]
    assert curves[0] == curves[1]
    assert curves[0][-1]["validation_loss"] < curves[0][0]["validation_loss"] - 0.5


def test_two_processes_are_two_and_resume(inputs, tmp_path, caplog):
    settings = {"max_steps": STEPS, "epochs": 40, "save_steps": 7, "processes": 2, "batch_size": 1, "accumulation": 2}
    unbroken = spec_for(inputs, tmp_path / "unbroken", **settings)
    facts = run_training(unbroken)
    assert (facts["world_size"], facts["distributed_type"], facts["effective_batch"]) == (2, "MULTI_CPU", 4)
    resumed = killed_and_resumed(inputs, tmp_path / "killed", caplog, **settings)
    assert largest_difference(unbroken, resumed) < 1e-5


def test_merged_model_has_the_new_tokens_and_no_path(inputs, tmp_path):
    spec = spec_for(inputs, tmp_path, max_steps=2)
    run_training(spec)
    model, tokenizer = AutoModelForCausalLM.from_pretrained(spec.output), load_tokenizer(spec.output)
    assert tokenizer.convert_tokens_to_ids(["<source_to_llvm>", "<|pad|>"]) == [257, 258]
    assert model.get_input_embeddings().weight.shape[0] == model.get_output_embeddings().weight.shape[0] == 259
    with torch.no_grad():
        assert torch.isfinite(model(torch.tensor([[1, 257, 2]])).logits).all()
    for file in Path(spec.output).glob("*.json"):
        assert str(tmp_path.parent) not in file.read_text()


def test_a_model_from_scratch_is_trained_whole(inputs, tmp_path):
    spec = replace(spec_for(inputs, tmp_path), base=str(inputs / "tokenizer"), architecture=GPT, lora=None)
    facts = run_training(spec)
    model = AutoModelForCausalLM.from_pretrained(spec.output)
    assert facts["trained_parameters"] == sum(parameter.numel() for parameter in model.parameters())


def test_a_fault_in_a_process_of_the_users_is_one_line(inputs, tmp_path):
    (inputs / "longer").mkdir(exist_ok=True)
    spec = replace(spec_for(inputs, tmp_path), architecture={**GPT, "n_positions": 30}, lora=None)
    with pytest.raises(InputError, match="reads 30; lower"):
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
    resumed = killed_and_resumed(inputs, tmp_path / "killed", caplog, extensions=operators, **settings)
    assert largest_difference(unbroken, resumed) < 1e-5
    assert largest_difference(plain, unbroken) < 1e-5


@pytest.mark.training
@pytest.mark.parametrize("quantization", ["int8", "int4"])
def test_a_quantised_base_is_merged_unquantised(tmp_path, quantization):
    write_all(tmp_path, LLAMA)
    spec = replace(spec_for(tmp_path, tmp_path, max_steps=2, quantization=quantization), lora=LLAMA_LORA)
    assert run_training(spec)["quantization"] == quantization
    weights = load_file(Path(spec.output, "model.safetensors"))
    assert {str(tensor.dtype) for tensor in weights.values()} == {"torch.float32"}


def test_what_the_settings_need_is_checked_before_the_start(inputs, tmp_path, monkeypatch):
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


def test_too_little_memory_or_disk_is_told_before_the_start(inputs, tmp_path, monkeypatch):
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
    with pytest.raises(InputError, match=r"of disk, but 0\.0 MB are free"):
        preflight.check_room(spec)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(28, "No space left on device"), "the disk is full"),
        (RuntimeError("PytorchStreamWriter failed writing file data/0"), "the disk is full"),
        (RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 64 vs 0"), "the disk is full"),
        (RuntimeError("basic_ios::clear: iostream error"), "the disk is full"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), "memory ran out"),
        (torch.OutOfMemoryError("CUDA out of memory"), "memory ran out"),
    ],
)
def test_faults_of_the_machine_are_one_line(error, words):
    assert _explained(error).startswith(words)
    assert "\n" not in _explained(error)


def test_faults_of_the_program_keep_their_traceback():
    assert _explained(RuntimeError("shape mismatch")) is None
