"""Measures training and generation of a model of one billion parameters on a GPU: tokens per second
and model FLOP utilisation, compared with a bare PyTorch loop.

Run: python -m bench.gpu [--size 1b|small] [--model llama|gpt_bigcode] [--ways …] [--steps N]
[--batch-size N] [--length N] [--peak TFLOPS]

Weights and token ids are random, so nothing is downloaded. A line for each way of training:

- `bare`: forward, backward and AdamW in a loop of PyTorch, with the same model, LoRA adapters,
  number format, batches and clipping of gradients.
- `ours`: a training of this project with the default options.
- `fused`, `eager`, `sdpa`, `flash_attention_2`, `compile`, `isolate`: ours with one other option.

A line follows for generation by each installed engine: new tokens per second of a batch.

Columns: `tokens/s` is training tokens per second, without the first half of the steps; `TFLOP/s`
are model FLOPs: 2 per weight and token in the forward pass and in the gradient of the activations,
2 per trained weight in its gradient, and 12 · layers · width · length for attention (Chowdhery et
al. 2022, arXiv 2204.02311, appendix B); recomputed activations do not count. `MFU` is the share of
the peak: the GPU's specification if it is known here, `--peak`, or else a matrix product of 4,096²
that is measured first. `to bare` compares tokens/s with the bare loop (above 1 is faster).

Without a GPU everything runs on the CPU: `--size small` is a test of the measurement.
"""

import argparse
import gc
import importlib.util
import json
import logging
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from scripts.evaluate.benchmarks.stop_sequences import Stop
from scripts.evaluate.engines.base import Request, RequestGroup
from scripts.evaluate.generate import load_engine
from scripts.evaluate.generations import Sampling
from scripts.lib.prompts import Example
from scripts.lib.schemas.evaluation import FinishReason
from scripts.lib.training.batches import Collator
from scripts.lib.training.launch import PROGRESS, run_training
from scripts.lib.training.model_tokenizer import load_tokenizer, save_tokenizer
from scripts.lib.training.models import add_lora, load_for_tokenizer, save_model
from scripts.lib.training.spec import TrainingSettings, TrainingSpec
from scripts.lib.training.token_shards import TokenShards, write_shards
from tests.support.tiny_tokenizer import tiny_tokenizer

# The architectures of StarCoderBase-1B and of TinyLlama-1.1B.
MODELS: dict[str, dict[str, dict[str, Any]]] = {
    "1b": {
        "gpt_bigcode": {"n_embd": 2048, "n_layer": 24, "n_head": 16, "n_inner": 8192, "n_positions": 8192},
        "llama": {
            "hidden_size": 2048,
            "intermediate_size": 5632,
            "num_hidden_layers": 22,
            "num_attention_heads": 32,
            "num_key_value_heads": 4,
            "max_position_embeddings": 8192,
        },
    },
    "small": {
        "gpt_bigcode": {"n_embd": 64, "n_layer": 2, "n_head": 2, "n_positions": 512},
        "llama": {
            "hidden_size": 64,
            "intermediate_size": 128,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "max_position_embeddings": 512,
        },
    },
}
ROWS = {"1b": 49152, "small": 512}
LORA = {
    "gpt_bigcode": {"targets": ["c_attn", "c_proj", "c_fc"], "modules_to_save": ["wte", "lm_head"]},
    "llama": {"targets": ["q_proj", "k_proj", "v_proj", "o_proj"], "modules_to_save": ["embed_tokens", "lm_head"]},
}
# What each way changes in the settings; the documents of `isolate` are isolated.
WAYS: dict[str, dict[str, Any]] = {
    "ours": {},
    "fused": {"optimizer": "adamw_torch_fused"},
    "eager": {"attention": "eager"},
    "sdpa": {"attention": "sdpa"},
    "flash_attention_2": {"attention": "flash_attention_2"},
    "compile": {"compile": True},
    "isolate": {},
}
# Dense bf16 products by specification, in TFLOP/s, by a part of the device's name.
PEAKS = {"H100 PCIe": 756, "H100 NVL": 835, "H100": 989, "H200": 989, "A100": 312, "L40S": 362}
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
HALF = torch.bfloat16 if DEVICE.type == "cuda" else torch.float32
DOCUMENT = 300  # tokens of a document
NEVER = Stop(("<no such text>",))


@dataclass(frozen=True)
class Setup:
    """What is measured: a model in a folder, and numbers of steps, sequences in a batch, and tokens."""

    folder: Path
    model: str
    steps: int
    batch_size: int
    length: int


