"""A training process: the only one, or one of those that `accelerate launch` starts."""

import errno
import json
import logging
import os
import sys
from pathlib import Path
from typing import Any, cast

import psutil
import torch
from accelerate import PartialState
from accelerate.utils import DistributedType
from peft import PeftModel
from transformers import PreTrainedTokenizerBase, Trainer, TrainingArguments, set_seed

from scripts.lib.checkpoints import last_checkpoint
from scripts.lib.files import write_json
from scripts.lib.job import FORMAT, InputError, log_warnings
from scripts.lib.system_calls import die_with_parent
from scripts.lib.training.batches import Collator, check_isolation
from scripts.lib.training.callbacks import Bookkeeper, MilestoneSaver
from scripts.lib.training.launch import ERROR, JOB
from scripts.lib.training.model_tokenizer import load_tokenizer
from scripts.lib.training.models import add_lora, load_for_tokenizer, make_model, save_adapter, save_model
from scripts.lib.training.objective import TokenAccuracy, causal_loss, count_correct
from scripts.lib.training.precision import matrix_precision, weight_dtype
from scripts.lib.training.preflight import needed_memory
from scripts.lib.training.spec import EPOCH, TrainingSpec
from scripts.lib.training.token_shards import TokenShards

# Outputs of models other than logits, which a validation need not gather.
_NO_LOGITS = ["past_key_values", "hidden_states", "attentions"]
# Later versions of transformers 5 renamed the arguments; the conda environment has an earlier one.
_CHECKPOINTING = (
    "activation_checkpointing"
    if "activation_checkpointing" in TrainingArguments.__dataclass_fields__
    else "gradient_checkpointing"
)
# Messages of torch's writer and of the system about an incomplete write.
_DISK_FULL = ("No space left", "PytorchStreamWriter failed", "inline_container.cc", "iostream error")


def _precision(spec: TrainingSpec) -> str:
    """Number format of the matrix products of a training."""
    return matrix_precision(spec.settings.precision, spec.gpu)


def _strategy(steps: int | str) -> str:
    """The Trainer's name for an interval: a number of steps, or an epoch."""
    return "epoch" if steps == EPOCH else "steps"


def _deepspeed(content: dict[str, Any] | None, precision: str) -> dict[str, Any] | None:
    """DeepSpeed's configuration; a missing block for half precision is added."""
    if content is None or precision == "fp32" or precision in content:
        return content
    return {**content, precision: {"enabled": True}}


def training_arguments(spec: TrainingSpec, sequences: int, validate: bool) -> TrainingArguments:
    """The Trainer's arguments for a specification and the number of training sequences."""
    settings, precision = spec.settings, _precision(spec)
    distributed_cpu = not spec.gpu and (settings.processes > 1 or settings.deepspeed)
    if distributed_cpu:
        PartialState(backend="gloo", cpu=not settings.deepspeed)
    checkpointing: dict[str, Any] = {
        _CHECKPOINTING: settings.gradient_checkpointing,
        f"{_CHECKPOINTING}_kwargs": {"use_reentrant": False},
    }
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
        torch_compile=settings.compile,
        **checkpointing,
        logging_steps=settings.log_steps,
        eval_strategy=_strategy(settings.eval_steps) if validate else "no",
        eval_steps=None if settings.eval_steps == EPOCH else int(settings.eval_steps),
        batch_eval_metrics=True,
        # A resumed training already has this report.
        eval_on_start=validate and last_checkpoint(Path(spec.checkpoints)) is None,
        save_strategy=_strategy(settings.save_steps),
        save_steps=1 if settings.save_steps == EPOCH else int(settings.save_steps),
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
    """Raise `InputError` if weights, gradients and optimizer states exceed the GPU's memory."""
    weight = {"int4": 0.5, "int8": 1}.get(spec.settings.quantization, 4 if _precision(spec) == "fp32" else 2)
    need, (free, _) = needed_memory(spec, weight), torch.cuda.mem_get_info()
    if need > free:
        problem = f"the training needs at least {need / 1e9:.1f} GB of GPU memory, but {free / 1e9:.1f} GB are free"
        raise InputError(f"{problem}; set `quantization` or DeepSpeed, or use larger GPUs")


def _model(spec: TrainingSpec, tokenizer: PreTrainedTokenizerBase) -> torch.nn.Module:
    """The model to train: from scratch, or the base with new embeddings and LoRA adapters."""
    settings = spec.settings
    if spec.architecture:
        return make_model(spec.architecture, tokenizer, settings.attention)
    if spec.lora is None:
        raise ValueError("a training of an existing base needs `lora`")
    dtype = weight_dtype(settings.precision, spec.gpu)
    model = load_for_tokenizer(
        spec.base,
        tokenizer,
        spec.new_embeddings,
        dtype=dtype,
        quantization=settings.quantization,
        attention=settings.attention,
    )
    return add_lora(model, spec.lora, settings.quantization != "none", settings.gradient_checkpointing)


