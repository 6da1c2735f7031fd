"""Whether this process can use the GPUs that a job asks for."""

import importlib.util
import os
from collections.abc import Mapping
from typing import Any

from scripts.lib.job import InputError


def require_gpus(resources: Any) -> None:
    """End a job that asks for GPUs and can use none, before it loads anything.

    `resources` of the job has `gpu`, a number; without it, or with 0, nothing is checked and
    nothing imported.
    """
    needed = int(getattr(resources, "gpu", 0) or 0)
    if needed:
        check_gpus(needed, os.environ)


def check_gpus(needed: int, environment: Mapping[str, str]) -> None:
    """Raise `InputError` unless PyTorch is built for GPUs and sees at least `needed` of them."""
    # A missing package is reported by the import that needs it. vLLM's environments have torch.
    if importlib.util.find_spec("torch") is None:
        return
    import torch

    if torch.version.cuda is None and getattr(torch.version, "hip", None) is None:
        raise InputError(
            f"the job asks for {needed} GPU(s), but its PyTorch {torch.__version__} is a build for CPUs; create its "
            "conda environment with CONDA_OVERRIDE_CUDA set (docs/reference/environments.md), or set gpu: false in "
            "config/models.yaml"
        )
    visible = torch.cuda.device_count()
    if visible < needed:
        value = environment.get("CUDA_VISIBLE_DEVICES", "not set")
        raise InputError(
            f"the job asks for {needed} GPU(s), but PyTorch {torch.__version__} sees {visible} (CUDA_VISIBLE_DEVICES: "
            f"{value}); check the partition and the driver (nvidia-smi), or set gpu: false in config/models.yaml"
        )