def make_inputs(setup: Setup, size: str) -> None:
    """Write a random model as `base`, its `tokenizer`, and random sequences as `data/train`."""
    tokenizer = tiny_tokenizer()
    ends = {"bos_token_id": tokenizer.eos_token_id, "eos_token_id": tokenizer.eos_token_id}
    config = AutoConfig.for_model(setup.model, vocab_size=ROWS[size], **ends, **MODELS[size][setup.model])
    torch.manual_seed(0)
    with DEVICE:
        model = AutoModelForCausalLM.from_config(config, dtype=HALF)
    save_model(model, tokenizer, setup.folder / "base")
    save_tokenizer(tokenizer, setup.folder / "tokenizer")
    ids = np.random.default_rng(0).integers(tokenizer.eos_token_id, size=(2 * setup.batch_size, setup.length))
    ids[:, DOCUMENT::DOCUMENT] = tokenizer.eos_token_id
    write_shards(setup.folder / "data/train", [Example(row.tolist(), 0) for row in ids])


def spec_of(setup: Setup, way: str) -> TrainingSpec:
    """The specification of a way's training, which writes below the setup's folder."""
    target = setup.folder / way
    (target / "output").mkdir(parents=True)
    fixed: dict[str, Any] = {
        "epochs": 2 * setup.steps,
        "max_steps": 2 * setup.steps,
        "batch_size": setup.batch_size,
        "accumulation": 1,
        "learning_rate": 1e-4,
        "scheduler": "constant",
        "warmup_ratio": 0.0,
        "weight_decay": 0.1,
        "optimizer": "adamw_torch",
        "precision": "auto",
        "tf32": True,
        "attention": "auto",
        "compile": False,
        "gradient_checkpointing": False,
        "quantization": "none",
        "processes": 1,
        "deepspeed": None,
        "threads": torch.get_num_threads(),
        "drop_last": False,
        "log_steps": setup.steps,
        "eval_steps": 10**6,
        "save_steps": 10**6,
        "trackers": [],
    }
    return TrainingSpec(
        base=str(setup.folder / "base"),
        tokenizer=str(setup.folder / "tokenizer"),
        data=str(setup.folder / "data"),
        output=str(target / "output"),
        checkpoints=str(target / "checkpoints"),
        seed=1,
        settings=TrainingSettings(**{**fixed, **WAYS.get(way, {})}),
        gpu=DEVICE.type == "cuda",
        name=setup.model,
        new_embeddings="library",
        isolate_documents=way == "isolate",
        lora={"r": 64, "alpha": 128, "dropout": 0.05, **LORA[setup.model]},
    )


def adapted(setup: Setup) -> torch.nn.Module:
    """The model with LoRA adapters as a training of this project has it."""
    spec = spec_of(setup, "bare")
    model = load_for_tokenizer(spec.base, load_tokenizer(spec.tokenizer), "library", dtype=HALF)
    return add_lora(model, spec.lora or {}, quantized=False, checkpointing=False).to(DEVICE).train()


def bare(setup: Setup, model: torch.nn.Module) -> float:
    """Seconds of `setup.steps` steps of a bare loop, after as many to warm up."""
    data, trained = TokenShards(setup.folder / "data/train"), [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4, weight_decay=0.1)
    sides = [[data[setup.batch_size * side + row] for row in range(setup.batch_size)] for side in range(2)]
    batches = [{name: values.to(DEVICE) for name, values in Collator(0, None)(side).items()} for side in sides]
    start = 0.0
    for step in range(2 * setup.steps):
        if step == setup.steps:
            _wait()
            start = time.monotonic()
        with torch.autocast(DEVICE.type, HALF, enabled=HALF is not torch.float32):
            loss = model(**batches[step % 2]).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()
    _wait()
    return time.monotonic() - start


def _wait() -> None:
    """Wait until the GPU is done."""
    if DEVICE.type == "cuda":
        torch.cuda.synchronize()


