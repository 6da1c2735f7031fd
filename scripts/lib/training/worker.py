"""The training process: one of those that `accelerate launch` starts (see `scripts.lib.training`)."""

import errno
import json
import logging
import sys
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from accelerate.utils import DistributedType
from peft import PeftModel
from transformers import PreTrainedTokenizerBase, Trainer, TrainingArguments, set_seed

from scripts.lib.checkpoints import last_checkpoint
from scripts.lib.files import write_json
from scripts.lib.job import InputError
from scripts.lib.prompts import Example
from scripts.lib.system_calls import die_with_parent
from scripts.lib.training.callbacks import Bookkeeper, MilestoneSaver
from scripts.lib.training.launch import FAULT
from scripts.lib.training.models import (
    add_lora,
    load_for_tokenizer,
    load_tokenizer,
    make_model,
    merge_adapter,
    save_adapter,
    save_model,
)
from scripts.lib.training.objective import IGNORED, TokenAccuracy, causal_loss, count_correct
from scripts.lib.training.preflight import needed_memory
from scripts.lib.training.spec import EPOCH, TrainingSpec
from scripts.lib.training.token_shards import TokenShards

# What models return in addition to logits and need not be gathered in a validation.
_NO_LOGITS = ["past_key_values", "hidden_states", "attentions"]
# How torch's writer, and the system, tell of a write that was cut short.
_DISK_FULL = ("No space left", "PytorchStreamWriter failed", "inline_container.cc", "iostream error")


class Collator:
    """Pads examples to tensors of shape (batch, length): `input_ids`, `attention_mask`, `labels`.

    Padding is on the right, so that a causal model never attends to it and every token keeps its position: transformers
    5 counts the positions of GPT-BigCode, CodeGen and others from the first column on, pad tokens included.
    """

    def __init__(self, pad_id: int, pad_to: int | None) -> None:
        """`pad_to` is a fixed length in tokens; None pads to the longest example."""
        self.pad_id, self.pad_to = pad_id, pad_to

    def _row(self, values: list[int], filler: int, length: int) -> list[int]:
        return values + [filler] * (length - len(values))

    def __call__(self, examples: list[Example]) -> dict[str, torch.Tensor]:
        """Padding and prompts carry no loss."""
        length = self.pad_to or max(len(example.input_ids) for example in examples)
        rows: dict[str, list[list[int]]] = {"input_ids": [], "attention_mask": [], "labels": []}
        for example in examples:
            ids = example.input_ids
            labels = [IGNORED] * example.masked + ids[example.masked :]
            rows["input_ids"].append(self._row(ids, self.pad_id, length))
            rows["attention_mask"].append(self._row([1] * len(ids), 0, length))
            rows["labels"].append(self._row(labels, IGNORED, length))
        return {name: torch.tensor(values) for name, values in rows.items()}


def _precision(spec: TrainingSpec) -> str:
    """The number format of the matrix products: what is asked for, or bf16 where `auto` finds a GPU that has it."""
    asked = spec.settings.precision
    if asked != "auto":
        return asked
    return "bf16" if spec.gpu and torch.cuda.is_bf16_supported() else "fp32"


def _strategy(steps: int | str) -> str:
    """When something is done that is done every so many steps, or at the end of each epoch."""
    return "epoch" if steps == EPOCH else "steps"


def _deepspeed(content: dict[str, Any] | None, precision: str) -> dict[str, Any] | None:
    """DeepSpeed's configuration with the block of the training's half precision, which its file need not have."""
    if content is None or precision == "fp32" or precision in content:
        return content
    return {**content, precision: {"enabled": True}}


