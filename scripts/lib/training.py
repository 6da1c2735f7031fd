"""What one training is told, and how it is started: `accelerate launch` of `scripts.lib.train`."""

import ctypes
import json
import logging
import os
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from scripts.lib.files import read_json, write_json
from scripts.lib.job import InputError

# How a line of progress begins in the output of the training processes.
PROGRESS = "progress "
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class TrainingSettings:
    """A `training` block of the config; config/schemas/training.schema.yaml describes each key."""

    epochs: float
    max_steps: int | None
    batch_size: int
    accumulation: int
    learning_rate: float
    scheduler: str
    warmup_ratio: float
    weight_decay: float
    optimizer: str
    precision: str
    tf32: bool
    gradient_checkpointing: bool
    quantization: str
    processes: int
    deepspeed: str | None
    threads: int
    padding_side: str
    log_steps: int
    eval_steps: int
    save_steps: int
    trackers: list[str]

    @property
    def effective_batch(self) -> int:
        """Sequences in one optimizer step, over all processes."""
        return self.processes * self.batch_size * self.accumulation

    def steps(self, sequences: int) -> int:
        """Optimizer steps over `sequences` training sequences: all epochs, at most `max_steps`."""
        whole = max(1, round(self.epochs * sequences / self.effective_batch))
        return min(whole, self.max_steps or whole)


@dataclass(frozen=True)
class TrainingSpec:
    """One training. Paths are for this machine and go into no result.

    base: folder of the starting weights and their tokenizer, or the folder of a tokenizer alone with `architecture`.
    tokenizer: folder of the tokenizer that the data was made with.
    data: folder with the token shards `train/` and `validation/`.
    output: empty folder for what is trained: the adapter, or the model when there is no `lora`.
    checkpoints: folder for checkpoints, curve and TensorBoard files.
    architecture: values for the configuration of a model made from scratch.
    pad_to: pad every sequence to this many tokens; None pads to the longest of a batch.
    merged: write base and adapter merged into `output` instead of the adapter.
    name: what the base is called in the adapter's configuration.
    """

    base: str
    tokenizer: str
    data: str
    output: str
    checkpoints: str
    seed: int
    settings: TrainingSettings
    gpu: bool
    name: str
    new_embeddings: str = "mean"
    lora: dict[str, Any] | None = None
    architecture: dict[str, Any] | None = None
    pad_to: int | None = None
    merged: bool = False

    @classmethod
    def read(cls, path: str | Path) -> "TrainingSpec":
        """The specification that `write` stored."""
        values = read_json(path)
        return cls(**{**values, "settings": TrainingSettings(**values["settings"])})

    def write(self, path: str | Path) -> None:
        """Store as JSON."""
        write_json(path, asdict(self))


def die_with_parent() -> None:
    """Have the kernel end this process when its parent dies, so that no orphan writes on."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _launcher_config(settings: TrainingSettings) -> dict[str, Any]:
    """What `accelerate launch` would otherwise take from the user's home."""
    kind = "MULTI_GPU" if settings.processes > 1 else "NO"
    return {
        "compute_environment": "LOCAL_MACHINE",
        "distributed_type": "DEEPSPEED" if settings.deepspeed else kind,
        "num_processes": settings.processes,
        "num_machines": 1,
        "machine_rank": 0,
        "main_process_port": 0,
        "mixed_precision": "no",
        "debug": False,
        "use_cpu": False,
    }


def _environment(spec: TrainingSpec) -> dict[str, str]:
    """The environment of the training processes: threads, no network, no GPU unless the model asks for one."""
    values = {
        "OMP_NUM_THREADS": str(spec.settings.threads),
        "MKL_NUM_THREADS": str(spec.settings.threads),
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": "1",
        "ACCELERATE_LOG_LEVEL": "WARNING",
    }
    if not spec.gpu:
        values |= {"CUDA_VISIBLE_DEVICES": "", "DS_ACCELERATOR": "cpu"}
    return {**os.environ, **values}


def _follow(process: subprocess.Popen[str]) -> None:
    """Show the progress lines of a training as a bar on standard error and keep them in the log."""
    with tqdm(desc="training", unit="step", delay=2, mininterval=5, file=sys.stderr) as bar:
        for line in process.stdout:
            logging.info("%s", line.rstrip())
            if line.startswith(PROGRESS):
                report = json.loads(line.removeprefix(PROGRESS))
                bar.total = report["of"]
                bar.update(report["step"] - bar.n)


def run_training(spec: TrainingSpec) -> dict[str, Any]:
    """Train as told, resuming from the last whole checkpoint; return the facts that the training recorded.

    Output of the processes goes to this process's log. Raises `InputError` for what the user can mend.
    """
    folder = Path(spec.checkpoints)
    folder.mkdir(parents=True, exist_ok=True)
    spec.write(folder / "spec.json")
    write_json(folder / "accelerate.json", _launcher_config(spec.settings))
    error_file = folder / "error.txt"
    error_file.unlink(missing_ok=True)
    launcher = [sys.executable, "-m", "accelerate.commands.accelerate_cli", "launch"]
    options = ["--config_file", str(folder / "accelerate.json"), "--module"]
    with subprocess.Popen(
        [*launcher, *options, "scripts.lib.train", str(folder / "spec.json")],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=_environment(spec),
        preexec_fn=die_with_parent,
    ) as process:
        _follow(process)
    if process.returncode:
        raise _fault(process.returncode, error_file)
    return read_json(folder / "facts.json")


def _fault(code: int, error_file: Path) -> Exception:
    """The error for a training that ended with `code`: the user's to mend when the training said so or was killed."""
    if error_file.exists():
        return InputError(error_file.read_text(encoding="utf-8"))
    if code in (-signal.SIGKILL, 128 + signal.SIGKILL):
        return InputError(
            "the training was killed, often because memory ran out: lower `batch_size`, raise the job's mem_mb, "
            "and run again to go on from its last checkpoint"
        )
    return RuntimeError(f"the training ended with exit code {code}; its last words are in the log")
