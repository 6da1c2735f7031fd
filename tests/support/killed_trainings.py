"""Trainings that are killed with SIGKILL and resumed."""

import json
import logging
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from scripts.lib.checkpoints import last_checkpoint
from scripts.lib.training.launch import PROGRESS, run_training
from scripts.lib.training.spec import TrainingSpec

RUN = "import sys; from scripts.lib.training.launch import run_training\n"
RUN += "from scripts.lib.training.spec import TrainingSpec\n"
RUN += "import logging; logging.basicConfig(level=logging.INFO, stream=sys.stdout)\n"
RUN += "run_training(TrainingSpec.read(sys.argv[1]))"


def kill_at(spec: TrainingSpec, folder: Path, step: int) -> None:
    """Start a training in a separate process and kill it with SIGKILL once it reports `step`."""
    spec.write(folder / "killed.json")
    with subprocess.Popen(
        [sys.executable, "-c", RUN, str(folder / "killed.json")], stdout=subprocess.PIPE, text=True
    ) as process:
        for line in process.stdout:
            report = line.partition(PROGRESS)[2]
            if report and json.loads(report)["step"] >= step:
                os.kill(process.pid, signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL, "the training ended before it was killed"


def trainers_of(spec: TrainingSpec) -> list[str]:
    """Command lines of running processes that train in the checkpoint folder of `spec`."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError as error:
            logging.debug("process gone: %s", error)
            continue
        if spec.checkpoints in line:
            lines.append(line)
    return lines


def killed_and_resumed(spec: TrainingSpec, folder: Path, caplog) -> TrainingSpec:
    """Train, get killed at a random step, and train again; return the specification.

    The training has `max_steps` steps, at least 100; `folder` is for a file.
    """
    kill_at(spec, folder, random.randint(20, spec.settings.max_steps - 60))
    deadline = time.monotonic() + 20
    while trainers_of(spec) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert trainers_of(spec) == []
    start = int(last_checkpoint(Path(spec.checkpoints)).rpartition("-")[2])
    caplog.clear()
    with caplog.at_level(logging.INFO):
        run_training(spec)
    reports = [json.loads(line.partition(PROGRESS)[2]) for line in caplog.messages if line.startswith(PROGRESS)]
    assert min(report["step"] for report in reports) > start > 0
    return spec
