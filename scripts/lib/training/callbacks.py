"""Callbacks of a training: mark complete checkpoints, report progress, save milestones."""

import json
from pathlib import Path
from typing import Any

from transformers import PreTrainedTokenizerBase, TrainerCallback, TrainingArguments

from scripts.lib.checkpoints import mark_complete
from scripts.lib.files import atomic_directory
from scripts.lib.training.launch import PROGRESS
from scripts.lib.training.models import save_adapter
from scripts.lib.training.spec import TrainingSpec, milestone_folder

# Values of the Trainer's reports that progress reports contain.
_REPORTED = ("loss", "eval_loss", "eval_accuracy")


class Bookkeeper(TrainerCallback):
    """Marks complete checkpoints and prints progress reports for the process that started the
    training.
    """

    def on_step_end(self, args: TrainingArguments, state: Any, control: Any, **_: Any) -> None:
        """Report at every checkpoint, so that a resumed training averages over the same steps."""
        control.should_log = control.should_log or control.should_save

    def on_epoch_end(self, args: TrainingArguments, state: Any, control: Any, **_: Any) -> None:
        """Report at checkpoints at the end of an epoch, too."""
        control.should_log = control.should_log or control.should_save

    def on_save(self, args: TrainingArguments, state: Any, control: Any, **_: Any) -> None:
        """Mark the checkpoint; one without the mark is incomplete because its writer died."""
        if state.is_world_process_zero:
            mark_complete(Path(args.output_dir or "", f"checkpoint-{state.global_step}"))

    def on_log(self, args: TrainingArguments, state: Any, control: Any, **context: Any) -> None:
        """Print one line per report."""
        if state.is_world_process_zero:
            values = {name: round(value, 5) for name, value in context["logs"].items() if name in _REPORTED}
            report = {"step": state.global_step, "of": state.max_steps, **values}
            print(PROGRESS + json.dumps(report), flush=True)


class MilestoneSaver(TrainerCallback):
    """Saves the adapter at each step of `spec.milestones` into its `milestone_folder`.

    The folder is in the training's workspace and remains after a kill. The adapter of a step is
    saved before the checkpoint of that step, so that a training which resumes from a checkpoint has
    all milestones up to it.
    """

    def __init__(self, workspace: Path, spec: TrainingSpec, tokenizer: PreTrainedTokenizerBase) -> None:
        self.workspace, self.spec, self.tokenizer = workspace, spec, tokenizer

    def on_step_end(self, args: TrainingArguments, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        """Save after the optimizer step."""
        if state.is_world_process_zero and state.global_step in self.spec.milestones:
            with atomic_directory(milestone_folder(self.workspace, state.global_step)) as folder:
                save_adapter(model, folder, self.spec.name, self.spec.revision, self.tokenizer)
