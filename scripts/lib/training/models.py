"""Causal language models: create, add tokens and LoRA adapters, merge, and save without local paths."""

import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import torch
from peft import LoraConfig, PeftModel, get_peft_model, prepare_model_for_kbit_training
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerBase

from scripts.lib.context import context_limit
from scripts.lib.custom_code import mark_trusted
from scripts.lib.files import read_json, write_json
from scripts.lib.training.loading import attention_option, load_model
from scripts.lib.training.model_tokenizer import load_tokenizer, save_tokenizer
from scripts.lib.weights import check_weights, write_weight_digests

# PEFT's own call of a deprecated property, and its advice on adapters of others that untie
# embeddings, which merging handles.
_PEFT_WARNINGS = (
    "`is_gradient_checkpointing` is deprecated",
    "Model has `tie_word_embeddings=True` and a tied layer is part of the adapter",
    "Input and output embeddings are no longer tied after merging",
)
# The beginning of PEFT's warning about weights that an adapter lacks.
_MISSING = "(?s).*Found missing adapter keys"


@contextmanager
def _without_peft_warnings() -> Iterator[None]:
    """Suppress the warnings of PEFT that nobody can act on."""
    with warnings.catch_warnings():
        for message in _PEFT_WARNINGS:
            warnings.filterwarnings("ignore", message=message)
        yield


def make_model(
    architecture: Mapping[str, Any], tokenizer: PreTrainedTokenizerBase, attention: str = "auto"
) -> PreTrainedModel:
    """A randomly initialised model for a tokenizer's vocabulary.

    architecture: `model_type` and values of its configuration. attention: as in `load_model`.
    """
    values = dict(architecture)
    special = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    config = AutoConfig.for_model(values.pop("model_type"), vocab_size=len(tokenizer), **special, **values)
    return AutoModelForCausalLM.from_config(config, **attention_option(attention))


def vocabulary_rows(model: PreTrainedModel) -> int:
    """Number of rows of a model's input embeddings, which may exceed its tokenizer's vocabulary."""
    return int(cast(torch.nn.Embedding, model.get_input_embeddings()).weight.shape[0])


@torch.no_grad()
def fit_vocabulary(
    model: PreTrainedModel, known: int, tokenizer: PreTrainedTokenizerBase, new_embeddings: str
) -> PreTrainedModel:
    """Give every token of `tokenizer` a row in the input and output embeddings.

    known: number of tokens in the vocabulary that the model was trained with; later ones are new.
    new_embeddings: whether rows of new tokens start as the mean of the known rows (`mean`) or as
    initialised by transformers (`library`). The published code wrote the mean to a tensor that
    resizing had already replaced, so its new rows had the default initialisation.
    """
    if len(tokenizer) > vocabulary_rows(model):
        model.resize_token_embeddings(len(tokenizer), mean_resizing=new_embeddings == "library")
    if new_embeddings == "mean":
        layers = (model.get_input_embeddings(), model.get_output_embeddings())
        # Some output layers, such as CodeGen's, also have a bias, with one value per token.
        for rows in (rows for layer in layers for rows in layer.parameters(recurse=False)):
            rows[known : len(tokenizer)] = rows[:known].float().mean(dim=0).to(rows.dtype)
    return model


def load_for_tokenizer(
    base: str | Path, tokenizer: PreTrainedTokenizerBase, new_embeddings: str, **options: Any
) -> PreTrainedModel:
    """The model in the folder `base`, extended to the vocabulary of `tokenizer`.

    new_embeddings: as in `fit_vocabulary`; options: those of `load_model`.
    """
    known = len(load_tokenizer(base))
    return fit_vocabulary(load_model(base, **options), known, tokenizer, new_embeddings)


def _is_tied(model: PreTrainedModel) -> bool:
    """Whether PEFT can train input and output embeddings as one tensor, as the model has them.

    PEFT's tied output layer has no bias, so embeddings are untied where the output has one.
    """
    outputs = model.get_output_embeddings()
    shared = outputs is not None and outputs.weight is model.get_input_embeddings().weight
    return bool(shared and getattr(outputs, "bias", None) is None)


def add_lora(model: PreTrainedModel, lora: Mapping[str, Any], quantized: bool, checkpointing: bool) -> PeftModel:
    """Freeze the model and add LoRA adapters; `lora` has r, alpha, dropout, targets and
    modules_to_save.

    All trained weights are float32, independently of the frozen ones. Embeddings that the model
    ties remain tied.
    """
    saved = list(lora["modules_to_save"])
    if quantized:
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=checkpointing)
    elif checkpointing:
        model.enable_input_require_grads()
    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=lora["r"],
        lora_alpha=lora["alpha"],
        lora_dropout=lora["dropout"],
        target_modules=list(lora["targets"]),
        modules_to_save=list(saved) or None,
        ensure_weight_tying=bool(saved) and _is_tied(model),
    )
    with _without_peft_warnings():
        adapted = get_peft_model(model, config)
    # PEFT removes the tied output layer from the list and then does not tie it when it loads the
    # adapter. Without a name, PEFT does not compare the base's vocabulary at each checkpoint.
    config.modules_to_save = sorted(saved) or None
    config.base_model_name_or_path = ""
    for parameter in adapted.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    return adapted