def training_arguments(spec: TrainingSpec, sequences: int, validate: bool) -> TrainingArguments:
    """The Trainer's arguments for a specification; `sequences` is the number of training sequences."""
    settings, precision = spec.settings, _precision(spec)
    distributed_cpu = not spec.gpu and (settings.processes > 1 or settings.deepspeed)
    if distributed_cpu:
        PartialState(backend="gloo", cpu=not settings.deepspeed)
    return TrainingArguments(
        output_dir=spec.checkpoints,
        max_steps=settings.steps(sequences),
        per_device_train_batch_size=settings.batch_size,
        per_device_eval_batch_size=settings.batch_size,
        gradient_accumulation_steps=settings.accumulation,
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.scheduler,
        warmup_steps=settings.warmup_ratio,
        weight_decay=settings.weight_decay,
        optim=settings.optimizer,
        bf16=precision == "bf16",
        fp16=precision == "fp16",
        tf32=settings.tf32 if spec.gpu and torch.cuda.get_device_capability()[0] >= 8 else None,
        gradient_checkpointing=settings.gradient_checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False},
        logging_steps=settings.log_steps,
        eval_strategy=_strategy(settings.eval_steps) if validate else "no",
        eval_steps=None if settings.eval_steps == EPOCH else settings.eval_steps,
        batch_eval_metrics=True,
        # A resumed training has this report already.
        eval_on_start=validate and last_checkpoint(Path(spec.checkpoints)) is None,
        save_strategy=_strategy(settings.save_steps),
        save_steps=1 if settings.save_steps == EPOCH else settings.save_steps,
        save_total_limit=2,
        seed=spec.seed % 2**32,
        data_seed=spec.seed % 2**32,
        use_cpu=not spec.gpu and not settings.deepspeed,
        deepspeed=_deepspeed(settings.deepspeed, precision),
        dataloader_drop_last=settings.drop_last,
        report_to=settings.trackers or "none",
        accelerator_config={"use_configured_state": bool(distributed_cpu)},
        remove_unused_columns=False,
        disable_tqdm=True,
        ddp_find_unused_parameters=False,
    )


def _check_gpu_memory(spec: TrainingSpec) -> None:
    """Raise `InputError` when weights, gradients and optimizer alone exceed the memory of this process's GPU."""
    weight = {"int4": 0.5, "int8": 1}.get(spec.settings.quantization, 4 if _precision(spec) == "fp32" else 2)
    need, (free, _) = needed_memory(spec, weight), torch.cuda.mem_get_info()
    if need > free:
        what = f"a GPU with {need / 1e9:.1f} GB free is needed at least, but it has {free / 1e9:.1f}"
        raise InputError(f"{what}; set `quantization` or DeepSpeed, or use larger GPUs")


def _model(spec: TrainingSpec, tokenizer: PreTrainedTokenizerBase) -> torch.nn.Module:
    """The model to train: from scratch, or the base with new embeddings and adapters."""
    settings = spec.settings
    if spec.architecture:
        return make_model(spec.architecture, tokenizer)
    half = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(_precision(spec), torch.float32)
    dtype = half if spec.gpu else torch.float32
    model = load_for_tokenizer(
        spec.base, tokenizer, spec.new_embeddings, dtype=dtype, quantization=settings.quantization
    )
    return add_lora(model, spec.lora, settings.quantization != "none", settings.gradient_checkpointing)


def _check_world(trainer: Trainer, spec: TrainingSpec) -> None:
    """Raise `RuntimeError` unless as many processes train, and in the way, as the settings say.

    Launchers and libraries fall back to one process or to no DeepSpeed without a word.
    """
    state, settings = trainer.accelerator.state, spec.settings
    if settings.deepspeed:
        expected = DistributedType.DEEPSPEED
    elif settings.processes > 1:
        expected = DistributedType.MULTI_GPU if spec.gpu else DistributedType.MULTI_CPU
    else:
        expected = DistributedType.NO
    found = (state.num_processes, state.distributed_type)
    if found != (settings.processes, expected):
        raise RuntimeError(f"{settings.processes} processes as {expected} were asked for, but {found} are training")


