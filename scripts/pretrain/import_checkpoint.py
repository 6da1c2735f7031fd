"""Import an existing checkpoint of a model as merged weights, config and tokenizer.

It replaces a training: a model that others continued or tuned, from the hub or a local folder. A
folder with adapter_config.json contains an adapter, which is merged into the model's base.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download
from safetensors import safe_open
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from scripts.lib.files import atomic_directory
from scripts.lib.hub import check_online, check_revision, hub_errors
from scripts.lib.job import InputError, job
from scripts.lib.training.loading import load_model
from scripts.lib.training.loading_errors import loading_errors
from scripts.lib.training.model_tokenizer import load_tokenizer
from scripts.lib.training.models import merge, save_model, vocabulary_rows
from scripts.pretrain.import_base import (
    CODE,
    FILES,
    TABLE,
    Loaded,
    check_context,
    load_base,
    trusts_code,
    warn_of_tokenizer,
)
from scripts.pretrain.tokens import extend_tokenizer

_ADAPTER = "adapter_config.json"
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "tokenizer_config.json")
# Suffixes of the names of embeddings in adapters that trained them fully.
_EMBEDDINGS = ("embed_tokens.weight", "wte.weight", "word_embeddings.weight", "embed_in.weight", "lm_head.weight")


def checkpoint_folder(source: Mapping[str, Any], root: str, offline: bool, trusted: bool) -> Path:
    """The folder of a checkpoint, downloaded if it is on the hub, with its code if it is `trusted`.

    Raises `InputError` if it is unavailable.
    """
    if "path" in source:
        folder = Path(root, source["path"])
        if not any((folder / name).is_file() for name in ("config.json", _ADAPTER)):
            problem = f"{folder} has no model (neither config.json nor {_ADAPTER})"
            raise InputError(f"{problem}; correct the `path` of the checkpoint in {TABLE}")
        return folder
    repository, revision = source["repository"], source["revision"]
    check_online(repository, offline)
    check_revision(repository, revision, TABLE)
    with hub_errors(repository, revision, TABLE):
        return Path(snapshot_download(repository, revision=revision, allow_patterns=FILES + (CODE if trusted else [])))


def _included_tokenizer(folder: Path, trusted: bool = False) -> PreTrainedTokenizerBase | None:
    """The tokenizer that a checkpoint includes; None if it has none."""
    return load_tokenizer(folder, trusted) if any((folder / name).is_file() for name in _TOKENIZERS) else None


def embedding_rows(adapter: Path) -> int | None:
    """Number of rows of the embeddings in an adapter; None if it stores no embeddings.

    Raises `InputError` for damaged weights.
    """
    for path in sorted(adapter.glob("*.safetensors")):
        with loading_errors(adapter, "the adapter"), safe_open(str(path), framework="numpy") as weights:
            for name in weights.keys():  # noqa: SIM118
                if name.endswith(_EMBEDDINGS):
                    return int(weights.get_slice(name).get_shape()[0])
    return None


def merge_imported(
    base: Loaded, adapter: Path, special_tokens: Sequence[str], pad_token: str | None, name: str
) -> Loaded:
    """Base and imported adapter as one model, merged in float32 and converted to the base's type.

    Also returns the tokenizer: the adapter's, or the base's with the model's special tokens. The
    vocabulary has the size of the adapter's embeddings if it has any, else that of the tokenizer.
    Raises `InputError` if adapter and base do not match.
    """
    model, tokenizer = base
    tokenizer = _included_tokenizer(adapter) or extend_tokenizer(tokenizer, special_tokens, pad_token)
    dtype, rows = model.dtype, vocabulary_rows(model)
    new_rows = embedding_rows(adapter) or max(rows, len(tokenizer))
    if new_rows != rows:
        model.resize_token_embeddings(new_rows, mean_resizing=False)
    try:
        merged = merge(model.float(), adapter)
    except (RuntimeError, ValueError, LookupError, TypeError) as error:
        text = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise InputError(f"the adapter of {name} does not match its base ({text}); correct it in {TABLE}") from error
    return merged.to(dtype), tokenizer  # type: ignore[arg-type]  # its wrapper has no types


def load_checkpoint(settings: Mapping[str, Any], base: str | None, root: str, offline: bool, name: str) -> Loaded:
    """Model and tokenizer of an existing checkpoint; see the rule for `settings`.

    base: folder of the model's base if the run has it; else the base is loaded by its entry.
    """
    trusted = trusts_code(settings["base"] or {})
    folder = checkpoint_folder(settings["source"], root, offline, trusted)
    if (folder / _ADAPTER).is_file():
        loaded = (load_model(base), load_tokenizer(base)) if base else load_base(settings["base"], root, offline)
        return merge_imported(loaded, folder, settings["special_tokens"], settings["pad_token"], name)
    tokenizer = _included_tokenizer(folder, trusted)
    if tokenizer is None:
        raise InputError(f"{name}: {folder} has no tokenizer; add the files of its tokenizer to the folder")
    return load_model(folder, trust_code=trusted), tokenizer


def check_finite(model: PreTrainedModel, name: str) -> None:
    """Raise `InputError` if a weight is not finite: a broken model would silently score 0."""
    for weight, values in model.named_parameters():
        if not torch.isfinite(values).all():
            raise InputError(f"{name}: the weights {weight} have values that are not finite; download or save it again")


if __name__ == "__main__":
    with job() as snakemake:
        params, name = snakemake.params, snakemake.wildcards.imported
        (base,) = snakemake.input.get("base") or [None]
        model, tokenizer = load_checkpoint(params.settings, base, params.root, params.offline, name)
        check_context(model, params.settings["context"], name)
        check_finite(model, name)
        warn_of_tokenizer(tokenizer, name)
        with atomic_directory(snakemake.output[0]) as folder:
            save_model(model, tokenizer, folder)
