"""What a run evaluates: the tasks of all benchmarks, the files to fetch, and the score files.

The rules ask this module; it reads nothing but the config and the tables, and lists the folder of
benchmark data.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from scripts.evaluate.generation_plan import GenerationJobs, generation_jobs
from scripts.evaluate.measured_plans import task_plan
from scripts.evaluate.plan_inputs import COMMITS, LIKELIHOOD, Inputs
from scripts.evaluate.task_plan import TaskPlan
from scripts.lib.job import InputError

SAMPLES = "resources/benchmarks"


class Plan(Inputs):
    """Everything that a run evaluates."""

    def task(self, benchmark: str, name: str) -> TaskPlan:
        """A task of a benchmark."""
        return task_plan(self, benchmark, name)

    def tasks_of(self, benchmark: str) -> list[TaskPlan]:
        """The tasks of a benchmark that the run evaluates; for commit messages, the languages tuned
        on.
        """
        return [task for name in self._task_names(benchmark) if (task := self.task(benchmark, name)).has_data]

    def _task_names(self, benchmark: str) -> Sequence[str]:
        """The tasks of a benchmark that the config names."""
        names: Sequence[str] = self.config["evaluate"]["tasks"].get(benchmark, [])
        return self.config["commits"]["languages"] if benchmark == COMMITS else names

    def tasks(self) -> Iterator[TaskPlan]:
        """All tasks that the run evaluates, in the order of config/benchmarks.yaml."""
        for benchmark in self.benchmarks:
            yield from self.tasks_of(benchmark)

    @property
    def measured(self) -> list[str]:
        """The benchmarks that measure likelihoods."""
        return [name for name, entry in self.benchmarks.items() if entry.get("measure") == LIKELIHOOD]

    @property
    def generated(self) -> list[str]:
        """The benchmarks whose completions are generated."""
        return [name for name in self.benchmarks if name not in self.measured]

    def downloads(self) -> dict[str, dict[str, Any]]:
        """The files to fetch, by name below the folder of benchmark data; empty where a folder has
        them.
        """
        if self.data_dir is not None:
            return {}
        return {task.file_name(template): task.download(template) for task in self.tasks() for template in task.files}

    def file_names(self, folder: Path) -> list[str]:
        """Names of the benchmarks' files in their folder, sorted: those to fetch, or all that a
        folder of the user has.

        Commits are data to tune on, not a benchmark.
        """
        names = list(self.downloads())
        if not names:
            paths = [path for kind in ("jsonl", "jsonl.gz") for path in folder.rglob(f"*.{kind}")]
            names = [path.relative_to(folder).as_posix() for path in paths]
        return sorted(name for name in names if not name.startswith("commitchronicle/"))

    def score_files(self) -> list[str]:
        """All score files of the run."""
        return [task.score_file(cell) for task in self.tasks() for cell in task.cells]

    def generation_jobs(self) -> list[GenerationJobs]:
        """The kinds of generating jobs that the run has."""
        return generation_jobs(self.tasks())

    def execution_files(self) -> list[str]:
        """The tables of executions of all programs, those of controls included."""
        return [task.execution_file(cell) for task in self.tasks() if task.is_executed for cell in task.cells]

    def scored_benchmarks(self) -> list[str]:
        """The benchmarks that get scores, in the order of config/benchmarks.yaml."""
        return [benchmark for benchmark in self.benchmarks if any(task.cells for task in self.tasks_of(benchmark))]

    def tunings(self) -> list[str]:
        """The tunings that the tasks evaluate, `instruct` and `commits-{language}`, in the order of
        training.
        """
        asked = {
            template.partition("-")[2].format(task=task.name)
            for task in self.tasks()
            for template in task.checkpoint_templates
        }
        known = ["instruct", *(f"commits-{language}" for language in self.config["commits"]["languages"])]
        return [name for name in known if name in asked]

    def notes(self) -> list[str]:
        """What a reader of the scores should know before the run starts, a line each."""
        evaluate = self.config["evaluate"]
        if evaluate["sampling"] == "paper" and evaluate["data_dir"] == SAMPLES:
            return [f"evaluate.data_dir is {SAMPLES}: scores on these samples compare with nothing"]
        return []

    def check(self) -> None:
        """Raise `InputError` where the config names what the tables lack, or turns the sandbox off
        unconfirmed.
        """
        evaluate = self.config["evaluate"]
        self._check_tasks(evaluate["tasks"])
        self._check_runners(evaluate["runners"])
        self._check_sampling(evaluate["sampling"])
        if not self.is_sandboxed and not evaluate.get("allow_unsandboxed"):
            raise InputError(
                "config: evaluate.sandbox: off lets generated programs do what you may do; set it to bubblewrap, or "
                "set evaluate.allow_unsandboxed: true as well"
            )

    def _check_tasks(self, tasks: Mapping[str, Sequence[str]]) -> None:
        for benchmark, names in tasks.items():
            known = self.benchmarks.get(benchmark, {}).get("tasks")
            if known is None:
                choices = ", ".join(name for name, entry in self.benchmarks.items() if "tasks" in entry)
                fault = f"'{benchmark}' has no tasks in config/benchmarks.yaml"
                raise InputError(f"config: evaluate.tasks: {fault}; choose from {choices}")
            for name in names:
                if name not in known:
                    where = f"config: evaluate.tasks.{benchmark}"
                    raise InputError(f"{where}: unknown task '{name}'; choose from {', '.join(known)}")

    def _check_runners(self, chosen: Mapping[str, Mapping[str, str]]) -> None:
        for benchmark, runners in chosen.items():
            known = self.benchmarks.get(benchmark, {}).get("tasks", {})
            for task, runner in runners.items():
                where = f"config: evaluate.runners.{benchmark}.{task}"
                if "runner" not in known.get(task, {}):
                    raise InputError(f"{where}: config/benchmarks.yaml has no such task with programs")
                if runner not in self.runners:
                    raise InputError(f"{where}: unknown runner '{runner}'; choose from {', '.join(self.runners)}")

    def _check_sampling(self, plan: str) -> None:
        for name, entry in self.benchmarks.items():
            if self._task_names(name) and plan not in entry["sampling"]:
                fault = f"unknown sampling plan '{plan}' for benchmark {name}"
                raise InputError(f"config: evaluate.sampling: {fault}; choose from {', '.join(entry['sampling'])}")