def _finish_weights(folder: str | Path) -> None:
    """Write digests of the weights, and give them the permissions of any new file.

    safetensors makes its files readable by their owner only.
    """
    mask = os.umask(0)
    os.umask(mask)
    for path in Path(folder).glob("*.safetensors"):
        path.chmod(0o666 & ~mask)
    write_weight_digests(folder)


def save_adapter(
    model: PeftModel,
    folder: str | Path,
    name: str,
    revision: str | None = None,
    tokenizer: PreTrainedTokenizerBase | None = None,
    new_tokens: bool = True,
) -> None:
    """Save an adapter, with sorted lists for equal bytes.

    name, revision: path of the base, or its repository on the hub and the commit.
    tokenizer: saved with the adapter, so that PEFT extends the base to its vocabulary.
    new_tokens: whether the tokenizer has tokens that the base lacks, so that all embeddings are
    saved if they are not among the trained layers.
    """
    trained = getattr(model.peft_config["default"], "modules_to_save", None)
    model.save_pretrained(str(folder), save_embedding_layers=tokenizer is not None and new_tokens and not trained)
    _finish_weights(folder)
    path = Path(folder, "adapter_config.json")
    config = read_json(path) | {"base_model_name_or_path": name, "revision": revision}
    config["target_modules"] = sorted(config["target_modules"])
    write_json(path, config)
    # PEFT's own card; those of the workflow are written by `write_card`.
    Path(folder, "README.md").unlink(missing_ok=True)
    if tokenizer is not None:
        save_tokenizer(tokenizer, folder, context_limit(model.config.to_dict()))


def merge(model: PreTrainedModel, adapter: str | Path) -> PreTrainedModel:
    """A model with the adapter in a folder merged into it.

    Raises `InputError` for bad weights, and `RuntimeError` if the adapter lacks weights of a layer
    that its configuration names; PEFT only warns, and the layer would stay as in the base.
    """
    check_weights(adapter)
    with _without_peft_warnings():
        warnings.filterwarnings("error", message=_MISSING)
        try:
            adapted = PeftModel.from_pretrained(model, str(adapter))
        except UserWarning as warning:
            raise RuntimeError(str(warning)) from warning
        merged: PreTrainedModel = adapted.merge_and_unload()
        return merged


def merge_adapter(
    base: str | Path, adapter: str | Path, tokenizer: PreTrainedTokenizerBase, new_embeddings: str
) -> PreTrainedModel:
    """Base and adapter as one model, merged in float32 on the CPU and converted to the base's type.

    The base is loaded without quantisation, even if the training used one.
    """
    dtype = load_model(base).dtype
    model = load_for_tokenizer(base, tokenizer, new_embeddings, dtype=torch.float32)
    return merge(model, adapter).to(dtype)  # type: ignore[arg-type]  # its wrapper has no types


def merge_into(
    base: str | Path, adapter: str | Path, tokenizer: str | Path, new_embeddings: str, folder: str | Path
) -> None:
    """Write base and adapter as one model into a folder, with the tokenizer of the folder `tokenizer`."""
    loaded = load_tokenizer(tokenizer)
    save_model(merge_adapter(base, adapter, loaded, new_embeddings), loaded, folder)


def _set_generation(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """Set what generation needs to know: the pad token, and that keys and values are cached.

    A pad token that also ends texts stays out of the model's configuration: models exclude the
    configured token's embedding from training. So does one without an embedding.
    """
    pad, end = tokenizer.pad_token_id, tokenizer.eos_token_id
    model.config.use_cache = True
    if pad is not None and pad != end and pad < vocabulary_rows(model):
        model.config.pad_token_id = pad
    if model.generation_config is not None:
        model.generation_config.use_cache = True
        model.generation_config.pad_token_id = end if pad is None else pad


def save_model(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: str | Path) -> None:
    """Save model and tokenizer into a folder that transformers and vLLM can load offline."""
    _set_generation(model, tokenizer)
    model.save_pretrained(str(folder))
    _finish_weights(folder)
    save_tokenizer(tokenizer, folder, context_limit(model.config.to_dict()))
    mark_trusted(model, folder)
