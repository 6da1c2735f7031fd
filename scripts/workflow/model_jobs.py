"""What the jobs of a model depend on: its entry in config/models.yaml and the config's sections of
training.

Methods that take wildcards are params, resources or input functions of rules.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snakemake.iocontainers import Wildcards

from scripts.lib.files import read_json
from scripts.lib.local_models import folder_stamp, local_model
from scripts.workflow.ablation_plan import IRCODER
from scripts.workflow.checkpoint_plan import CheckpointPlan
from scripts.workflow.resources import Resource, memory, minutes
from scripts.workflow.validation import Entry

# The fields of a rendered conversation, of which only the last message may be shortened
# (scripts/finetune/chat.py).
CHAT_PROMPT = "{before}{instruction}{after}"
# What determines a base that is imported.
_IMPORT_KEYS = ("source", "repository", "revision", "path", "package", "file", "trust_remote_code")


def training_threads(training: Entry) -> int:
    """Threads of all processes of a training block of the config."""
    threads: int = training["threads"] * training["processes"]
    return threads


def _env_file(name: str, gpu: bool) -> str:
    """An environment file as rules name it."""
    return f"../envs/{name}{'-gpu' if gpu else ''}.yaml"


@dataclass(frozen=True)
class DeviceEnv:
    """A function of the wildcards: the file of a conda environment, by the model's device.

    recorded: the file that the run's records name for the rule, which is the one for GPUs if any
    model of the run uses them.
    """

    name: str
    uses_gpu: Callable[[Wildcards], bool]
    recorded: str

    def __call__(self, wildcards: Wildcards) -> str:
        """The file for a job."""
        return _env_file(self.name, self.uses_gpu(wildcards))


@dataclass(frozen=True)
class ModelJobs:
    """The jobs of a run's models.

    config: the checked configuration. models: the table of models. checkpoints: the run's
    checkpoints. results: the folder of results, as params have it. root: the project's folder, to
    which paths in the config are relative.
    """

    config: Entry
    models: Mapping[str, Entry]
    checkpoints: CheckpointPlan
    results: str
    root: str

    def _below_root(self, path: str) -> str:
        return str(Path(self.root, path))

    def entry(self, wildcards: Wildcards) -> Entry:
        """The model's entry; the wildcard `imported` is model and checkpoint."""
        return self.models[wildcards.get("model") or wildcards.imported.partition("/")[0]]

    # --- resources -------------------------------------------------------------------------------

    def memory(self, work: str) -> Resource:
        """`mem_mb` by the size of the model; `work` is a key of its `resources`."""
        return memory(lambda wildcards: self.entry(wildcards)["resources"][work]["mem_mb"])

    def minutes(self, work: str) -> Resource:
        """`runtime` by the size of the model; `work` is a key of its `resources`."""
        return minutes(lambda wildcards: self.entry(wildcards)["resources"][work]["runtime"])

    def uses_gpu(self, wildcards: Wildcards) -> bool:
        """Whether the model runs on a GPU."""
        return bool(self.entry(wildcards)["gpu"])

    def gpus(self, processes: int) -> Callable[[Wildcards], int]:
        """`gpu` of a job with so many processes: one each for a model that runs on GPUs, else none."""
        return lambda wildcards: processes if self.uses_gpu(wildcards) else 0

    def env(self, name: str) -> "DeviceEnv":
        """The conda environment of a job that runs a model: `name`, or `name`-gpu, which has CUDA,
        for a model that runs on GPUs.
        """
        any_gpu = any(self.models[model]["gpu"] for model in self.config["models"])
        return DeviceEnv(name, self.uses_gpu, _env_file(name, any_gpu))

    # --- folders and files -----------------------------------------------------------------------

    def checkpoint_folder(self, wildcards: Wildcards) -> str:
        """The folder of a model's training checkpoints, which is no output, so that they outlive a
        failed job.
        """
        return f"{self.results}/checkpoints/{wildcards.model}"

    def tensorboard(self, name: str) -> Callable[[Wildcards], str]:
        """A param: the folder for TensorBoard's files of a training; `name` may have wildcards."""
        return lambda wildcards: f"{self.results}/logs/tensorboard/{wildcards.model}/{name.format(**wildcards)}"

    def operators(self, section: str) -> Callable[[Wildcards], list[str]]:
        """An input function: DeepSpeed's compiled operators, where a section, or the job's ablation,
        trains on CPUs with DeepSpeed.
        """

        def files(wildcards: Wildcards) -> list[str]:
            block = self.continued(wildcards) if section == "pretrain" else self.config[section]
            is_needed = block["training"]["deepspeed"] and not self.uses_gpu(wildcards)
            return ["<results>/checkpoints/deepspeed_operators"] if is_needed else []

        return files

    def first_tokenizer(self, wildcards: Wildcards) -> str:
        """The folder with the tokenizer that a model had before it got the new tokens."""
        folder = "vocabulary" if self.checkpoints.is_from_scratch(wildcards.model) else "base"
        return f"<results>/models/{wildcards.model}/{folder}"

    def checkpoint_base(self, wildcards: Wildcards) -> list[str]:
        """The base of an imported checkpoint, where merging it may need one that only this run can
        make.
        """
        model, source = wildcards.imported.partition("/")[0], self.checkpoints.imports[wildcards.imported]
        is_whole = "path" in source and not Path(self._below_root(source["path"]), "adapter_config.json").exists()
        return [f"<results>/models/{model}/base"] if self.checkpoints.is_from_scratch(model) and not is_whole else []

    def instruction_files(self, wildcards: Wildcards) -> list[str]:
        """Training and validation rows for instruction tuning: in the folder `instruct.data`, or
        fetched.
        """
        data = self.config["instruct"]["data"]
        folder = "<results>/instruct" if data is None else self._below_root(data)
        return [f"{folder}/{split}.jsonl" for split in ("train", "validation")]

    # --- settings --------------------------------------------------------------------------------

    def card(self, wildcards: Wildcards) -> dict[str, Any]:
        """What a model's card says of its base."""
        entry = self.entry(wildcards)
        return {
            "title": entry["title"],
            "license": entry["license"],
            "license_link": entry.get("license_link"),
            "base": entry.get("repository"),
        }

    def pair_datasets(self) -> list[str]:
        """The data set of pairs in cards: its repository on the hub, or its folder relative to a
        model's.
        """
        corpus = self.config["corpus"]["dataset"]
        return [corpus["id"]] if corpus else ["../../../pairs"]

    def instruction_datasets(self) -> list[str]:
        """The data set of instructions in cards: its repository on the hub; none for local files."""
        instruct = self.config["instruct"]
        dataset = instruct["dataset"] if instruct["data"] is None else None
        return [dataset["id"]] if dataset else []

    def adapter_base(self, wildcards: Wildcards) -> dict[str, str | None]:
        """Under which name and revision PEFT loads what an adapter was trained on, the checkpoint
        `start` or the base: its repository on the hub, or else its folder, relative to that of the run.
        """
        entry, start = self.entry(wildcards), wildcards.get("start") or "base"
        if entry["source"] == "hub" and start == "base":
            return {"name": entry["repository"], "revision": entry["revision"]}
        return {"name": f"{os.path.relpath(self.results)}/models/{wildcards.model}/{start}", "revision": None}

    def adapted_from(self, checkpoint: str, wildcards: Wildcards) -> list[str]:
        """The folder that a tuned checkpoint's adapter is merged into; none for a whole checkpoint.

        checkpoint: what it was tuned from, or its own name if it was not tuned. An imported
        checkpoint is whole.
        """
        is_imported = f"{wildcards.model}/{wildcards.checkpoint}" in self.checkpoints.imports
        is_whole = is_imported or checkpoint == wildcards.checkpoint
        return [] if is_whole else [f"<results>/models/{wildcards.model}/{checkpoint}"]

    def import_settings(self, wildcards: Wildcards) -> dict[str, str]:
        """What determines a base that is imported, with a stamp of its files where they are local."""
        settings = {key: value for key, value in self.entry(wildcards).items() if key in _IMPORT_KEYS}
        local = local_model(settings, self.root)
        return settings if local is None else {**settings, "files": folder_stamp(local)}

    def checkpoint_settings(self, wildcards: Wildcards) -> dict[str, Any]:
        """What determines an imported checkpoint: its source, with a stamp of its files where it is
        a folder, its base, and what of the model's entry its tokenizer depends on.
        """
        source, entry = self.checkpoints.imports[wildcards.imported], self.entry(wildcards)
        stamp = folder_stamp(self._below_root(source["path"])) if "path" in source else None
        return {
            "source": {**source, "files": stamp},
            "base": self.import_settings(wildcards),
            **{key: entry[key] for key in ("context", "special_tokens", "pad_token")},
        }

    def continued(self, wildcards: Wildcards) -> dict[str, Any]:
        """All settings of a job's continued pre-training: IRCoder's, or those of the wildcard
        `ablation`.
        """
        return self.checkpoints.ablations.settings(wildcards.get("ablation") or IRCODER)

    def adapter_settings(self, wildcards: Wildcards) -> dict[str, Any]:
        """What determines a continued pre-training, next to its tokens and its base."""
        settings = self.continued(wildcards)
        return {
            **{key: settings[key] for key in ("seed", "isolate_documents", "new_embeddings")},
            "pad_to": settings["context"] if settings["packing"] == "pad" else None,
            "lora": self._with_layers(settings["lora"], wildcards),
            "training": self._with_deepspeed(settings["training"]),
        }

    def reference_training(self, wildcards: Wildcards) -> dict[str, Any] | None:
        """IRCoder's training block, for an ablation with as many tokens; None for others."""
        is_equal = self.continued(wildcards)["equal_tokens"]
        return self.training("pretrain") if is_equal else None

    def continued_gpus(self, wildcards: Wildcards) -> int:
        """`gpu` of a continued pre-training."""
        return self.gpus(self.continued(wildcards)["training"]["processes"])(wildcards)

    def continued_threads(self, wildcards: Wildcards) -> int:
        """Threads of a continued pre-training."""
        return training_threads(self.continued(wildcards)["training"])

    def training(self, section: str, key: str = "training") -> dict[str, Any]:
        """A training block of the config, with the content of its DeepSpeed file."""
        return self._with_deepspeed(self.config[section][key])

    def _with_deepspeed(self, training: Entry) -> dict[str, Any]:
        settings = dict(training)
        if settings["deepspeed"]:
            settings["deepspeed"] = read_json(self._below_root(settings["deepspeed"]))
        return settings

    def lora(self, section: str, wildcards: Wildcards) -> dict[str, Any]:
        """LoRA of a section of the config, with the layers that the model's entry names."""
        return self._with_layers(self.config[section]["lora"], wildcards)

    def _with_layers(self, lora: Entry, wildcards: Wildcards) -> dict[str, Any]:
        entry = self.entry(wildcards)
        return {
            **{key: lora[key] for key in ("r", "alpha", "dropout")},
            "targets": entry["lora_targets"],
            "modules_to_save": entry["modules_to_save"] if lora["embeddings"] else [],
        }

    def chat(self) -> dict[str, Any]:
        """How prompts are written with a chat template; empty without one."""
        instruct = self.config["instruct"]
        if instruct["chat_template"] is None:
            return {}
        prompts = {**instruct["prompts"], "template": CHAT_PROMPT, "shorten": "instruction"}
        return {"prompts": prompts, "chat_template": instruct["chat_template"]}
