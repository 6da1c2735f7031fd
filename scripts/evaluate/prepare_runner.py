"""Check that the sandbox and a runner's tools work, and build the files that its programs share.

It runs before anything is generated. The runner must accept a correct program and reject a wrong
one, one that does not compile, and one that ends before its tests. Its version is recorded in the
results.
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
from scripts.evaluate.runners.programs import Prelude, composer
from scripts.lib.files import atomic_directory, write_json
from scripts.lib.job import InputError, job
from scripts.lib.sandbox import run
from scripts.lib.sandbox.toolchain import Toolchain


def variables(toolchain: Toolchain) -> dict[str, str]:
    """Environment variables with the paths of tools and folders: GXX for `g++`, GO for `go`."""
    tools = {name: tool.outside for name, tool in toolchain.tools.items()}
    return {re.sub(r"\W", "X", name).upper(): path for name, path in {**tools, **toolchain.paths}.items()}


def build_shared(folder: Path, command: list[str], toolchain: Toolchain | None) -> None:
    """Fill `folder` by a script of `runtime/`, whose name and arguments are `command`.

    Raises `InputError` when the script fails.
    """
    arguments = ["sh", str(RUNTIME / command[0]), str(RUNTIME), *command[1:]]
    environment = {**os.environ, **(variables(toolchain) if toolchain else {})}
    done = subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        message = " ".join(done.stderr.split())[-400:]
        raise InputError(f"{command[0]} fails (exit code {done.returncode}); check it with `make doctor`: {message}")


def umask_remedy() -> str:
    """What to do when the umask makes new files unreadable for the user of root's sandboxes.

    Empty when it does not.
    """
    mask = os.umask(0)
    os.umask(mask)
    if os.geteuid() != 0 or not mask & 0o005:
        return ""
    return (
        f"umask {mask:03o} makes the run's files unreadable for the user nobody, as whom programs run; "
        "set `umask 022` and run again"
    )


def check_verdicts(name: str, table: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Raise `InputError` unless every program of the runner's self test gets its verdict."""
    runner, test = make_runner(name, table, settings), table["self_test"]
    packages = f"apt-get install {' '.join(table['apt'])}" if table["apt"] else f"envs/{table['env']}.yaml"
    problem = Problem(
        name,
        name,
        "",
        Stop(),
        test["context"],
        test["tests"],
        test["entry_point"],
        row={"test_setup": "", "import": ""},
    )
    for expected, completions in test["completions"].items():
        for completion in completions:
            verdict = runner.judge(composer(table)(Prelude(), problem, completion))
            logging.info("%s program: %s %s, %.2f s", expected, verdict.status, verdict.detail, verdict.cpu_seconds)
            if verdict.status != expected:
                remedy = f"check that its tools are installed and work ({packages}), or raise its limits in"
                raise InputError(
                    f"the runner '{name}' returns '{verdict.status}' ({verdict.detail}) for a program whose verdict "
                    f"should be '{expected}' and which ends in {completion!r}; "
                    f"{umask_remedy() or f'{remedy} config/runners.yaml'}"
                )


def version_of(toolchain: Toolchain | None) -> str:
    """Names and versions of a runner's tools, or of Python where it needs no other tools."""
    if toolchain is not None:
        return toolchain.compiler
    done = subprocess.run([str(interpreter()), "--version"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def prepare(name: str, table: Mapping[str, Any], settings: Mapping[str, Any], shared: str) -> dict[str, str]:
    """Fill the folder `shared`, check the runner, and return its name, version and kind of sandbox.

    Raises `InputError` when tools are missing or a verdict is not the expected one.
    """
    run.probe(settings["mode"])
    inside = toolchain_of(name, table, settings["mode"])
    with atomic_directory(shared) as folder:
        if table.get("prepare"):
            # These scripts are trusted and write into the folder, so they run without the sandbox.
            build_shared(folder, table["prepare"], toolchain_of(name, table, "off"))
    check_verdicts(name, table, {**settings, "shared": shared, "scale": 1})
    return {"runner": name, "version": version_of(inside), "sandbox": settings["mode"]}


if __name__ == "__main__":
    with job() as snakemake:
        params, output = snakemake.params, snakemake.output
        probe = prepare(snakemake.wildcards.runner, params.table, params.settings, output.shared)
        write_json(output.probe, probe)
        print(f"runner {probe['runner']}: {probe['version']}", file=sys.stderr)
