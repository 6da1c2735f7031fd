"""Plans of the tasks that are not benchmarks of the paper: likelihoods of given texts, and modules."""

from functools import cached_property
from typing import Any

from scripts.evaluate.plan_inputs import LIKELIHOOD, SCORERS, SOURCE_TO_LLVM, Cell, Inputs
from scripts.evaluate.task_plan import TaskPlan
from scripts.lib.job import InputError


class LikelihoodPlan(TaskPlan):
    """A task that measures how likely the solutions of another task are, its `source`."""

    @property
    def is_likelihood(self) -> bool:
        """See `TaskPlan`."""
        return True

    @cached_property
    def source(self) -> TaskPlan:
        """The task that the problems are from."""
        benchmark, name = self.own_entry["source"]
        return TaskPlan(self.run, benchmark, name)

    @property
    def files(self) -> list[str]:
        """See `TaskPlan`."""
        return self.source.files

    def file_name(self, template: str) -> str:
        """See `TaskPlan`."""
        return self.source.file_name(template)

    def download(self, template: str) -> dict[str, Any]:
        """See `TaskPlan`."""
        return self.source.download(template)

    @property
    def data_files(self) -> list[str]:
        """See `TaskPlan`."""
        return self.source.data_files

    @property
    def references(self) -> list[str]:
        """See `TaskPlan`."""
        return self.source.references

    @property
    def measured_references(self) -> list[str]:
        """See `TaskPlan`."""
        return self.references

    @property
    def temperatures(self) -> dict[str, float]:
        """The one setting; nothing is sampled in it."""
        return {LIKELIHOOD: 0}

    @property
    def controls(self) -> tuple[str, ...]:
        """Names of the controls, which are scorers instead of completions."""
        return SCORERS

    @property
    def problem_settings(self) -> dict[str, Any]:
        """See `TaskPlan`."""
        return self.source.problem_settings

    def setting_in_tables(self, setting: str) -> str:
        """The benchmark that the problems are from."""
        del setting
        return self.source.benchmark


class ChoicePlan(LikelihoodPlan):
    """A task that compares the likelihoods of a right and of wrong programs, which the run makes."""

    @property
    def data_files(self) -> list[str]:
        """The file of the choices."""
        return [f"<results>/choices/{self.benchmark}/{self.name}.jsonl"]

    @property
    def references(self) -> list[str]:
        """None: the choices have the solutions."""
        return []

    @property
    def problem_settings(self) -> dict[str, Any]:
        """See `TaskPlan`."""
        return {"form": self.entry["form"], "name": self.name, "sizes": None}

    @property
    def choice_settings(self) -> dict[str, Any]:
        """What determines the choices, apart from the source's problems and how they run."""
        return {
            "wrong": self.own_entry["wrong"],
            "language": self.language,
            "choices": self._sampling["choices"],
            "problems": self.problems,
        }


class ModulePlan(TaskPlan):
    """A task whose completions are modules of LLVM IR, of the held-out pairs of one variant."""

    @property
    def variant(self) -> str:
        """The variant of the modules."""
        variant: str = self.own_entry["variant"]
        return variant

    @property
    def files(self) -> list[str]:
        """None: the pairs are no files of benchmarks."""
        return []

    @property
    def data_files(self) -> list[str]:
        """The tables of pairs."""
        return [f"<results>/pairs/{language}/{self.variant}.parquet" for language in self.run.config["languages"]]

    @property
    def runs_programs(self) -> bool:
        """See `TaskPlan`."""
        return True

    @property
    def has_name_in_tables(self) -> bool:
        """See `TaskPlan`."""
        return True

    @property
    def problem_settings(self) -> dict[str, Any]:
        """See `TaskPlan`. Prompts are those of training up to the module.

        Raises `InputError` where the config has no such template, or the module precedes the source.
        """
        template: str = self.run.config["pretrain"]["templates"].get(SOURCE_TO_LLVM, "")
        prompt = template.partition("{llvm}")[0]
        if "{source}" not in prompt:
            fault = f"pretrain.templates.{SOURCE_TO_LLVM} has no {{source}} before {{llvm}}"
            raise InputError(f"config: {fault}; add it, or drop evaluate.tasks.{self.benchmark}")
        return {**super().problem_settings, "template": prompt}

    def module_checks(self, cell: Cell) -> str:
        """Path of the table of module checks of a cell."""
        folder = f"<results>/modules/{self.benchmark}/{self.name}"
        return f"{folder}/{cell.setting}/{cell.model}.{cell.checkpoint}.parquet"

    def score_inputs(self, cell: Cell) -> dict[str, str]:
        """See `TaskPlan`."""
        return {"modules": self.module_checks(cell)}

    @property
    def has_data(self) -> bool:
        """Whether the run makes pairs of the variant; tasks of others are left out."""
        return self.variant in self.run.config["variants"]


def task_plan(run: Inputs, benchmark: str, name: str) -> TaskPlan:
    """The plan of a task, by the keys of its entries."""
    entry = run.benchmarks[benchmark]
    own = entry.get("tasks", {}).get(name, {})
    if entry.get("measure") == LIKELIHOOD:
        return (ChoicePlan if "wrong" in own else LikelihoodPlan)(run, benchmark, name)
    return (ModulePlan if "variant" in own else TaskPlan)(run, benchmark, name)
