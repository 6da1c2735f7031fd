"""Disk that a run takes: what its outputs will occupy, by their paths, and trainings while they run.

Sizes follow from the number of parameters (models), the rank (adapters), documents and context
(token shards), and the size of the corpus (outputs with its text). For the other outputs, which are
small, `scripts.workflow.estimate` has measured rates.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from scripts.lib.cost import size_of

# Bytes of text for each byte on disk, of parquet with zstd; 6.4 to 10 by language were measured.
COMPRESSION = 7.5
# Programs are a small part of the text next to their IR.
_SOURCE_SHARE = 0.05
# Bytes of a weight: models on the hub have 16 bits and keep them, adapters have float32.
_WEIGHT_BYTES, _ADAPTER_BYTES = 2, 4
# A training checkpoint has a weight and two moments of the optimizer, all float32; two checkpoints
# are complete while the third is written.
_CHECKPOINT_BYTES, _CHECKPOINTS = 12, 3
_TOKEN_BYTES = 4
# Rows of embeddings that are trained: 49,152 tied ones, or twice 32,256.
_EMBEDDINGS = 65_000
# Rows of the database for a program and for each of its modules, without texts, as measured on the
# default run; a text with its index of words is half as long again.
_PROGRAM_BYTES, _MODULE_BYTES, _INDEXED = 1000, 2000, 1.5
# A row of a table of programs without texts, and the records of some thousand jobs.
_ROW_BYTES, _RECORDS_BYTES = 100, 20e6
TRAININGS = {
    **dict.fromkeys(("pretrain_adapter", "pretrain_ablation_adapter"), "pretrain"),
    "finetune_instruct": "instruct",
    "finetune_commits": "commits",
}


def hidden_size(parameters: float) -> float:
    """Approximate width of a model: transformers of 1 to 7 billion parameters have 12 d² weights in
    each layer and about one layer for each 100 of d.
    """
    return float((100 * parameters / 12) ** (1 / 3))


def trained_weights(parameters: float, lora: Mapping[str, Any]) -> float:
    """Approximate number of weights of an adapter: at most half of a model's matrices have one."""
    width = hidden_size(parameters)
    embeddings = _EMBEDDINGS * width if lora["embeddings"] else 0
    return parameters * lora["r"] / width + embeddings


