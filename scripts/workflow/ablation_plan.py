"""Ablations of a run: further continued pre-trainings, each an overlay of the config's `pretrain`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from scripts.workflow.validation import ConfigError, Entry, nearest

IRCODER = "ircoder"
# Settings of an ablation that the section `pretrain` does not have, as IRCoder has them; variants,
# languages, directions and seed follow the config.
_OWN = {"documents": "pairs", "modules": "own", "equal_tokens": False}
# Which settings determine the sample of documents, and the tokens of a sample; both depend on the
# tables of pairs, too, which variants and languages choose.
_SAMPLE = ("seed", "train_documents", "validation_documents")
_TOKENS = (*_SAMPLE, "documents", "modules", "llvm_tokens", "packing", "context", "templates")
_TABLES = ("variants", "languages")


def merged(base: Any, overlay: Any) -> Any:
    """`overlay` over `base`, key by key where both are mappings, as Snakemake merges config files."""
    if not isinstance(base, Mapping) or not isinstance(overlay, Mapping):
        return overlay
    return {**base, **{key: merged(base.get(key), value) for key, value in overlay.items()}}


@dataclass(frozen=True)
class AblationPlan:
    """The continued pre-trainings of a run: IRCoder and its ablations.

    config: the checked configuration.
    """

    config: Entry

    @property
    def names(self) -> list[str]:
        """Names of the ablations, in the order of the config."""
        return list(self.config.get("ablations", {}))

    def settings(self, name: str) -> dict[str, Any]:
        """All settings of an ablation, or of IRCoder: those of `pretrain` and of an ablation's own."""
        config, pretrain = self.config, self.config["pretrain"]
        run = {"variants": config["variants"], "languages": config["languages"], "seed": config["seed"]}
        ircoder = {**pretrain, **run, **_OWN, "directions": list(pretrain["templates"])}
        overlay = {} if name == IRCODER else self.config["ablations"][name]
        settings: dict[str, Any] = merged(ircoder, overlay)
        chosen = {direction: pretrain["templates"][direction] for direction in settings["directions"]}
        return {**settings, "templates": chosen}

    def pretrain(self, name: str) -> dict[str, Any]:
        """The section `pretrain` with an ablation's values, for its schema."""
        return {key: self.settings(name)[key] for key in self.config["pretrain"]}

    def sample(self, name: str) -> dict[str, Any]:
        """What determines the sample that a training reads, next to its tables of pairs."""
        settings = self.settings(name)
        directions = settings["directions"] if settings["documents"] == "pairs" else ["source"]
        return {**{key: settings[key] for key in _SAMPLE}, "directions": directions}

    def tokens(self, name: str) -> dict[str, Any]:
        """What determines the tokens that a training reads, next to its sample."""
        settings = self.settings(name)
        return {key: settings[key] for key in _TOKENS}

    def _tables(self, name: str) -> dict[str, Any]:
        return {key: self.settings(name)[key] for key in _TABLES}

    def sample_owner(self, name: str) -> str:
        """The first training with the same sample, which a training shares: IRCoder or an ablation."""
        return self._first(name, lambda other: (self.sample(other), self._tables(other)))

    def tokens_owner(self, name: str) -> str:
        """The first training with the same tokens, which a training shares."""
        return self._first(name, lambda other: (self.tokens(other), self._tables(other)))

    def _first(self, name: str, key: Callable[[str], Any]) -> str:
        wanted = key(name)
        return next(other for other in (IRCODER, *self.names) if key(other) == wanted)

    @property
    def replicates(self) -> dict[str, list[str]]:
        """Trainings that differ only in their seed, by the first of them; without those alone."""
        groups: list[list[str]] = []
        for name in (IRCODER, *self.names):
            wanted = self._without_seed(name)
            same = next((group for group in groups if self._without_seed(group[0]) == wanted), None)
            if same is None:
                groups.append([name])
            else:
                same.append(name)
        return {group[0]: group for group in groups if len(group) > 1}

    def _without_seed(self, name: str) -> dict[str, Any]:
        return {key: value for key, value in self.settings(name).items() if key != "seed"}

    def check(self) -> None:
        """Raise `ConfigError` for a language, variant or direction that the run lacks."""
        known = {**self.config, "directions": list(self.config["pretrain"]["templates"])}
        for name in self.names:
            for key in ("variants", "languages", "directions"):
                for value in self.config["ablations"][name].get(key, []):
                    if value not in known[key]:
                        fault = f"the run has no '{value}'; {nearest(value, known[key])}"
                        raise ConfigError(f"config: ablations.{name}.{key}: {fault}")
