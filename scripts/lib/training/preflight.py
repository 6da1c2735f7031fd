"""What can be known before a training starts: packages, memory and disk that it needs at least."""

import importlib.util
import os
import shutil
from pathlib import Path

import psutil
from safetensors import safe_open

from scripts.lib.context import context_limit
from scripts.lib.files import read_json
from scripts.lib.job import InputError
from scripts.lib.training.spec import TrainingSettings, TrainingSpec
from scripts.lib.training.token_shards import TokenShards

# Bytes that a trained weight takes: itself, its gradient and AdamW's two moments, all float32.
_TRAINED_BYTES = 16
# Of these a checkpoint holds the weight and the moments.
_STORED_BYTES = 12
# Two whole checkpoints and the one that is being written.
_CHECKPOINTS = 3
_WEIGHT_BYTES = {"int4": 0.5, "int8": 1, "none": 4}


def _shapes(folder: Path) -> list[tuple[str, list[int]]]:
    """Names and shapes of all weights in a folder's safetensors files, without reading the weights."""
    found = []
    for file in sorted(folder.glob("*.safetensors")):
        with safe_open(str(file), framework="numpy") as weights:
            found.extend((name, weights.get_slice(name).get_shape()) for name in weights.keys())  # noqa: SIM118
    return found


def _size(shape: list[int]) -> int:
    product = 1
    for length in shape:
        product *= length
    return product


def count_weights(spec: TrainingSpec) -> tuple[int, int]:
    """Numbers of all weights and of trained ones, at least: layers that share their weights count once."""
    shapes = _shapes(Path(spec.base))
    total = sum(_size(shape) for _, shape in shapes)
    if not spec.lora:
        return total, total
    targets, saved = tuple(spec.lora["targets"]), tuple(spec.lora["modules_to_save"])
    adapters = sum(spec.lora["r"] * sum(s) for name, s in shapes if len(s) == 2 and _is_layer(name, targets))
    return total, adapters + sum(_size(s) for name, s in shapes if _is_layer(name, saved))


def _is_layer(name: str, layers: tuple[str, ...]) -> bool:
    """Whether a weight's name is that of one of the layers, given by the ends of their names."""
    return name.removesuffix(".weight").endswith(layers)


def memory_limit() -> int:
    """Bytes that this process may use: what the machine has free, or the control group's limit if that is lower."""
    free = psutil.virtual_memory().available
    group = Path("/sys/fs/cgroup/memory.max")
    limit = group.read_text().strip() if group.is_file() else "max"
    return free if limit == "max" else min(free, int(limit))


def needed_memory(spec: TrainingSpec, precision_bytes: float) -> int:
    """Bytes for weights, gradients and optimizer; the activations come on top, so it is a lower bound."""
    total, trained = count_weights(spec)
    return int(total * precision_bytes + trained * _TRAINED_BYTES)


def needed_disk(spec: TrainingSpec) -> int:
    """Bytes for checkpoints and the result, about."""
    total, trained = count_weights(spec)
    return trained * _STORED_BYTES * _CHECKPOINTS + total * 4


def _gigabytes(count: float) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"


def check_packages(spec: TrainingSpec) -> None:
    """Raise `InputError` for a package that the settings need and that is not installed, or a tracker without a key."""
    settings = spec.settings
    needed = {"quantization": "bitsandbytes"} if settings.quantization != "none" else {}
    needed |= {"deepspeed": "deepspeed"} if settings.deepspeed else {}
    needed |= {f"trackers: {tracker}": tracker for tracker in settings.trackers}
    for key, package in needed.items():
        if importlib.util.find_spec(package) is None:
            raise InputError(f"training.{key} needs the Python package {package}; install it or change the setting")
    if "wandb" in settings.trackers and not (os.environ.get("WANDB_API_KEY") or os.environ.get("WANDB_MODE")):
        raise InputError("training.trackers has wandb, but WANDB_API_KEY is not set; set it or WANDB_MODE=offline")


def check_room(spec: TrainingSpec) -> None:
    """Raise `InputError` when memory or disk cannot suffice; memory is that of the host, for training on CPUs."""
    settings = spec.settings
    if spec.architecture:
        return
    need, free = needed_memory(spec, _WEIGHT_BYTES[settings.quantization]) * settings.processes, memory_limit()
    if not spec.gpu and need > free:
        what = f"{settings.processes} training processes need at least {_gigabytes(need)} of memory"
        remedy = "set `quantization`, use fewer processes or a larger machine"
        raise InputError(f"{what}, but {_gigabytes(free)} are free; {remedy}")
    need, free = needed_disk(spec), shutil.disk_usage(spec.checkpoints).free
    if need > free:
        what = f"checkpoints and model need about {_gigabytes(need)} of disk"
        raise InputError(f"{what}, but {_gigabytes(free)} are free below {spec.checkpoints}; make room")


def check_length(spec: TrainingSpec, longest: int) -> None:
    """Raise `InputError` when the longest sequence of the data is longer than what the model reads."""
    config = spec.architecture or read_json(Path(spec.base, "config.json"))
    limit = context_limit(config)
    if limit is not None and longest > limit:
        raise InputError(f"sequences have {longest} tokens, but {spec.name} reads {limit}; lower `context` or `length`")


def check_batches(settings: TrainingSettings, sequences: int) -> None:
    """Raise `InputError` when `drop_last` would leave out all training sequences."""
    batch = settings.processes * settings.batch_size
    if settings.drop_last and sequences < batch:
        what = f"{sequences} training sequences are fewer than the {batch} of one batch, and drop_last leaves them out"
        raise InputError(f"{what}; set drop_last to false or lower batch_size")


def check_milestones(spec: TrainingSpec, sequences: int) -> None:
    """Raise `InputError` when a milestone is after the last step."""
    last = spec.settings.steps(sequences)
    late = [step for step in spec.milestones if step > last]
    if late:
        what = f"milestone {late[0]} is after the last of {last} steps"
        raise InputError(f"{what}; lower it in pretrain.milestones, or train longer")


def check_training(spec: TrainingSpec) -> None:
    """Raise `InputError` for whatever would end the training later and can be known now."""
    check_packages(spec)
    data = TokenShards(Path(spec.data, "train"))
    check_batches(spec.settings, len(data))
    check_milestones(spec, len(data))
    check_length(spec, max(data.lengths()))
    check_room(spec)
