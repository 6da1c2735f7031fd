"""What a run's evaluation is planned from, and the names that its plan uses.

A path that a rule writes begins with Snakemake's path variable `<results>`, which stands for the
key `results_dir`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

# An entry of a YAML file, which its schema has checked.
Entry = Mapping[str, Any]

CONTROL = "control"  # setting and checkpoint of the controls
CONTROLS = ("reference", "empty")
CEILING = "ceiling"
SCORERS = ("reference", "random")  # the controls of likelihoods
LIKELIHOOD = "likelihood"  # value of a benchmark's `measure`, and the setting of its score files
TEACHER_FORCED = "teacher-forced"
SOURCE_TO_LLVM = "source_to_llvm"  # the direction of training in which modules are written
COMMITS = "commits"  # the benchmark whose tasks are the languages of the key `commits`
FETCHED = "<results>/benchmark-data"


class Cell(NamedTuple):
    """One score file of a task: a checkpoint of a model in a setting, or a control."""

    setting: str
    model: str
    checkpoint: str


def setting_name(temperature: float) -> str:
    """Name of a sampling temperature in paths and tables."""
    return f"t{temperature:g}" if temperature else "greedy"


def packaged_file(download: Entry) -> str:
    """Path of a data file of an installed Python package; the error for a missing package names
    this path. It is relative below the working directory, so that a moved `.venv` reruns nothing.
    """
    spec = find_spec(download["package"])
    folder = Path(spec.origin).parent if spec and spec.origin else Path(f"package {download['package']}")
    below = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
    return str(below / download["file"])


@dataclass(frozen=True)
class Inputs:
    """What a plan is made from.

    config: the checked configuration. benchmarks, runners: the tables of the same names.
    root: the project's folder, to which paths in the config are relative.
    """

    config: Entry
    benchmarks: Mapping[str, Entry]
    runners: Mapping[str, Entry]
    root: Path

    @property
    def data_dir(self) -> Path | None:
        """The folder with the benchmarks' files; None where they are fetched."""
        data_dir = self.config["evaluate"]["data_dir"]
        return None if data_dir is None else self.root / data_dir

    def data_folder(self, results: str) -> Path:
        """The folder that has the benchmarks' files or gets them; `results` is the key
        `results_dir`.
        """
        return self.data_dir or Path(FETCHED.replace("<results>", results))

    @property
    def is_sandboxed(self) -> bool:
        """Whether programs run in the sandbox."""
        return self.config["evaluate"]["sandbox"] is not False

    @property
    def runner_settings(self) -> dict[str, str | float]:
        """What of the config determines how programs are run."""
        mode = "bubblewrap" if self.is_sandboxed else "off"
        return {"mode": mode, "wall_factor": self.config["evaluate"]["limits"]["wall_factor"]}
