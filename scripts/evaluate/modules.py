"""Check the modules of one generation file: whether they are valid, what they define and print.

A module is parsed and verified by llvmlite's LLVM. If it is valid, its `main` is run by LLVM's JIT
compiler in the sandbox, on the input that lies next to the program's source (`input.txt`), or on
none. What it must print is what the compiler's module prints in the same way. Modules that need
more than the C and C++ libraries, such as the runtime of their language, are not run.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

from scripts.evaluate.benchmarks.problems import Problem
from scripts.evaluate.benchmarks.task import Task, read_problems
from scripts.evaluate.generations import Generation, read_generations
from scripts.evaluate.runners.interpreted import RUNTIME, interpreter
from scripts.lib.job import InputError, job, progress
from scripts.lib.llvm import InvalidIRError, defined_functions
from scripts.lib.parquet import write_table
from scripts.lib.sandbox.isolation import IsolationError, isolated
from scripts.lib.sandbox.run import Limits, Sandbox, run
from scripts.lib.schemas.evaluation import MODULE_CHECKS, ModuleRun

INPUT = "input.txt"
_READING = Limits(wall_seconds=60, cpu_seconds=20, memory_mb=2000)
_RUNNING = Limits(wall_seconds=60, cpu_seconds=10, memory_mb=2000, output_bytes=1_000_000, processes=16)
_LIBRARIES = "/opt/libraries"
_SHARED = ("libstdc++.so.6",)
_MESSAGE = 200


class ModuleRunner:
    """Runs modules by LLVM's JIT compiler, each in a sandbox."""

    def __init__(self, mode: str) -> None:
        """`mode` is `bubblewrap`, or `off` for no sandbox. Raises `InputError` without llvmlite."""
        spec = find_spec("llvmlite")
        if spec is None or spec.origin is None:
            raise InputError("llvmlite is not installed; install the packages of envs/host/requirements.txt")
        package, python = Path(spec.origin).parent, interpreter()
        libraries = _LIBRARIES if mode == "bubblewrap" else str(package.parent)
        script = (RUNTIME / "run_module.py").read_text(encoding="utf-8")
        self.command = [str(python), "-P", "-s", "-S", "-B", "-c", script, libraries, "module.ll", *_SHARED]
        self.sandbox = Sandbox(
            read_only=(str(python.parent.parent),),
            binds={f"{_LIBRARIES}/llvmlite": str(package)},
            work_mb=64,
            mode=mode,
        )

    def output(self, module: str, stdin: bytes) -> bytes | None:
        """What a module prints; None if it fails or exceeds a limit."""
        outcome = run(
            self.command, sandbox=self.sandbox, limits=_RUNNING, stdin=stdin, files={"module.ll": module.encode()}
        )
        return outcome.stdout if outcome.status == "exited" and outcome.returncode == 0 else None


def functions_of(module: str) -> tuple[list[str], str]:
    """The functions that a module defines, and an empty text; or none, and why it is not valid."""
    try:
        return isolated(defined_functions, module, limits=_READING), ""
    except (InvalidIRError, IsolationError) as error:
        return [], str(error)[:_MESSAGE] or "invalid"


def input_of(problem: Problem, corpus: str) -> bytes:
    """The input next to the source of a problem's program; empty where there is none."""
    source = problem.row["path"]
    path = Path(corpus, source).parent / INPUT if source else None
    return path.read_bytes() if path is not None and path.is_file() else b""


def expected_outputs(
    runner: ModuleRunner, problems: Iterable[Problem], inputs: Mapping[str, bytes], workers: int
) -> dict[str, bytes]:
    """What the compilers' modules print, by problem; without those that fail, print nothing, or
    print something else in a second run.
    """

    def both(problem: Problem) -> tuple[str, bytes | None]:
        first, second = (runner.output(problem.target, inputs[problem.id]) for _ in range(2))
        return problem.id, first if first == second else None

    with ThreadPoolExecutor(workers) as pool:
        return {name: output for name, output in pool.map(both, problems) if output}


def run_outcome(runner: ModuleRunner, module: str, is_valid: bool, stdin: bytes, expected: bytes | None) -> ModuleRun:
    """What becomes of running a module that should print `expected`."""
    if expected is None:
        return ModuleRun.UNKNOWN
    if not is_valid:
        return ModuleRun.INVALID
    return ModuleRun.EQUAL if runner.output(module, stdin) == expected else ModuleRun.DIFFERENT


def check_modules(
    runner: ModuleRunner,
    problems: Mapping[str, Problem],
    generations: Sequence[Generation],
    corpus: str,
    workers: int,
) -> list[dict[str, object]]:
    """Rows of the table of generated modules.

    problems: by id, all that were generated for. corpus: the folder that paths of sources begin in.
    """
    own = [problems[generation.id] for generation in generations]
    inputs = {problem.id: input_of(problem, corpus) for problem in own}
    expected = expected_outputs(runner, own, inputs, workers)
    logging.info("%d of %d programs can be run from their modules", len(expected), len(own))
    wanted = {problem.id: set(functions_of(problem.target)[0]) for problem in own}
    rows, modules = [], []
    for generation in progress(generations, "reading modules"):
        for sample, module in enumerate(generation.completions):
            defined, message = functions_of(module)
            functions = wanted[generation.id]
            checked = {"id": generation.id, "sample": sample, "is_valid": not message, "message": message}
            rows.append({**checked, "functions": len(functions), "defined": len(functions & set(defined))})
            modules.append(module)

    def outcome(row: dict[str, object], module: str) -> str:
        name = str(row["id"])
        return run_outcome(runner, module, bool(row["is_valid"]), inputs[name], expected.get(name))

    with ThreadPoolExecutor(workers) as pool:
        runs = list(pool.map(outcome, rows, modules))
    checks = [{**row, "run": status} for row, status in zip(rows, runs, strict=True)]
    return sorted(checks, key=lambda row: (row["id"], row["sample"]))


if __name__ == "__main__":
    with job() as snakemake:
        files, params = snakemake.input, snakemake.params
        problems = {problem.id: problem for problem in read_problems(Task(**params.task, rows=files.rows))}
        runner = ModuleRunner(params.mode)
        generations = read_generations(files.generations)
        rows = check_modules(runner, problems, generations, params.corpus, snakemake.threads)
        write_table(snakemake.output[0], rows, MODULE_CHECKS.schema)
