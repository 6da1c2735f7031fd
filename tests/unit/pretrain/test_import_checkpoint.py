"""Existing checkpoints instead of a training: merged weights and adapters of several architectures."""

import json
import shutil
import warnings
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file

from scripts.lib.job import InputError
from scripts.lib.training.model_tokenizer import load_tokenizer
from scripts.lib.training.models import load_model, save_adapter, save_model
from scripts.pretrain import import_checkpoint
from scripts.pretrain.import_checkpoint import check_finite, load_checkpoint
from tests.support.tiny_training import GPT, LLAMA, write_all, write_base

TOKENS = torch.tensor([[3, 65, 200, 7]])


def settings(source, **changes):
    base = {"source": "folder", "path": "base"}
    tokens = {"special_tokens": ["<source_to_llvm>"], "pad_token": "<|pad|>"}
    return {"source": source, "base": base, "context": 64, **tokens, **changes}


def write_adapter(root, targets, saved, rows):
    """Write an adapter with random weights that resizes the vocabulary of `base` to `rows`; return
    logits.
    """
    torch.manual_seed(1)
    model = load_model(root / "base")
    model.resize_token_embeddings(rows, mean_resizing=False)
    config = LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=targets, modules_to_save=saved)
    with warnings.catch_warnings():
        # Adapters of others may untie embeddings.
        warnings.simplefilter("ignore")
        adapted = get_peft_model(model, config)
    with torch.no_grad():
        for weight in adapted.parameters():
            if weight.requires_grad:
                weight.add_(0.1 * torch.randn(weight.shape))
    save_adapter(adapted, root / "adapter", "some/base")
    return adapted.eval()(TOKENS).logits


@pytest.mark.parametrize(
    ("architecture", "targets", "saved"),
    [(GPT, ["c_attn"], ["wte", "lm_head"]), (LLAMA, ["q_proj", "v_proj"], ["embed_tokens", "lm_head"])],
)
@pytest.mark.parametrize("rows", [250, 257, 259])
def test_an_adapter_is_merged_into_the_base_for_any_size_of_vocabulary(tmp_path, architecture, targets, saved, rows):
    write_all(tmp_path, architecture)
    expected = write_adapter(tmp_path, targets, saved, rows)
    model, tokenizer = load_checkpoint(settings({"path": "adapter"}), None, str(tmp_path), True, "m/ircoder")
    assert torch.allclose(model(TOKENS).logits, expected, atol=1e-5)
    assert tokenizer.convert_tokens_to_ids(["<source_to_llvm>", "<|pad|>"]) == [257, 258]
    save_model(model, tokenizer, tmp_path / "merged")
    assert torch.allclose(load_model(tmp_path / "merged")(TOKENS).logits, expected, atol=1e-5)


def test_an_adapter_without_embeddings_uses_the_base_of_the_run(tmp_path):
    write_all(tmp_path)
    expected = write_adapter(tmp_path, ["c_attn"], None, 257)
    base = str(tmp_path / "base")
    model, _ = load_checkpoint(settings({"path": "adapter"}, base=None), base, str(tmp_path), True, "m/ircoder")
    assert torch.allclose(model(TOKENS).logits[..., :257], expected, atol=1e-5)


def test_the_tokenizer_of_an_adapter_is_used(tmp_path):
    write_all(tmp_path)
    write_adapter(tmp_path, ["c_attn"], ["wte", "lm_head"], 257)
    shutil.copytree(tmp_path / "base", tmp_path / "copy")
    load_tokenizer(tmp_path / "base").save_pretrained(tmp_path / "adapter")
    _, tokenizer = load_checkpoint(settings({"path": "adapter"}), None, str(tmp_path), True, "m/ircoder")
    assert len(tokenizer) == 257


def test_merged_weights_are_imported_unchanged(tmp_path):
    write_all(tmp_path)
    model, tokenizer = load_checkpoint(settings({"path": "base"}), None, str(tmp_path), True, "m/ircoder")
    assert torch.equal(model(TOKENS).logits, load_model(tmp_path / "base")(TOKENS).logits) and len(tokenizer) == 257


