"""What one training is told."""

from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path
from typing import Any

from scripts.lib.files import read_json, write_json

# In the place of a number of steps: at the end of each epoch.
EPOCH = "epoch"


@dataclass(frozen=True)
class TrainingSettings:
    """A `training` block of the config; config/schemas/training.schema.yaml describes each key.

    `deepspeed` is the content of the file that the block names.
    """

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
    deepspeed: dict[str, Any] | None
    threads: int
    drop_last: bool
    log_steps: int
    eval_steps: int | str
    save_steps: int | str
    trackers: list[str]

    @property
    def effective_batch(self) -> int:
        """Sequences in one optimizer step, over all processes."""
        return self.processes * self.batch_size * self.accumulation

    def steps(self, sequences: int) -> int:
        """Optimizer steps over `sequences` training sequences: all epochs, at most `max_steps`.

        With `drop_last` an epoch has whole batches only, the last of which may make a step by themselves.
        """
        if self.drop_last:
            batches = sequences // (self.processes * self.batch_size)
            whole = ceil(self.epochs * ceil(batches / self.accumulation))
        else:
            whole = max(1, round(self.epochs * sequences / self.effective_batch))
        return min(whole, self.max_steps or whole)


@dataclass(frozen=True)
class TrainingSpec:
    """One training. Paths are for this machine and go into no result.

    base: folder of the starting weights and their tokenizer, or the folder of a tokenizer alone with `architecture`.
    tokenizer: folder of the tokenizer that the data was made with.
    data: folder with the token shards `train/` and `validation/`.
    output: empty folder for what is trained: the adapter, or the model when there is no `lora`.
    checkpoints: folder for checkpoints and what the training reports.
    architecture: values for the configuration of a model made from scratch.
    pad_to: pad every sequence to this many tokens; None pads to the longest of a batch.
    merged: write base and adapter merged into `output` instead of the adapter.
    name: what the base is called in the adapter's configuration.
    tensorboard: folder for TensorBoard's files, where that tracker is asked for.
    extensions: folder of the compiled operators of DeepSpeed.
    milestones: steps after which the adapter is saved as it then is, besides at the end.
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
    tensorboard: str | None = None
    extensions: str | None = None
    milestones: tuple[int, ...] = ()

    @classmethod
    def read(cls, path: str | Path) -> "TrainingSpec":
        """The specification that `write` stored."""
        values = read_json(path)
        return cls(**{**values, "settings": TrainingSettings(**values["settings"])})

    def write(self, path: str | Path) -> None:
        """Store as JSON."""
        write_json(path, asdict(self))


def milestone_folder(workspace: Path, step: int) -> Path:
    """Where a training keeps the adapter of one of its milestones until it is done."""
    return workspace / "milestones" / str(step)
