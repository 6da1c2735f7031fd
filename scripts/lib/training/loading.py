"""Load a causal language model from a local folder.

A module of its own, because the library of adapters takes seconds to import.
"""

from pathlib import Path
from typing import Any, cast

import torch
from transformers import AutoModelForCausalLM, PreTrainedModel

from scripts.lib.custom_code import is_trusted
from scripts.lib.training.generation_settings import generation_settings
from scripts.lib.training.loading_errors import check_all_loaded, loading_errors
from scripts.lib.weights import check_weights


def attention_option(kind: str) -> dict[str, str]:
    """The option of transformers for an implementation of attention; none for `auto`."""
    return {} if kind == "auto" else {"attn_implementation": kind}


def _quantization(kind: str) -> Any:
    """Configuration of bitsandbytes for `int8` or `int4`; None for `none`."""
    if kind == "none":
        return None
    from transformers import BitsAndBytesConfig

    if kind == "int8":
        return BitsAndBytesConfig(load_in_8bit=True, llm_int8_threshold=6.0)
    return BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16)


def load_model(
    folder: str | Path,
    dtype: Any = "auto",
    quantization: str = "none",
    trust_code: bool | None = None,
    attention: str = "auto",
) -> PreTrainedModel:
    """The model in a local folder; `dtype` "auto" is the type in which it is stored.

    attention: implementation of attention; `auto` leaves the choice to transformers.
    trust_code: whether Python code in the folder may run; None for a folder that the workflow wrote
    and marked. Raises `InputError` if there are no safetensors weights, if they differ from their
    stored digests, if some are missing or damaged, or if the model needs code that is not trusted.
    """
    check_weights(folder)
    trusted = is_trusted(folder) if trust_code is None else trust_code
    with loading_errors(folder, "the model"):
        result: Any = AutoModelForCausalLM.from_pretrained(
            str(folder),
            dtype=dtype,
            generation_config=generation_settings(folder),
            quantization_config=_quantization(quantization),
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=trusted,
            output_loading_info=True,
            **attention_option(attention),
        )
    model, info = result
    if quantization == "none":
        check_all_loaded(info, folder)
    return cast(PreTrainedModel, model)
