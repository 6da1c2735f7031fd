"""What jobs of a model depend on, from small tables."""

import json
from pathlib import Path
from typing import Any

import pytest
from snakemake.iocontainers import Wildcards

from scripts.lib.job_memory import NESTED_SNAKEMAKE_MB
from scripts.workflow.checkpoint_plan import CheckpointPlan
from scripts.workflow.model_jobs import ModelJobs, training_threads

ENTRY = {
    "title": "T",
    "license": "mit",
    "context": 64,
    "special_tokens": ["<a>"],
    "pad_token": "<pad>",
    "gpu": False,
    "lora_targets": ["q"],
    "modules_to_save": ["wte"],
    "resources": {"load": {"mem_mb": 100, "runtime": 5}, "train": {"mem_mb": 200, "runtime": 50}},
}
MODELS: dict[str, Any] = {
    "scratch": {**ENTRY, "source": "scratch", "checkpoints": {"ircoder": {"path": "adapter"}}},
    "hub": {
        **ENTRY,
        "source": "hub",
        "repository": "owner/m",
        "revision": "r",
        "gpu": True,
        "checkpoints": {"ircoder": {"repository": "owner/tuned"}},
    },
    "folder": {**ENTRY, "source": "folder", "path": "weights"},
}
TRAINING = {"threads": 3, "processes": 2, "deepspeed": None}
LORA = {"r": 4, "alpha": 8, "dropout": 0.1, "embeddings": True}
PROMPTS = {"template": "{instruction}", "shorten": "input", "stop": "x"}


def jobs(root: str = ".", **sections: Any) -> ModelJobs:
    """The jobs of a run with three models; `sections` replace sections of the config."""
    config = {
        "models": list(MODELS),
        "variants": ["perf"],
        "languages": ["C"],
        "seed": 1,
        "pretrain": {
            "templates": {},
            "training": TRAINING,
            "base": {**TRAINING, "threads": 1},
            "lora": {**LORA, "embeddings": False},
        },
        "corpus": {"dataset": None},
        "instruct": {
            "data": None,
            "dataset": None,
            "training": TRAINING,
            "lora": LORA,
            "chat_template": None,
            "prompts": PROMPTS,
        },
        **sections,
    }
    return ModelJobs(config, MODELS, CheckpointPlan(config, MODELS, []), "out", root)


def of(**wildcards: str) -> Wildcards:
    """Wildcards of a job."""
    return Wildcards(fromdict=wildcards)


def test_the_entry_is_that_of_the_model_or_of_an_imported_checkpoint() -> None:
    assert jobs().entry(of(model="hub"))["repository"] == "owner/m"
    assert jobs().entry(of(imported="hub/ircoder"))["repository"] == "owner/m"


def test_cards_name_repositories_of_the_hub_or_folders_of_the_run() -> None:
    card = jobs().card(of(model="scratch"))
    assert (card["title"], card["license"], card["license_link"]) == ("T", "mit", None)
    assert (card["base"], jobs().pair_datasets(), jobs().instruction_datasets()) == (None, ["../../../pairs"], [])
    instruct = {"data": None, "dataset": {"id": "owner/instructions"}}
    fetched = jobs(corpus={"dataset": {"id": "owner/pairs"}}, instruct=instruct)
    assert fetched.card(of(model="hub"))["base"] == "owner/m"
    assert (fetched.pair_datasets(), fetched.instruction_datasets()) == (["owner/pairs"], ["owner/instructions"])


def test_adapters_name_their_base_as_peft_finds_it() -> None:
    assert jobs().adapter_base(of(model="hub")) == {"name": "owner/m", "revision": "r"}
    assert jobs().adapter_base(of(model="folder")) == {"name": "out/models/folder/base", "revision": None}
    assert jobs().adapter_base(of(model="hub", start="base")) == {"name": "owner/m", "revision": "r"}
    tuned = jobs().adapter_base(of(model="hub", start="ircoder"))
    assert tuned == {"name": "out/models/hub/ircoder", "revision": None}


def test_a_tuned_checkpoint_is_merged_into_what_it_was_tuned_from() -> None:
    def merged_into(checkpoint: str, start: str, model: str = "scratch") -> list[str]:
        return jobs().adapted_from(start, of(model=model, checkpoint=checkpoint))

    assert merged_into("ircoder", "ircoder") == []
    assert merged_into("ircoder-instruct", "ircoder") == ["<results>/models/scratch/ircoder"]
    assert merged_into("base-commits-C++", "base") == ["<results>/models/scratch/base"]


