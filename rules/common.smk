"""Functions and values that the rule files use, in the order of the stages.

Paths of rules begin with one of three path variables, which follow the config's `results_dir`:
<results>, <logs> and <bench>. They work in input, output, log and benchmark, and in what input
functions return. Params need real paths, which begin with RESULTS.
"""

import os
import re
import sys
from functools import cache, reduce
from operator import getitem
from pathlib import Path

from snakemake import __version__ as SNAKEMAKE_VERSION
from snakemake.exceptions import WorkflowError

from scripts.evaluate.plan import Plan
from scripts.evaluate.task_plan import FETCHED, TEACHER_FORCED, Cell
from scripts.lib.code_hash import code_hash as code
from scripts.lib.files import read_json
from scripts.lib.job import InputError
from scripts.lib.local_models import folder_stamp, local_model
from scripts.lib.revisions import revisions_in
from scripts.lib.seeds import seed_for
from scripts.sources.corpus import Corpus
from scripts.workflow.checkpoint_plan import CheckpointPlan
from scripts.workflow.validation import ConfigError
from scripts.workflow.fidelity_page import read_deviations

RESULTS = config["results_dir"]
# The project's folder as recorded paths and params have it: relative where the run's folder is in
# it, so that a checkout that was copied or moved reruns nothing.
PROJECT = os.path.relpath(ROOT) if Path.cwd().is_relative_to(ROOT) else ROOT


pathvars:
    results=RESULTS,
    logs="<results>/logs",
    bench="<results>/benchmarks",


wildcard_constraints:
    language="[A-Za-z0-9+#-]+",
    shard="[0-9]+",
    variant="perf|size",
    model="[a-z0-9.-]+",
    benchmark="[a-z-]+",
    task="[A-Za-z0-9_+#-]+",
    setting="[a-z0-9.-]+",
    checkpoint="[A-Za-z0-9+#-]+",
    runner="[a-z-]+",


# --- config and params ----------------------------------------------------------------------------


def checked(check, *arguments):
    """The value of a function that checks the config or a table; ends the process with one line for
    a fault.
    """
    try:
        return check(*arguments)
    except (ConfigError, InputError) as error:
        sys.exit(f"error: {error}")


def pick(section, *keys):
    """Some keys of a section of the config (`dedup`, `compile.limits`): what a rule depends on, as
    a param.
    """
    values = reduce(getitem, section.split("."), config)
    return {key: values[key] for key in keys}


def rooted(path):
    """A path of the config, which is relative to the project's folder whatever the working
    directory is.
    """
    return str(Path(PROJECT, path))


def any_of(names):
    """A wildcard constraint: one of the names; a pattern that matches nothing where there are none."""
    return "|".join(re.escape(name) for name in names) or "(?!)"


def hub_offline(wildcards, threads):
    """`hub.offline` as a param that reruns nothing: what was fetched stays when the key is switched
    on later.

    Snakemake does not compare a param that is a function of `threads` with that of an earlier run.
    """
    return config["hub"]["offline"]


# --- plans ----------------------------------------------------------------------------------------

PLAN = Plan(config, BENCHMARKS, RUNNERS, Path(PROJECT))
checked(PLAN.check)
for note in PLAN.notes():
    print(f"note: {note}", file=sys.stderr)
CHECKPOINTS = CheckpointPlan(config, MODELS, PLAN.tunings())
checked(CHECKPOINTS.check)
# Where each fetched file comes from, by its name.
DOWNLOADS = checked(PLAN.downloads)
# The programs of other languages, and those that run inside the sandbox, which no script imports.
RUNTIME = sorted(f"evaluate/runtime/{path.name}" for path in Path(ROOT, "scripts/evaluate/runtime").iterdir())


# --- resources ------------------------------------------------------------------------------------

# What the Snakemake inside a cluster's job uses in addition to the job's own program.
NESTED_SNAKEMAKE_MB = 300


