"""Specification of one training."""

from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path
from typing import Any

from scripts.lib.files import read_json, write_json

# Used instead of a number of steps: at the end of each epoch.
EPOCH = "epoch"


@dataclass(frozen=True)
class TrainingSettings:
    """A `training` block of the config; config/schemas/training.schema.yaml describes each key.

    `deepspeed` is the content of the DeepSpeed file that the block names.
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
    attention: str
    compile: bool
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
        """Number of sequences in one optimizer step, over all processes."""
        return self.processes * self.batch_size * self.accumulation

    def steps(self, sequences: int) -> int:
        """Number of optimizer steps over `sequences` training sequences: all epochs, at most
        `max_steps`.

        With `drop_last` an epoch has full batches only; the last step of an epoch may accumulate
        fewer batches than the others.
        """
        if self.drop_last:
            batches = sequences // (self.processes * self.batch_size)
            steps = ceil(self.epochs * ceil(batches / self.accumulation))
        else:
            steps = max(1, round(self.epochs * sequences / self.effective_batch))
        return min(steps, self.max_steps or steps)


@dataclass(frozen=True)
class TrainingSpec:
    """One training. Paths are specific to this machine and appear in no result.

    base: folder of the starting weights and their tokenizer; with `architecture`, of a tokenizer
    alone.
    tokenizer: folder of the tokenizer that encoded the data.
    data: folder with the token shards `train/` and, optionally, `validation/`.
    output: empty folder for the result: the adapter, or the model if there is no `lora`.
    checkpoints: folder for checkpoints and reports of the training.
    seed: seed of all random numbers; its lower 32 bits are used.
    settings: the `training` block of the config.
    gpu: whether to train on GPUs, one per process.
    name: name of the base in the adapter's configuration: a path, or a repository on the hub.
    revision: commit of the base in the adapter's configuration, for a repository.
    new_embeddings: initialisation of the embeddings of new tokens; see `models.fit_vocabulary`.
    lora: LoRA's `r`, `alpha`, `dropout`, `targets` and `modules_to_save`; None trains all weights.
    architecture: configuration values of a model from scratch.
    isolate_documents: keep attention and positions inside the documents of a sequence, each of which
        ends with the tokenizer's end of text.
    pad_to: pad every sequence to this many tokens; None pads to the longest of a batch.
    new_tokens: whether the tokenizer may have tokens that the base lacks.
    chat_template: chat template (Jinja) of the saved tokenizer; None leaves the tokenizer's.
    tensorboard: folder for TensorBoard's files, if that tracker is used.
    extensions: folder of DeepSpeed's compiled operators.
    milestones: steps after which the adapter is saved, in addition to the end.
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
    revision: str | None = None
    new_embeddings: str = "mean"
    lora: dict[str, Any] | None = None
    architecture: dict[str, Any] | None = None
    isolate_documents: bool = False
    pad_to: int | None = None
    new_tokens: bool = True
    chat_template: str | None = None
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
    """The folder of a milestone's adapter in the workspace of a running training."""
    return workspace / "milestones" / str(step)
