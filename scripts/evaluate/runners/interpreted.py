"""Runs programs of interpreted languages: program and tests in two processes (see `runtime/harness.py`)."""

import json
import marshal
import os
import sys
from abc import ABC, abstractmethod
from importlib.util import find_spec
from pathlib import Path

from scripts.evaluate.runners.base import Setup, Verdict, at_limit, attested_verdict, new_nonce
from scripts.evaluate.runners.programs import Program
from scripts.lib.sandbox.bubblewrap import open_to_all
from scripts.lib.sandbox.run import Sandbox, run

RUNTIME = Path(__file__).parents[1] / "runtime"
# Compiling the harness again would take longer than most programs run. A program cannot import its
# parts.
_MODULES = ("arrays", "contents", "values", "errors", "stand_ins", "exchange", "messages", "peers", "harness")
_LOADER = """
import marshal, sys
codes = marshal.loads(open('harness', 'rb').read())
for name, code in codes:
    module = sys.modules[name] = type(sys)(name)
    exec(code, module.__dict__)
for name, _ in codes:
    del sys.modules[name]
module.main()
"""

# Where programs find numpy, so that they do not see the path of this project.
_LIBRARIES = "/opt/libraries"


def interpreter() -> Path:
    """The Python of this environment, without symbolic links, or the system's of the same version.

    The system's is used if only root can read this one, because other users can read it without more mounts.
    """
    current = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    system = Path(f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}")
    closed = os.geteuid() == 0 and not all(open_to_all(folder) for folder in current.parents)
    return system if closed and system.exists() else current


def library_folders() -> list[str]:
    """The folders of numpy, which some solutions import, as far as it is installed here."""
    spec = find_spec("numpy")
    if spec is None or spec.origin is None:
        return []
    numpy = Path(spec.origin).parent
    return [str(folder) for folder in (numpy, numpy.with_name("numpy.libs")) if folder.is_dir()]


class SplitRunner(ABC):
    """Hands program and tests to a harness that separates them; trusts a verdict only if it carries the nonce."""

    command: list[str]
    sandbox: Sandbox

    def __init__(self, setup: Setup) -> None:
        self.limits = setup.limits("execute")
        self.recorder, self.memory = setup.recorder, setup.memory

    @abstractmethod
    def files(self, nonce: str, program: Program) -> dict[str, bytes]:
        """What the harness reads, by file name."""

    def judge(self, program: Program) -> Verdict:
        """See `Runner`."""
        nonce = new_nonce()
        files = self.files(nonce, program)
        outcome = self.memory.run(
            self.limits, lambda limits: run(self.command, sandbox=self.sandbox, limits=limits, files=files)
        )
        return at_limit(outcome, self.recorder) or attested_verdict(outcome, nonce, self.recorder)


class PythonRunner(SplitRunner):
    """Runs Python programs with the Python of this environment."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        libraries = library_folders()
        python = interpreter()
        # Without docstrings (`optimize`), which would take a quarter of the time in which the harness is loaded.
        texts = [(name, (RUNTIME / f"{name}.py").read_bytes()) for name in _MODULES]
        codes = [compile(text, f"{name}.py", "exec", optimize=2) for name, text in texts]
        # The interpreter is of this Python's version, so it takes this Python's code.
        self.harness = marshal.dumps(tuple(zip(_MODULES, codes, strict=True)))
        self.command = [str(python), "-P", "-s", "-S", "-B", "-c", _LOADER, *([_LIBRARIES] if libraries else [])]
        self.sandbox = Sandbox(
            read_only=(str(python.parent.parent),),
            binds={f"{_LIBRARIES}/{Path(folder).name}": folder for folder in libraries},
            # Sets of texts are walked through in the same order in every run.
            env={"OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"},
            work_mb=64,
            mode=setup.mode,
        )

    def files(self, nonce: str, program: Program) -> dict[str, bytes]:
        """See `runtime/harness.py`."""
        request = (nonce, program.files[0][1], program.entry_point, program.tests)
        return {"harness": self.harness, "head": marshal.dumps(program.head), "request": marshal.dumps(request)}


class RubyRunner(SplitRunner):
    """Runs Ruby programs with test-unit."""

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup)
        harness = (RUNTIME / "harness.rb").read_text(encoding="utf-8")
        self.command = [*setup.tools.command(["ruby", "--disable=did_you_mean"]), "-e", harness]
        self.sandbox = setup.tools.sandbox

    def files(self, nonce: str, program: Program) -> dict[str, bytes]:
        """See `runtime/harness.rb`."""
        parts = {"nonce": nonce, "program": program.files[0][1], "tests": program.tests, "name": program.entry_point}
        return {"request": json.dumps(parts).encode()}