def per_attempt(need, extra=0):
    """A resource function: `need` (a number, or a function of the wildcards) plus `extra`, times
    the attempt.
    """

    def amount(wildcards, attempt):
        return ((need(wildcards) if callable(need) else need) + extra) * attempt

    return amount


def memory(need):
    """`mem_mb` of a job that needs `need` megabytes; a retry after it was killed for memory gets
    more.
    """
    return per_attempt(need, NESTED_SNAKEMAKE_MB)


def minutes(need):
    """`runtime` of a job that takes at most `need` minutes; a retry after it ran out of time gets
    more.
    """
    return per_attempt(need)


# --- sources --------------------------------------------------------------------------------------


def fetched_corpus(wildcards):
    """The record of the corpus fetched from the hub; nothing where the corpus is a folder."""
    return ["<results>/corpus/fetched.json"] if config["corpus"]["dataset"] else []


@cache
def folder_fingerprint(language):
    """Digest over the files of a language in a corpus that is a folder."""
    root = Path(rooted(config["corpus"]["path"]))
    return Corpus(root, language, config["corpus"], LANGUAGES[language]["suffixes"]).fingerprint()


def corpus_fingerprint(wildcards):
    """Changes with every file of the language in the corpus. A fetched corpus has a revision and
    never changes.
    """
    return "" if config["corpus"]["dataset"] else folder_fingerprint(wildcards.language)


@cache
def parsed_index(path, changed):
    """The shards in an index file; `changed`, its modification time, makes the cache follow the
    file.
    """
    return read_json(path)["shards"]


def shard_index(language):
    """Rows and digests of a language's shards, by shard; empty while its sources have not been
    read.
    """
    path = Path(RESULTS, "sources", language, "shards.json")
    return parsed_index(path, path.stat().st_mtime_ns) if path.exists() else {}


def shards_of(language):
    """Names of a language's shards, in order; waits until its sources have been read."""
    index = checkpoints.sources_read.get(language=language).output.shards
    shards = sorted(shard_index(language), key=int)
    for shard in shards:
        if not Path(index).with_name(f"{shard}.parquet").exists():
            raise WorkflowError(f"{index} names the shard {shard}, whose table is gone; delete {index} and run again")
    return shards


def of_shards(pattern):
    """An input function: the file of each shard of the job's language, in order; `pattern` has
    {language} and {shard}.
    """
    return lambda wildcards: expand(pattern, language=wildcards.language, shard=shards_of(wildcards.language))


def shard_table(wildcards):
    """The sources table of a shard, for `ancient()`: jobs follow its content by `shard_digest`, not
    its age.
    """
    index = checkpoints.sources_read.get(language=wildcards.language).output.shards
    return str(Path(index).with_name(f"{wildcards.shard}.parquet"))


def shard_digest(wildcards):
    """SHA-256 of a shard's table: as a param it reruns the job when, and only when, the table
    changed.
    """
    return shard_index(wildcards.language).get(wildcards.shard, {}).get("sha256", "")


def module_table(wildcards):
    """The modules that came with the programs of a shard, for `ancient()`."""
    path = Path(shard_table(wildcards))
    return str(path.parent / "modules" / path.name)


def module_digest(wildcards):
    """SHA-256 of a shard's sources and modules."""
    shard = shard_index(wildcards.language).get(wildcards.shard, {})
    return [shard.get("sha256"), shard.get("modules")]


def module_origin():
    """Where the IR that comes with programs is from, for the column of compilers."""
    dataset = config["corpus"]["dataset"]
    return f"{dataset['id']} at {dataset['revision']}" if dataset else "came with the program"


def language_rows(language):
    """Number of sources of a language; 0 while it is not known."""
    return sum(shard["rows"] for shard in shard_index(language).values())


def sources_targets():
    """Final files of the stage."""
    return expand("<results>/sources/{language}/shards.json", language=config["languages"])


# --- compile --------------------------------------------------------------------------------------

# What a job writes: the outcome table and, with keep_ll, a folder of modules as text.
COMPILE_OUTPUT = {"table": "<results>/ir/{language}/{shard}.parquet"}
if config["keep_ll"]:
    COMPILE_OUTPUT["texts"] = directory("<results>/ir/{language}/{shard}")


