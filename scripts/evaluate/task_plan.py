"""What a run evaluates of one task: its files, settings, checkpoints, controls and runner."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from scripts.evaluate.plan_inputs import (
    CEILING,
    COMMITS,
    CONTROL,
    CONTROLS,
    FETCHED,
    TEACHER_FORCED,
    Cell,
    Entry,
    Inputs,
    packaged_file,
    setting_name,
)
from scripts.evaluate.runners.memory import job_mb
from scripts.lib.commits import SPLITS, file_stem
from scripts.lib.job import InputError
from scripts.lib.scores import evaluated_checkpoints


@dataclass(frozen=True)
class TaskPlan:
    """A task of a benchmark in a run: `name` is a key of the benchmark's `tasks`, or a language for
    commit messages.
    """

    run: Inputs
    benchmark: str
    name: str

    @cached_property
    def entry(self) -> Entry:
        """The benchmark's entry."""
        return self.run.benchmarks[self.benchmark]

    @cached_property
    def own_entry(self) -> Entry:
        """The task's entry."""
        own: Entry = {"language": self.name} if self.benchmark == COMMITS else self.entry["tasks"][self.name]
        return own

    @property
    def language(self) -> str:
        """The task's language as tables spell it."""
        language: str = self.own_entry["language"]
        return language

    @property
    def has_data(self) -> bool:
        """Whether the run has the task's data."""
        return True

    @property
    def is_likelihood(self) -> bool:
        """Whether the likelihood of given texts is measured, and nothing is generated."""
        return False

    # --- files -----------------------------------------------------------------------------------

    @property
    def files(self) -> list[str]:
        """Names of the files of rows, with `{task}` in them."""
        files: list[str] = self.own_entry.get("files", self.entry.get("files", []))
        return files

    def file_name(self, template: str) -> str:
        """Name of a file of rows below the folder of benchmark data."""
        return template.replace("{task}", file_stem(self.name))

    def download(self, template: str) -> dict[str, Any]:
        """Where a file of rows is fetched from, with task and language filled in."""
        downloads = self.entry.get("downloads", {})
        if template not in downloads:
            fault = f"{self.benchmark}: nothing says where '{template}' is downloaded from"
            raise InputError(f"config/benchmarks.yaml: {fault}; add it to downloads, or set evaluate.data_dir")
        download = dict(downloads[template])
        for key in {"files", "url"} & download.keys():
            download[key] = download[key].replace("{task}", self.name)
        if "where" in download:
            filled = {field: value.replace("{language}", self.language) for field, value in download["where"].items()}
            download["where"] = filled
        if self.benchmark == COMMITS:
            download["rows"] = {split: self.run.config["commits"]["sizes"][split] for split in SPLITS}
        return download

    def _data_file(self, template: str) -> str:
        if self.run.data_dir is None:
            return f"{FETCHED}/{self.file_name(template)}"
        path, download = self.run.data_dir / self.file_name(template), self.entry.get("downloads", {}).get(template, {})
        is_packaged = "package" in download and "halved" not in download
        return packaged_file(download) if is_packaged and not path.exists() else str(path)

    @property
    def data_files(self) -> list[str]:
        """Files of rows: fetched, in the folder of benchmark data, or in a Python package that has
        them.
        """
        return [self._data_file(template) for template in self.files]

    @property
    def references(self) -> list[str]:
        """Files of this project's solutions, for data without any; empty where there are none."""
        template, folder = self.entry.get("references"), self.run.data_dir
        if template is None or folder is None:
            return []
        path = folder / template.replace("{task}", self.name)
        return [str(path)] if path.exists() else []

    @property
    def measured_references(self) -> list[str]:
        """The files of `references` that the generating job reads: none, unless it measures the
        likelihood of solutions.
        """
        return []

    # --- what is evaluated -----------------------------------------------------------------------

    @property
    def _sampling(self) -> Entry:
        """The run's sampling plan of the benchmark."""
        sampling: Entry = self.entry["sampling"][self.run.config["evaluate"]["sampling"]]
        return sampling

    @property
    def problems(self) -> int | None:
        """Number of problems that models are evaluated on; None for all."""
        problems: int | None = self._sampling.get("problems")
        return problems

    @property
    def temperatures(self) -> dict[str, float]:
        """Temperature of each setting. Commit messages are also predicted token by token (teacher
        forcing), without sampling.
        """
        sampled = {setting_name(value): value for value in self._sampling["temperatures"]}
        return {TEACHER_FORCED: 0, **sampled} if self.benchmark == COMMITS else sampled

    @property
    def checkpoint_templates(self) -> list[str]:
        """Names of what is evaluated for each `{checkpoint}`: the checkpoint itself, or a tuned
        one.
        """
        templates: list[str] = self.entry["checkpoints"]
        return templates

    @property
    def checkpoints(self) -> list[str]:
        """The checkpoints of a model that are evaluated."""
        return [
            template.replace("{checkpoint}", checkpoint).replace("{task}", self.name)
            for checkpoint in evaluated_checkpoints(self.run.config)
            for template in self.checkpoint_templates
        ]

    @property
    def controls(self) -> tuple[str, ...]:
        """Names of the controls. The ceiling shows what the stop sequences cut off the data's own
        solutions.
        """
        return (*CONTROLS, CEILING) if self.entry.get("ceiling") else CONTROLS

    @property
    def cells(self) -> list[Cell]:
        """The score files of the task: those of controls, then those of models."""
        has_solutions = "references" not in self.entry or bool(self.references)
        controls = [Cell(CONTROL, name, CONTROL) for name in self.controls if has_solutions or name == "empty"]
        return controls + [
            Cell(setting, model, checkpoint)
            for setting in self.temperatures
            for model in self.run.config["models"]
            for checkpoint in self.checkpoints
        ]

    def score_file(self, cell: Cell) -> str:
        """Path of a score file."""
        folder = f"<results>/scores/{self.benchmark}/{self.name}"
        return f"{folder}/{cell.setting}/{cell.model}.{cell.checkpoint}.json"

    # --- running programs ------------------------------------------------------------------------

    @property
    def is_executed(self) -> bool:
        """Whether completions are programs that are run."""
        return "pass_at" in self.entry

    @property
    def runs_programs(self) -> bool:
        """Whether completions are run in some way."""
        return self.is_executed

    @property
    def has_name_in_tables(self) -> bool:
        """Whether the task is part of a setting's name in tables."""
        return self.benchmark == "recode"

    @property
    def is_compiled(self) -> bool:
        """Whether the programs are compiled, so that the score counts how many compile."""
        return self.is_executed and self.runner["kind"] == "compiled"

    @property
    def runner_name(self) -> str:
        """Name of the programs' runner: the config's choice, or else the task's."""
        chosen: Mapping[str, str] = self.run.config["evaluate"]["runners"].get(self.benchmark, {})
        return chosen.get(self.name, self.own_entry["runner"])

    @property
    def runner(self) -> Entry:
        """The entry of the programs' runner."""
        return self.run.runners[self.runner_name]

    def execution_mb(self, threads: int) -> int:
        """Memory of a job that runs programs of the task on so many threads."""
        return job_mb(self.runner, threads)

    @property
    def probe(self) -> list[str]:
        """The file that shows that the runner works here; empty for a task without programs."""
        return [f"<results>/toolkits/{self.runner_name}/probe.json"] if self.is_executed else []

    @property
    def shared(self) -> str:
        """The folder of what the runner's programs share."""
        return f"<results>/toolkits/{self.runner_name}/shared"

    @property
    def limits(self) -> str:
        """The file with the scale of the time limits on this machine."""
        return f"<results>/executions/{self.benchmark}/{self.name}/limits.json"

    @property
    def prelude(self) -> dict[str, Any]:
        """Text before each program: `always`, and by a pattern that the program has (`where`)."""
        return {"always": self.own_entry.get("prelude", ""), "where": self.own_entry.get("prelude_where", {})}

    @property
    def faults(self) -> Entry:
        """Known faults of the data, by problem."""
        faults: Entry = self.own_entry.get("faults", {})
        return faults

    def execution_file(self, cell: Cell) -> str:
        """Path of the executions of a cell's programs."""
        folder = f"<results>/executions/{self.benchmark}/{self.name}"
        return f"{folder}/{cell.setting}/{cell.model}.{cell.checkpoint}.parquet"

    @property
    def control_executions(self) -> dict[str, str]:
        """Paths of the executions of the controls, by control."""
        return {name: self.execution_file(Cell(CONTROL, name, CONTROL)) for name in self.controls}

    @property
    def checked_controls(self) -> str:
        """The file that shows that the controls have the expected outcomes."""
        return f"<results>/executions/{self.benchmark}/{self.name}/{CONTROL}/checked.json"

    def score_inputs(self, cell: Cell) -> dict[str, str]:
        """Inputs of a score in addition to completions and rows: for programs, their executions,
        and the file that shows that the controls' came out as they must.
        """
        if not self.is_executed:
            return {}
        return {"executions": self.execution_file(cell), "checked": self.checked_controls}

    # --- settings of jobs ------------------------------------------------------------------------

    @property
    def problem_settings(self) -> dict[str, Any]:
        """What determines the task's problems, apart from its files."""
        sizes = self.run.config["commits"]["sizes"] if self.benchmark == COMMITS else None
        return {"form": self.entry["form"], "name": self.name, "sizes": sizes}

    def completion_settings(self, setting: str) -> dict[str, Any]:
        """What determines completions in a setting, apart from model, data and engine.

        Raises `InputError` for a setting that the run's sampling plan does not have.
        """
        if setting not in self.temperatures:
            fault = f"{self.benchmark} has no setting '{setting}' in this run"
            raise InputError(f"{fault}; choose from {', '.join(self.temperatures)}")
        is_teacher_forced = setting == TEACHER_FORCED
        prompts = self.run.config["commits"]["prompts"] if self.benchmark == COMMITS else None
        return {
            "sampling": {
                "temperature": self.temperatures[setting],
                "top_p": self._sampling.get("top_p", 1),
                "samples": 1 if is_teacher_forced else self._sampling.get("samples", 1),
                "new_tokens": self._sampling.get("new_tokens", 0),
            },
            "problems": self.problems,
            "teacher_forced": is_teacher_forced,
            "likelihood": self.is_likelihood,
            "prompts": prompts,
        }

    def setting_in_tables(self, setting: str) -> str:
        """A setting's name in tables: with the task where a benchmark has several of one language,
        such as ReCode's categories, and marked where programs ran unsandboxed.
        """
        parts = [self.name] if self.has_name_in_tables else []
        if setting != "greedy" or not parts:
            parts.append(setting)
        if self.runs_programs and not self.run.is_sandboxed:
            parts.append("unsandboxed")
        return "-".join(parts)
