"""Bring a given checkpoint of a model into the form of the run's own: whole weights, config and tokenizer.

It stands in the place of a training: a model that others continued or tuned, from the hub or from a local folder. A
folder with adapter_config.json holds an adapter, which is merged into the model's base.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download
from peft import PeftModel
from safetensors import safe_open
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from scripts.lib.files import atomic_directory
from scripts.lib.hub import check_online, check_revision, hub_errors
from scripts.lib.job import InputError, job
from scripts.lib.training.models import load_model, load_tokenizer, save_model
from scripts.pretrain.import_base import FILES, TABLE, Loaded, check_context, load_base
from scripts.pretrain.tokens import extend_tokenizer

_ADAPTER = "adapter_config.json"
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "tokenizer_config.json")
# Ends of the names under which adapters store embeddings that were trained whole.
_EMBEDDINGS = ("embed_tokens.weight", "wte.weight", "word_embeddings.weight", "embed_in.weight", "lm_head.weight")


def checkpoint_folder(source: Mapping[str, Any], root: str, offline: bool) -> Path:
    """The folder of a given checkpoint, fetched where it is on the hub; raise `InputError` when it cannot be had."""
    if "path" in source:
        folder = Path(root, source["path"])
        if not any((folder / name).is_file() for name in ("config.json", _ADAPTER)):
            what = f"{folder} holds no model (neither config.json nor {_ADAPTER})"
            raise InputError(f"{what}; correct the `path` of the checkpoint in {TABLE}")
        return folder
    repository, revision = source["repository"], source["revision"]
    check_online(repository, offline)
    check_revision(repository, revision, TABLE)
    with hub_errors(repository, revision, TABLE):
        return Path(snapshot_download(repository, revision=revision, allow_patterns=FILES))


def _own_tokenizer(folder: Path) -> PreTrainedTokenizerBase | None:
    """The tokenizer that a checkpoint brings; None when it has none."""
    return load_tokenizer(folder) if any((folder / name).is_file() for name in _TOKENIZERS) else None


def embedding_rows(adapter: Path) -> int | None:
    """Rows of the embeddings that an adapter stores whole; None when it stores none."""
    for path in sorted(adapter.glob("*.safetensors")):
        with safe_open(str(path), framework="numpy") as weights:
            for name in weights.keys():  # noqa: SIM118
                if name.endswith(_EMBEDDINGS):
                    return int(weights.get_slice(name).get_shape()[0])
    return None


def merge_given(base: Loaded, adapter: Path, special_tokens: Sequence[str], pad_token: str | None, name: str) -> Loaded:
    """Base and given adapter as one model, merged in float32 and stored in the base's type, and its tokenizer.

    The vocabulary is as large as the adapter's embeddings where it has any, and else as the tokenizer: that of the
    adapter, or the base's with the model's special tokens. Raises `InputError` when adapter and base do not fit.
    """
    model, tokenizer = base
    tokenizer = _own_tokenizer(adapter) or extend_tokenizer(tokenizer, special_tokens, pad_token)
    stored, rows = model.dtype, model.get_input_embeddings().weight.shape[0]
    wanted = embedding_rows(adapter) or max(rows, len(tokenizer))
    if wanted != rows:
        model.resize_token_embeddings(wanted, mean_resizing=False)
    try:
        merged = PeftModel.from_pretrained(model.float(), str(adapter)).merge_and_unload()
    except (RuntimeError, ValueError) as error:
        text = " ".join(str(error).split())[:300]
        raise InputError(f"the adapter of {name} does not fit its base ({text}); correct it in {TABLE}") from error
    return merged.to(stored), tokenizer


def load_checkpoint(settings: Mapping[str, Any], base: str | None, root: str, offline: bool, name: str) -> Loaded:
    """Model and tokenizer of a given checkpoint; see the rule for `settings`.

    base: the folder of the model's base, where this run makes it; else the base is loaded as its entry says.
    """
    folder = checkpoint_folder(settings["source"], root, offline)
    if (folder / _ADAPTER).is_file():
        loaded = (load_model(base), load_tokenizer(base)) if base else load_base(settings["base"], root, offline)
        return merge_given(loaded, folder, settings["special_tokens"], settings["pad_token"], name)
    tokenizer = _own_tokenizer(folder)
    if tokenizer is None:
        raise InputError(f"{name}: {folder} has no tokenizer; put the files of its tokenizer next to the weights")
    return load_model(folder), tokenizer


def check_finite(model: PreTrainedModel, name: str) -> None:
    """Raise `InputError` when a weight is no finite number: a model that is broken scores 0 without a word."""
    for weight, values in model.named_parameters():
        if not torch.isfinite(values).all():
            raise InputError(f"{name}: the weights {weight} hold numbers that are not finite; fetch or save it again")


if __name__ == "__main__":
    with job() as snakemake:
        params, given = snakemake.params, snakemake.wildcards.given
        made = snakemake.input.get("base") or [None]
        loaded, tokenizer = load_checkpoint(params.settings, made[0], params.root, params.offline, given)
        check_context(loaded, params.settings["context"], given)
        check_finite(loaded, given)
        with atomic_directory(snakemake.output[0]) as folder:
            save_model(loaded, tokenizer, folder)
