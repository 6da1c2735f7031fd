"""Before anything is generated: see that the sandbox and a runner's tools work here, and make what its programs share.

The runner must accept a right program and refuse one that is wrong, one that does not compile and one that ends before
its tests. What it says about its version goes into the results.
"""

import logging
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.benchmarks.stop_sequences import Stop
from scripts.evaluate.runners.factory import make_runner, toolchain_of
from scripts.evaluate.runners.interpreted import RUNTIME, interpreter
from scripts.evaluate.runners.programs import COMPOSERS, Prelude
from scripts.lib.files import atomic_directory, write_json
from scripts.lib.job import InputError, job
from scripts.lib.sandbox import run
from scripts.lib.sandbox.toolchain import Toolchain


def variables(toolchain: Toolchain) -> dict[str, str]:
    """Environment variables that tell a script where tools and places of the table are: GXX for `g++`, GO for `go`."""
    tools = {name: tool.outside for name, tool in toolchain.tools.items()}
    return {re.sub(r"\W", "X", name).upper(): path for name, path in {**tools, **toolchain.paths}.items()}


def make_shared(folder: Path, command: list[str], toolchain: Toolchain) -> None:
    """Fill `folder` by a script of `runtime/`, the first word of `command`; raise `InputError` when it fails."""
    words = ["sh", str(RUNTIME / command[0]), str(RUNTIME), *command[1:]]
    environment = {**os.environ, **variables(toolchain)}
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise InputError(f"{command[0]} fails (exit code {done.returncode}): {' '.join(done.stderr.split())[-400:]}")


def closed_files() -> str:
    """What to do when the umask closes new files to the user that root's programs run as; empty when it does not."""
    mask = os.umask(0)
    os.umask(mask)
    if os.geteuid() != 0 or not mask & 0o005:
        return ""
    return f"umask {mask:03o} closes the run's files to the user nobody, as whom programs run: run it after `umask 022`"


def check_verdicts(name: str, table: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Raise `InputError` unless the runner tells right programs from wrong ones."""
    runner, own = make_runner(name, table, settings), table["self_test"]
    packages = f"apt-get install {' '.join(table['apt'])}" if table["apt"] else f"envs/{table['env']}.yaml"
    problem = Problem(
        name, name, "", Stop(), own["context"], own["tests"], own["entry_point"], row={"test_setup": "", "import": ""}
    )
    for expected, completions in own["completions"].items():
        for completion in completions:
            verdict = runner.judge(COMPOSERS[table["compose"]](Prelude(), problem, completion))
            logging.info("%s program: %s %s, %.2f s", expected, verdict.status, verdict.detail, verdict.cpu_seconds)
            if verdict.status != expected:
                works = f"see whether all that it needs is there and works ({packages}), or raise its limits in"
                raise InputError(
                    f"the runner '{name}' says '{verdict.status}' ({verdict.detail}) of a program that is {expected}, "
                    f"ending in {completion!r}; {closed_files() or f'{works} config/runners.yaml'}"
                )


def version_of(toolchain: Toolchain | None) -> str:
    """Names and versions of a runner's tools, or of the Python that runs programs."""
    if toolchain is not None:
        return toolchain.compiler
    done = subprocess.run([str(interpreter()), "--version"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def prepare(name: str, table: Mapping[str, Any], settings: Mapping[str, Any], shared: str) -> dict[str, str]:
    """Fill the folder `shared`, try the runner, and return what is to be known of it."""
    run.probe(settings["mode"])
    inside = toolchain_of(name, table, settings["mode"])
    with atomic_directory(shared) as folder:
        if table["prepare"]:
            # Trusted scripts write into the folder, which no sandbox lets them do.
            make_shared(folder, table["prepare"], toolchain_of(name, table, "off"))
    check_verdicts(name, table, {**settings, "shared": shared, "scale": 1})
    return {"runner": name, "version": version_of(inside), "sandbox": settings["mode"]}


if __name__ == "__main__":
    with job() as snakemake:
        params, output = snakemake.params, snakemake.output
        found = prepare(snakemake.wildcards.runner, params.table, params.settings, output.shared)
        write_json(output.probe, found)
        print(f"runner {found['runner']}: {found['version']}", file=sys.stderr)
