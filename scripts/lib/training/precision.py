"""Number formats in which models compute: the same in training and wherever a trained model is
measured.
"""

import torch

from scripts.lib.native_bf16 import has_native_bf16

_HALF = {"bf16": torch.bfloat16, "fp16": torch.float16}


def matrix_precision(precision: str, gpu: bool) -> str:
    """Number format of the matrix products.

    `auto` is bf16 on a GPU that supports it, `native` also on a CPU that does, and both are else
    fp32.
    """
    if precision == "native":
        return "bf16" if has_native_bf16(gpu) else "fp32"
    if precision == "auto":
        return "bf16" if gpu and torch.cuda.is_bf16_supported() else "fp32"
    return precision


def weight_dtype(precision: str, gpu: bool) -> torch.dtype:
    """Type of the weights of a model that is loaded: float32 on CPUs."""
    return _HALF.get(matrix_precision(precision, gpu), torch.float32) if gpu else torch.float32


def use_tf32(tf32: bool, gpu: bool) -> None:
    """Let GPUs that can multiply float32 matrices as TF32, as trainings do with `tf32`."""
    if gpu:
        torch.set_float32_matmul_precision("high" if tf32 else "highest")
