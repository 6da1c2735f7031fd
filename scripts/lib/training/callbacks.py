"""What a training does between its steps: marks checkpoints, reports progress, saves milestones."""

import json
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainingArguments

from scripts.lib.checkpoints import mark_complete
from scripts.lib.files import atomic_directory
from scripts.lib.training.launch import PROGRESS
from scripts.lib.training.models import save_adapter
from scripts.lib.training.spec import TrainingSpec, milestone_folder

# Values of the Trainer's reports that the lines of progress repeat.
_REPORTED = ("loss", "eval_loss", "eval_accuracy")


class Bookkeeper(TrainerCallback):
    """Marks whole checkpoints and prints progress in lines for the process that started the training."""

    def on_step_end(self, args: TrainingArguments, state: Any, control: Any, **_: Any) -> None:
        """Report at every checkpoint, so that the reports after a resume average over the same steps."""
        control.should_log = control.should_log or control.should_save

    def on_epoch_end(self, args: TrainingArguments, state: Any, control: Any, **_: Any) -> None:
        """The same for checkpoints at the end of an epoch."""
        control.should_log = control.should_log or control.should_save

    def on_save(self, args: TrainingArguments, state: Any, control: Any, **_: Any) -> None:
        """A checkpoint without this mark was cut off by the death of its writer."""
        if state.is_world_process_zero:
            mark_complete(Path(args.output_dir, f"checkpoint-{state.global_step}"))

    def on_log(self, args: TrainingArguments, state: Any, control: Any, logs: dict[str, float], **_: Any) -> None:
        """One line a report."""
        if state.is_world_process_zero:
            values = {name: round(value, 5) for name, value in logs.items() if name in _REPORTED}
            report = {"step": state.global_step, "of": state.max_steps, **values}
            print(PROGRESS + json.dumps(report), flush=True)


class MilestoneSaver(TrainerCallback):
    """Saves the adapter at each step of `spec.milestones`, where `milestone_folder` says.

    The folder is in the training's workspace and outlives a kill. A step's adapter is saved before the checkpoint of
    that step, so that a training which resumes from a checkpoint has all milestones up to it.
    """

    def __init__(self, workspace: Path, spec: TrainingSpec) -> None:
        self.workspace, self.spec = workspace, spec

    def on_step_end(self, args: TrainingArguments, state: Any, control: Any, model: Any = None, **_: Any) -> None:
        """Save once all of a step's updates are done."""
        if state.is_world_process_zero and state.global_step in self.spec.milestones:
            with atomic_directory(milestone_folder(self.workspace, state.global_step)) as folder:
                save_adapter(model, folder, self.spec.name)
