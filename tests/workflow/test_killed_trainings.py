"""Each of the three trainings, killed at a random step and run again: byte-identical weights."""

import json
import random
import re
import shutil
import subprocess
import time
from contextlib import suppress

import psutil
import pytest

from scripts.lib.files import sha256_file
from scripts.lib.sandbox.supervise import kill
from scripts.lib.training.launch import PROGRESS
from scripts.workflow.recovery import prepare
from tests.workflow.conftest import ROOT, snakemake_command, snakemake_environment

pytestmark = pytest.mark.resilience

STEPS = 60
TRAINING = {"max_steps": STEPS, "epochs": 60, "eval_steps": STEPS, "save_steps": 4}
OVERLAY = {
    "pretrain": {"training": {**TRAINING, "trackers": []}},
    "instruct": {"training": TRAINING},
    "commits": {"training": TRAINING},
}
MODEL = "results/models/tiny-gpt-bigcode"
# For each training: the name of its checkpoints, the folder that it writes, and its weights.
TRAININGS = {
    "pretrain": ("pretrain", "adapter", "ircoder/model.safetensors"),
    "instruct": ("ircoder-instruct", "ircoder-instruct", "ircoder-instruct/adapter_model.safetensors"),
    "commits": ("ircoder-commits-Python", "ircoder-commits-Python", "ircoder-commits-Python/adapter_model.safetensors"),
}


def arguments(folder, *targets):
    """Arguments of a run with small settings and trainings that are long enough to be killed."""
    overlay = folder / "overlay.json"
    overlay.write_text(json.dumps(OVERLAY))
    return [*targets, "--configfile", str(ROOT / "tests/workflow/tiny.yaml"), str(overlay)]


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory, workflow):
    """The folder of a run of all trainings that was not interrupted."""
    folder = tmp_path_factory.mktemp("unbroken")
    workflow(folder, *arguments(folder, "finetune"))
    return folder


def trainers(run):
    """Ids of the training processes of a run."""
    ids = []
    for process in psutil.Process(run.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if "scripts.lib.training.worker" in process.cmdline():
                ids.append(process.pid)
    return ids


def reached(checkpoints):
    """The step of the last complete checkpoint; 0 without one."""
    return max(
        (int(path.parent.name.split("-")[1]) for path in checkpoints.glob("*/checkpoint-*/complete.json")), default=0
    )


def first_steps(logs):
    """The first step that each training reported in its log."""
    reports = [re.findall(rf'{PROGRESS}{{"step": (\d+)', path.read_text()) for path in logs.rglob("*.log")]
    return [int(steps[0]) for steps in reports if steps]


@pytest.mark.parametrize("training", TRAININGS)
def test_a_killed_training_gives_the_same_bytes(training, unbroken, workflow, tmp_path):
    name, written, weights = TRAININGS[training]
    folder = tmp_path / "killed"
    shutil.copytree(unbroken, folder, symlinks=True)
    last = weights.partition("/")[0]
    for name_of_folder in {written, last}:
        shutil.rmtree(folder / MODEL / name_of_folder)
    options, step = arguments(folder, f"{MODEL}/{last}"), random.randint(4, STEPS // 2)
    checkpoints = folder / "results/checkpoints/tiny-gpt-bigcode"
    with (tmp_path / "log").open("w") as log:
        run = subprocess.Popen(snakemake_command(folder, *options), env=snakemake_environment(), stdout=log, stderr=log)
        while reached(checkpoints) < step - step % 4:
            assert run.poll() is None, (tmp_path / "log").read_text()
            time.sleep(0.01)
        killed = trainers(run)
        kill(killed)
        assert killed
        assert run.wait() != 0
    [workspace] = [path for path in checkpoints.iterdir() if path.name.startswith(name)]
    start = reached(checkpoints)
    assert 0 < start < STEPS
    assert not (folder / MODEL / written).exists()
    prepare(folder)
    workflow(folder, *options)
    assert not workspace.exists()
    # The copied logs of the other trainings start at step 0. Steps are reported at checkpoints and
    # every ten steps.
    [first] = [step for step in first_steps(folder / "results/logs") if step]
    assert start < first <= start + 4
    assert sha256_file(folder / MODEL / weights) == sha256_file(unbroken / MODEL / weights)
