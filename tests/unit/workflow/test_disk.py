"""What a run occupies on the disk, from its config, its models and the size of its corpus."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from scripts.workflow.config import prepare
from scripts.workflow.disk import COMPRESSION, Budget, Disk, trained_weights
from scripts.workflow.disk_budget import disk_budget
from scripts.workflow.pin import merged_config
from tests.support.paths import ROOT

MODEL = "starcoderbase-1b"
LORA = {"r": 32, "embeddings": False}


@pytest.fixture(scope="module")
def config() -> dict[str, Any]:
    """The paper's settings."""
    return merged_config([str(ROOT / "config" / "paper.yaml")], [])


@pytest.fixture(scope="module")
def models(config: dict[str, Any]) -> dict[str, Any]:
    """The table of models."""
    table: dict[str, Any] = prepare(config, str(ROOT))[1]
    return table


def disk(config: dict[str, Any], models: dict[str, Any], **changes: Any) -> Disk:
    """The disk of three million programs in two languages, with 75 GB of text."""
    values = {"programs": {"C": 1e6, "D": 2e6}, "text_bytes": COMPRESSION * 10e9, **changes}
    return Disk(config, models, **values)


def test_text_is_divided_among_languages_variants_and_shards(config: dict[str, Any], models: dict[str, Any]) -> None:
    sizes = disk(config, models)
    assert sizes.of_output("ir/D/003.parquet", 8) == pytest.approx(10e9 * 2 / 3 / 8)
    assert sizes.of_output("pairs/C/perf.parquet") == pytest.approx(10e9 / 3 / 2)
    assert sizes.of_output("sources/C/modules") == pytest.approx(10e9 / 3)
    unknown = disk(config, models, text_bytes=None)
    for path in ("ir/D/003.parquet", "provenance/run.sqlite", "scores/x.json", "pairs/README.md"):
        assert unknown.of_output(path) is None
    assert sizes.of_output("scores/x.json") is sizes.of_output("pairs/README.md") is None


def test_a_model_has_its_weights_and_an_adapter_a_small_part_of_them(
    config: dict[str, Any], models: dict[str, Any], tmp_path: Path
) -> None:
    sizes = disk(config, models)
    assert sizes.of_output(f"models/{MODEL}/base") == sizes.of_output(f"models/{MODEL}/ircoder") == 2 * 1.1e9
    assert 0.02 < trained_weights(7e9, {**LORA, "r": 64}) / 7e9 * 2 < 0.05
    assert trained_weights(7e9, {**LORA, "embeddings": True}) - trained_weights(7e9, LORA) > 3e8
    for path in ("curves/base.csv", "losses/base.parquet", "tokenizer"):
        assert sizes.of_output(f"models/{MODEL}/{path}") is None
    base = tmp_path / "models" / MODEL / "base"
    base.mkdir(parents=True)
    (base / "model.safetensors").write_bytes(b"0" * 5000)
    assert disk(config, models, results=tmp_path).of_output(f"models/{MODEL}/base") == 5000


def test_a_training_needs_room_for_its_checkpoints(config: dict[str, Any], models: dict[str, Any]) -> None:
    sizes = disk(config, models)
    assert sizes.while_running("pretrain_adapter", MODEL) > sizes.while_running("finetune_commits", MODEL) > 0
    assert sizes.while_running("evaluate_score", MODEL) == sizes.while_running("finetune_commits", "tiny-llama") == 0
    assert sizes.while_running("finetune_commits", "reference") == sizes.while_running("tables_main", "") == 0


def test_the_database_has_only_the_texts_that_the_config_allows(config: dict[str, Any], models: dict[str, Any]) -> None:
    programs, text = {"C": 1e6}, 50e9
    small, large = (
        disk({**config, "database": {"text_bytes": most}}, models, programs=programs, text_bytes=text).of_output(
            "provenance/run.sqlite"
        )
        for most in (4096, 262144)
    )
    assert small is not None and large is not None
    assert small < 10e9 < text < large


def planned(rule: str, *outputs: str, temporary: tuple[str, ...] = (), **wildcards: str) -> SimpleNamespace:
    """The parts of a planned job that are read."""
    paths = [f"out/{path}" for path in outputs]
    return SimpleNamespace(
        rule=SimpleNamespace(name=rule),
        wildcards_dict=wildcards,
        output=paths,
        temp_output={f"out/{path}" for path in temporary},
    )


def test_the_budget_is_that_of_all_planned_jobs(config: dict[str, Any], models: dict[str, Any], tmp_path: Path) -> None:
    small = {
        **config,
        "results_dir": "out",
        "languages": ["C"],
        "estimate": {"dataset": None, "rows": 2000, "text_bytes": 7_500_000},
    }
    jobs = [
        planned("sources_read", "sources/C/shards.json", language="C"),
        planned("sources_modules", "sources/C/modules", temporary=("sources/C/modules",), language="C"),
        planned("pretrain_adapter", f"models/{MODEL}/adapter", model=MODEL),
        planned("finetune_commits", f"models/{MODEL}/base-commits-C", model=MODEL),
        planned("tables_main", "tables/main.md"),
    ]
    budget = disk_budget(jobs, small, models, tmp_path)
    # Reading the programs decides which jobs verify their modules.
    assert budget.lasting["ir"] == pytest.approx(1e6)
    assert budget.temporary == pytest.approx(1e6)
    assert budget.unknown == 1
    assert budget.working[MODEL] == disk(small, models).while_running("pretrain_adapter", MODEL)
    folder = tmp_path / "sources" / "C"
    folder.mkdir(parents=True)
    (folder / "shards.json").write_text(json.dumps({"shards": {"000": {"rows": 500}, "001": {"rows": 500}}}))
    shard = planned("sources_ir", "ir/C/000.parquet", language="C")
    assert disk_budget([jobs[0], shard], small, models, tmp_path).lasting["ir"] == pytest.approx(5e5)


def test_the_largest_parts_of_a_budget_are_named() -> None:
    budget = Budget()
    for path, size in (("ir/C/000.parquet", 2e9), ("ir/C/001.parquet", 1e9), ("tables/main.md", 5.0), ("x/y", None)):
        budget.add_output(path, size, False)
    budget.add_output("sources/C/modules", 4e9, True)
    assert budget.by_folder() == "temporary files 4 GB, ir 3 GB"
    assert (budget.total, budget.unknown) == (7e9 + 5, 1)


def test_the_stated_size_of_a_data_set_is_not_that_of_another_corpus(config: dict[str, Any], tmp_path: Path) -> None:
    stated = {"dataset": "some/set", "rows": 2000, "text_bytes": 7_500_000}
    own = {**config, "languages": ["C"], "estimate": stated}
    named = {**own, "corpus": {**config["corpus"], "dataset": {"id": "some/set"}}}
    job = planned("sources_read", "sources/C/shards.json", language="C")
    assert disk_budget([job], {**named, "results_dir": "out"}, {}, tmp_path).total > 1e6
    assert disk_budget([job], {**own, "results_dir": "out"}, {}, tmp_path).total == 0
