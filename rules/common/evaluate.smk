"""What is evaluated on what: tasks, settings, stages, and the files of each."""

import re
from importlib.util import find_spec

from scripts.lib.commits import SPLITS, file_stem

EVALUATE = config["evaluate"]
# What a job runs beside the modules that its script imports.
RUN_CODE = tuple(f"evaluate/runtime/{path.name}" for path in sorted(Path(ROOT, "scripts/evaluate/runtime").iterdir()))
CONTROLS = ("reference", "empty")
CEILING = "ceiling"
CONTROL = "control"
SAMPLES = "resources/benchmarks"
TEACHER_FORCED = "teacher-forced"


wildcard_constraints:
    benchmark="[a-z-]+",
    task="[A-Za-z_+-]+",
    setting="[a-z0-9.-]+",
    stage="[A-Za-z0-9+-]+",
    runner="[a-z-]+",


def check_runners():
    """End the process with one line when evaluate.runners names a task without programs or an unknown runner."""
    for benchmark, runners in EVALUATE["runners"].items():
        known = BENCHMARKS.get(benchmark, {}).get("tasks", {})
        for task, runner in runners.items():
            where = f"error: config: evaluate.runners.{benchmark}.{task}"
            if "runner" not in known.get(task, {}):
                sys.exit(f"{where}: config/benchmarks.yaml has no such task with programs")
            if runner not in RUNNERS:
                sys.exit(f"{where}: unknown runner '{runner}'; choose from {', '.join(RUNNERS)}")


def check_evaluate():
    """End the process with one line when the config names what the tables lack, or leaves the sandbox off unconfirmed."""
    for benchmark, tasks in EVALUATE["tasks"].items():
        known = BENCHMARKS.get(benchmark, {}).get("tasks")
        if known is None:
            names = ", ".join(name for name, entry in BENCHMARKS.items() if "tasks" in entry)
            sys.exit(
                f"error: config: evaluate.tasks: '{benchmark}' has no tasks in config/benchmarks.yaml; known: {names}"
            )
        for task in tasks:
            if task not in known:
                sys.exit(f"error: config: evaluate.tasks.{benchmark}: '{task}' is unknown; known: {', '.join(known)}")
    check_runners()
    for name, entry in BENCHMARKS.items():
        if EVALUATE["sampling"] not in entry["sampling"]:
            plans = ", ".join(entry["sampling"])
            fault = f"unknown sampling plan '{EVALUATE['sampling']}' for benchmark {name}"
            sys.exit(f"error: config: evaluate.sampling: {fault}; choose from {plans}")
    if EVALUATE["sampling"] == "paper" and EVALUATE["data_dir"] == SAMPLES:
        print(f"note: evaluate.data_dir is {SAMPLES}: scores on these samples compare with nothing", file=sys.stderr)
    if EVALUATE["sandbox"] is False and not EVALUATE.get("allow_unsandboxed"):
        sys.exit(
            "error: config: evaluate.sandbox: off lets generated programs do what you may do; set it to bubblewrap, or "
            "set evaluate.allow_unsandboxed: true as well"
        )


check_evaluate()


def benchmark_tasks(benchmark):
    """Tasks of a benchmark that this run evaluates: the config's, or for commits the tuned languages."""
    return config["commits"]["languages"] if benchmark == "commits" else EVALUATE["tasks"].get(benchmark, [])


def task_entry(benchmark, task):
    """A task's entry, with what it takes from its benchmark."""
    entry = BENCHMARKS[benchmark]
    own = {"language": task} if benchmark == "commits" else entry["tasks"][task]
    return {"files": entry.get("files", []), **own}


def benchmark_table(wildcards):
    """A benchmark's entry."""
    return BENCHMARKS[wildcards.benchmark]


def task_table(wildcards):
    """The entry of a job's task."""
    return task_entry(wildcards.benchmark, wildcards.task)


def sampling_plan(benchmark):
    """How completions of a benchmark are drawn in this run."""
    return BENCHMARKS[benchmark]["sampling"][EVALUATE["sampling"]]


def setting_name(temperature):
    """A sampling temperature in file names and tables."""
    return f"t{temperature:g}" if temperature else "greedy"


def setting_temperature(setting):
    """The temperature that `setting_name` named."""
    return float(setting[1:]) if setting.startswith("t0") or setting.startswith("t1") else 0


