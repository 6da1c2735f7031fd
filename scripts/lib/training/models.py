"""Causal language models: made from scratch or loaded, given new tokens and LoRA, merged, and saved without paths."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model, prepare_model_for_kbit_training
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from scripts.lib.files import read_json, write_json
from scripts.lib.weights import check_weights, write_weight_digests

# What tokenizers store about how they were loaded.
_LOADING = ("name_or_path", "is_local", "local_files_only")


def load_tokenizer(folder: str | Path) -> PreTrainedTokenizerBase:
    """The tokenizer in a local folder."""
    return AutoTokenizer.from_pretrained(str(folder), local_files_only=True)


def save_tokenizer(tokenizer: PreTrainedTokenizerBase, folder: str | Path) -> None:
    """Save a tokenizer without any trace of where it was loaded from."""
    tokenizer.save_pretrained(str(folder))
    path = Path(folder, "tokenizer_config.json")
    write_json(path, {key: value for key, value in read_json(path).items() if key not in _LOADING})


def make_model(architecture: Mapping[str, Any], tokenizer: PreTrainedTokenizerBase) -> PreTrainedModel:
    """A randomly initialised model for a tokenizer's vocabulary; `architecture` holds `model_type` and its values."""
    values = dict(architecture)
    special = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    config = AutoConfig.for_model(values.pop("model_type"), vocab_size=len(tokenizer), **special, **values)
    return AutoModelForCausalLM.from_config(config)


def _quantization(kind: str) -> Any:
    """Options of bitsandbytes for `int8` or `int4`; None for `none`."""
    if kind == "none":
        return None
    from transformers import BitsAndBytesConfig

    if kind == "int8":
        return BitsAndBytesConfig(load_in_8bit=True, llm_int8_threshold=6.0)
    return BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16)


def load_model(folder: str | Path, dtype: Any = "auto", quantization: str = "none") -> PreTrainedModel:
    """The model in a local folder; `dtype` "auto" takes the one that it was stored in."""
    check_weights(folder)
    return AutoModelForCausalLM.from_pretrained(
        str(folder), dtype=dtype, quantization_config=_quantization(quantization), local_files_only=True
    )


@torch.no_grad()
def fit_vocabulary(
    model: PreTrainedModel, known: int, tokenizer: PreTrainedTokenizerBase, new_embeddings: str
) -> PreTrainedModel:
    """Give every token of `tokenizer` a row in the embeddings, input and output.

    known: tokens of the vocabulary that the model was trained with; the ones behind are new. Their rows start at the
    mean of the known rows (`mean`) or as transformers draws them (`library`). The original wrote the mean to a tensor
    that the growth had already replaced, so that its new rows kept the default initialisation.
    """
    if len(tokenizer) > model.get_input_embeddings().weight.shape[0]:
        model.resize_token_embeddings(len(tokenizer), mean_resizing=new_embeddings == "library")
    if new_embeddings == "mean":
        layers = (model.get_input_embeddings(), model.get_output_embeddings())
        # Some output layers, such as CodeGen's, have a bias, with a value for each token.
        for rows in (rows for layer in layers for rows in layer.parameters(recurse=False)):
            rows[known : len(tokenizer)] = rows[:known].float().mean(dim=0).to(rows.dtype)
    return model


def load_for_tokenizer(
    base: str | Path, tokenizer: PreTrainedTokenizerBase, new_embeddings: str, **options: Any
) -> PreTrainedModel:
    """The model in the folder `base`, grown to the vocabulary of `tokenizer`; `options` go to `load_model`."""
    known = len(load_tokenizer(base))
    return fit_vocabulary(load_model(base, **options), known, tokenizer, new_embeddings)


def add_lora(model: PreTrainedModel, lora: Mapping[str, Any], quantized: bool, checkpointing: bool) -> PeftModel:
    """Freeze the model and give it LoRA adapters; `lora` holds r, alpha, dropout, targets and modules_to_save.

    Everything that is trained is float32, whatever the frozen weights are.
    """
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
        modules_to_save=list(lora["modules_to_save"]) or None,
    )
    adapted = get_peft_model(model, config)
    for parameter in adapted.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    return adapted


def _finish_weights(folder: str | Path) -> None:
    """Give the weights digests, and the rights of any new file: safetensors lets their owner alone read them."""
    mask = os.umask(0)
    os.umask(mask)
    for path in Path(folder).glob("*.safetensors"):
        path.chmod(0o666 & ~mask)
    write_weight_digests(folder)


def save_adapter(model: PeftModel, folder: str | Path, name: str) -> None:
    """Save an adapter whose base is called `name`, with sorted lists for the sake of equal bytes."""
    model.save_pretrained(str(folder))
    _finish_weights(folder)
    path = Path(folder, "adapter_config.json")
    config = read_json(path) | {"base_model_name_or_path": name}
    config["target_modules"] = sorted(config["target_modules"])
    write_json(path, config)


def merge_adapter(
    base: str | Path, adapter: str | Path, tokenizer: PreTrainedTokenizerBase, new_embeddings: str
) -> PreTrainedModel:
    """Base and adapter as one model, merged in float32 on the CPU and stored in the base's own type.

    The base is loaded unquantised, whatever the training used.
    """
    stored = load_model(base).dtype
    model = load_for_tokenizer(base, tokenizer, new_embeddings, dtype=torch.float32)
    check_weights(adapter)
    return PeftModel.from_pretrained(model, str(adapter)).merge_and_unload().to(stored)


def save_model(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: str | Path) -> None:
    """Save model and tokenizer as a folder that transformers and vLLM load offline."""
    model.save_pretrained(str(folder))
    _finish_weights(folder)
    save_tokenizer(tokenizer, folder)


def parameters_of(folder: str | Path) -> int:
    """Number of weights in a folder's safetensors files."""
    files = sorted(Path(folder).glob("*.safetensors"))
    return sum(tensor.numel() for file in files for tensor in load_file(file).values())
