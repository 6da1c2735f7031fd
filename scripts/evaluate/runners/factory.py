"""A runner object from its entry in `config/runners.yaml` and the settings of this run."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from scripts.evaluate.runners.base import Runner, Setup
from scripts.evaluate.runners.compiled import CompiledRunner
from scripts.evaluate.runners.interpreted import PythonRunner, RubyRunner
from scripts.evaluate.runners.memory import MemoryPool
from scripts.evaluate.runners.script import ScriptRunner
from scripts.lib.sandbox.run import Sandbox
from scripts.lib.sandbox.toolchain import Toolchain, find_toolchain

KINDS: dict[str, Callable[[Setup], Runner]] = {
    "python": PythonRunner,
    "ruby": RubyRunner,
    "script": ScriptRunner,
    "compiled": CompiledRunner,
}


def toolchain_of(name: str, table: Mapping[str, Any], mode: str) -> Toolchain | None:
    """The tools of a runner; None when Python alone is needed; raise `InputError` naming packages when they lack."""
    return find_toolchain(name, table, Sandbox(work_mb=256, mode=mode)) if table["frontends"] else None


def make_runner(
    name: str, table: Mapping[str, Any], settings: Mapping[str, Any], memory: MemoryPool | None = None
) -> Runner:
    """The runner of a table entry; `settings` has mode, wall_factor and scale, and shared, a path.

    `output_characters` is 0 where it is absent, so that no output is kept. memory: what programs
    reserve before they start; None where one program runs at a time.
    """
    shared = str(Path(settings["shared"]).resolve())
    setup = Setup(
        table=table,
        toolchain=toolchain_of(name, table, settings["mode"]),
        shared=shared,
        mode=settings["mode"],
        scale=settings["scale"],
        wall_factor=settings["wall_factor"],
        output_characters=settings.get("output_characters", 0),
        memory=memory or MemoryPool(),
    )
    return KINDS[table["kind"]](setup)