def benchmark_settings(benchmark):
    """Settings of a benchmark; commit messages are also judged as the paper does it."""
    settings = [setting_name(temperature) for temperature in sampling_plan(benchmark)["temperatures"]]
    return [TEACHER_FORCED, *settings] if benchmark == "commits" else settings


def benchmark_stages(benchmark, task):
    """Stages of a model that are evaluated on a task: each of the run's checkpoints, tuned where the benchmark says so."""
    templates = BENCHMARKS[benchmark]["stages"]
    return [
        template.replace("{checkpoint}", start).replace("{task}", task) for start in STARTS for template in templates
    ]


def task_settings(wildcards):
    """What else than its files decides a task's problems."""
    entry = benchmark_table(wildcards)
    sizes = config["commits"]["sizes"] if wildcards.benchmark == "commits" else None
    return {"form": entry["form"], "name": wildcards.task, "sizes": sizes}


def is_executed(benchmark):
    """Whether completions are programs, to be run."""
    return "pass_at" in BENCHMARKS[benchmark]


def is_compiled(wildcards):
    """Whether the programs of a job's task are compiled, so that it counts how many compile."""
    return is_executed(wildcards.benchmark) and RUNNERS[runner_name(wildcards)]["kind"] == "compiled"


def benchmark_controls(benchmark):
    """Controls of a benchmark; the ceiling shows what its stop sequences take from its own solutions."""
    return (*CONTROLS, CEILING) if BENCHMARKS[benchmark].get("ceiling") else CONTROLS


def control_executions(wildcards):
    """Executions of a task's controls, by name."""
    folder = f"{RESULTS}/executions/{wildcards.benchmark}/{wildcards.task}/{CONTROL}"
    return {name: f"{folder}/{name}.{CONTROL}.parquet" for name in benchmark_controls(wildcards.benchmark)}


def evaluated_cells(benchmark, task):
    """(setting, model, stage) of each score file of a task; data without solutions has no references to score."""
    solved = "references" not in BENCHMARKS[benchmark] or task_references(benchmark, task)
    names = [name for name in benchmark_controls(benchmark) if solved or name == "empty"]
    controls = [(CONTROL, name, CONTROL) for name in names]
    return controls + [
        (setting, model, stage)
        for setting in benchmark_settings(benchmark)
        for model in config["models"]
        for stage in benchmark_stages(benchmark, task)
    ]


def source_of(template, benchmark, task):
    """Where a task's file comes from when it is not in a folder, with task and language filled in."""
    source = dict(BENCHMARKS[benchmark]["downloads"][template])
    language = task_entry(benchmark, task)["language"]
    for key in {"files", "url"} & source.keys():
        source[key] = source[key].replace("{task}", task)
    if "where" in source:
        source["where"] = {field: value.replace("{language}", language) for field, value in source["where"].items()}
    if benchmark == "commits":
        source["rows"] = {split: config["commits"]["sizes"][split] for split in SPLITS}
    return source


def fetched_sources():
    """Sources of the files of the run's tasks, by their names below a folder of benchmark data."""
    return {
        template.replace("{task}", file_stem(task)): source_of(template, benchmark, task)
        for benchmark in BENCHMARKS
        for task in benchmark_tasks(benchmark)
        for template in task_entry(benchmark, task)["files"]
    }


FETCHED = f"{RESULTS}/benchmark-data"
SOURCES = fetched_sources() if EVALUATE["data_dir"] is None else {}


def packaged_file(source):
    """A data file of an installed Python package; where the package lacks, the path that the error will name."""
    spec = find_spec(source["package"])
    folder = Path(spec.origin).parent if spec and spec.origin else Path(f"package {source['package']}")
    return str(folder / source["file"])


def task_files(benchmark, task):
    """Files of a task's rows: fetched, or below the folder of benchmark data, or else in a package that carries them."""
    paths = []
    for template in task_entry(benchmark, task)["files"]:
        name, source = template.replace("{task}", file_stem(task)), BENCHMARKS[benchmark]["downloads"][template]
        path = f"{FETCHED}/{name}" if EVALUATE["data_dir"] is None else rooted(f"{EVALUATE['data_dir']}/{name}")
        absent = EVALUATE["data_dir"] is not None and not Path(path).exists()
        carried = "package" in source and "halved" not in source
        paths.append(packaged_file(source) if absent and carried else path)
    return paths


def data_files(wildcards):
    """Files of the rows of a job's task."""
    return task_files(wildcards.benchmark, wildcards.task)