class Reports(logging.Handler):
    """Keeps the time of each report of a training's loss, by its step."""

    def __init__(self) -> None:
        super().__init__()
        self.times: dict[int, float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the time of a progress report with a loss."""
        text = record.getMessage()
        if text.startswith(PROGRESS) and "loss" in (report := json.loads(text.removeprefix(PROGRESS))):
            self.times[report["step"]] = record.created


def ours(setup: Setup, way: str) -> float:
    """Seconds of the second half of the steps of a training of this project."""
    reports, logger = Reports(), logging.getLogger()
    logger.setLevel(logging.INFO)
    logger.addHandler(reports)
    try:
        run_training(spec_of(setup, way))
    finally:
        logger.removeHandler(reports)
    return reports.times[2 * setup.steps] - reports.times[setup.steps]


def flops_per_token(model: torch.nn.Module, layers: int, width: int, length: int) -> float:
    """Model FLOPs of a training step for each token: of linear layers and of attention.

    PEFT keeps the frozen original of a trained layer, which computes nothing.
    """
    named = [(name, module) for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)]
    weights = [module.weight for name, module in named if "original_module" not in name]
    total, trained = sum(w.numel() for w in weights), sum(w.numel() for w in weights if w.requires_grad)
    return 4 * total + 2 * trained + 12 * layers * width * length


def measured_peak() -> float:
    """FLOP/s of matrix products in the number format of the training."""
    a = torch.randn(4096, 4096, device=DEVICE, dtype=HALF)
    count = 50 if DEVICE.type == "cuda" else 2
    for _ in range(count):
        a @ a
    _wait()
    start = time.monotonic()
    for _ in range(count):
        a @ a
    _wait()
    return count * 2 * 4096**3 / (time.monotonic() - start)


def peak_flops(stated: float | None) -> tuple[float, str]:
    """FLOP/s to which the utilisation is relative, and where the number comes from."""
    name = torch.cuda.get_device_name() if DEVICE.type == "cuda" else "CPU"
    if stated is not None:
        return stated * 1e12, f"{name}, --peak"
    known = [peak for part, peak in PEAKS.items() if part in name]
    return (known[0] * 1e12, f"{name}, specification") if known else (measured_peak(), f"{name}, measured product")


def generation_speed(setup: Setup, engine: str, new_tokens: int) -> float:
    """New tokens per second of one batch of greedy completions, after one to warm up."""
    settings = {"dtype": str(HALF).removeprefix("torch."), "batch_size": setup.batch_size, "context": None}
    loaded = load_engine(engine, str(setup.folder / "base"), settings, torch.get_num_threads())
    requests = [Request("def f(x):\n    return" + " x" * row, row, NEVER) for row in range(setup.batch_size)]
    group = RequestGroup(requests, Sampling(temperature=0, top_p=1, samples=1, new_tokens=new_tokens))
    list(loaded.complete_groups([group]))
    start = time.monotonic()
    [(_, completions)] = loaded.complete_groups([group])
    seconds = time.monotonic() - start
    # A row that ended early counts for nothing, which happens once in many thousand tokens.
    return sum(row.finish_reason == FinishReason.LENGTH for row in completions) * new_tokens / seconds


def installed_ways(names: list[str]) -> list[str]:
    """The ways that can run here."""
    has_flash = importlib.util.find_spec("flash_attn") is not None
    return [name for name in names if name != "flash_attention_2" or has_flash]


def measure(setup: Setup, ways: list[str], peak: float) -> None:
    """Print the lines of training."""
    tokens = setup.steps * setup.batch_size * setup.length
    model = adapted(setup)
    config: Any = model.config
    flops = flops_per_token(model, config.num_hidden_layers, config.hidden_size, setup.length)
    speeds = {"bare": tokens / bare(setup, model)}
    del model
    gc.collect()
    torch.cuda.empty_cache()
    print(f"{'way':18}{'tokens/s':>10}{'TFLOP/s':>10}{'MFU':>8}{'to bare':>9}")
    for way in ["bare", *ways]:
        speed = speeds["bare"] if way == "bare" else tokens / ours(setup, way)
        rate = speed * flops
        print(f"{way:18}{speed:10.0f}{rate / 1e12:10.3f}{rate / peak:8.1%}{speed / speeds['bare']:9.2f}", flush=True)


def main(options: argparse.Namespace) -> None:
    """Measure each model: its trainings, then generation."""
    peak, origin = peak_flops(options.peak)
    torch.set_float32_matmul_precision("high")  # TF32 for the bare loop, too
    print(f"torch {torch.__version__}, peak {peak / 1e12:.1f} TFLOP/s ({origin})")
    for name in options.model:
        with tempfile.TemporaryDirectory() as folder:
            setup = Setup(Path(folder), name, options.steps, options.batch_size, options.length)
            make_inputs(setup, options.size)
            print(f"\n{name} ({options.size}), batches of {setup.batch_size} sequences of {setup.length} tokens")
            measure(setup, installed_ways(options.ways), peak)
            for engine in ("transformers", "vllm"):
                if importlib.util.find_spec(engine) is not None:
                    speed = generation_speed(setup, engine, options.new_tokens)
                    print(f"generation, {engine}: {speed:.0f} tokens/s", flush=True)


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--size", choices=list(MODELS), default="1b", help="size of the model")
    options.add_argument("--model", nargs="+", choices=list(LORA), default=list(LORA), help="architectures")
    options.add_argument("--ways", nargs="*", choices=list(WAYS), default=list(WAYS), help="ways to train")
    options.add_argument("--steps", type=int, default=20, help="steps to warm up, and steps to measure")
    options.add_argument("--batch-size", type=int, default=8, help="sequences in a batch")
    options.add_argument("--length", type=int, default=1024, help="tokens of a sequence")
    options.add_argument("--new-tokens", type=int, default=128, help="tokens of each completion")
    options.add_argument("--peak", type=float, help="TFLOP/s of the device that utilisation is relative to")
    return options


if __name__ == "__main__":
    main(parser().parse_args())
