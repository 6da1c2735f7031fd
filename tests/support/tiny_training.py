"""A model so small that a training takes seconds, and data for it."""

from pathlib import Path

import numpy as np
from transformers import AddedToken

from scripts.lib.prompts import Example
from scripts.lib.training.model_tokenizer import save_tokenizer
from scripts.lib.training.models import make_model, merge_into, save_model
from scripts.lib.training.spec import TrainingSettings, TrainingSpec
from scripts.lib.training.token_shards import write_shards
from tests.support.tiny_tokenizer import tiny_tokenizer

GPT = {
    "model_type": "gpt_bigcode",
    "n_embd": 16,
    "n_layer": 2,
    "n_head": 2,
    "n_positions": 64,
    "resid_pdrop": 0.0,
    "embd_pdrop": 0.0,
    "attn_pdrop": 0.0,
}
# Layers without biases, of a size that 4-bit blocks divide.
LLAMA = {
    "model_type": "llama",
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "tie_word_embeddings": False,
}
LORA = {
    "r": 4,
    "alpha": 8,
    "dropout": 0.1,
    "targets": ["c_attn", "c_proj"],
    "modules_to_save": ["wte", "lm_head"],
}
LLAMA_LORA = {**LORA, "targets": ["q_proj", "v_proj"], "modules_to_save": ["embed_tokens", "lm_head"]}
SETTINGS = {
    "epochs": 4,
    "max_steps": 12,
    "batch_size": 2,
    "accumulation": 1,
    "learning_rate": 1e-2,
    "scheduler": "cosine",
    "warmup_ratio": 0.1,
    "weight_decay": 0.1,
    "optimizer": "adamw_torch",
    "precision": "auto",
    "tf32": False,
    "attention": "auto",
    "compile": False,
    "gradient_checkpointing": False,
    "quantization": "none",
    "processes": 1,
    "deepspeed": None,
    "threads": 1,
    "drop_last": False,
    "log_steps": 5,
    "eval_steps": 6,
    "save_steps": 4,
    "trackers": [],
}


def write_base(folder: Path, architecture: dict[str, object]) -> None:
    """Write a random model with the vocabulary of `tiny_tokenizer` and reproducible weights."""
    import torch

    torch.manual_seed(0)
    save_model(make_model(architecture, tiny_tokenizer()), tiny_tokenizer(), folder)


def write_tokenizer(folder: Path) -> None:
    """Write `tiny_tokenizer` with one more token and one for padding."""
    tokenizer = tiny_tokenizer()
    tokenizer.add_tokens([AddedToken("<source_to_llvm>", special=True, normalized=False)])
    tokenizer.add_special_tokens({"pad_token": "<|pad|>"})
    save_tokenizer(tokenizer, folder)


def write_data(folder: Path, count: int = 40) -> None:
    """Write learnable sequences of consecutive numbers, of 20 to 40 tokens; the first five tokens carry no loss."""
    generator = np.random.default_rng(5)
    for split, rows in (("train", count), ("validation", 6)):
        starts, lengths = generator.integers(200, size=rows), generator.integers(20, 40, size=rows)
        pairs = zip(starts.tolist(), lengths.tolist(), strict=True)
        examples = [Example([(start + n) % 258 for n in range(length)], 5) for start, length in pairs]
        write_shards(folder / split, examples)


def write_all(folder: Path, architecture: dict[str, object] = GPT) -> None:
    """Write `base`, `tokenizer` and `data` below `folder`."""
    write_base(folder / "base", architecture)
    write_tokenizer(folder / "tokenizer")
    write_data(folder / "data")


def spec_for(inputs: Path, folder: Path, **changes: object) -> TrainingSpec:
    """A training in `folder` on what `write_all` wrote to `inputs`; `changes` replace settings."""
    (folder / "output").mkdir(parents=True, exist_ok=True)
    return TrainingSpec(
        base=str(inputs / "base"),
        tokenizer=str(inputs / "tokenizer"),
        data=str(inputs / "data"),
        output=str(folder / "output"),
        checkpoints=str(folder / "checkpoints"),
        seed=12345678901234567890,
        settings=TrainingSettings(**{**SETTINGS, **changes}),
        gpu=False,
        name="tiny/base",
        lora=LORA,
    )


def weights_of(folder: str | Path) -> Path:
    """The file of weights of a folder, a whole model's or an adapter's."""
    (path,) = Path(folder).glob("*.safetensors")
    return path


def merged(spec: TrainingSpec) -> str:
    """A folder next to a training's output with the model that its adapter is merged to."""
    folder = Path(spec.output).with_name("merged")
    folder.mkdir()
    merge_into(spec.base, spec.output, spec.tokenizer, spec.new_embeddings, folder)
    return str(folder)
