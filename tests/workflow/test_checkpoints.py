"""The jobs of a run depend on the checkpoints that it evaluates.

A run may import all checkpoints.
"""

import csv
import json
import re
from pathlib import Path

import pytest
import torch
import yaml
from peft import LoraConfig, get_peft_model

from scripts.lib.files import read_json, sha256_file
from scripts.lib.training.models import load_model, make_model, save_adapter, save_model
from tests.support.tiny_tokenizer import tiny_tokenizer
from tests.support.tiny_training import GPT, write_all
from tests.workflow.conftest import ROOT
from tests.workflow.jobs import jobs_in
from tests.workflow.small_run.driver import copy_project

HUB_MODEL = "models=[starcoderbase-1b]"
NO_COMMITS = "commits={languages: []}"
NO_ABLATIONS = "ablations={source-only: null}"
TINY = str(ROOT / "tests/workflow/tiny.yaml")
PLAIN_TASKS = {"humaneval": ["python"], "multipl-e": [], "fixdocs": [], "recode": [], "codexglue": ["python"]}
PLAIN_TASKS |= {"likelihood": [], "choice": [], "source-to-llvm": []}


def planned(workflow, folder, *arguments, project=ROOT):
    """Number of jobs of a dry run, by rule."""
    snakefile = ["--snakefile", str(project / "Snakefile")] if project != ROOT else []
    names = [job.split()[0] for job in jobs_in(workflow(folder, "--dry-run", *snakefile, *arguments).stdout)]
    return {name: names.count(name) for name in names}


def evaluate(**values):
    return f"evaluate={json.dumps(values)}"


def test_a_base_alone_is_evaluated_without_any_training_or_pairs(tmp_path, workflow):
    options = ("--config", HUB_MODEL, NO_COMMITS, evaluate(checkpoints=["base"], tasks=PLAIN_TASKS))
    jobs = planned(workflow, tmp_path, "tables", *options)
    assert {"fetch_base", "evaluate_generate", "tables_main", "tables_figure_scores"} <= jobs.keys()
    assert not [name for name in jobs if name.startswith(("pretrain", "finetune", "compile", "pairs", "sources"))]
    assert "tables_figure_curves" not in jobs and "tables_figure_losses" not in jobs
    for target in ("pretrain", "report", "audit"):
        jobs = planned(workflow, tmp_path, target, *options)
        assert not {"pretrain_adapter", "pretrain_merge", "finetune_instruct", "finetune_commits"} & jobs.keys()
        assert "fetch_base" in jobs


def test_tunings_follow_the_checkpoints_that_are_evaluated(tmp_path, workflow):
    tasks = {**PLAIN_TASKS, "fixdocs": ["python"]}
    options = ("--config", HUB_MODEL, "commits={languages: [Python, C++]}", evaluate(checkpoints=["base"], tasks=tasks))
    jobs = planned(workflow, tmp_path, "tables", *options)
    assert (jobs["finetune_instruct"], jobs["finetune_commits"]) == (1, 2)
    assert "pretrain_adapter" not in jobs


def test_one_training_saves_milestones_which_are_tuned_and_evaluated(tmp_path, workflow):
    milestones = tmp_path / "milestones.yaml"
    milestones.write_text("pretrain: {milestones: [2, 1]}\nevaluate: {checkpoints: [base, ircoder-1, ircoder]}\n")
    jobs = planned(workflow, tmp_path, "--configfile", TINY, str(milestones), "--", "pretrain", "tables")
    assert (jobs["pretrain_adapter"], jobs["pretrain_merge"], jobs["pretrain_losses"]) == (1, 1, 3)
    assert jobs["finetune_commits"] == 3
    # The target `pretrain` merges the step that is not evaluated as well.
    assert jobs["pretrain_merge_milestone"] == 2
    assert "pretrain_merge_milestone" not in planned(workflow, tmp_path, "--configfile", TINY)


PAPER_MODELS = (
    *("starcoderbase-1b", "starcoderbase-3b", "starcoderbase-7b"),
    *("deepseek-coder-1.3b-base", "deepseek-coder-5.7bmqa-base", "codellama-7b-hf"),
)


def test_the_pairs_are_read_twice_for_any_number_of_models(tmp_path, workflow):
    options = ("--config", f"models=[{','.join(PAPER_MODELS)}]", "languages=[C, D]", NO_ABLATIONS)
    output = workflow(tmp_path, "pretrain", "--dry-run", *options).stdout
    readers = set()
    for block in re.split(r"^\[.*\]$", output, flags=re.MULTILINE):
        inputs = re.search(r"^    input: (.*)$", block, re.MULTILINE)
        if inputs and re.search(r"pairs/[^/]+/(perf|size)\.parquet", inputs[1]):
            readers |= jobs_in(block)
    assert readers == {"pretrain_sample documents", "pretrain_sample losses"}
    jobs = [job.split()[0] for job in jobs_in(output)]
    assert (jobs.count("pretrain_tokens"), jobs.count("pretrain_losses")) == (6, 12)


