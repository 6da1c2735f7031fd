"""Compile the operator that DeepSpeed needs for training on CPUs: its communication through shared memory.

DeepSpeed would compile it in the midst of a training; one that is killed then leaves a lock on which the next one waits
without a word.
"""

import os
import subprocess
import sys
from pathlib import Path

from scripts.lib.files import atomic_directory
from scripts.lib.job import InputError, job

_BUILD = """
from deepspeed.accelerator import get_accelerator
get_accelerator().create_op_builder("ShareMemCommBuilder").load()
"""


def build(output: str | Path, log: str) -> None:
    """Compile into the folder `output`; raise `InputError` with what is missing."""
    with atomic_directory(output) as folder, Path(log).open("a", encoding="utf-8") as stream:
        environment = {**os.environ, "TORCH_EXTENSIONS_DIR": str(folder.resolve()), "DS_ACCELERATOR": "cpu"}
        command = [sys.executable, "-c", _BUILD]
        done = subprocess.run(command, env=environment, stdout=stream, stderr=stream, check=False)
        if done.returncode:
            needed = "deepspeed, ninja, g++ and Python's headers"
            raise InputError(f"DeepSpeed's operator did not compile; install {needed} (see {log})")


if __name__ == "__main__":
    with job() as snakemake:
        build(snakemake.output[0], snakemake.log[1])
