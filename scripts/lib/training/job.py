"""A training job from its workspace to its results, the same for a base, an adapter and a tuned
model.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scripts.lib.checkpoints import settings_key, workspace
from scripts.lib.files import atomic_directory, write_json
from scripts.lib.job import Snakemake
from scripts.lib.seeds import seed_for
from scripts.lib.training.curves import write_curve
from scripts.lib.training.launch import compiled_operators, run_training
from scripts.lib.training.model_card import Card, write_card
from scripts.lib.training.spec import TrainingSettings, TrainingSpec, milestone_folder

# Settings of a rule that are fields of the specification.
_OPTIONS = ("architecture", "isolate_documents", "lora", "new_embeddings", "pad_to")


@dataclass(frozen=True)
class TrainingJob:
    """What distinguishes one training from another.

    name: name of the training; with the model it determines the folder of checkpoints.
    inputs: files and folders that determine the result together with the settings.
    base: folder of the starting weights, or of a tokenizer alone for a model from scratch.
    tokenizer: folder of the tokenizer that encoded the data.
    base_name, base_revision: path of the base, or its repository on the hub and the commit.
    data: folder with the token shards, or a function that writes them into an empty folder.
    title: title of the model card.
    description: Markdown lines of the card's section on the data.
    new_tokens: whether the tokenizer may have tokens that the base lacks.
    chat_template: chat template (Jinja) of the saved tokenizer.
    usage: Markdown on how to use the model in a folder.
    card_base: base in the card's metadata, and its relation `adapter` or `finetune`.
    datasets: data sets in the card's metadata.
    milestones: output folder of the adapter that is saved after each of these steps.
    random_name: name that determines the seed with the model; None for `name`. Trainings that are
        compared share it.
    changes: values in place of those of the settings' block `training`, which the data determine.
    """

    name: str
    inputs: Sequence[str]
    base: str
    tokenizer: str
    base_name: str
    data: str | Callable[[Path], object]
    title: str
    description: Sequence[str]
    base_revision: str | None = None
    new_tokens: bool = True
    chat_template: str | None = None
    usage: Callable[[str], str] = lambda folder: ""
    card_base: str | None = None
    relation: str | None = None
    datasets: Sequence[str] = ()
    milestones: Mapping[int, str] = field(default_factory=dict)
    random_name: str | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)

    def settings(self, params: Any) -> dict[str, Any]:
        """The rule's settings with the changes."""
        settings: dict[str, Any] = params.settings
        return {**settings, "training": {**settings["training"], **self.changes}}


def _data_folder(job: TrainingJob, checkpoints: Path) -> str:
    """The folder of the job's token shards, which are reused after an interruption."""
    if isinstance(job.data, str):
        return job.data
    folder = checkpoints / "data"
    if not folder.exists():
        with atomic_directory(folder) as part:
            job.data(part)
    return str(folder)


def _spec(snakemake: Snakemake, job: TrainingJob, checkpoints: Path, output: Path) -> TrainingSpec:
    """The specification for the training process: the job's own values and those of the rule's
    `settings`.
    """
    params = snakemake.params
    settings = job.settings(params)
    options = {key: settings[key] for key in _OPTIONS if key in settings}
    return TrainingSpec(
        base=job.base,
        tokenizer=job.tokenizer,
        data=_data_folder(job, checkpoints),
        output=str(output),
        checkpoints=str(checkpoints),
        seed=seed_for(settings["seed"], job.random_name or job.name, snakemake.wildcards.model),
        settings=TrainingSettings(**settings["training"]),
        gpu=params.gpu,
        name=job.base_name,
        revision=job.base_revision,
        new_tokens=job.new_tokens,
        chat_template=job.chat_template,
        tensorboard=params.tensorboard,
        extensions=compiled_operators(snakemake.input.get("operators")),
        milestones=tuple(sorted(job.milestones)),
        **options,
    )


def _write_results(
    snakemake: Snakemake, job: TrainingJob, folder: Path, output: str, facts: Mapping[str, Any], step: int | None = None
) -> None:
    """Write `training.json` and the model card into a model's folder, which becomes `output`; `step`
    is that of a milestone.
    """
    facts = facts if step is None else {**facts, "saved_at_step": step}
    write_json(folder / "training.json", facts)
    card = Card(
        title=job.title if step is None else f"{job.title}, step {step}",
        license=snakemake.params.card["license"],
        license_link=snakemake.params.card["license_link"],
        base=job.card_base,
        relation=job.relation,
        datasets=job.datasets,
        usage=job.usage(output),
        data=job.description,
        settings=job.settings(snakemake.params),
        facts=facts,
        curve=snakemake.output.curve,
        step=step,
    )
    write_card(folder, card)


def run_job(snakemake: Snakemake, job: TrainingJob, output: str) -> None:
    """Train, and write the weights, `training.json` and the card into the folder `output`, and the
    learning curve.

    The rule has the params `settings`, `gpu`, `card`, `checkpoints`, `tensorboard` and `code`, and
    the output `curve`. An interrupted job resumes from its last checkpoint as long as settings,
    code and inputs are the same. Raises `InputError` for what the user can correct.
    """
    params = snakemake.params
    steps = sorted(job.milestones)
    key = settings_key([job.settings(params), params.code, *([steps] if steps else [])], job.inputs)
    with workspace(params.checkpoints, job.name, key) as checkpoints, atomic_directory(output) as folder:
        facts = run_training(_spec(snakemake, job, checkpoints, folder))
        write_curve(checkpoints, snakemake.output.curve)
        _write_results(snakemake, job, folder, output, facts)
        for step in steps:
            with atomic_directory(job.milestones[step]) as part:
                shutil.copytree(milestone_folder(checkpoints, step), part, dirs_exist_ok=True)
                _write_results(snakemake, job, part, job.milestones[step], facts, step)
