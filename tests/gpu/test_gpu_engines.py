"""Losses and completions on a GPU are those of the CPU, in float32."""

import pytest
import torch

from scripts.evaluate.benchmarks.stop_sequences import Stop
from scripts.evaluate.engines.base import Request
from scripts.evaluate.engines.transformers_engine import TransformersEngine
from scripts.evaluate.generate import load_engine
from scripts.evaluate.generations import Sampling
from scripts.lib.training.models import save_model
from scripts.pretrain.losses import DocumentScorer
from tests.support.tiny_families import FAMILIES, family_model
from tests.support.tiny_tokenizer import tiny_tokenizer

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)]
REQUESTS = [
    Request(prompt, number, Stop(("<no such text>",)))
    for number, prompt in enumerate(["def f(x):\n    return", "a", "int main() {", "fn main() {", "b"])
]
GREEDY = Sampling(temperature=0, top_p=1, samples=1, new_tokens=24)
WARM = Sampling(temperature=0.8, top_p=0.95, samples=1, new_tokens=24)


def saved(family, folder):
    save_model(family_model(family), tiny_tokenizer(), folder)
    return str(folder)


def completions(folder, device, sampling, batch_size, monkeypatch):
    with monkeypatch.context() as patch:
        if device == "cpu":
            patch.setattr(torch.cuda, "is_available", lambda: False)
        engine = TransformersEngine(folder, "float32", batch_size, 1)
    assert engine.device == device
    return engine.complete(REQUESTS, sampling)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("sampling", [GREEDY, WARM], ids=["greedy", "warm"])
@pytest.mark.parametrize("family", ["gpt_bigcode", "llama"])
def test_completions_are_those_of_the_cpu_one_by_one(family, sampling, device, tmp_path, monkeypatch):
    folder = saved(family, tmp_path / "model")
    expected = completions(folder, "cpu", sampling, 1, monkeypatch)
    assert completions(folder, device, sampling, 4, monkeypatch) == expected


@pytest.mark.gpu
def test_greedy_completions_of_vllm_are_those_of_transformers(tmp_path, monkeypatch):
    pytest.importorskip("vllm")
    folder = saved("llama", tmp_path / "model")
    engine = load_engine("vllm", folder, {"dtype": "float32", "batch_size": 4, "context": None}, 1)
    assert engine.complete(REQUESTS, GREEDY) == completions(folder, "cuda", GREEDY, 4, monkeypatch)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("family", FAMILIES)
def test_losses_of_a_document_are_those_of_the_cpu_one_window_at_a_time(family, device):
    ids = [(7 * number) % 200 for number in range(90)]
    expected = DocumentScorer(family_model(family), 256, 40, 1).losses(ids)
    losses = DocumentScorer(family_model(family).to(device), 256, 40, 8).losses(ids)
    assert torch.allclose(losses, expected, atol=1e-4)
