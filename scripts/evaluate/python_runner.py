"""Runs Python programs: each in two processes of one sandbox, program and tests apart (see `python_driver.py`)."""

import marshal
import os
import stat
import sys
from importlib.util import find_spec
from pathlib import Path

from scripts.evaluate.programs import Program
from scripts.evaluate.runners import RunnerSettings, Verdict, at_limit, secret
from scripts.lib.job import InputError
from scripts.lib.sandbox import Sandbox, run

DRIVER = Path(__file__).with_name("python_driver.py")
# What marshalled data of this version can be read by every Python 3.
_MARSHAL_VERSION = 2


def interpreter() -> Path:
    """The Python of this environment, behind all links, or the system's of the same version where root keeps it shut.

    Sandboxes that root starts run as `nobody`, who cannot enter, say, root's home. Raise `InputError` for neither.
    """
    own = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    system = Path(f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}")
    for python in (own, system):
        if os.geteuid() != 0 or (python.exists() and all(open_to_all(folder) for folder in python.parents)):
            return python
    raise InputError(f"{own} lies where only root can enter, and there is no {system}; run as an ordinary user")


def open_to_all(folder: Path) -> bool:
    """Whether every user may enter a folder."""
    return bool(folder.stat().st_mode & stat.S_IXOTH)


def library_folders() -> list[str]:
    """The folders of numpy, which some solutions import, as far as it is installed here."""
    spec = find_spec("numpy")
    if spec is None or spec.origin is None:
        return []
    numpy = Path(spec.origin).parent
    return [str(folder) for folder in (numpy, numpy.with_name("numpy.libs")) if folder.is_dir()]


class PythonRunner:
    """Loads a program in one process and runs its tests in another."""

    def __init__(self, settings: RunnerSettings) -> None:
        self.settings = settings
        libraries = library_folders()
        python = interpreter()
        folders = sorted({str(Path(folder).parent) for folder in libraries})
        self.command = [str(python), "-P", "-s", "-S", "-B", "-c", DRIVER.read_text(encoding="utf-8"), *folders]
        self.sandbox = Sandbox(
            read_only=(str(python.parent.parent), *libraries),
            env={"OPENBLAS_NUM_THREADS": "1", "PYTHONHASHSEED": "0"},
            work_mb=64,
            mode=settings.mode,
        )

    def judge(self, program: Program) -> Verdict:
        """See `runners.Runner`."""
        word = secret()
        request = (word, program.source, program.head, program.entry_point, program.tests)
        outcome = run(
            self.command,
            sandbox=self.sandbox,
            limits=self.settings.execute,
            stdin=marshal.dumps(request, _MARSHAL_VERSION),
        )
        limited = at_limit(outcome)
        if limited is not None:
            return limited
        said, _, verdict = outcome.stdout.decode("utf-8", "replace").partition(" ")
        if said != word or outcome.returncode != 0:
            return Verdict("runtime_error", f"exit code {outcome.returncode}", outcome.cpu_seconds)
        status, _, detail = verdict.partition(" ")
        return Verdict(status, detail, outcome.cpu_seconds)
