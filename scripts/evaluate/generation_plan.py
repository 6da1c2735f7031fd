"""Which generations one job writes: those of all tasks and settings that evaluate a checkpoint."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from scripts.evaluate.task_plan import TaskPlan
from scripts.lib.files import sha256_file

RULE = "evaluate_generate"
_START, _TASK = "{checkpoint}", "{task}"


class GenerationFile(NamedTuple):
    """Generations of a task in a setting."""

    task: TaskPlan
    setting: str


@dataclass(frozen=True)
class GenerationJobs:
    """The generating jobs for checkpoints of one kind: as trained, or with one kind of tuning.

    template: name of these checkpoints; `{checkpoint}` is the checkpoint before the tuning, and
    `{task}` the task that alone evaluates the checkpoint.
    tasks: the tasks that evaluate these checkpoints, in the order of config/benchmarks.yaml.

    Methods that take wildcards are input functions or params of rules. Wildcards of a job are
    `model`, `checkpoint` (its full name) and, if the template has it, `task`.
    """

    template: str
    tasks: Sequence[TaskPlan]

    @property
    def rule(self) -> str:
        """Name of the rule: `evaluate_generate`, followed by the kind of tuning."""
        tuning = self.template.removeprefix(_START).removesuffix(f"-{_TASK}")
        return RULE + re.sub(r"\W+", "_", tuning)

    @property
    def _has_task(self) -> bool:
        return _TASK in self.template

    def checkpoints(self, starts: str, task: str = "[^./]+") -> str:
        """Regular expression of the checkpoints' names.

        starts, task: regular expressions of the checkpoints before the tuning, and of the task.
        """
        parts = re.split(r"(\{checkpoint\}|\{task\})", self.template)
        values = {_START: f"({starts})", _TASK: task}
        return "".join(values.get(part, re.escape(part)) for part in parts)

    def evaluates(self, checkpoint: str, task: TaskPlan, starts: str) -> bool:
        """Whether these jobs write the generations of a checkpoint for a task; `starts` as above."""
        return task in self.tasks and bool(re.fullmatch(self.checkpoints(starts, re.escape(task.name)), checkpoint))

    def start(self, checkpoint: str, starts: str) -> str:
        """The checkpoint before the tuning of a checkpoint of this kind; `starts` as above."""
        match = re.fullmatch(self.checkpoints(starts), checkpoint)
        assert match, f"{checkpoint} is not named like {self.template}"
        return match[1]

    @property
    def job_name(self) -> str:
        """A name for the files of a job other than its outputs, with the wildcards of the rule."""
        return "{model}.{checkpoint}" + (f".{_TASK}" if self._has_task else "")

    @property
    def outputs(self) -> list[str]:
        """Paths of all files of a job, in the order of `files`, with the wildcards of the rule."""
        tasks = self.tasks[:1] if self._has_task else self.tasks
        return [
            f"<results>/generations/{task.benchmark}/{_TASK if self._has_task else task.name}/{setting}/"
            "{model}.{checkpoint}.jsonl.zst"
            for task in tasks
            for setting in task.temperatures
        ]

    def files(self, wildcards: Mapping[str, str]) -> list[GenerationFile]:
        """The files of a job, in the order of its outputs."""
        tasks = [task for task in self.tasks if not self._has_task or task.name == wildcards["task"]]
        return [GenerationFile(task, setting) for task in tasks for setting in task.temperatures]

    def rows(self, wildcards: Mapping[str, str]) -> list[str]:
        """All files of rows of a job's tasks, and of solutions whose likelihood is measured, each
        once.
        """
        tasks = [file.task for file in self.files(wildcards)]
        return list(dict.fromkeys(path for task in tasks for path in (*task.data_files, *task.measured_references)))

    def probes(self, wildcards: Mapping[str, str]) -> list[str]:
        """The files that show that the runners of a job's tasks work here, each once."""
        return list(dict.fromkeys(path for file in self.files(wildcards) for path in file.task.probe))

    def settings(self, wildcards: Mapping[str, str]) -> list[dict[str, Any]]:
        """What determines each file apart from model, data and engine, in the order of the outputs.

        `rows` are the task's files and `references` those of its solutions, as indices into all of
        the job's.
        """
        rows = self.rows(wildcards)
        return [
            {
                "task": file.task.problem_settings,
                "rows": [rows.index(path) for path in file.task.data_files],
                "references": [rows.index(path) for path in file.task.measured_references],
                **file.task.completion_settings(file.setting),
            }
            for file in self.files(wildcards)
        ]


def generation_jobs(tasks: Iterable[TaskPlan]) -> list[GenerationJobs]:
    """The generating jobs of tasks, in the order in which the tasks name kinds of checkpoints."""
    by_template: dict[str, list[TaskPlan]] = {}
    for task in tasks:
        for template in task.checkpoint_templates:
            by_template.setdefault(template, []).append(task)
    return [GenerationJobs(template, tuple(group)) for template, group in by_template.items()]


@cache
def _digest(path: Path, changed: int) -> str:
    """SHA-256 of a file; `changed`, its modification time, makes the cache follow the file."""
    del changed
    return sha256_file(path)


@dataclass(frozen=True)
class Generations:
    """The files of generations below a results folder, which jobs follow by content, not by age.

    A generating job writes all files of a checkpoint, of which an edit may change one.
    """

    results: str

    def path(self, cell: Mapping[str, str]) -> str:
        """Path of a file; the keys of `cell` are benchmark, task, setting, model and checkpoint."""
        name = "{benchmark}/{task}/{setting}/{model}.{checkpoint}.jsonl.zst".format_map(cell)
        return f"{self.results}/generations/{name}"

    def digest(self, wildcards: Mapping[str, str]) -> str:
        """A param: SHA-256 of the job's file of generations; empty where there is none yet."""
        path = Path(self.path(wildcards))
        return _digest(path, path.stat().st_mtime_ns) if path.exists() else ""