def task_references(benchmark, task):
    """Files of our own solutions, for data that has none; empty where there are none."""
    name = BENCHMARKS[benchmark].get("references")
    if name is None or EVALUATE["data_dir"] is None:
        return []
    path = rooted(f"{EVALUATE['data_dir']}/{name.replace('{task}', task)}")
    return [path] if Path(path).exists() else []


def reference_files(wildcards):
    """Files of our own solutions for a job's task."""
    return task_references(wildcards.benchmark, wildcards.task)


def runner_name(wildcards):
    """The runner of a task's programs: the config's choice or else the table's."""
    chosen = EVALUATE["runners"].get(wildcards.benchmark, {})
    return chosen.get(wildcards.task, task_table(wildcards)["runner"])


def prepare_env(wildcards):
    """The conda env with a runner's tools."""
    return f"../envs/{RUNNERS[wildcards.runner]['env']}.yaml"


def runner_env(wildcards):
    """The conda env with the tools that a task's programs need."""
    return f"../envs/{RUNNERS[runner_name(wildcards)]['env']}.yaml"


def runner_probe(wildcards):
    """The proof that a task's programs can be run here; empty for tasks without programs."""
    return f"{RESULTS}/toolkits/{runner_name(wildcards)}/probe.json" if is_executed(wildcards.benchmark) else []


def generation_probe(wildcards):
    """`runner_probe`, whose being made anew is no reason to generate anew."""
    return ancient(runner_probe(wildcards)) if is_executed(wildcards.benchmark) else []


def runner_shared(wildcards):
    """The folder of what a task's programs share."""
    return f"{RESULTS}/toolkits/{runner_name(wildcards)}/shared"


def runner_table(wildcards):
    """The entry of a task's runner."""
    return RUNNERS[runner_name(wildcards)]


def task_prelude(wildcards):
    """Text before the programs of a task."""
    entry = task_table(wildcards)
    return {"always": entry.get("prelude", ""), "where": entry.get("prelude_where", {})}


def scored_files(wildcards):
    """What a score needs beside generations: for programs their executions, and controls that came out as they must."""
    if not is_executed(wildcards.benchmark):
        return {}
    folder = f"{RESULTS}/executions/{wildcards.benchmark}/{wildcards.task}"
    executions = f"{folder}/{wildcards.setting}/{wildcards.model}.{wildcards.stage}.parquet"
    return {"executions": executions, "checked": f"{folder}/{CONTROL}/checked.json"}


def runner_settings():
    """What of the config decides how programs are run."""
    off = EVALUATE["sandbox"] is False
    return {"mode": "off" if off else "bubblewrap", "wall_factor": EVALUATE["limits"]["wall_factor"]}


def generate_settings(wildcards):
    """What decides a model's completions, beside model and data."""
    plan = sampling_plan(wildcards.benchmark)
    teacher_forced = wildcards.setting == TEACHER_FORCED
    return {
        "sampling": {
            "temperature": setting_temperature(wildcards.setting),
            "top_p": plan["top_p"],
            "samples": 1 if teacher_forced else plan["samples"],
            "new_tokens": plan["new_tokens"],
        },
        "problems": plan.get("problems"),
        "teacher_forced": teacher_forced,
        "prompts": config["commits"]["prompts"] if wildcards.benchmark == "commits" else None,
        "seed": config["seed"],
        "context": model_entry(wildcards)["context"],
        **{key: EVALUATE[key] for key in ("engine", "dtype", "batch_size", "chunk_requests")},
    }


def score_setting(wildcards):
    """A setting's name in tables: for ReCode with the category, and marked where programs ran without a sandbox."""
    parts = [wildcards.task] if wildcards.benchmark == "recode" else []
    if wildcards.setting != "greedy" or not parts:
        parts.append(wildcards.setting)
    if is_executed(wildcards.benchmark) and EVALUATE["sandbox"] is False:
        parts.append("unsandboxed")
    return "-".join(parts)


def score_key(wildcards):
    """The columns of a score that its file's place decides."""
    return {
        "benchmark": wildcards.benchmark,
        "language": task_table(wildcards)["language"],
        "model": wildcards.model,
        "checkpoint": wildcards.stage,
    }


def evaluate_targets():
    """Score files of the run."""
    return [
        f"{RESULTS}/scores/{benchmark}/{task}/{setting}/{model}.{stage}.json"
        for benchmark in BENCHMARKS
        for task in benchmark_tasks(benchmark)
        for setting, model, stage in evaluated_cells(benchmark, task)
    ]
