"""Causal language models: create, load, add tokens and LoRA adapters, merge, and save without local
paths.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import torch
from peft import LoraConfig, PeftModel, get_peft_model, prepare_model_for_kbit_training
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase

from scripts.lib.files import read_json, write_json
from scripts.lib.weights import check_weights, write_weight_digests

# Keys of tokenizer_config.json that state how a tokenizer was loaded.
_LOADING = ("name_or_path", "is_local", "local_files_only")


def load_tokenizer(folder: str | Path) -> PreTrainedTokenizerBase:
    """The tokenizer in a local folder."""
    return AutoTokenizer.from_pretrained(str(folder), local_files_only=True)


def save_tokenizer(tokenizer: PreTrainedTokenizerBase, folder: str | Path) -> None:
    """Save a tokenizer without the path that it was loaded from."""
    tokenizer.save_pretrained(str(folder))
    path = Path(folder, "tokenizer_config.json")
    write_json(path, {key: value for key, value in read_json(path).items() if key not in _LOADING})


def make_model(architecture: Mapping[str, Any], tokenizer: PreTrainedTokenizerBase) -> PreTrainedModel:
    """A randomly initialised model for a tokenizer's vocabulary.

    architecture: `model_type` and values of its configuration.
    """
    values = dict(architecture)
    special = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    config = AutoConfig.for_model(values.pop("model_type"), vocab_size=len(tokenizer), **special, **values)
    return AutoModelForCausalLM.from_config(config)


def _quantization(kind: str) -> Any:
    """Configuration of bitsandbytes for `int8` or `int4`; None for `none`."""
    if kind == "none":
        return None
    from transformers import BitsAndBytesConfig

    if kind == "int8":
        return BitsAndBytesConfig(load_in_8bit=True, llm_int8_threshold=6.0)
    return BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16)


def load_model(folder: str | Path, dtype: Any = "auto", quantization: str = "none") -> PreTrainedModel:
    """The model in a local folder; `dtype` "auto" is the type in which it is stored.

    Raises `InputError` if the weights differ from their stored digests.
    """
    check_weights(folder)
    return AutoModelForCausalLM.from_pretrained(
        str(folder), dtype=dtype, quantization_config=_quantization(quantization), local_files_only=True
    )


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


def add_lora(model: PreTrainedModel, lora: Mapping[str, Any], quantized: bool, checkpointing: bool) -> PeftModel:
    """Freeze the model and add LoRA adapters; `lora` has r, alpha, dropout, targets and
    modules_to_save.

    All trained weights are float32, independently of the frozen ones.
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
    """Write digests of the weights, and give them the permissions of any new file.

    safetensors makes its files readable by their owner only.
    """
    mask = os.umask(0)
    os.umask(mask)
    for path in Path(folder).glob("*.safetensors"):
        path.chmod(0o666 & ~mask)
    write_weight_digests(folder)


def save_adapter(model: PeftModel, folder: str | Path, name: str) -> None:
    """Save an adapter whose base has the name `name`, with sorted lists for equal bytes."""
    model.save_pretrained(str(folder))
    _finish_weights(folder)
    path = Path(folder, "adapter_config.json")
    config = read_json(path) | {"base_model_name_or_path": name}
    config["target_modules"] = sorted(config["target_modules"])
    write_json(path, config)


def merge_adapter(
    base: str | Path, adapter: str | Path, tokenizer: PreTrainedTokenizerBase, new_embeddings: str
) -> PreTrainedModel:
    """Base and adapter as one model, merged in float32 on the CPU and converted to the base's type.

    The base is loaded without quantisation, even if the training used one.
    """
    dtype = load_model(base).dtype
    model = load_for_tokenizer(base, tokenizer, new_embeddings, dtype=torch.float32)
    check_weights(adapter)
    return PeftModel.from_pretrained(model, str(adapter)).merge_and_unload().to(dtype)


def save_model(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: str | Path) -> None:
    """Save model and tokenizer into a folder that transformers and vLLM can load offline."""
    model.save_pretrained(str(folder))
    _finish_weights(folder)
    save_tokenizer(tokenizer, folder)
