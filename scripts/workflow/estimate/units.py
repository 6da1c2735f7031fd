"""How much work a job has: what its cost is proportional to, by rule."""

import gzip
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from scripts.evaluate.generation_plan import RULE as GENERATE
from scripts.evaluate.plan import Plan
from scripts.evaluate.task_plan import CONTROL
from scripts.sources.shards import shard_count

# Problems of the benchmarks made from HumanEval, where the data are not here.
ASSUMED_PROBLEMS = 164


@dataclass(frozen=True)
class Counts:
    """What a run has to do.

    config: the checked configuration. plan: its benchmarks. sources: programs of each language.
    models: the table of models.
    """

    config: Mapping[str, Any]
    plan: Plan
    sources: Mapping[str, int]
    models: Mapping[str, Any]

    @property
    def variants(self) -> int:
        """Number of variants."""
        return len(self.config["variants"])

    @property
    def all_sources(self) -> int:
        """Programs of all languages."""
        return sum(self.sources.values())

    def shard(self, language: str) -> float:
        """Programs in a shard of a language."""
        has_ir = self.config["corpus"]["columns"]["ir"] is not None
        size = self.config["ir_shard_size" if has_ir else "shard_size"]
        return self.sources[language] / shard_count(self.sources[language], size)

    @cached_property
    def _rows(self) -> dict[tuple[str, str], int]:
        return {}

    def problems(self, benchmark: str, name: str) -> int:
        """Problems of a task: rows of its files, or an assumption where they are not here."""
        key = benchmark, name
        if key not in self._rows:
            paths = [Path(path) for path in self.plan.task(benchmark, name).data_files]
            here = [path for path in paths if path.is_file()]
            self._rows[key] = sum(map(_lines, here)) if here else ASSUMED_PROBLEMS
        return self._rows[key]

    def completions(self, benchmark: str, name: str, setting: str) -> int:
        """Completions of a generation file."""
        task = self.plan.task(benchmark, name)
        problems = self.problems(benchmark, name)
        if setting == CONTROL:
            return problems
        settings = task.completion_settings(setting)
        return min(problems, settings["problems"] or problems) * int(settings["sampling"]["samples"])

    def tokens_generated(self, benchmark: str, name: str, setting: str) -> int:
        """The largest number of new tokens of a generation file; measuring a likelihood counts as one."""
        settings = self.plan.task(benchmark, name).completion_settings(setting)
        return self.completions(benchmark, name, setting) * max(1, int(settings["sampling"]["new_tokens"]))


def _lines(path: Path) -> int:
    """Lines of a file of rows; 1 for a file that has no lines."""
    if path.suffix not in (".jsonl", ".gz"):
        return 1
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as stream:
        return sum(1 for _ in stream)


def _trained_tokens(training: Mapping[str, Any], documents: int | None, length: int) -> float:
    """Tokens of a training: its steps, or else its documents in all epochs; 1 if neither is known."""
    batch = training["batch_size"] * training["accumulation"] * training["processes"]
    if training["max_steps"] is not None:
        return float(training["max_steps"] * batch * length)
    return float(math.ceil(training["epochs"] * documents) * length) if documents else 1.0


def _adapter(wildcards: Mapping[str, str], counts: Counts) -> float:
    pretrain = counts.config["pretrain"]
    return _trained_tokens(pretrain["training"], pretrain["train_documents"], pretrain["context"])


def _base(wildcards: Mapping[str, str], counts: Counts) -> float:
    pretrain = counts.config["pretrain"]
    return _trained_tokens(pretrain["base"], pretrain["train_documents"], pretrain["context"])


def _instruct(wildcards: Mapping[str, str], counts: Counts) -> float:
    instruct = counts.config["instruct"]
    return _trained_tokens(instruct["training"], None, instruct["prompts"]["length"])


def _commits(wildcards: Mapping[str, str], counts: Counts) -> float:
    commits = counts.config["commits"]
    return _trained_tokens(commits["training"], commits["sizes"]["train"], commits["prompts"]["length"])


def _losses(wildcards: Mapping[str, str], counts: Counts) -> float:
    return float(counts.config["pretrain"]["loss_documents"] * counts.variants * len(counts.sources))