def _document_end(
    spec: TrainingSpec, model: torch.nn.Module, tokenizer: PreTrainedTokenizerBase, device: torch.device
) -> int | None:
    """The token that ends documents, if attention must stay inside them; None otherwise.

    Raises `InputError` if the model attends across documents.
    """
    if not spec.isolate_documents:
        return None
    # transformers infers documents from positions only without cached keys.
    model.config.use_cache = False  # type: ignore[union-attr]  # a model of transformers
    if spec.settings.quantization == "none":  # else bitsandbytes has moved it
        model.to(device)
    dtype = weight_dtype(spec.settings.precision, spec.gpu)
    with torch.autocast(device.type, dtype, enabled=dtype is not torch.float32):
        check_isolation(model, spec.settings.batch_size, spec.settings.quantization, spec.name)
    return tokenizer.eos_token_id


def _check_world(trainer: Trainer, spec: TrainingSpec) -> None:
    """Raise `RuntimeError` unless processes and distribution are as configured.

    Launchers and libraries silently fall back to one process or to no DeepSpeed.
    """
    state, settings = trainer.accelerator.state, spec.settings
    if settings.deepspeed:
        expected = DistributedType.DEEPSPEED
    elif settings.processes > 1:
        expected = DistributedType.MULTI_GPU if spec.gpu else DistributedType.MULTI_CPU
    else:
        expected = DistributedType.NO
    actual = (state.num_processes, state.distributed_type)
    if actual != (settings.processes, expected):
        raise RuntimeError(f"expected {settings.processes} training processes as {expected}, but there are {actual}")


def _facts(trainer: Trainer, spec: TrainingSpec, sequences: int) -> dict[str, Any]:
    """Facts of a training for `training.json`; the same on any machine."""
    state, arguments, model = trainer.accelerator.state, trainer.args, cast(torch.nn.Module, trainer.model)
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
        "trained_parameters": sum(p.numel() for p in model.parameters() if p.requires_grad),
    }


def _save(trainer: Trainer, spec: TrainingSpec, tokenizer: PreTrainedTokenizerBase) -> None:
    """Write the adapter or the model from scratch into `output`."""
    model = trainer.accelerator.unwrap_model(trainer.model)
    if not isinstance(model, PeftModel):
        save_model(model, tokenizer, spec.output)
    else:
        save_adapter(model, spec.output, spec.name, spec.revision, tokenizer, spec.new_tokens)


def _validation_data(spec: TrainingSpec) -> TokenShards | None:
    """The validation sequences; None if there are none, or fewer than a batch with `drop_last`."""
    folder, settings = Path(spec.data, "validation"), spec.settings
    data = TokenShards(folder) if folder.exists() else None
    if data is not None and settings.drop_last and len(data) < settings.processes * settings.batch_size:
        logging.warning("no validation: drop_last drops %d sequences, fewer than one batch", len(data))
        return None
    return data


def train(spec: TrainingSpec) -> None:
    """Train, resuming from the last complete checkpoint if there is one, and save."""
    folder = Path(spec.checkpoints)
    data = TokenShards(Path(spec.data, "train"))
    validate = _validation_data(spec)
    set_seed(spec.seed % 2**32)
    arguments = training_arguments(spec, len(data), validate is not None)
    tokenizer = load_tokenizer(spec.tokenizer)
    pad_id = tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id
    if spec.gpu:
        _check_gpu_memory(spec)
    model = _model(spec, tokenizer)
    end = _document_end(spec, model, tokenizer, arguments.device)
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=data,
        eval_dataset=validate,
        data_collator=Collator(pad_id, spec.pad_to, end),
        callbacks=[Bookkeeper(), MilestoneSaver(folder, spec, tokenizer)],
        compute_loss_func=causal_loss,
        compute_metrics=TokenAccuracy(),
        preprocess_logits_for_metrics=count_correct,
    )
    _check_world(trainer, spec)
    logging.info("%s", json.dumps(_facts(trainer, spec, len(data))))
    trainer.train(resume_from_checkpoint=last_checkpoint(folder), ignore_keys_for_eval=_NO_LOGITS)
    if trainer.is_world_process_zero():
        if spec.chat_template is not None:
            tokenizer.chat_template = spec.chat_template
        _save(trainer, spec, tokenizer)
        write_json(folder / "history.json", trainer.state.log_history)
        write_json(folder / "facts.json", _facts(trainer, spec, len(data)))


def _explained(error: Exception) -> str | None:
    """One line for an error that the user can fix; None for any other."""
    text = " ".join(str(error).split())
    if isinstance(error, InputError):
        return text
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in text:
        return f"the training ran out of memory ({text[:200]}); lower `batch_size` or `context`, or set `quantization`"
    if getattr(error, "errno", None) == errno.ENOSPC or any(words in text for words in _DISK_FULL):
        return f"the disk is full ({text[:200]}); free disk space and run again to resume from the last checkpoint"
    return None


def _die_with_job() -> None:
    """Make the kernel kill this process when its launcher dies; exit if the launcher or the job has
    already died.

    This runs only after the imports, which take seconds.
    """
    die_with_parent()
    job = int(os.environ[JOB])
    if all(process.pid != job for process in psutil.Process().parents()):
        sys.exit(f"{ERROR}the job of this training (process {job}) has ended")


def main(path: str) -> None:
    """Run the training of a specification file; errors that the user can fix are one line."""
    _die_with_job()
    logging.basicConfig(level=logging.INFO, format=FORMAT)
    log_warnings()
    spec = TrainingSpec.read(path)
    try:
        train(spec)
    except Exception as error:
        line = _explained(error)
        if line is not None:
            print(ERROR + line, flush=True)
        raise


if __name__ == "__main__":
    main(sys.argv[1])
