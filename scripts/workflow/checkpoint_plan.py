"""Which checkpoints of each model a run has: trained, saved during a training, or imported."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from scripts.lib.scores import evaluated_checkpoints
from scripts.workflow.ablation_plan import AblationPlan
from scripts.workflow.validation import ConfigError, Entry


@dataclass(frozen=True)
class CheckpointPlan:
    """The checkpoints of a run.

    config: the checked configuration. models: the table of models. tunings: the tunings that the
    benchmarks evaluate, in the order of training.
    """

    config: Entry
    models: Mapping[str, Entry]
    tunings: Sequence[str]

    @property
    def evaluated(self) -> list[str]:
        """The checkpoints that are evaluated, and tuned where a benchmark evaluates tunings: those of
        the config, and all ablations.
        """
        return evaluated_checkpoints(self.config)

    @property
    def ablations(self) -> AblationPlan:
        """The continued pre-trainings of the run."""
        return AblationPlan(self.config)

    @property
    def replicates(self) -> dict[str, list[str]]:
        """Checkpoints whose trainings differ only in their seed; see `AblationPlan`."""
        return self.ablations.replicates

    @property
    def milestones(self) -> list[int]:
        """Steps of the continued pre-training that become checkpoints of their own, ascending."""
        return sorted(self.config["pretrain"]["milestones"])

    @cached_property
    def imports(self) -> dict[str, Entry]:
        """Where each checkpoint `model/checkpoint` comes from that is fetched or imported, not
        trained.
        """
        return {
            f"{model}/{name}": source
            for model, entry in self.models.items()
            for name, source in entry.get("checkpoints", {}).items()
        }

    def imports_by(self, key: str) -> list[str]:
        """The imported checkpoints whose source has a key: `repository` or `path`."""
        return [name for name, source in self.imports.items() if key in source]

    def models_from(self, *sources: str) -> list[str]:
        """Names of the table's models whose base is from one of these sources, sorted."""
        return sorted(name for name, entry in self.models.items() if entry["source"] in sources)

    def is_from_scratch(self, model: str) -> bool:
        """Whether the run trains the base of a model."""
        return bool(self.models[model]["source"] == "scratch")

    def is_trained(self, model: str, checkpoint: str) -> bool:
        """Whether a checkpoint results from a training of this run."""
        return self.is_from_scratch(model) if checkpoint == "base" else f"{model}/{checkpoint}" not in self.imports

    def pretrained(self) -> list[str]:
        """Checkpoints that the stage of pre-training ends in: the evaluated ones and the
        milestones; else the base.
        """
        continued = [name for name in self.evaluated if name != "base"]
        saved = [f"ircoder-{step}" for step in self.milestones] if continued else []
        return [*continued, *(name for name in saved if name not in continued)] or ["base"]

    def compared_losses(self) -> list[tuple[str, str]]:
        """Pairs of model and checkpoint whose validation losses are compared.

        A run that trains no model on pairs compares none: it would make the pairs only for them.
        """
        cells = [(model, checkpoint) for model in sorted(self.config["models"]) for checkpoint in self.evaluated]
        return cells if any(self.is_trained(*cell) for cell in cells) else []

    def trainings(self, model: str) -> list[str]:
        """Names of the learning curves of a model's trainings in this run, in the order of
        training.
        """
        names = ["base"] if self.is_from_scratch(model) else []
        ablations = self.ablations.names
        continued = [name for name in self.evaluated if name != "base" and name not in ablations]
        if any(self.is_trained(model, checkpoint) for checkpoint in continued):
            names.append("pretrain")
        names += ablations
        tunings = [f"{checkpoint}-{tuning}" for tuning in self.tunings for checkpoint in self.evaluated]
        return names + [name for name in tunings if self.is_trained(model, name)]

    def check(self) -> None:
        """Raise `ConfigError` for a milestone after the last step, and an evaluated checkpoint that
        nothing makes.
        """
        last = self.config["pretrain"]["training"]["max_steps"]
        for step in self.milestones:
            if last is not None and step > last:
                raise ConfigError(
                    f"config: pretrain.milestones: step {step} is after the last step, "
                    f"pretrain.training.max_steps: {last}; lower the one or raise the other"
                )
        for checkpoint in self.config["evaluate"]["checkpoints"]:
            self._check_source(checkpoint)

    def _check_source(self, checkpoint: str) -> None:
        """Raise `ConfigError` for a checkpoint `ircoder-STEP` that is neither a milestone nor
        imported.
        """
        step = checkpoint.partition("-")[2]
        lacking = [model for model in self.config["models"] if f"{model}/{checkpoint}" not in self.imports]
        if step and lacking and int(step) not in self.milestones:
            raise ConfigError(
                f"config: evaluate.checkpoints: nothing makes {checkpoint} of {lacking[0]}; add {step} to "
                f"pretrain.milestones, or list it under the model's `checkpoints` in config/models.yaml"
            )