def _tokens(wildcards: Mapping[str, str], counts: Counts) -> float:
    pretrain = counts.config["pretrain"]
    pairs = counts.all_sources * counts.variants
    return float(min(pretrain["train_documents"] or pairs, pairs) + min(pretrain["validation_documents"] or 0, pairs))


def _of_language(wildcards: Mapping[str, str], counts: Counts) -> float:
    return float(counts.sources[wildcards["language"]])


def _of_shard(wildcards: Mapping[str, str], counts: Counts) -> float:
    return counts.shard(wildcards["language"])


def _of_corpus(wildcards: Mapping[str, str], counts: Counts) -> float:
    return float(counts.all_sources)


def _completions(wildcards: Mapping[str, str], counts: Counts) -> float:
    return float(counts.completions(wildcards["benchmark"], wildcards["task"], wildcards.get("setting", CONTROL)))


def _tokens_generated(wildcards: Mapping[str, str], counts: Counts) -> float:
    return float(
        sum(
            counts.tokens_generated(task.benchmark, task.name, setting)
            for task in counts.plan.tasks()
            for setting in task.temperatures
            if wildcards["checkpoint"] in task.checkpoints
        )
    )


# Unit and amount of each rule; the cost of a job of another rule does not depend on the config.
UNITS: dict[str, tuple[str, Callable[[Mapping[str, str], Counts], float]]] = {
    "sources_read": ("programs", _of_language),
    "sources_modules": ("programs", _of_language),
    "sources_ir": ("programs", _of_shard),
    "compile_shard": ("programs", _of_shard),
    "dedup_signatures": ("programs", _of_language),
    "dedup_clusters": ("programs", _of_language),
    "pairs_language": ("programs", _of_language),
    "provenance_outcomes": ("programs", _of_corpus),
    "provenance_jobs": ("programs", _of_corpus),
    "provenance_database": ("programs", _of_corpus),
    "pretrain_sample": ("programs", _of_corpus),
    "pretrain_tokens": ("documents", _tokens),
    "pretrain_base": ("tokens", _base),
    "pretrain_adapter": ("tokens", _adapter),
    "pretrain_losses": ("documents", _losses),
    "finetune_instruct": ("tokens", _instruct),
    "finetune_commits": ("tokens", _commits),
    GENERATE: ("tokens", _tokens_generated),
    "evaluate_execute": ("completions", _completions),
    "evaluate_score": ("completions", _completions),
}
# Rules whose jobs cost what those of another rule cost.
_LIKE = {
    "pretrain_ablation_tokens": "pretrain_tokens",
    "pretrain_ablation_adapter": "pretrain_adapter",
    "pretrain_ablation_merge": "pretrain_merge",
    "pretrain_merge_milestone": "pretrain_merge",
}
JOBS = "jobs"
_BY_LANGUAGE = ("compile_shard", "sources_ir")
_BY_RUNNER = ("evaluate_execute", "evaluate_calibrate")


def rated_rule(rule: str) -> str:
    """The rule that has the rates of a rule's jobs: all rules that generate have the same."""
    return GENERATE if rule.startswith(GENERATE) else _LIKE.get(rule, rule)


def unit_of(rule: str) -> str:
    """The unit of a rule's jobs."""
    return UNITS[rule][0] if rule in UNITS else JOBS


def units_of(rule: str, wildcards: Mapping[str, str], counts: Counts) -> float:
    """How much a job has to do, in the unit of its rule."""
    return UNITS[rule][1](wildcards, counts) if rule in UNITS else 1.0


def key_of(rule: str, wildcards: Mapping[str, str], counts: Counts) -> str:
    """What the rate of a job depends on besides the rule: language, model or runner; empty for
    nothing.
    """
    if rule in _BY_LANGUAGE:
        return wildcards["language"]
    if rule in _BY_RUNNER:
        return counts.plan.task(wildcards["benchmark"], wildcards["task"]).runner_name
    if rule == "evaluate_prepare_runner":
        return wildcards["runner"]
    # Scores do not depend on the model.
    return wildcards.get("model", "") if rule not in ("evaluate_score",) else ""
