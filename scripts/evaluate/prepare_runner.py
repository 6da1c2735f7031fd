"""Before anything is generated: see that the sandbox and a runner's tools work here, and make what its programs share.

The runner must accept a right program and refuse one that is wrong, one that does not compile and one that ends before
its tests. What it says about its version goes into the results.
"""

import logging
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.evaluate.problems import Problem
from scripts.evaluate.programs import COMPOSERS
from scripts.evaluate.python_runner import interpreter
from scripts.evaluate.run_settings import make_runner
from scripts.evaluate.stops import Stop
from scripts.lib import sandbox
from scripts.lib.files import atomic_directory, write_json
from scripts.lib.job import InputError, job

WITNESS = Path(__file__).with_name("witness.c")


def check_tools(runner: str, tools: Mapping[str, str]) -> None:
    """Raise `InputError`, naming the Debian package, for the first tool that is not there."""
    for tool, package in tools.items():
        if shutil.which(tool) is None:
            raise InputError(f"the runner '{runner}' needs {tool}, which is not on PATH; apt-get install {package}")


def tool_version(command: list[str]) -> str:
    """First line that the version command prints; for none, the version of the Python that runs programs."""
    if not command:
        command = [str(interpreter()), "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise InputError(f"`{' '.join(command)}` fails (exit code {done.returncode}): {done.stderr.strip()[:200]}")
    return (done.stdout or done.stderr).splitlines()[0].strip()


def make_shared(folder: Path, table: Mapping[str, Any]) -> None:
    """What the programs of a native runner share: the witness as an object file and the precompiled common header."""
    if table["kind"] != "native":
        return
    _build(["cc", "-c", "-O1", str(WITNESS), "-o", "witness.o"], folder)
    if "header" in table:
        (folder / "header.h").write_text(table["header"], encoding="utf-8")
        _build(table["precompile"], folder)


def _build(command: list[str], folder: Path) -> None:
    """Run a trusted compile command; raise `InputError` with its message when it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise InputError(f"`{' '.join(command)}` fails: {' '.join(done.stderr.split())[:400]}")


def check_verdicts(runner: str, table: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Raise `InputError` unless the runner tells right programs from wrong ones."""
    own = make_runner(table, settings)
    compose = COMPOSERS[table["compose"]]
    for expected, completion in table["self_test"]["completions"].items():
        problem = Problem("", "", "", Stop(), table["self_test"]["context"], table["self_test"]["tests"])
        verdict = own.judge(compose("", problem, completion))
        logging.info("%s program: %s %s, %.2f s", expected, verdict.status, verdict.detail, verdict.cpu_seconds)
        if verdict.status != expected:
            raise InputError(
                f"the runner '{runner}' says '{verdict.status}' ({verdict.detail}) of a program that is {expected}; "
                "see whether its tools work, or raise the limits in config/benchmarks.yaml"
            )


if __name__ == "__main__":
    with job(snakemake):
        table, settings = snakemake.params.table, dict(snakemake.params.settings)
        name = snakemake.wildcards.runner
        sandbox.probe(settings["mode"])
        check_tools(name, table["tools"])
        version = tool_version(table["version"])
        with atomic_directory(snakemake.output.shared) as folder:
            make_shared(folder, table)
        check_verdicts(name, table, {**settings, "shared": snakemake.output.shared})
        write_json(snakemake.output.probe, {"runner": name, "version": version, "sandbox": settings["mode"]})
        print(f"runner {name}: {version}", file=sys.stderr)
