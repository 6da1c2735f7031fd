"""Compile DeepSpeed's operator for training on CPUs: communication through shared memory.

DeepSpeed would compile it during the training, and a training killed meanwhile would leave a lock
for which the next one waits silently.
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
    """Compile into the folder `output`; raises `InputError` with the required packages."""
    with atomic_directory(output) as folder, Path(log).open("a", encoding="utf-8") as stream:
        environment = {**os.environ, "TORCH_EXTENSIONS_DIR": str(folder.resolve()), "DS_ACCELERATOR": "cpu"}
        command = [sys.executable, "-c", _BUILD]
        result = subprocess.run(command, env=environment, stdout=stream, stderr=stream, check=False)
        if result.returncode:
            required = "deepspeed, ninja, g++ and Python's headers"
            raise InputError(f"DeepSpeed's operator did not compile (see {log}); install {required}")


if __name__ == "__main__":
    with job() as snakemake:
        build(snakemake.output[0], snakemake.log[1])