@pytest.mark.parametrize(
    ("overlay", "message"),
    [
        ({"evaluate": {"checkpoints": ["ircoder-7"]}}, "nothing makes ircoder-7 of tiny-gpt-bigcode; add 7 to"),
        ({"evaluate": {"checkpoints": ["irc"]}}, "evaluate.checkpoints.0: 'irc' does not match"),
        ({"pretrain": {"milestones": [300]}}, "step 300 is after the last step"),
    ],
)
def test_a_checkpoint_that_no_rule_makes_is_a_one_line_error(tmp_path, workflow, overlay, message):
    options = [f"{key}={json.dumps(value)}" for key, value in overlay.items()]
    assert message in workflow(tmp_path, "--dry-run", "--config", *options, succeeds=False).stdout


@pytest.fixture
def project(tmp_path):
    """A copy of the project with a local model, and an adapter as its imported checkpoint."""
    copy = copy_project(tmp_path / "project")
    (copy / "resources").symlink_to(ROOT / "resources")
    write_all(copy / "local", {**GPT, "n_positions": 512})
    torch.manual_seed(1)
    lora = LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=["c_attn"], init_lora_weights=False)
    save_adapter(get_peft_model(load_model(copy / "local/base"), lora), copy / "local/adapter", "imported/base")
    table = copy / "config/models.yaml"
    models = yaml.safe_load(table.read_text())
    models["imported"] = {
        **models["local-model"],
        "path": "local/base",
        "context": 512,
        "checkpoints": {"ircoder": {"path": "local/adapter"}, "ircoder-instruct": {"path": "local/base"}},
    }
    table.write_text(yaml.safe_dump(models))
    return copy


def test_own_checkpoints_are_imported_instead_of_trained(tmp_path, workflow, project):
    tasks = {**PLAIN_TASKS, "fixdocs": ["python"]}
    options = ("--config", "models=[imported]", NO_COMMITS, evaluate(tasks=tasks))
    jobs = planned(workflow, tmp_path, "tables", *options, project=project)
    assert (jobs["pretrain_import"], jobs["pretrain_import_checkpoint"], jobs["finetune_instruct"]) == (1, 2, 1)
    assert not {"pretrain_adapter", "pretrain_merge", "pretrain_tokens", "pairs_language"} & jobs.keys()


@pytest.mark.resilience
def test_a_run_of_imported_checkpoints_gives_tables_and_detects_new_weights(tmp_path, workflow, project):
    tasks = {name: ["python"] if name == "codexglue" else [] for name in PLAIN_TASKS}
    options = ("--config", "models=[imported]", NO_COMMITS, evaluate(tasks=tasks))
    snakefile = ("--snakefile", str(project / "Snakefile"))
    workflow(tmp_path / "run", "tables", *snakefile, *options)
    tables = tmp_path / "run/results/tables"
    with (tables / "scores.csv").open(newline="") as stream:
        cells = {(row["benchmark"], row["checkpoint"]) for row in csv.DictReader(stream)}
    assert cells == {("codexglue", checkpoint) for checkpoint in ("base", "ircoder", "control")}
    with (tables / "differences.csv").open(newline="") as stream:
        assert {(row["checkpoint"], row["base"]) for row in csv.DictReader(stream)} == {("ircoder", "base")}
    assert "difference" in (tables / "main.md").read_text()
    assert planned(workflow, tmp_path / "run", "tables", *options, project=project) == {}
    alone = ("--config", "models=[imported]", NO_COMMITS, evaluate(tasks=tasks, checkpoints=["base"]))
    workflow(tmp_path / "run", "tables", *snakefile, *alone)
    assert "difference" not in (tables / "main.md").read_text().splitlines()[2]
    # Weights that were written again are imported again.
    for path in Path(project, "local/base").glob("*.safetensors"):
        path.write_bytes(path.read_bytes())
    jobs = planned(workflow, tmp_path / "run", "tables", *options, project=project)
    assert {"pretrain_import", "evaluate_generate"} <= jobs.keys()
    # Other weights generate other texts, and scores follow.
    cell = "codexglue/python/greedy/imported.base"
    generations, score = (
        tmp_path / f"run/results/{name}" for name in (f"generations/{cell}.jsonl.zst", f"scores/{cell}.json")
    )
    before = sha256_file(generations)
    torch.manual_seed(9)
    save_model(make_model({**GPT, "n_positions": 512}, tiny_tokenizer()), tiny_tokenizer(), project / "local/base")
    workflow(tmp_path / "run", "tables", *snakefile, *options)
    assert read_json(score)["inputs"]["generations"] == sha256_file(generations) != before
    assert planned(workflow, tmp_path / "run", "tables", *options, project=project) == {}
