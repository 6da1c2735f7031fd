"""A runner object from its entry in `config/benchmarks.yaml` and the limits of this run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.evaluate.python_runner import PythonRunner
from scripts.evaluate.runners import NativeRunner, Runner, RunnerSettings
from scripts.lib.sandbox import Limits

_KINDS = {"python": PythonRunner, "native": NativeRunner}


def limits_of(table: Mapping[str, Any], step: str, settings: Mapping[str, Any]) -> Limits | None:
    """Limits of a runner's step, `compile` or `execute`; None for a step that it does not have.

    `scale` lengthens them on a machine that is slower than the protocol's; `wall_factor` is how much longer than its
    CPU seconds a program may take by the clock, which other programs on the machine can stretch.
    """
    seconds = table["limits"].get(f"{step}_seconds")
    if seconds is None:
        return None
    seconds *= settings.get("scale", 1)
    return Limits(
        wall_seconds=seconds * settings["wall_factor"],
        cpu_seconds=seconds,
        memory_mb=table["limits"]["memory_mb"],
        processes=table["limits"]["processes"],
        address_space=table["limits"]["address_space"],
        output_bytes=100_000,
    )


def make_runner(table: Mapping[str, Any], settings: Mapping[str, Any]) -> Runner:
    """The runner of a table entry; `settings` has mode, wall_factor, shared and maybe scale."""
    own = RunnerSettings(
        kind=table["kind"],
        execute=limits_of(table, "execute", settings),
        compile=limits_of(table, "compile", settings),
        shared=str(Path(settings["shared"]).resolve()),
        mode=settings["mode"],
        table=table,
    )
    return _KINDS[table["kind"]](own)
