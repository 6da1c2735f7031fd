"""Checks before a training starts: packages, memory, disk space, sequence lengths and steps."""

import importlib.util
import os
import shutil
from math import prod
from pathlib import Path

import psutil
from safetensors import safe_open

from scripts.lib.context import context_limit
from scripts.lib.files import read_json
from scripts.lib.job import InputError
from scripts.lib.training.spec import TrainingSettings, TrainingSpec
from scripts.lib.training.token_shards import TokenShards

# Bytes per trained weight: the weight, its gradient and AdamW's two moments, all float32.
_TRAINED_BYTES = 16
# Of these, a checkpoint stores the weight and the moments.
_STORED_BYTES = 12
# Two complete checkpoints and the one that is being written.
_CHECKPOINTS = 3
# Bytes per weight of the base, by quantisation.
_WEIGHT_BYTES = {"int4": 0.5, "int8": 1, "none": 4}


def _shapes(folder: Path) -> list[tuple[str, list[int]]]:
    """Names and shapes of all weights in a folder's safetensors files; reads headers only."""
    shapes: list[tuple[str, list[int]]] = []
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(str(file), framework="numpy") as weights:
            shapes.extend((name, weights.get_slice(name).get_shape()) for name in weights.keys())  # noqa: SIM118
    return shapes


def count_weights(spec: TrainingSpec) -> tuple[int, int]:
    """Numbers of all and of trained weights; lower bounds, since shared weights count once."""
    shapes = _shapes(Path(spec.base))
    total = sum(prod(shape) for _, shape in shapes)
    if not spec.lora:
        return total, total
    targets, saved = tuple(spec.lora["targets"]), tuple(spec.lora["modules_to_save"])
    adapters = sum(spec.lora["r"] * sum(s) for name, s in shapes if len(s) == 2 and _is_layer(name, targets))
    return total, adapters + sum(prod(s) for name, s in shapes if _is_layer(name, saved))


def _is_layer(name: str, layers: tuple[str, ...]) -> bool:
    """Whether a weight belongs to one of the layers, which are named by suffixes."""
    return name.removesuffix(".weight").endswith(layers)


def memory_limit() -> int:
    """Bytes that this process may use: the machine's free memory, or the control group's limit if
    lower.
    """
    free = psutil.virtual_memory().available
    group = Path("/sys/fs/cgroup/memory.max")
    limit = group.read_text().strip() if group.is_file() else "max"
    return free if limit == "max" else min(free, int(limit))


def needed_memory(spec: TrainingSpec, precision_bytes: float) -> int:
    """Bytes for weights, gradients and optimizer states: a lower bound, without activations."""
    total, trained = count_weights(spec)
    return int(total * precision_bytes + trained * _TRAINED_BYTES)


def needed_disk(spec: TrainingSpec) -> int:
    """Approximate bytes of the checkpoints and the result, which has the trained weights alone."""
    _, trained = count_weights(spec)
    return trained * (_STORED_BYTES * _CHECKPOINTS + 4)


def _gigabytes(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"


def check_packages(spec: TrainingSpec) -> None:
    """Raise `InputError` if a package that the settings need is missing, or a tracker's API key."""
    settings = spec.settings
    needed = {"quantization": "bitsandbytes"} if settings.quantization != "none" else {}
    needed |= {"deepspeed": "deepspeed"} if settings.deepspeed else {}
    needed |= {"attention": "flash_attn"} if settings.attention == "flash_attention_2" else {}
    needed |= {f"trackers: {tracker}": tracker for tracker in settings.trackers}
    for key, package in needed.items():
        if importlib.util.find_spec(package) is None:
            raise InputError(f"training.{key} needs the Python package {package}; install it or change the setting")
    if "wandb" in settings.trackers and not (os.environ.get("WANDB_API_KEY") or os.environ.get("WANDB_MODE")):
        raise InputError("training.trackers has wandb, but WANDB_API_KEY is not set; set it or WANDB_MODE=offline")


def check_room(spec: TrainingSpec) -> None:
    """Raise `InputError` if disk space, or for training on CPUs memory, cannot suffice."""
    settings = spec.settings
    if spec.architecture:
        return
    need, free = needed_memory(spec, _WEIGHT_BYTES[settings.quantization]) * settings.processes, memory_limit()
    if not spec.gpu and need > free:
        problem = f"{settings.processes} training processes need at least {_gigabytes(need)} of memory"
        remedy = "set `quantization`, use fewer processes or a larger machine"
        raise InputError(f"{problem}, but {_gigabytes(free)} are free; {remedy}")
    need, free = needed_disk(spec), shutil.disk_usage(spec.checkpoints).free
    if need > free:
        problem = f"checkpoints and weights need about {_gigabytes(need)} of disk space"
        raise InputError(f"{problem}, but {_gigabytes(free)} are free in {spec.checkpoints}; free disk space")


def check_length(spec: TrainingSpec, longest: int) -> None:
    """Raise `InputError` if the longest sequence of the data exceeds the model's context."""
    config = spec.architecture or read_json(Path(spec.base, "config.json"))
    limit = context_limit(config)
    if limit is not None and longest > limit:
        problem = f"sequences have up to {longest} tokens, but the context of {spec.name} has {limit}"
        raise InputError(f"{problem}; lower `context` or `length`")


def check_batches(settings: TrainingSettings, sequences: int) -> None:
    """Raise `InputError` if `drop_last` would drop all training sequences."""
    batch = settings.processes * settings.batch_size
    if settings.drop_last and sequences < batch:
        problem = f"drop_last drops all {sequences} training sequences, fewer than the {batch} of one batch"
        raise InputError(f"{problem}; set drop_last to false or lower batch_size")


def check_milestones(spec: TrainingSpec, sequences: int) -> None:
    """Raise `InputError` if a milestone is after the last step."""
    last = spec.settings.steps(sequences)
    late = [step for step in spec.milestones if step > last]
    if late:
        problem = f"milestone {late[0]} is after the last of {last} steps"
        raise InputError(f"{problem}; lower it in pretrain.milestones, or train longer")


def check_training(spec: TrainingSpec) -> None:
    """Raise `InputError` for a problem that would otherwise end the training later."""
    check_packages(spec)
    data = TokenShards(Path(spec.data, "train"))
    check_batches(spec.settings, len(data))
    check_milestones(spec, len(data))
    check_length(spec, max(data.lengths()))
    check_room(spec)