def test_resources_are_those_of_the_entry() -> None:
    assert jobs().memory("train")(of(model="hub"), 2) == 2 * (200 + NESTED_SNAKEMAKE_MB)
    assert jobs().minutes("load")(of(model="hub"), 1) == 5
    assert [jobs().gpus(2)(of(model=model)) for model in ("hub", "scratch")] == [2, 0]
    assert training_threads(TRAINING) == 6


def test_files_of_trainings_are_below_the_results() -> None:
    assert jobs().checkpoint_folder(of(model="hub")) == "out/checkpoints/hub"
    folder = jobs().tensorboard("{start}-instruct")(of(model="hub", start="base"))
    assert folder == "out/logs/tensorboard/hub/base-instruct"
    assert jobs().first_tokenizer(of(model="scratch")) == "<results>/models/scratch/vocabulary"
    assert jobs().first_tokenizer(of(model="hub")) == "<results>/models/hub/base"


def test_deepspeed_needs_compiled_operators_on_cpus_only() -> None:
    run = jobs(pretrain={"templates": {}, "training": {**TRAINING, "deepspeed": "zero.json"}})
    assert run.operators("pretrain")(of(model="scratch")) == ["<results>/checkpoints/deepspeed_operators"]
    assert run.operators("pretrain")(of(model="hub")) == run.operators("instruct")(of(model="scratch")) == []


def test_the_content_of_a_deepspeed_file_is_a_setting(tmp_path: Path) -> None:
    (tmp_path / "zero.json").write_text(json.dumps({"stage": 2}))
    run = jobs(str(tmp_path), pretrain={"training": {**TRAINING, "deepspeed": "zero.json"}})
    assert run.training("pretrain") == {**TRAINING, "deepspeed": {"stage": 2}}
    assert jobs().training("pretrain", "base")["threads"] == 1


def test_embeddings_are_saved_where_lora_trains_them() -> None:
    expected = {"r": 4, "alpha": 8, "dropout": 0.1, "targets": ["q"]}
    assert jobs().lora("pretrain", of(model="hub")) == {**expected, "modules_to_save": []}
    assert jobs().lora("instruct", of(model="hub")) == {**expected, "modules_to_save": ["wte"]}


def test_imports_follow_the_files_of_a_folder(tmp_path: Path) -> None:
    run, wildcards = jobs(str(tmp_path)), of(model="folder")
    assert run.import_settings(wildcards) == {"source": "folder", "path": "weights", "files": ""}
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "model.safetensors").write_text("x")
    assert run.import_settings(wildcards)["files"]
    assert run.import_settings(of(model="hub")) == {"source": "hub", "repository": "owner/m", "revision": "r"}


def test_an_imported_checkpoint_depends_on_its_source_and_its_base(tmp_path: Path) -> None:
    settings = jobs().checkpoint_settings(of(imported="hub/ircoder"))
    assert settings["source"] == {"repository": "owner/tuned", "files": None}
    assert settings["base"]["repository"] == "owner/m"
    assert {key: settings[key] for key in ("context", "special_tokens", "pad_token")} == {
        "context": 64,
        "special_tokens": ["<a>"],
        "pad_token": "<pad>",
    }


@pytest.mark.parametrize(("is_adapter", "inputs"), [(True, ["<results>/models/scratch/base"]), (False, [])])
def test_merging_an_adapter_needs_the_base_that_the_run_trains(tmp_path: Path, is_adapter: bool, inputs: list) -> None:
    (tmp_path / "adapter").mkdir()
    if is_adapter:
        (tmp_path / "adapter" / "adapter_config.json").touch()
    assert jobs(str(tmp_path)).checkpoint_base(of(imported="scratch/ircoder")) == inputs
    assert jobs(str(tmp_path)).checkpoint_base(of(imported="hub/ircoder")) == []


def test_instructions_are_fetched_or_in_a_folder() -> None:
    fetched = ["<results>/instruct/train.jsonl", "<results>/instruct/validation.jsonl"]
    assert jobs().instruction_files(of()) == fetched
    own = jobs("root", instruct={"data": "rows"}).instruction_files(of())
    assert own == ["root/rows/train.jsonl", "root/rows/validation.jsonl"]


def test_a_chat_template_replaces_the_template_of_prompts() -> None:
    assert jobs().chat() == {}
    run = jobs(instruct={"chat_template": "tokenizer", "prompts": PROMPTS})
    prompts = {"template": "{before}{instruction}{after}", "shorten": "instruction", "stop": "x"}
    assert run.chat() == {"prompts": prompts, "chat_template": "tokenizer"}