@dataclass(frozen=True)
class Disk:
    """What outputs of a run occupy.

    config: the checked configuration. models: the table of models. programs: number of each
    language. text_bytes: text of the corpus, programs and IR of all variants; None if it is not
    known. results: a folder of results whose models are measured instead.
    """

    config: Mapping[str, Any]
    models: Mapping[str, Any]
    programs: Mapping[str, float]
    text_bytes: float | None
    results: Path | None = None
    _sizes: dict[str, float] = field(default_factory=dict)

    # --- outputs ---------------------------------------------------------------------------------

    def of_output(self, path: str, shards: int = 1) -> float | None:
        """Bytes of an output, by its path below the results; None where only a rate can say.

        shards: into how many the programs of the output's language are divided.
        """
        parts = PurePath(path).parts
        if parts[0] == "models" and len(parts) >= 3:
            return self._model(parts[1], parts[2:])
        if parts[0].partition("-")[0] == "tokens":  # an ablation's name may follow
            return self._tokens(parts[1])
        if self.text_bytes is None:
            return None
        if parts[0] == "provenance":
            return {"run.sqlite": self._database(), "jobs.json": _RECORDS_BYTES}.get(parts[-1])
        return self._text(parts, shards)

    def _text(self, parts: tuple[str, ...], shards: int) -> float | None:
        """Bytes of an output with text of the corpus."""
        if parts[0] == "sample":
            return self._packed * min(1.0, self._sampled(PurePath(parts[1]).stem) / max(self._pairs, 1))
        language = parts[1] if len(parts) > 1 else ""
        if language not in self.programs:
            return None
        share = self._packed * self.programs[language] / max(sum(self.programs.values()), 1)
        if parts[0] == "sources" and parts[-1] == "shards.json":
            return share * _SOURCE_SHARE
        if parts[0] == "modules":
            return share
        if parts[0] == "ir":
            return share / shards
        if parts[0] == "dedup" and not self.config["dedup"]["enabled"]:
            return self.programs[language] * _ROW_BYTES / (shards if parts[2] == "signatures" else 1)
        if parts[0] == "pairs" and PurePath(parts[2]).stem in self.config["variants"]:
            return share / len(self.config["variants"])
        return None

    @property
    def hub_cache(self) -> float:
        """Bytes of what is fetched from the hub and stays in its cache, outside of the results."""
        bases = [self.base(model) or 0.0 for model in self.config["models"] if self.models[model]["source"] == "hub"]
        # The tables of the corpus have snappy, which packs half as well.
        return sum(bases) + (2 * self._packed if self.config["corpus"]["dataset"] else 0.0)

    @property
    def _packed(self) -> float:
        return (self.text_bytes or 0.0) / COMPRESSION

    def _parameters(self, model: str) -> float:
        # The controls are no models of the table.
        parameters: float = self.models.get(model, {}).get("parameters", 0)
        return parameters

    def base(self, model: str) -> float | None:
        """Bytes of a base: measured where it is here, else by its parameters; None if neither is
        known.
        """
        if model not in self._sizes:
            folder = Path(self.results, "models", model, "base") if self.results else None
            measured = size_of(folder) if folder and folder.is_dir() else 0
            self._sizes[model] = measured or self._parameters(model) * _WEIGHT_BYTES
        return self._sizes[model] or None

    def _model(self, model: str, names: tuple[str, ...]) -> float | None:
        """Bytes of a folder of a model's checkpoint or adapter."""
        parameters = self._parameters(model)
        if not parameters or names[0] in ("curves", "losses", "tokenizer", "vocabulary"):
            return None
        if names[0].partition("-")[0] in ("adapter", "milestones"):
            return self._adapter(parameters, "pretrain")
        for tuning in ("instruct", "commits"):
            if f"-{tuning}" in names[0]:
                return self._adapter(parameters, tuning)
        return self.base(model)

    def _adapter(self, parameters: float, section: str) -> float:
        return trained_weights(parameters, self.config[section]["lora"]) * _ADAPTER_BYTES

    @property
    def _pairs(self) -> float:
        """Pairs of all languages and variants."""
        return sum(self.programs.values()) * len(self.config["variants"])

    def _sampled(self, purpose: str) -> float:
        """Pairs that are drawn for the documents of all models, or for their losses."""
        pretrain, pairs = self.config["pretrain"], self._pairs
        if purpose == "losses":
            return float(pretrain["loss_documents"] * len(self.programs) * len(self.config["variants"]))
        return float(sum(min(pretrain[f"{split}_documents"] or pairs, pairs) for split in ("train", "validation")))

    def _tokens(self, model: str) -> float | None:
        """Bytes of a model's training documents, each at most as long as the context."""
        if not self._parameters(model):
            return None
        return self._sampled("documents") * float(self.config["pretrain"]["context"]) * _TOKEN_BYTES

    def _database(self) -> float:
        """Bytes of the run's database; it has texts that are not larger than the config allows."""
        text, programs = self.text_bytes or 0.0, sum(self.programs.values())
        modules = self._pairs
        mean, most = text / max(modules, 1), self.config["database"]["text_bytes"]
        source = programs * min(most, _SOURCE_SHARE * mean) * _INDEXED
        ir = text if mean <= most else 0.0
        return programs * _PROGRAM_BYTES + modules * _MODULE_BYTES + source + ir

    # --- while jobs run --------------------------------------------------------------------------

    def while_running(self, rule: str, model: str) -> float:
        """Bytes of the checkpoints of a training; 0 for other rules and models of unknown size."""
        parameters = self._parameters(model)
        if not parameters or rule not in TRAININGS:
            return 0.0
        weights = trained_weights(parameters, self.config[TRAININGS[rule]]["lora"])
        return weights * _CHECKPOINT_BYTES * _CHECKPOINTS


@dataclass
class Budget:
    """Disk of a run, in bytes: what stays by the folder of the results, and what is deleted again.

    working: by model, the largest that one of its trainings needs while it runs. unknown: number of
    outputs whose size is not known.
    """

    lasting: dict[str, float] = field(default_factory=dict)
    temporary: float = 0.0
    working: dict[str, float] = field(default_factory=dict)
    unknown: int = 0

    def add_output(self, path: str, size: float | None, is_temporary: bool) -> None:
        """Add an output by its path below the results."""
        if size is None:
            self.unknown += 1
        elif is_temporary:
            self.temporary += size
        else:
            folder = PurePath(path).parts[0]
            self.lasting[folder] = self.lasting.get(folder, 0.0) + size

    def add_training(self, model: str, size: float) -> None:
        """Add the training of a model, of which one at a time is assumed to run."""
        self.working[model] = max(self.working.get(model, 0.0), size)

    @property
    def total(self) -> float:
        """What stays and what is there at the same time in addition."""
        return sum(self.lasting.values()) + self.temporary + sum(self.working.values())

    def by_folder(self) -> str:
        """The largest parts, for a message."""
        parts = {**self.lasting, "temporary files": self.temporary, "running trainings": sum(self.working.values())}
        large = sorted(((size, name) for name, size in parts.items() if size >= 5e8), reverse=True)
        return ", ".join(f"{name} {size / 1e9:,.0f} GB" for size, name in large)
