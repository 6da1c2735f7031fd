"""Plans runs of the project's Snakefile in forks of one process that has imported all modules and knows the hashes of
all scripts: half of the time of a small plan.

The process reads a request a line from its input, a JSON object with `arguments`, `environment`, `folder` and `output`
(the file for what the run prints), and answers with the run's exit code.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

# What Snakemake and the Snakefile import, without what reads the environment when it is imported.
MODULES = (
    "snakemake.cli",
    "snakemake.workflow",
    "snakemake.executors.dryrun",
    "snakemake.scheduling.job_scheduler",
    "snakemake.report",
    "jsonschema",
    "referencing",
    "psutil",
    "pyarrow.parquet",
    "jinja2",
    "scripts.evaluate.plan",
    "scripts.workflow.config",
    "scripts.workflow.language_plan",
    "scripts.workflow.model_jobs",
    "scripts.workflow.requirements",
)

_LONGEST = 600  # seconds after which a plan is killed


def _run(request: dict) -> None:
    """Replace this process, a fork, by a run of Snakemake; does not return."""
    os.setsid()
    signal.alarm(_LONGEST)
    with open(os.devnull) as nothing, open(request["output"], "w") as output:  # noqa: PTH123  # files of descriptors
        os.dup2(nothing.fileno(), 0)
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.argv = ["snakemake", *request["arguments"]]
    from snakemake.cli import main

    main(request["arguments"])


def _serve() -> None:
    """Answer requests until the input ends."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    for name in MODULES:
        import_module(name)
    from scripts.lib.code_hash import SCRIPTS, direct_dependencies

    for path in SCRIPTS.rglob("*.py"):
        direct_dependencies(path)
    for line in sys.stdin:
        pid = os.fork()
        if not pid:
            _run(json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


class SnakemakeServer:
    """The process from the side of a test."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def run(self, arguments: Sequence[str], environment: dict[str, str], folder: Path) -> tuple[int, str]:
        """Exit code and output of Snakemake with some arguments, started in `folder`."""
        output = folder / ".snakemake-output"
        request = {"arguments": arguments, "environment": environment, "folder": str(folder), "output": str(output)}
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        code = int(self.process.stdout.readline())
        text = output.read_text()
        output.unlink()
        return code, text


@contextmanager
def snakemake_server() -> Iterator[SnakemakeServer]:
    """A server that ends with the context."""
    command = [sys.executable, str(Path(__file__).resolve())]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield SnakemakeServer(process)
        assert process.stdin
        process.stdin.close()


if __name__ == "__main__":
    _serve()
