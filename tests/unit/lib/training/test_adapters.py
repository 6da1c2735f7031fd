"""Adapters and merged models as users of transformers and PEFT load them, for each architecture of
config/models.yaml, with tied and with separate embeddings.
"""

import logging
import warnings
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from peft import AutoPeftModelForCausalLM
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from scripts.lib.files import read_json
from scripts.lib.training.launch import run_training
from scripts.lib.training.model_tokenizer import load_tokenizer
from scripts.lib.training.models import add_lora, load_for_tokenizer, merge_adapter, save_adapter, save_model
from tests.support.tiny_families import CONTEXT, FAMILIES, family_model
from tests.support.tiny_tokenizer import tiny_tokenizer
from tests.support.tiny_training import LORA, merged, spec_for, write_all, write_tokenizer

BIGCODE = ["c_attn", "c_proj", "q_attn"], ["wte", "lm_head"]
ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"], ["embed_tokens", "lm_head"]
CASES = [(family, tied, True) for family in ("gpt_bigcode", "llama", "codegen") for tied in (True, False)]
CASES += [("gpt_bigcode", True, False), ("llama", False, False)]
# Architecture -> layers with adapters and layers trained in full, as in config/models.yaml.
LAYERS = {
    "gpt_bigcode": BIGCODE,
    "llama": ATTENTION,
    "codegen": (["qkv_proj", "out_proj"], ["wte", "lm_head"]),
}
TOKENS = torch.tensor([[3, 65, 200, 257, 258]])


def trained(root, monkeypatch, family, tied, embeddings=True):
    """Write base, tokenizer and an adapter with changed weights below `root`, which becomes the working
    folder; return the adapted model's logits.
    """
    monkeypatch.chdir(root)
    monkeypatch.setitem(FAMILIES, "family", {**FAMILIES[family], "tie_word_embeddings": tied})
    save_model(family_model("family"), tiny_tokenizer(), root / "base")
    write_tokenizer(root / "tokenizer")
    tokenizer = load_tokenizer(root / "tokenizer")
    targets, saved = LAYERS[family]
    lora = {**LORA, "targets": targets, "modules_to_save": saved if embeddings else []}
    model = add_lora(load_for_tokenizer("base", tokenizer, "mean"), lora, quantized=False, checkpointing=False)
    torch.manual_seed(4)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.requires_grad:
                weight.add_(0.1 * torch.randn(weight.shape))
    save_adapter(model, root / "adapter", "base", tokenizer=tokenizer)
    return model.eval()(TOKENS).logits


def stored(folder):
    """Names of the weights in a folder, with their shapes."""
    (path,) = folder.glob("*.safetensors")
    with safe_open(path, "pt") as weights:
        return {name: weights.get_slice(name).get_shape() for name in weights.keys()}  # noqa: SIM118


@pytest.mark.parametrize(("family", "tied", "embeddings"), CASES)
def test_an_adapter_is_loaded_with_its_base_and_merges_to_the_same_model(
    tmp_path, monkeypatch, family, tied, embeddings
):
    expected = trained(tmp_path, monkeypatch, family, tied, embeddings)
    with warnings.catch_warnings():
        # Calls and advice of PEFT itself.
        warnings.simplefilter("ignore")
        loaded = AutoPeftModelForCausalLM.from_pretrained("adapter", local_files_only=True)
    assert len(AutoTokenizer.from_pretrained("adapter")) == loaded.get_input_embeddings().weight.shape[0] == 259
    assert torch.allclose(loaded.eval()(TOKENS).logits, expected, atol=1e-5)
    tokenizer = load_tokenizer("tokenizer")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save_model(merge_adapter("base", "adapter", tokenizer, "mean"), tokenizer, tmp_path / "merged")
    merged = AutoModelForCausalLM.from_pretrained("merged").eval()
    assert torch.allclose(merged(TOKENS).logits, expected, atol=1e-5)
    # The vocabulary is stored once where the base ties it, except where PEFT cannot: it ties no
    # output layer with a bias, as CodeGen's.
    is_one = tied and (family != "codegen" or not embeddings)
    vocabularies = [name for name, shape in stored(tmp_path / "merged").items() if shape[:1] == [259] and shape[1:]]
    assert len(vocabularies) == (1 if is_one else 2)
    assert read_json("merged/config.json")["tie_word_embeddings"] is is_one
    # The adapter holds both layers as PEFT loads them, and no copy of the base's.
    assert sum(shape[:1] == [259] and len(shape) == 2 for shape in stored(tmp_path / "adapter").values()) == 2


def test_saved_models_state_padding_context_and_caching(tmp_path, monkeypatch):
    trained(tmp_path, monkeypatch, "llama", False)
    tokenizer = load_tokenizer("tokenizer")
    save_model(merge_adapter("base", "adapter", tokenizer, "mean"), tokenizer, tmp_path / "merged")
    for folder in ("merged", "adapter"):
        loaded = AutoTokenizer.from_pretrained(folder)
        assert (loaded.model_max_length, loaded.padding_side, loaded.pad_token_id) == (CONTEXT, "right", 258)
    config, generation = read_json("merged/config.json"), GenerationConfig.from_pretrained("merged")
    assert config["pad_token_id"] == generation.pad_token_id == 258
    assert config["use_cache"] is True and generation.use_cache is True
    # The base has no pad token, so generation pads with the end of text.
    assert GenerationConfig.from_pretrained("base").pad_token_id == 256
    assert read_json("base/config.json")["pad_token_id"] is None


def test_a_training_logs_no_warning_of_python(tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    write_all(tmp_path)
    spec = replace(spec_for(tmp_path, tmp_path), milestones=(6,), name="base")
    with caplog.at_level(logging.INFO):
        run_training(spec)
    assert [line for line in caplog.messages if "Warning" in line] == []
    for folder in ("output", "checkpoints/milestones/6"):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="`is_gradient_checkpointing`")
            assert AutoPeftModelForCausalLM.from_pretrained(folder)(TOKENS).logits.isfinite().all()
        assert not (tmp_path / folder / "README.md").exists()


def test_an_adapter_without_new_tokens_has_no_embeddings_and_is_loaded_with_its_tokenizer(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_all(tmp_path)
    tuned = replace(spec_for(tmp_path, tmp_path, max_steps=2), name="base", tokenizer="base", new_tokens=False)
    run_training(replace(tuned, lora={**LORA, "modules_to_save": []}, chat_template="{{ messages }}"))
    assert all(".lora_" in name for name in stored(Path(tuned.output)))
    tokenizer = load_tokenizer(tuned.output)
    assert tokenizer.chat_template == "{{ messages }}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = AutoPeftModelForCausalLM.from_pretrained(tuned.output, local_files_only=True).eval()
    whole = AutoModelForCausalLM.from_pretrained(merged(replace(tuned, tokenizer=tuned.output))).eval()
    assert torch.allclose(loaded(TOKENS[:, :3]).logits, whole(TOKENS[:, :3]).logits, atol=1e-5)
    assert load_tokenizer(tmp_path / "merged").chat_template == "{{ messages }}"