def preparation_keys(wildcards):
    """The key of how programs are prepared, where a frontend of the language does so."""
    frontends = LANGUAGES[wildcards.language]["frontends"]
    return ["prepare"] if any("prepare" in frontend for frontend in frontends) else []


def extra_files(wildcards):
    """The files that the language's frontends put next to each program, below scripts/."""
    frontends = LANGUAGES[wildcards.language]["frontends"]
    paths = {path for frontend in frontends for path in frontend.get("extra_files", {}).values()}
    return [path.removeprefix("scripts/") for path in sorted(paths)]


def compile_targets(wildcards):
    """Final files of the stage: the outcome tables of all shards."""
    return [
        f"<results>/ir/{language}/{shard}.parquet" for language in config["languages"] for shard in shards_of(language)
    ]


# --- dedup ----------------------------------------------------------------------------------------


def cluster_megabytes(wildcards):
    """A base, the shingles held for verification, and signature and bookkeeping of each source."""
    signature = 4 * config["dedup"]["permutations"] if config["dedup"]["enabled"] else 0
    return 1000 + language_rows(wildcards.language) * (signature + 2048) // 1_000_000


def dedup_targets():
    """Final files of the stage."""
    return expand("<results>/dedup/{language}/clusters.parquet", language=config["languages"])


# --- pairs ----------------------------------------------------------------------------------------


def benchmark_folder():
    """The folder of the benchmarks' files."""
    return str(PLAN.data_dir or FETCHED.replace("<results>", RESULTS))


def benchmark_files(wildcards):
    """The benchmarks' files: those fetched, or all below `evaluate.data_dir`.

    Commits are data to tune on, not a benchmark.
    """
    folder = Path(benchmark_folder())
    paths = [path for kind in ("jsonl", "jsonl.gz") for path in folder.rglob(f"*.{kind}")]
    names = DOWNLOADS or [path.relative_to(folder).as_posix() for path in paths]
    return sorted(str(folder / name) for name in names if not name.startswith("commitchronicle/"))


def benchmark_names(wildcards, input):
    """Names of the benchmarks' files in their folder."""
    return [Path(path).relative_to(benchmark_folder()).as_posix() for path in input]


def ngram_tables(wildcards):
    """The n-grams of the benchmarks; none where decontamination is off."""
    return ["<results>/decontamination/ngrams.parquet"] if config["pairs"]["decontaminate"]["enabled"] else []


def pairs_megabytes(wildcards):
    """A base with room for two row groups of text, and what is known of each source."""
    return 1500 + language_rows(wildcards.language) * 500 // 1_000_000


# The outputs of a language's job, by variant.
PAIR_OUTPUT = {
    variant: path
    for variant in config["variants"]
    for path in expand("<results>/pairs/{language}/{variant}.parquet", variant=variant, allow_missing=True)
}


def pair_tables():
    """The pairs of all languages and variants."""
    pattern = "<results>/pairs/{language}/{variant}.parquet"
    return expand(pattern, language=config["languages"], variant=config["variants"])


def pairs_targets():
    """Final files of the stage: the data set with its card, and figures of it."""
    return [
        *pair_tables(),
        *expand("<results>/pairs/{file}", file=["README.md", "statistics.csv", "contamination.csv"]),
        *expand("<results>/figures/{figure}.svg", figure=["funnel", "ir_lengths"]),
    ]


# --- models: pretrain and finetune ----------------------------------------------------------------

# A wildcard constraint: the checkpoints that a tuning starts from.
START = "base|ircoder(-[0-9]+)?"
# The training process, which is started by its name and not imported.
TRAINING_PROCESS = "lib/training/worker.py"
# Adapters saved during a training. They are no setting: a milestone that was saved may be dropped
# without a new training.
MILESTONES = expand("<results>/models/{model}/milestones/{step}", step=CHECKPOINTS.milestones, allow_missing=True)
# The fields of a rendered conversation, of which only the last message may be shortened
# (scripts/finetune/chat.py).
CHAT_PROMPT = "{before}{instruction}{after}"


