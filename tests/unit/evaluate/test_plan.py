"""What a run evaluates, from small tables."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scripts.evaluate.generation_plan import Generations
from scripts.evaluate.plan import Plan
from scripts.evaluate.plan_inputs import FETCHED, Cell, packaged_file, setting_name
from scripts.lib.files import sha256_text, write_text
from scripts.lib.job import InputError

PACKAGE = {"package": "pytest", "file": "rows.jsonl"}
BENCHMARKS: dict[str, Any] = {
    "programs": {
        "form": "multipl-e",
        "files": ["programs/{task}.jsonl"],
        "downloads": {"programs/{task}.jsonl": {"url": "https://localhost/{task}.json"}},
        "references": "programs/references/{task}.jsonl",
        "tasks": {"cpp": {"language": "C++", "runner": "cpp", "prelude": "// x"}},
        "checkpoints": ["{checkpoint}"],
        "pass_at": [1],
        "ceiling": True,
        "sampling": {"small": {"temperatures": [0.2, 2.0], "top_p": 0.9, "samples": 5, "new_tokens": 8, "problems": 3}},
    },
    "recode": {
        "form": "recode",
        "downloads": {"nominal.jsonl": PACKAGE},
        "tasks": {"format": {"language": "Python", "runner": "python", "files": ["nominal.jsonl"]}},
        "checkpoints": ["{checkpoint}-instruct"],
        "pass_at": [1],
        "sampling": {"small": {"temperatures": [0], "top_p": 1, "samples": 1, "new_tokens": 8}},
    },
    "commits": {
        "form": "commits",
        "files": ["commits/{task}.jsonl"],
        "downloads": {"commits/{task}.jsonl": {"dataset": "owner/rows", "where": {"language": "{language}"}}},
        "checkpoints": ["{checkpoint}-commits-{task}"],
        "sampling": {"small": {"temperatures": [0], "top_p": 1, "samples": 1, "new_tokens": 8}},
    },
}
LIKELIHOODS: dict[str, Any] = {
    "likelihood": {
        "measure": "likelihood",
        "tasks": {"programs-cpp": {"language": "C++", "source": ["programs", "cpp"]}},
        "checkpoints": ["{checkpoint}"],
        "sampling": {"small": {"problems": 3}},
    },
    "choice": {
        "form": "choices",
        "measure": "likelihood",
        "tasks": {"programs-cpp": {"language": "C++", "source": ["programs", "cpp"], "wrong": "mutants"}},
        "checkpoints": ["{checkpoint}"],
        "sampling": {"small": {"choices": 4}},
    },
    "modules": {
        "form": "source-to-llvm",
        "tasks": {name: {"language": "all", "variant": name} for name in ("perf", "size")},
        "checkpoints": ["{checkpoint}"],
        "sampling": {"small": {"temperatures": [0], "top_p": 1, "samples": 1, "new_tokens": 8}},
    },
}
RUNNERS = {"cpp": {"kind": "compiled"}, "other-cpp": {"kind": "compiled"}, "python": {"kind": "script"}}
SIZES = {"train": 3, "validation": 2, "test": 1}


def plan(root: Path = Path("/project"), **evaluate: Any) -> Plan:
    """A plan of all tasks with two checkpoints of one model; `evaluate` replaces keys of that section."""
    section = {
        "tasks": {"programs": ["cpp"], "recode": ["format"]},
        "checkpoints": ["base", "ircoder"],
        "runners": {},
        "sampling": "small",
        "data_dir": "data",
        "sandbox": "bubblewrap",
    }
    commits = {"languages": ["C++"], "sizes": SIZES, "prompts": {"length": 4}}
    templates = {"source_to_llvm": "{source}<to>{llvm}<end>"}
    config = {
        "models": ["m"],
        "commits": commits,
        "evaluate": section | evaluate,
        "languages": ["C", "D"],
        "variants": ["perf"],
        "pretrain": {"templates": templates},
    }
    return Plan(config, BENCHMARKS | LIKELIHOODS, RUNNERS, root)


def test_a_task_is_evaluated_in_each_setting_of_each_model_and_checkpoint_after_its_controls(tmp_path: Path) -> None:
    references = tmp_path / "data" / "programs" / "references" / "cpp.jsonl"
    references.parent.mkdir(parents=True)
    references.touch()
    task = plan(tmp_path).task("programs", "cpp")
    assert task.references == [str(references)]
    assert task.cells == [
        *(Cell("control", name, "control") for name in ("reference", "empty", "ceiling")),
        *(Cell(setting, "m", checkpoint) for setting in ("t0.2", "t2") for checkpoint in ("base", "ircoder")),
    ]


def test_data_without_solutions_has_the_empty_control_only() -> None:
    task = plan().task("programs", "cpp")
    assert [cell for cell in task.cells if cell.setting == "control"] == [("control", "empty", "control")]


def test_score_files_follow_the_order_of_the_benchmarks() -> None:
    files = plan().score_files()
    assert files[0] == "<results>/scores/programs/cpp/control/empty.control.json"
    assert files[-1] == "<results>/scores/commits/C++/greedy/m.ircoder-commits-C++.json"
    assert len(files) == len(set(files)) == (1 + 4) + (2 + 2) + (2 + 4)


def test_programs_of_all_score_files_are_executed() -> None:
    files = plan().execution_files()
    assert files[0] == "<results>/executions/programs/cpp/control/empty.control.parquet"
    assert len(files) == len(set(files)) == (1 + 4) + (2 + 2)


def test_tunings_are_those_that_benchmarks_evaluate() -> None:
    assert plan().tunings() == ["instruct", "commits-C++"]
    assert plan(tasks={"programs": ["cpp"]}).tunings() == ["commits-C++"]


def test_a_setting_has_the_temperature_that_it_is_named_after() -> None:
    task = plan().task("programs", "cpp")
    assert [setting_name(value) for value in (0, 0.2, 1.0, 2.0)] == ["greedy", "t0.2", "t1", "t2"]
    assert task.completion_settings("t2") == {
        "sampling": {"temperature": 2.0, "top_p": 0.9, "samples": 5, "new_tokens": 8},
        "problems": 3,
        "teacher_forced": False,
        "likelihood": False,
        "prompts": None,
    }
    with pytest.raises(InputError, match=r"no setting 't0\.3' in this run; choose from t0\.2, t2$"):
        task.completion_settings("t0.3")


def test_commit_messages_are_also_scored_without_sampling() -> None:
    task = plan().task("commits", "C++")
    assert list(task.temperatures) == ["teacher-forced", "greedy"]
    settings = task.completion_settings("teacher-forced")
    assert (settings["teacher_forced"], settings["sampling"]["samples"]) == (True, 1)
    assert settings["prompts"] == {"length": 4}
    assert task.problem_settings == {"form": "commits", "name": "C++", "sizes": SIZES}


def test_files_are_fetched_where_no_folder_has_them() -> None:
    fetched = plan(data_dir=None)
    assert fetched.task("commits", "C++").data_files == [f"{FETCHED}/commits/Cpp.jsonl"]
    assert fetched.downloads() == {
        "programs/cpp.jsonl": {"url": "https://localhost/cpp.json"},
        "nominal.jsonl": PACKAGE,
        "commits/Cpp.jsonl": {"dataset": "owner/rows", "where": {"language": "C++"}, "rows": SIZES},
    }
    assert fetched.task("programs", "cpp").references == []


def test_a_file_that_the_folder_lacks_may_come_from_a_package(tmp_path: Path) -> None:
    task = plan(tmp_path).task("recode", "format")
    assert task.data_files == [packaged_file(PACKAGE)]
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "nominal.jsonl").touch()
    assert task.data_files == [str(tmp_path / "data" / "nominal.jsonl")]
    assert plan(tmp_path).downloads() == {}
    assert packaged_file({"package": "no_such", "file": "x"}) == "package no_such/x"


def test_programs_are_run_by_the_runner_of_the_table_or_the_configs_choice() -> None:
    task = plan().task("programs", "cpp")
    assert (task.runner_name, task.is_compiled) == ("cpp", True)
    assert task.probe == ["<results>/toolkits/cpp/probe.json"]
    assert plan(runners={"programs": {"cpp": "other-cpp"}}).task("programs", "cpp").runner_name == "other-cpp"
    assert not plan().task("recode", "format").is_compiled
    commits = plan().task("commits", "C++")
    assert (commits.is_executed, commits.is_compiled, commits.probe) == (False, False, [])


def test_likelihoods_are_measured_of_another_tasks_problems() -> None:
    tasks = {"likelihood": ["programs-cpp"], "choice": ["programs-cpp"]}
    fetched = plan(tasks=tasks, data_dir=None)
    solutions, choices = (fetched.task(name, "programs-cpp") for name in tasks)
    assert solutions.data_files == [f"{FETCHED}/programs/cpp.jsonl"]
    assert solutions.problem_settings == {"form": "multipl-e", "name": "cpp", "sizes": None}
    assert choices.data_files == ["<results>/choices/choice/programs-cpp.jsonl"]
    assert choices.problem_settings == {"form": "choices", "name": "programs-cpp", "sizes": None}
    assert choices.choice_settings == {"wrong": "mutants", "language": "C++", "choices": 4, "problems": None}
    # Both are fetched from where the source is, under its name.
    assert set(fetched.downloads()) == {"programs/cpp.jsonl", "commits/Cpp.jsonl"}
    assert choices.cells == [
        *(Cell("control", name, "control") for name in ("reference", "random")),
        *(Cell("likelihood", "m", checkpoint) for checkpoint in ("base", "ircoder")),
    ]
    assert {solutions.setting_in_tables(cell.setting) for cell in solutions.cells} == {"programs"}
    settings = solutions.completion_settings("likelihood")
    assert (settings["likelihood"], settings["problems"], settings["sampling"]["new_tokens"]) == (True, 3, 0)
    assert (solutions.is_executed, solutions.probe, fetched.tunings()) == (False, [], ["commits-C++"])
    assert (fetched.measured, fetched.generated) == (
        ["likelihood", "choice"],
        ["programs", "recode", "commits", "modules"],
    )


def test_modules_are_written_from_the_held_out_pairs_of_a_variant() -> None:
    own = plan(tasks={"modules": ["perf"]})
    own.check()
    task = own.task("modules", "perf")
    assert task.data_files == [f"<results>/pairs/{language}/perf.parquet" for language in ("C", "D")]
    assert task.problem_settings["template"] == "{source}<to>"
    assert task.score_inputs(Cell("greedy", "m", "base")) == {
        "modules": "<results>/modules/modules/perf/greedy/m.base.parquet"
    }
    assert task.setting_in_tables("greedy") == "perf"
    # The run makes no pairs of the other variant.
    assert plan(tasks={"modules": ["size"]}).tasks_of("modules") == []
    own.config["pretrain"]["templates"]["source_to_llvm"] = "{llvm}{source}"
    with pytest.raises(InputError, match=r"has no \{source\} before \{llvm\}"):
        _ = task.problem_settings


def test_settings_in_tables_name_recodes_category_and_a_missing_sandbox() -> None:
    task = plan().task("recode", "format")
    assert [task.setting_in_tables(name) for name in ("greedy", "control")] == ["format", "format-control"]
    open_plan = plan(sandbox=False, allow_unsandboxed=True)
    assert open_plan.task("programs", "cpp").setting_in_tables("t0.2") == "t0.2-unsandboxed"
    assert open_plan.task("commits", "C++").setting_in_tables("greedy") == "greedy"


FAULTS = {
    r"evaluate\.tasks: 'nothing' has no tasks .*; choose from programs, recode, likelihood, .*$": {
        "tasks": {"nothing": []}
    },
    r"evaluate\.tasks: 'commits' has no tasks": {"tasks": {"commits": ["C++"]}},
    r"evaluate\.tasks\.programs: unknown task 'zz'; choose from cpp$": {"tasks": {"programs": ["zz"]}},
    r"evaluate\.runners\.programs\.zz: .* no such task with programs$": {"runners": {"programs": {"zz": "cpp"}}},
    r"evaluate\.runners\.programs\.cpp: unknown runner 'zz'; ": {"runners": {"programs": {"cpp": "zz"}}},
    r"evaluate\.sampling: unknown sampling plan 'zz' for benchmark programs; choose from small$": {"sampling": "zz"},
    r"evaluate\.sandbox: off lets": {"sandbox": False},
}


@pytest.mark.parametrize("message, change", FAULTS.items(), ids=FAULTS)
def test_a_fault_of_the_config_is_one_line(message: str, change: dict[str, Any]) -> None:
    plan().check()
    with pytest.raises(InputError, match=rf"^config: {message}"):
        plan(**change).check()


def test_benchmarks_without_tasks_need_no_sampling_plan() -> None:
    own = BENCHMARKS | {"programs": {**BENCHMARKS["programs"], "sampling": {"own": {}}}}
    chosen = replace(plan(tasks={"programs": ["cpp"], "recode": []}, sampling="own"), benchmarks=own)
    with pytest.raises(InputError, match="for benchmark commits"):
        chosen.check()
    replace(chosen, config={**chosen.config, "commits": {"languages": []}}).check()


def test_scores_on_the_samples_with_the_papers_sampling_are_noted() -> None:
    assert plan().notes() == plan(data_dir="resources/benchmarks").notes() == []
    assert plan(data_dir="resources/benchmarks", sampling="paper").notes() == [
        "evaluate.data_dir is resources/benchmarks: scores on these samples compare with nothing"
    ]


def test_the_files_of_benchmarks_are_those_to_fetch_or_all_of_a_folder_without_the_commits(tmp_path: Path) -> None:
    assert plan(data_dir=None).file_names(tmp_path) == ["commits/Cpp.jsonl", "nominal.jsonl", "programs/cpp.jsonl"]
    for name in ("b/x.jsonl.gz", "a.jsonl", "commitchronicle/c.jsonl", "README.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert plan(tmp_path, data_dir=".").file_names(tmp_path) == ["a.jsonl", "b/x.jsonl.gz"]
    assert plan(data_dir=None).data_folder("out") == Path("out/benchmark-data")
    assert plan(tmp_path).data_folder("out") == tmp_path / "data"


def test_a_score_of_programs_needs_their_executions_and_the_checked_controls() -> None:
    cell = Cell("t0.2", "m", "base")
    folder = "<results>/executions/programs/cpp"
    assert plan().task("programs", "cpp").score_inputs(cell) == {
        "executions": f"{folder}/t0.2/m.base.parquet",
        "checked": f"{folder}/control/checked.json",
    }
    assert plan().task("commits", "C++").score_inputs(cell) == {}


def test_programs_are_run_as_the_config_says() -> None:
    limits = {"wall_factor": 3}
    assert plan(limits=limits).runner_settings == {"mode": "bubblewrap", "wall_factor": 3}
    assert plan(limits=limits, sandbox=False).runner_settings == {"mode": "off", "wall_factor": 3}


def test_benchmarks_with_scores_follow_the_order_of_the_table() -> None:
    assert plan().scored_benchmarks() == ["programs", "recode", "commits"]
    assert plan(tasks={"recode": ["format"]}).scored_benchmarks() == ["recode", "commits"]


def test_one_job_writes_all_files_of_a_checkpoint() -> None:
    kinds = {jobs.rule: jobs for jobs in plan(tasks={"programs": ["cpp"], "recode": ["format"]}).generation_jobs()}
    assert list(kinds) == ["evaluate_generate", "evaluate_generate_instruct", "evaluate_generate_commits"]
    plain, commits = kinds["evaluate_generate"], kinds["evaluate_generate_commits"]
    assert plain.outputs == [
        f"<results>/generations/programs/cpp/{setting}/{{model}}.{{checkpoint}}.jsonl.zst" for setting in ("t0.2", "t2")
    ]
    assert commits.outputs == [
        f"<results>/generations/commits/{{task}}/{setting}/{{model}}.{{checkpoint}}.jsonl.zst"
        for setting in ("teacher-forced", "greedy")
    ]
    wildcards = {"model": "m", "checkpoint": "base"}
    assert [(file["sampling"]["temperature"], file["rows"]) for file in plain.settings(wildcards)] == [
        (0.2, [0]),
        (2.0, [0]),
    ]
    assert plain.rows(wildcards) == ["/project/data/programs/cpp.jsonl"]
    assert plain.probes(wildcards) == ["<results>/toolkits/cpp/probe.json"]
    assert [file.setting for file in commits.files({"task": "C++"})] == ["teacher-forced", "greedy"]
    assert (plain.job_name, commits.job_name) == ("{model}.{checkpoint}", "{model}.{checkpoint}.{task}")


@pytest.mark.parametrize(
    "benchmark, task, checkpoint, expected",
    [
        ("programs", "cpp", "base", "evaluate_generate"),
        ("programs", "cpp", "ircoder-40", "evaluate_generate"),
        ("programs", "cpp", "base-instruct", None),
        ("programs", "cpp", "control", None),
        ("recode", "format", "ircoder-instruct", "evaluate_generate_instruct"),
        ("commits", "C++", "base-commits-C++", "evaluate_generate_commits"),
        ("commits", "C++", "base-commits-C", None),
    ],
)
def test_the_job_that_generates_for_a_task_follows_from_the_checkpoint(
    benchmark: str, task: str, checkpoint: str, expected: str | None
) -> None:
    run = plan()
    one = run.task(benchmark, task)
    starts = "base|ircoder(-[0-9]+)?"
    rules = [jobs.rule for jobs in run.generation_jobs() if jobs.evaluates(checkpoint, one, starts)]
    assert rules == ([expected] if expected else [])


def test_files_of_generations_are_followed_by_their_content(tmp_path: Path) -> None:
    cell = {"benchmark": "b", "task": "t", "setting": "s", "model": "m", "checkpoint": "c"}
    generations = Generations(str(tmp_path))
    assert generations.digest(cell) == ""
    path = Path(generations.path(cell))
    assert path == tmp_path / "generations/b/t/s/m.c.jsonl.zst"
    write_text(path, "one")
    first = generations.digest(cell)
    write_text(path, "one")
    assert generations.digest(cell) == first == sha256_text("one")
    write_text(path, "two")
    assert generations.digest(cell) != first