def _facts(trainer: Trainer, spec: TrainingSpec, sequences: int) -> dict[str, Any]:
    """What is worth knowing of a training later on; the same on any machine."""
    state, arguments = trainer.accelerator.state, trainer.args
    batch = arguments.train_batch_size * arguments.gradient_accumulation_steps * state.num_processes
    return {
        "world_size": state.num_processes,
        "distributed_type": str(state.distributed_type.value),
        "effective_batch": batch,
        "sequences": sequences,
        "steps": trainer.state.max_steps,
        "precision": _precision(spec),
        "quantization": spec.settings.quantization,
        "seed": spec.seed,
        "trained_parameters": sum(p.numel() for p in trainer.model.parameters() if p.requires_grad),
    }


def _save(trainer: Trainer, spec: TrainingSpec, tokenizer: PreTrainedTokenizerBase) -> None:
    """Write the adapter, the model, or both merged into `output`."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    if not isinstance(model, PeftModel):
        save_model(model, tokenizer, spec.output)
    elif spec.merged:
        adapter = Path(spec.checkpoints, "adapter")
        save_adapter(model, adapter, spec.name)
        save_model(merge_adapter(spec.base, adapter, tokenizer, spec.new_embeddings), tokenizer, spec.output)
    else:
        save_adapter(model, spec.output, spec.name)


def _validation_data(spec: TrainingSpec) -> TokenShards | None:
    """The validation sequences; None where there are none, or too few for a batch with `drop_last`."""
    folder, settings = Path(spec.data, "validation"), spec.settings
    data = TokenShards(folder) if folder.exists() else None
    if data is not None and settings.drop_last and len(data) < settings.processes * settings.batch_size:
        logging.warning("%d validation sequences are fewer than one batch: drop_last leaves them out", len(data))
        return None
    return data


def train(spec: TrainingSpec) -> None:
    """Train, from the last whole checkpoint on where there is one, and save."""
    folder = Path(spec.checkpoints)
    data = TokenShards(Path(spec.data, "train"))
    validate = _validation_data(spec)
    set_seed(spec.seed % 2**32)
    arguments = training_arguments(spec, len(data), validate is not None)
    tokenizer = load_tokenizer(spec.tokenizer)
    pad_id = tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id
    if spec.gpu:
        _check_gpu_memory(spec)
    trainer = Trainer(
        model=_model(spec, tokenizer),
        args=arguments,
        train_dataset=data,
        eval_dataset=validate,
        data_collator=Collator(pad_id, spec.pad_to),
        callbacks=[Bookkeeper(), MilestoneSaver(folder, spec)],
        compute_loss_func=causal_loss,
        compute_metrics=TokenAccuracy(),
        preprocess_logits_for_metrics=count_correct,
    )
    _check_world(trainer, spec)
    logging.info("%s", json.dumps(_facts(trainer, spec, len(data))))
    trainer.train(resume_from_checkpoint=last_checkpoint(folder), ignore_keys_for_eval=_NO_LOGITS)
    if trainer.is_world_process_zero():
        _save(trainer, spec, tokenizer)
        write_json(folder / "history.json", trainer.state.log_history)
        write_json(folder / "facts.json", _facts(trainer, spec, len(data)))


def _explained(error: Exception) -> str | None:
    """One line for an error that the user can mend; None for any other."""
    text = " ".join(str(error).split())
    if isinstance(error, InputError):
        return text
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in text:
        return f"memory ran out in training ({text[:200]}); lower `batch_size` or `context`, or set `quantization`"
    if getattr(error, "errno", None) == errno.ENOSPC or any(words in text for words in _DISK_FULL):
        return f"the disk is full ({text[:200]}); make room and run again to go on from the last checkpoint"
    return None


def main(path: str) -> None:
    """Run the training that a specification file describes; an error of the user's is a line of its own."""
    die_with_parent()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    spec = TrainingSpec.read(path)
    try:
        train(spec)
    except Exception as error:
        line = _explained(error)
        if line is not None:
            print(FAULT + line, flush=True)
        raise


if __name__ == "__main__":
    main(sys.argv[1])