def model_entry(wildcards):
    """The entry of config/models.yaml; the wildcard `imported` is model and checkpoint."""
    return MODELS[wildcards.get("model") or wildcards.imported.partition("/")[0]]


def model_memory(work):
    """`mem_mb` by the size of the model; `work` is a key of its `resources`."""
    return memory(lambda wildcards: model_entry(wildcards)["resources"][work]["mem_mb"])


def model_minutes(work):
    """`runtime` by the size of the model; `work` is a key of its `resources`."""
    return minutes(lambda wildcards: model_entry(wildcards)["resources"][work]["runtime"])


def uses_gpu(wildcards):
    """Whether the model runs on a GPU."""
    return model_entry(wildcards)["gpu"]


def gpus(processes):
    """`gpu` of a job with so many processes: one each for a model that runs on GPUs, else none."""
    return lambda wildcards: processes if uses_gpu(wildcards) else 0


def training_threads(training):
    """Threads of all processes of a training block of the config."""
    return training["threads"] * training["processes"]


def checkpoint_folder(wildcards):
    """The folder of a model's training checkpoints, which is no output, so that they outlive a
    failed job.
    """
    return f"{RESULTS}/checkpoints/{wildcards.model}"


def tensorboard(name):
    """A param: the folder for TensorBoard's files of a training; `name` may have wildcards."""
    return lambda wildcards: f"{RESULTS}/logs/tensorboard/{wildcards.model}/{name.format(**wildcards)}"


def model_card(wildcards):
    """What a model's card says of its base."""
    entry = model_entry(wildcards)
    return {"title": entry["title"], "license": entry["license"], "base": entry.get("repository")}


def operators(section):
    """An input function: DeepSpeed's compiled operators, where a section trains on CPUs with
    DeepSpeed.
    """

    def files(wildcards):
        is_needed = config[section]["training"]["deepspeed"] and not uses_gpu(wildcards)
        return ["<results>/checkpoints/deepspeed_operators"] if is_needed else []

    return files


def import_settings(wildcards):
    """What determines a base that is imported."""
    keys = ("source", "repository", "revision", "path", "package", "file")
    settings = {key: value for key, value in model_entry(wildcards).items() if key in keys}
    local = local_model(settings, PROJECT)
    return settings if local is None else {**settings, "files": folder_stamp(local)}


def checkpoint_source(wildcards):
    """Where an imported checkpoint comes from, with a stamp of its files where it is a folder."""
    source = CHECKPOINTS.imports[wildcards.imported]
    return {**source, "files": folder_stamp(rooted(source["path"])) if "path" in source else None}


def checkpoint_base(wildcards):
    """The base of an imported checkpoint, where merging it may need one that only this run can
    make.
    """
    model, source = wildcards.imported.partition("/")[0], CHECKPOINTS.imports[wildcards.imported]
    is_whole = "path" in source and not Path(rooted(source["path"]), "adapter_config.json").exists()
    return [f"<results>/models/{model}/base"] if CHECKPOINTS.is_from_scratch(model) and not is_whole else []


def first_tokenizer(wildcards):
    """The folder with the tokenizer that a model had before it got the new tokens."""
    folder = "vocabulary" if CHECKPOINTS.is_from_scratch(wildcards.model) else "base"
    return f"<results>/models/{wildcards.model}/{folder}"


def training_settings(section, key="training"):
    """A training block of the config, with the content of its DeepSpeed file."""
    settings = dict(config[section][key])
    if settings["deepspeed"]:
        settings["deepspeed"] = read_json(rooted(settings["deepspeed"]))
    return settings


def lora_settings(section, wildcards):
    """LoRA of a section of the config, with the layers that the model's entry names."""
    entry, lora = model_entry(wildcards), config[section]["lora"]
    saved = entry["modules_to_save"] if lora["embeddings"] else []
    return {
        **pick(f"{section}.lora", "r", "alpha", "dropout"),
        "targets": entry["lora_targets"],
        "modules_to_save": saved,
    }


