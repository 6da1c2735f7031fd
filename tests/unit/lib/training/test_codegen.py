"""CodeGen, whose output layer has a bias: import, new tokens, LoRA, merge, losses and generation."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from scripts.evaluate.benchmarks.stop_sequences import Stop
from scripts.evaluate.engines.base import Request
from scripts.evaluate.engines.transformers_engine import TransformersEngine
from scripts.evaluate.generations import Sampling
from scripts.lib.job import InputError
from scripts.lib.training.launch import run_training
from scripts.lib.training.model_tokenizer import load_tokenizer
from scripts.lib.training.models import load_for_tokenizer, load_model
from scripts.lib.weights import write_weight_digests
from scripts.pretrain.import_base import check_context, load_base
from scripts.pretrain.losses import DocumentScorer
from scripts.workflow.validation import read_yaml
from tests.support.paths import ROOT
from tests.support.tiny_training import LORA, merged, spec_for, weights_of, write_all

NAMES = ("codegen-350m-multi", "codegen-350m-mono", "codegen-2b-multi", "codegen-2b-mono")
ARCHITECTURE = {
    "model_type": "codegen",
    "n_embd": 32,
    "n_layer": 2,
    "n_head": 4,
    "rotary_dim": 4,
    "n_positions": 64,
    "n_ctx": 64,
    "resid_pdrop": 0.0,
    "embd_pdrop": 0.0,
    "attn_pdrop": 0.0,
}
KNOWN = 257


@pytest.fixture(scope="module")
def entry():
    """The entry of a CodeGen in the table of models."""
    return read_yaml(ROOT / "config/models.yaml")["codegen-350m-multi"]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A base with random biases, a tokenizer with two more tokens, and data."""
    folder = tmp_path_factory.mktemp("codegen")
    write_all(folder, ARCHITECTURE)
    model = load_model(folder / "base")
    torch.nn.init.normal_(model.lm_head.bias, mean=1.0)
    model.save_pretrained(folder / "base")
    write_weight_digests(folder / "base")
    return folder


@pytest.fixture(scope="module")
def trained(inputs, entry, tmp_path_factory):
    """The specification of a finished training with LoRA as the table of models has it."""
    spec = spec_for(inputs, tmp_path_factory.mktemp("trained"), max_steps=6, eval_steps=6, save_steps=6)
    lora = {**LORA, "targets": entry["lora_targets"], "modules_to_save": entry["modules_to_save"]}
    spec = replace(spec, lora=lora)
    run_training(spec)
    return spec


def test_entries_differ_in_repository_title_and_resources_only():
    table = read_yaml(ROOT / "config/models.yaml")
    entries = [table[name] for name in NAMES]
    assert len({entry["repository"] for entry in entries}) == len({entry["title"] for entry in entries}) == len(NAMES)
    for key in entries[0].keys() - {"repository", "title", "resources"}:
        assert all(entry[key] == entries[0][key] for entry in entries), key
    assert entries[0]["special_tokens"] == table["deepseek-coder-1.3b-base"]["special_tokens"]


def test_the_base_is_imported_and_its_context_checked(inputs):
    model, tokenizer = load_base({"source": "folder", "path": "base"}, str(inputs), offline=True)
    assert (model.config.model_type, len(tokenizer)) == ("codegen", KNOWN)
    check_context(model, 64, "codegen")
    with pytest.raises(InputError, match="context of codegen has 64 tokens, not 65"):
        check_context(model, 65, "codegen")


@pytest.fixture(scope="module")
def whole(trained):
    """The folder of the model that the trained adapter is merged to."""
    return merged(trained)


def test_rows_and_biases_of_new_tokens_start_at_the_mean(inputs):
    base, tokenizer = load_model(inputs / "base"), load_tokenizer(inputs / "tokenizer")
    grown = load_for_tokenizer(inputs / "base", tokenizer, "mean")
    assert len(tokenizer) == KNOWN + 2
    pairs = [
        (base.transformer.wte.weight, grown.transformer.wte.weight),
        (base.lm_head.weight, grown.lm_head.weight),
        (base.lm_head.bias, grown.lm_head.bias),
    ]
    for old, new in pairs:
        assert torch.equal(new[:KNOWN], old)
        assert torch.allclose(new[KNOWN:], old.mean(dim=0).expand_as(new[KNOWN:]), atol=1e-6)


def test_training_and_merge_change_attention_and_embeddings_only(inputs, whole):
    before = load_for_tokenizer(inputs / "base", load_tokenizer(inputs / "tokenizer"), "mean").state_dict()
    after = load_file(weights_of(whole))
    changed = {name for name, tensor in after.items() if not torch.equal(tensor, before[name])}
    layers = {name.rsplit(".", 1)[0].split(".")[-1] for name in changed}
    assert layers == {"qkv_proj", "out_proj", "wte", "lm_head"}
    assert "lm_head.bias" in changed


def test_losses_and_completions_of_the_merged_model_do_not_depend_on_the_batch(whole):
    model = load_model(whole)
    documents = [[1, 2, 3, 257, 4], list(range(100))]
    together, alone = (DocumentScorer(model, 256, 64, size) for size in (4, 1))
    for ids in documents:
        losses = together.losses(ids)
        assert losses.shape == (len(ids),)
        assert torch.isfinite(losses).all()
        assert torch.allclose(losses, alone.losses(ids), atol=1e-5)
    requests = [Request(prompt, 1, Stop(("<no such text>",))) for prompt in ("def f(x):", "a", "some longer text")]
    greedy = Sampling(temperature=0, top_p=1, samples=1, new_tokens=8)
    batch, single = (TransformersEngine(whole, "float32", size, 1).complete(requests, greedy) for size in (3, 1))
    assert batch == single
