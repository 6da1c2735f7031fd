"""Verdicts of the runners of compiled languages and Ruby on single completions, with low limits."""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.benchmarks.stop_sequences import Stop
from scripts.evaluate.prepare_runner import build_shared
from scripts.evaluate.runners.base import Runner, Verdict
from scripts.evaluate.runners.factory import make_runner, toolchain_of
from scripts.evaluate.runners.programs import COMPOSERS, Prelude
from scripts.lib.files import atomic_directory

COMMANDS = {"cpp": "g++", "d": "ldc2", "go": "go", "ruby": "ruby", "rust": "rustc"}


def judge_of(tables: Mapping[str, Any], folder_of: Callable[[str], Path]) -> Callable[..., Verdict]:
    """A function that judges a completion by the runner `name` of `tables`; runners are made when they are used."""
    runners: dict[str, Runner] = {}

    def runner_of(name: str) -> Runner:
        command = COMMANDS[name.partition("-")[0]]
        if shutil.which(command) is None:
            pytest.skip(f"{command} is not installed")
        if name not in runners:
            table, shared = tables[name], str(folder_of("runner") / "shared")
            with atomic_directory(shared) as folder:
                if "prepare" in table:
                    build_shared(folder, table["prepare"], toolchain_of(name, table, "off"))
            execute = {**table["limits"]["execute"], "seconds": 3}
            table = {**table, "limits": {**table["limits"], "execute": execute}}
            settings = {"mode": "bubblewrap", "wall_factor": 8, "scale": 1, "shared": shared}
            runners[name] = make_runner(name, table, settings)
        return runners[name]

    def judge(name: str, context: str, completion: str, tests: str) -> Verdict:
        row = {"test_setup": "", "import": ""}
        problem = Problem("p", "p", "", Stop(), context, tests, "twice", row=row)
        return runner_of(name).judge(COMPOSERS[tables[name]["compose"]](Prelude(), problem, completion))

    return judge