def chat_settings():
    """How prompts are written with a chat template; empty without one."""
    template = config["instruct"]["chat_template"]
    if template is None:
        return {}
    prompts = {**config["instruct"]["prompts"], "template": CHAT_PROMPT, "shorten": "instruction"}
    return {"prompts": prompts, "chat_template": template}


def instruction_files(wildcards):
    """Training and validation rows for instruction tuning: in the folder `instruct.data`, or
    fetched.
    """
    data = config["instruct"]["data"]
    folder = "<results>/instruct" if data is None else rooted(data)
    return [f"{folder}/{split}.jsonl" for split in ("train", "validation")]


def commits_file(wildcards):
    """The commits of one language, those that the benchmark of commit messages has."""
    return PLAN.task("commits", wildcards.language).data_files


def loss_files():
    """Files of validation losses, in the order of `CHECKPOINTS.compared_losses`."""
    return [f"<results>/models/{model}/losses/{name}.parquet" for model, name in CHECKPOINTS.compared_losses()]


def curve_files():
    """Learning curves of all trainings of the run, by model in the order of training."""
    return [
        f"<results>/models/{model}/curves/{name}.csv"
        for model in config["models"]
        for name in CHECKPOINTS.trainings(model)
    ]


def tuned_models(tunings):
    """Folders of the models with these tunings of each evaluated checkpoint."""
    pattern = "<results>/models/{model}/{start}-{tuning}"
    return expand(pattern, model=config["models"], start=CHECKPOINTS.evaluated, tuning=tunings)


def pretrain_targets():
    """Final files of the stage: checkpoints and validation losses."""
    pattern = "<results>/models/{model}/{checkpoint}"
    return [*expand(pattern, model=config["models"], checkpoint=CHECKPOINTS.pretrained()), *loss_files()]


def finetune_targets():
    """Final files of the stage: all tunings, whether the run evaluates them or not."""
    return tuned_models(["instruct", *(f"commits-{language}" for language in config["commits"]["languages"])])


# --- evaluate -------------------------------------------------------------------------------------


def task(wildcards):
    """The plan of the job's task."""
    return PLAN.task(wildcards.benchmark, wildcards.task)


def runner_settings():
    """What of the config determines how programs are run."""
    mode = "bubblewrap" if PLAN.is_sandboxed else "off"
    return {"mode": mode, **pick("evaluate.limits", "wall_factor")}


def score_inputs(wildcards):
    """For programs, their executions, and the controls' that came out as they must."""
    if not task(wildcards).is_executed:
        return {}
    cell = Cell(wildcards.setting, wildcards.model, wildcards.checkpoint)
    return {"executions": task(wildcards).execution_file(cell), "checked": task(wildcards).checked_controls}


def evaluated_tunings():
    """Folders of the tuned models that the run evaluates."""
    return tuned_models(PLAN.tunings())


def evaluate_targets():
    """Final files of the stage: the score files."""
    return PLAN.score_files()


# --- tables ---------------------------------------------------------------------------------------

VALIDATION = "validation"


def table_benchmarks():
    """Benchmarks that get a wide table, in the order of config/tables.yaml."""
    scored = {path.removeprefix("<results>/scores/").split("/")[0] for path in evaluate_targets()}
    scored |= {VALIDATION} if CHECKPOINTS.compared_losses() else set()
    unknown = sorted(scored - TABLE_SPECS.keys())
    if unknown:
        sys.exit(f"error: config/tables.yaml has no entry '{unknown[0]}'; add one for the benchmark's table")
    return [benchmark for benchmark in TABLE_SPECS if benchmark in scored]


def table_spec(wildcards):
    """What of a benchmark's entry determines its table in one format: csv has all digits and no
    text.
    """
    unused = ("headline", "decimals", "title", "caption", "notes") if wildcards.format == "csv" else ("headline",)
    return {key: value for key, value in TABLE_SPECS[wildcards.benchmark].items() if key not in unused}