def test_a_repository_of_the_hub_is_downloaded_at_its_revision(tmp_path, monkeypatch):
    write_all(tmp_path)
    downloads = []
    monkeypatch.setattr(
        import_checkpoint,
        "snapshot_download",
        lambda repository, revision, **_: downloads.append((repository, revision)) or str(tmp_path / "base"),
    )
    source = {"repository": "owner/model", "revision": "0123456"}
    load_checkpoint(settings(source), None, str(tmp_path), False, "m/ircoder")
    assert downloads == [("owner/model", "0123456")]


def wrong_folder(root):
    return {"path": "nothing"}


def no_tokenizer(root):
    shutil.copytree(root / "base", root / "bare")
    for path in (root / "bare").glob("tokenizer*"):
        path.unlink()
    return {"path": "bare"}


def other_base(root):
    write_adapter(root, ["c_attn"], ["wte", "lm_head"], 257)
    path = root / "adapter/adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "target_modules": ["q_proj"]}))
    return {"path": "adapter"}


def pickled(root):
    shutil.copytree(root / "base", root / "pickled")
    weights = root / "pickled/model.safetensors"
    torch.save(load_file(weights), root / "pickled/pytorch_model.bin")
    weights.unlink()
    (root / "pickled/weights.sha256").unlink()
    return {"path": "pickled"}


def pickled_adapter(root):
    write_adapter(root, ["c_attn"], None, 257)
    weights = root / "adapter/adapter_model.safetensors"
    torch.save(load_file(weights), root / "adapter/adapter_model.bin")
    weights.unlink()
    return {"path": "adapter"}


def other_size(root):
    write_adapter(root, ["c_attn"], None, 257)
    shutil.rmtree(root / "base")
    write_base(root / "base", {**GPT, "n_embd": 32})
    return {"path": "adapter"}


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (wrong_folder, r"nothing has no model \(neither config\.json nor adapter_config\.json\); correct the `path`"),
        (no_tokenizer, "has no tokenizer; add the files"),
        (other_base, "the adapter of m/ircoder does not match its base"),
        (pickled, r"pickled has no safetensors weights, only pytorch_model\.bin, a pickle file"),
        (pickled_adapter, r"adapter has no safetensors weights, only adapter_model\.bin, a pickle file"),
        (other_size, "the adapter of m/ircoder does not match its base"),
        (
            lambda root: {"repository": "owner/model", "revision": ""},
            r"owner/model must be fetched, but `hub\.offline`",
        ),
    ],
)
def test_an_unusable_checkpoint_is_a_one_line_error(tmp_path, prepare, message):
    write_all(tmp_path)
    source = prepare(tmp_path)
    with pytest.raises(InputError, match=message) as error:
        load_checkpoint(settings(source), None, str(tmp_path), True, "m/ircoder")
    assert "\n" not in str(error.value)


def test_weights_that_are_not_finite_are_rejected(tmp_path):
    write_all(tmp_path)
    model = load_model(Path(tmp_path, "base"))
    check_finite(model, "m/ircoder")
    with torch.no_grad():
        model.lm_head.weight[3, 3] = float("nan")
    with pytest.raises(InputError, match=r"m/ircoder: the weights .* not finite"):
        check_finite(model, "m/ircoder")


def without_a_layer(tensors):
    return {name: tensor for name, tensor in tensors.items() if "layers.1" not in name}


def with_a_prefix(tensors):
    return {f"_orig_mod.{name}": tensor for name, tensor in tensors.items()}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda path: save_file(without_a_layer(load_file(path)), path), "Found missing adapter keys"),
        (lambda path: save_file(with_a_prefix(load_file(path)), path), "Found missing adapter keys"),
        (lambda path: path.write_bytes(b""), "the adapter cannot be loaded"),
        (lambda path: path.with_name("adapter_config.json").write_text("{}"), "does not match its base .KeyError"),
        (lambda path: path.with_name("adapter_config.json").write_text("{"), "does not match its base"),
    ],
)
def test_an_adapter_without_all_its_weights_is_one_line(tmp_path, change, message):
    write_all(tmp_path, LLAMA)
    write_adapter(tmp_path, ["q_proj", "v_proj"], None, 257)
    (tmp_path / "adapter/weights.sha256").unlink()
    change(tmp_path / "adapter/adapter_model.safetensors")
    with pytest.raises(InputError, match=message):
        load_checkpoint(settings({"path": "adapter"}), None, str(tmp_path), True, "m/ircoder")
