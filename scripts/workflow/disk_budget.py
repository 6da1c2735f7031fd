"""Disk of the jobs that Snakemake has planned, before they start."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from scripts.workflow.disk import Budget, Disk
from scripts.workflow.shards import Shards


def stated_size(config: Mapping[str, Any]) -> tuple[int | dict[str, int] | None, int | None]:
    """`estimate.rows` and `estimate.text_bytes`; None for both if they describe another corpus than the
    run's.
    """
    stated = config["estimate"]
    if stated["dataset"] is not None and stated["dataset"] != (config["corpus"]["dataset"] or {}).get("id"):
        return None, None
    return stated["rows"], stated["text_bytes"]


def known_programs(config: Mapping[str, Any], shards: Shards) -> dict[str, float]:
    """Number of programs of each language, by the index of a run or as the config states it for the
    estimate; empty where neither has it.
    """
    stated, _ = stated_size(config)
    total = stated / len(config["variants"]) / len(config["languages"]) if isinstance(stated, int) else 0
    by_language = stated if isinstance(stated, dict) else {}
    programs = {
        language: float(shards.rows(language) or by_language.get(language, total)) for language in config["languages"]
    }
    return programs if all(programs.values()) else {}


def disk_budget(planned: Iterable[Any], config: Mapping[str, Any], models: Mapping[str, Any], results: Path) -> Budget:
    """Disk of Snakemake's jobs `planned`; `results` is the absolute results folder.

    Sizes that only a measured rate could tell are left out (`Budget.unknown`); they are small.
    """
    shards = Shards(results / "sources")
    programs = known_programs(config, shards)
    disk = Disk(config, models, programs, stated_size(config)[1] if programs else None, results)
    budget, top, read, with_ir = Budget(), config["results_dir"], set(), set()
    for job in planned:
        wildcards = job.wildcards_dict
        number = len(shards.of(wildcards["language"])) if "language" in wildcards else 0
        for output in job.output:
            path = os.path.relpath(output, top)
            with_ir |= {wildcards["language"]} if path.startswith("ir/") else set()
            read |= {wildcards["language"]} if path.startswith("sources/") else set()
            budget.add_output(path, disk.of_output(path, max(number, 1)), output in job.temp_output)
        if model := wildcards.get("model"):
            budget.add_training(model, disk.while_running(job.rule.name, model))
    # The jobs of a language's shards are not planned before its programs are read.
    for language in sorted(read - with_ir):
        budget.add_output(f"ir/{language}", disk.of_output(f"ir/{language}/000.parquet"), False)
    return budget