def table_specs(benchmarks, *keys):
    """Some keys of the entries of some benchmarks."""
    return {name: {key: TABLE_SPECS[name][key] for key in keys if key in TABLE_SPECS[name]} for name in benchmarks}


def run_notes():
    """Notes below every table of the run."""
    unsandboxed = "Generated programs were run without a sandbox (evaluate.sandbox: off)."
    return [] if PLAN.is_sandboxed else [unsandboxed]


def figure_names():
    """Figures that the run has data for."""
    losses = ["validation_loss"] if CHECKPOINTS.compared_losses() else []
    return ["base_vs_ircoder", *losses, *(["learning_curves"] if curve_files() else [])]


def tables_targets():
    """Final files of the stage."""
    return [
        *("<results>/tables/scores.csv", "<results>/tables/main.md"),
        *expand("<results>/tables/{benchmark}.{format}", benchmark=table_benchmarks(), format=["csv", "md", "tex"]),
        *expand("<results>/figures/{figure}.svg", figure=figure_names()),
    ]


# --- provenance -----------------------------------------------------------------------------------


def run_results(wildcards):
    """All final files of the stages before this one, and the tables as parts of the report."""
    stages = (sources_targets, dedup_targets, pairs_targets, pretrain_targets, evaluated_tunings, evaluate_targets)
    earlier = [path for stage in stages for path in stage()]
    return [*compile_targets(wildcards), *earlier, *tables_targets(), *report_tables()]


def compiled_sources(wildcards):
    """The sources tables of the outcome tables."""
    return [path.replace("<results>/ir/", "<results>/sources/", 1) for path in compile_targets(wildcards)]


def scripted_rules(wildcards):
    """Script and environment of every rule that has a script, as paths below the project."""

    def below(path, folder):
        return os.path.relpath(os.path.join(folder, path), ROOT) if isinstance(path, str) else ""

    return {
        entry.name: {
            name: below(path, str(entry.basedir)) for name, path in (("script", entry.script), ("env", entry.conda_env))
        }
        for entry in workflow.rules
        if entry.script and Path(str(entry.basedir)).is_relative_to(ROOT)
    }


def stages_of_rules(wildcards):
    """The stage of every rule that has a script: the folder of the script."""
    return {name: Path(entry["script"]).parts[1] for name, entry in scripted_rules(wildcards).items()}


def execution_targets(wildcards):
    """The tables of executions, those of controls included."""
    return [path for path in map(execution_file, evaluate_targets()) if path]


def execution_file(score):
    """The table of executions of a score file; None where texts are compared."""
    benchmark, task_name, setting, name = score.removeprefix("<results>/scores/").split("/")
    cell = Cell(setting, *name.removesuffix(".json").rsplit(".", 1))
    plan = PLAN.task(benchmark, task_name)
    return plan.execution_file(cell) if plan.is_executed else None


def deployment():
    """Where the rules' programs come from: `conda` environments or the `host`."""
    methods = workflow.deployment_settings.deployment_method
    return "conda" if "conda" in {str(method) for method in methods} else "host"


def recorded_config():
    """The config as the results depend on it, without the key that says where they are."""
    return {key: config[key] for key in sorted(config) if key != "results_dir"}


def used_revisions():
    """Models and data sets of the hub that the run used: repository and commit, by the address of
    the commit.
    """
    entries = [config, {name: MODELS[name] for name in config["models"]}, list(DOWNLOADS.values())]
    return {used.address: [used.repository, used.revision] for used in revisions_in(entries)}


def report_tables():
    """Tables as parts of the report."""
    return expand("<results>/tables/{benchmark}.html", benchmark=table_benchmarks())


def report_figures():
    """All figures of the report."""
    return [path for path in [*pairs_targets(), *tables_targets()] if path.endswith(".svg")]


def report_targets():
    """Final files of the stage."""
    return [f"<results>/{name}" for name in ("report.html", "ro-crate-metadata.json", "provenance/run.sqlite")]


def audit_targets():
    """The file of the audit."""
    return ["<results>/provenance/audit.txt"]
