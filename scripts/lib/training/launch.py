"""Start a training, one or several processes of `scripts.lib.training.worker`, and follow its output."""

import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Never

from tqdm import tqdm

from scripts.lib.checkpoints import last_checkpoint
from scripts.lib.files import read_json, write_json
from scripts.lib.job import InputError, progress_bar
from scripts.lib.system_calls import die_with_parent
from scripts.lib.training.preflight import check_training
from scripts.lib.training.spec import TrainingSettings, TrainingSpec

# Environment variable with the id of the process that runs a training.
JOB = "IRCODER_TRAINING_JOB"
# Prefixes in the output of the training processes: of progress reports, and of an error that the
# user can fix.
PROGRESS = "progress "
ERROR = "error "
# Launcher messages about a killed process: accelerate's for one process, torch's for several.
_KILLED = re.compile(r"Signals\.SIGKILL|exitcode *: -9\b")
# The level of a line in the form of scripts.lib.job, or in that of torch, such as "W1126 01:02:03".
_LEVEL = re.compile(r"(?:(DEBUG|INFO|WARNING|ERROR|CRITICAL) |(?=([IWEF])\d{4} \d\d:\d\d:))(.*)", re.DOTALL)
_LEVELS = {"I": logging.INFO, "W": logging.WARNING, "E": logging.ERROR, "F": logging.CRITICAL}
_LEVELS |= {name: getattr(logging, name) for name in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")}
_ROOT = Path(__file__).resolve().parents[3]


def compiled_operators(operators: Sequence[str] | None) -> str | None:
    """`TrainingSpec.extensions` for a rule's input of compiled operators; None if it has none."""
    return str(Path(operators[0]).resolve()) if operators else None


def _launcher_config(settings: TrainingSettings) -> dict[str, Any]:
    """Configuration of `accelerate launch`, instead of the one in the user's home."""
    distribution = "MULTI_GPU" if settings.processes > 1 else "NO"
    return {
        "compute_environment": "LOCAL_MACHINE",
        "distributed_type": "DEEPSPEED" if settings.deepspeed else distribution,
        "num_processes": settings.processes,
        "num_machines": 1,
        "machine_rank": 0,
        "main_process_port": 0,
        "debug": False,
        "use_cpu": False,
    }


def _command(settings: TrainingSettings, folder: Path) -> list[str]:
    """The command that trains by the specification in `folder`.

    Several processes and DeepSpeed need `accelerate launch`; for one process it would only import what
    the worker imports again, which takes seconds.
    """
    worker = ["scripts.lib.training.worker", str(folder / "spec.json")]
    if settings.processes == 1 and not settings.deepspeed:
        return [sys.executable, "-m", *worker]
    write_json(folder / "accelerate.json", _launcher_config(settings))
    launcher = [sys.executable, "-m", "accelerate.commands.accelerate_cli", "launch"]
    # As an option, not in the file: there it makes accelerate reject a DeepSpeed configuration.
    return [*launcher, "--config_file", str(folder / "accelerate.json"), "--mixed_precision", "no", "--module", *worker]


def _environment(spec: TrainingSpec) -> dict[str, str]:
    """Environment of the training processes: threads, no network, no GPU unless the model needs
    one.
    """
    values = {
        # Snakemake removes PYTHONPATH from the environment of jobs with a conda environment.
        "PYTHONPATH": os.pathsep.join([str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]),
        "OMP_NUM_THREADS": str(spec.settings.threads),
        "MKL_NUM_THREADS": str(spec.settings.threads),
        "TOKENIZERS_PARALLELISM": "false",
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "ACCELERATE_LOG_LEVEL": "WARNING",
        # As `accelerate launch` sets them by the configuration above; the user's shell may have others.
        "ACCELERATE_MIXED_PRECISION": "no",
        "ACCELERATE_USE_CPU": "False",
        "ACCELERATE_DYNAMO_BACKEND": "NO",
        JOB: str(os.getpid()),
    }
    if spec.extensions:
        values["TORCH_EXTENSIONS_DIR"] = spec.extensions
    if spec.tensorboard and "tensorboard" in spec.settings.trackers:
        values["TENSORBOARD_LOGGING_DIR"] = spec.tensorboard
    if "wandb" in spec.settings.trackers:
        values |= {"WANDB_DIR": spec.checkpoints, "WANDB_PROJECT": os.environ.get("WANDB_PROJECT", "ircoder")}
    if not spec.gpu:
        values |= {"CUDA_VISIBLE_DEVICES": "", "DS_ACCELERATOR": "cpu"}
    return {**os.environ, **values}


def _level_and_text(line: str) -> tuple[int, str, str]:
    """Level, format and text of a line that a training printed; INFO where it names no level."""
    if match := _LEVEL.match(line):
        name, initial, text = match.groups()
        return _LEVELS[name or initial], "%s", text
    return logging.INFO, "%s", line


def _follow(process: subprocess.Popen[str]) -> tuple[str, bool]:
    """Log all output of a training, each line at the level that it names, and report progress.

    Returns the error that the training reported for the user, empty for none, and whether a
    launcher reported a killed process.
    """
    error, killed = "", False
    bar: tqdm[Never] = progress_bar("training, steps", total=1)
    with bar:
        for line in process.stdout or ():
            logging.log(*_level_and_text(line.rstrip()))
            killed = killed or bool(_KILLED.search(line))
            error = line.removeprefix(ERROR).strip() if line.startswith(ERROR) else error
            if line.startswith(PROGRESS):
                report = json.loads(line.removeprefix(PROGRESS))
                bar.total = report["of"]
                bar.update(report["step"] - bar.n)
    return error, killed


def run_training(spec: TrainingSpec) -> dict[str, Any]:
    """Run a training, from its last complete checkpoint if there is one; return its recorded facts.

    The output of the processes goes to this process's log. Raises `InputError` for an error that
    the user can fix, `RuntimeError` for any other failure.
    """
    folder = Path(spec.checkpoints)
    folder.mkdir(parents=True, exist_ok=True)
    check_training(spec)
    if spec.tensorboard and last_checkpoint(folder) is None:
        shutil.rmtree(spec.tensorboard, ignore_errors=True)
    spec.write(folder / "spec.json")
    with subprocess.Popen(
        _command(spec.settings, folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=_environment(spec),
        preexec_fn=die_with_parent,
    ) as process:
        error, killed = _follow(process)
    if process.returncode:
        raise _exception(process.returncode, error, killed)
    return read_json(folder / "facts.json")


def _exception(code: int, error: str, killed: bool) -> Exception:
    """The exception for a training that ended with exit code `code`, reported `error` or was
    killed.
    """
    if error:
        return InputError(error)
    if killed or code == -signal.SIGKILL:
        return InputError(
            "the training was killed, often because memory ran out; lower `batch_size` or raise the job's mem_mb, "
            "and run again to resume from its last checkpoint"
        )
    return RuntimeError(f"the training ended with exit code {code}; see its log for the output")
