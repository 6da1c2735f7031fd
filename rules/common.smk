"""Values and functions that the rule files use, in the order of the stages. They name files; the
logic is in typed modules: scripts/evaluate/plan.py and scripts/workflow.

Paths of rules begin with one of three path variables, which follow the config's `results_dir`:
<results>, <logs> and <bench>. They work in input, output, log and benchmark, and in what input
functions return. Params need real paths, which begin with RESULTS.
"""

import os
import re
import sys
from functools import partial, reduce
from operator import getitem
from pathlib import Path

from snakemake import __version__ as SNAKEMAKE_VERSION
from snakemake.exceptions import IncompleteCheckpointException
from snakemake.io import ancient, checkpoint_target

from scripts.evaluate.generation_plan import Generations
from scripts.evaluate.plan import Plan
from scripts.evaluate.plan_inputs import TEACHER_FORCED, Cell
from scripts.lib.code_hash import code_hash as code
from scripts.lib.seeds import seed_for
from scripts.workflow.checkpoint_plan import CheckpointPlan
from scripts.workflow.fidelity_page import read_deviations
from scripts.workflow.language_plan import LanguagePlan
from scripts.workflow.model_jobs import ModelJobs, training_threads
from scripts.workflow.provenance_inputs import (
    captions,
    deployment,
    pairs_config,
    recorded_config,
    scripted_rules,
    used_revisions,
)
from scripts.workflow.resources import megabytes, memory, memory_of_threads, minutes
from scripts.workflow.shards import Shards
from scripts.workflow.table_plan import TablePlan
from scripts.workflow.validation import checked

RESULTS = config["results_dir"]
# The project's folder as recorded paths and params have it: relative where the run's folder is in
# it, so that a checkout that was copied or moved reruns nothing.
PROJECT = os.path.relpath(ROOT) if Path.cwd().is_relative_to(ROOT) else ROOT

# Priority of jobs that most others wait for.
FIRST = 10


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
SCORES = PLAN.score_files()
GENERATION_JOBS = PLAN.generation_jobs()
GENERATIONS = Generations(RESULTS)
TABLES = TablePlan(TABLE_SPECS, PLAN.scored_benchmarks(), bool(CHECKPOINTS.compared_losses()), PLAN.is_sandboxed)
checked(TABLES.check)
LANGUAGE = LanguagePlan(config["corpus"], LANGUAGES, PROJECT)
MODEL = ModelJobs(config, MODELS, CHECKPOINTS, RESULTS, PROJECT)
SHARDS = Shards(Path(RESULTS, "sources"))
# Where each fetched file comes from, by its name.
DOWNLOADS = checked(PLAN.downloads)
# The programs of other languages, and those that run inside the sandbox, which no script imports.
RUNTIME = sorted(f"evaluate/runtime/{path.name}" for path in Path(ROOT, "scripts/evaluate/runtime").iterdir())


# --- sources and compile --------------------------------------------------------------------------

# Whether the corpus has its IR, so that nothing is compiled.
HAS_IR = config["corpus"]["columns"]["ir"] is not None
# The number of reading processes changes no result.
CORPUS = {key: value for key, value in config["corpus"].items() if key != "jobs"}
READING_JOBS = config["corpus"]["jobs"]
# Sources in a shard, on average at most.
SHARD_SIZE = config["ir_shard_size"] if HAS_IR else config["shard_size"]


def shards_of(language):
    """Names of a language's shards, in order; waits until its sources have been read."""
    checkpoints.sources_read.get(language=language)
    return SHARDS.names(language)


def of_shards(pattern):
    """An input function: the file of each shard of the job's language, in order; `pattern` has
    {language} and {shard}.
    """
    return lambda wildcards: expand(pattern, language=wildcards.language, shard=shards_of(wildcards.language))


def shard_table(wildcards):
    """The sources table of a shard, for `ancient()`: jobs follow its content by `SHARDS.digest`,
    not its age.
    """
    checkpoints.sources_read.get(language=wildcards.language)
    return SHARDS.table(wildcards.language, wildcards.shard)


def sources_targets():
    """Final files of the stage."""
    return expand("<results>/sources/{language}/shards.json", language=config["languages"])


# What a compiling job writes: the outcome table and, with keep_ll, a folder of modules as text.
COMPILE_OUTPUT = {"table": "<results>/ir/{language}/{shard}.parquet"}
if config["keep_ll"]:
    COMPILE_OUTPUT["texts"] = directory("<results>/ir/{language}/{shard}")


def compile_targets(wildcards):
    """Final files of the stage: the outcome tables of all shards."""
    return [
        f"<results>/ir/{language}/{shard}.parquet" for language in config["languages"] for shard in shards_of(language)
    ]


# --- dedup and pairs ------------------------------------------------------------------------------


def cluster_megabytes(wildcards):
    """Megabytes for clustering: a fixed part with the shingles for verification, and the signature
    and other data of each source.
    """
    signature = 4 * config["dedup"]["permutations"] if config["dedup"]["enabled"] else 0
    return megabytes(1000, SHARDS.rows(wildcards.language), signature + 2048)


def dedup_targets():
    """Final files of the stage."""
    return expand("<results>/dedup/{language}/clusters.parquet", language=config["languages"])


BENCHMARK_FOLDER = PLAN.data_folder(RESULTS)


def benchmark_files(wildcards):
    """The benchmarks' files: those fetched, or all below `evaluate.data_dir`."""
    return [str(BENCHMARK_FOLDER / name) for name in PLAN.file_names(BENCHMARK_FOLDER)]


def benchmark_names(wildcards, input):
    """Names of the benchmarks' files in their folder."""
    return [Path(path).relative_to(BENCHMARK_FOLDER).as_posix() for path in input]


def ngram_tables(wildcards):
    """The n-grams of the benchmarks; none where decontamination is off."""
    return ["<results>/decontamination/ngrams.parquet"] if config["pairs"]["decontaminate"]["enabled"] else []


def pairs_megabytes(wildcards):
    """Megabytes for building pairs: a fixed part with two row groups of text, and the data of each
    source.
    """
    return megabytes(1500, SHARDS.rows(wildcards.language), 500)


# The outputs of a language's job, by variant: folders of parts.
PAIR_OUTPUT = {
    variant: directory(path)
    for variant in config["variants"]
    for path in expand("<results>/pairs/{language}/{variant}.parquet", variant=variant, allow_missing=True)
}


def pair_tables(chosen=config):
    """The pairs of all languages and variants, or of those in other settings."""
    pattern = "<results>/pairs/{language}/{variant}.parquet"
    return expand(pattern, language=chosen["languages"], variant=chosen["variants"])


def ledgers():
    """The ledgers of all languages, in their order."""
    return expand("<results>/pairs/{language}/ledger.parquet", language=config["languages"])


def pairs_targets():
    """Final files of the stage: the data set with its card, and figures of it."""
    return [
        *pair_tables(),
        *ledgers(),
        *expand("<results>/pairs/{file}", file=["README.md", "statistics.csv", "contamination.csv"]),
        *expand("<results>/figures/{figure}.svg", figure=["funnel", "ir_lengths"]),
    ]


# --- models: pretrain and finetune ----------------------------------------------------------------

# The pairs that all models are trained on.
SAMPLED_DOCUMENTS = "<results>/sample/documents.parquet"
ABLATIONS = CHECKPOINTS.ablations


def sample_pairs(wildcards):
    """The tables of pairs that a sample is drawn from: all, or those of an ablation's languages and
    variants.
    """
    ablation = wildcards.purpose.partition("-")[2]
    return pair_tables(ABLATIONS.settings(ablation)) if ablation else pair_tables()


def sample_settings(wildcards):
    """What the draw of the sample for a purpose depends on, as a param."""
    purpose, _, ablation = wildcards.purpose.partition("-")
    if purpose == "losses":
        return {"seed": config["seed"], **pick("pretrain", "loss_documents")}
    return ABLATIONS.sample(ablation or "ircoder")


def ablation_sample(wildcards):
    """The sample that an ablation is trained on: its own, or the one that it shares."""
    owner = ABLATIONS.sample_owner(wildcards.ablation)
    return SAMPLED_DOCUMENTS if owner == "ircoder" else f"<results>/sample/documents-{owner}.parquet"


def ablation_tokens(wildcards):
    """The tokens that an ablation is trained on: its own, or those that it shares."""
    owner = ABLATIONS.tokens_owner(wildcards.ablation)
    return "<results>/tokens/{model}" if owner == "ircoder" else f"<results>/tokens-{owner}/{wildcards.model}"


def ablation_reference(wildcards):
    """IRCoder's tokens, where an ablation is trained on as many."""
    return ["<results>/tokens/{model}"] if ABLATIONS.settings(wildcards.ablation)["equal_tokens"] else []


# A wildcard constraint: the checkpoints that a tuning starts from.
START = f"base|ircoder(-[0-9]+)?|{any_of(ABLATIONS.names)}"
# The training process, which is started by its name and not imported.
TRAINING_PROCESS = "lib/training/worker.py"
# Adapters saved during a training. They are not a setting: a milestone that was saved may be dropped
# without a new training.
MILESTONES = expand("<results>/models/{model}/milestones/{step}", step=CHECKPOINTS.milestones, allow_missing=True)


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


# --- evaluate and tables --------------------------------------------------------------------------


def task(wildcards):
    """The plan of the job's task."""
    return PLAN.task(wildcards.benchmark, wildcards.task)


# Memory of a job that runs programs.
execution_memory = memory_of_threads(lambda wildcards, threads: task(wildcards).execution_mb(threads))
choices_memory = memory_of_threads(lambda wildcards, threads: task(wildcards).source.execution_mb(threads))


def adapted_from(jobs, wildcards):
    """The folder that the adapter of a generating job is merged into; none for a whole model."""
    return MODEL.adapted_from(jobs.start(wildcards.checkpoint, START), wildcards)


def generations(wildcards):
    """The job's file of generations. Jobs that read it follow its content, `GENERATIONS.digest`, and
    not its age; they wait for a generating job that runs.
    """
    path = GENERATIONS.path(wildcards)
    evaluated = task(wildcards)
    for jobs in GENERATION_JOBS:
        if jobs.evaluates(wildcards.checkpoint, evaluated, START):
            try:
                getattr(checkpoints, jobs.rule).get(**wildcards)
            except IncompleteCheckpointException as incomplete:
                # Of the job's files, this one is needed.
                raise IncompleteCheckpointException(incomplete.rule, checkpoint_target(path)) from None
            return ancient(path)
    return path


def score_inputs(wildcards):
    """Inputs of a score other than completions and rows: for programs, their executions and the
    check of the controls.
    """
    return task(wildcards).score_inputs(Cell(wildcards.setting, wildcards.model, wildcards.checkpoint))


def evaluate_targets():
    """Final files of the stage: the score files."""
    return SCORES


def tables_targets():
    """Final files of the stage."""
    return [
        *("<results>/tables/scores.csv", "<results>/tables/main.md"),
        *expand("<results>/tables/{benchmark}.{format}", benchmark=TABLES.benchmarks, format=["csv", "md", "tex"]),
        *expand("<results>/figures/{figure}.svg", figure=TABLES.figures(has_curves=bool(curve_files()))),
    ]


# --- provenance -----------------------------------------------------------------------------------


def run_results(wildcards):
    """All final files of the stages before this one, and the tables as parts of the report."""
    evaluated = [*tuned_models(PLAN.tunings()), *evaluate_targets()]
    earlier = [*sources_targets(), *dedup_targets(), *pairs_targets(), *pretrain_targets(), *evaluated]
    return [*compile_targets(wildcards), *earlier, *tables_targets(), *report_tables()]


def rule_scripts(wildcards):
    """Script and environment of every rule that has a script; known when all rules are."""
    return scripted_rules(workflow.rules, ROOT)


def stages_of_rules(wildcards):
    """Which stage each rule with a script belongs to, by the folder of the script."""
    return {name: Path(entry["script"]).parts[1] for name, entry in rule_scripts(wildcards).items()}


def report_tables():
    """Tables as parts of the report."""
    return expand("<results>/tables/{benchmark}.html", benchmark=TABLES.benchmarks)


def report_figures():
    """All figures of the report."""
    return [path for path in [*pairs_targets(), *tables_targets()] if path.endswith(".svg")]


def run_executions():
    """Tables of the executions of all programs."""
    return PLAN.execution_files()


def report_targets():
    """Final files of the stage."""
    return [f"<results>/{name}" for name in ("report.html", "ro-crate-metadata.json", "provenance/run.sqlite")]


def audit_targets():
    """The file of the audit."""
    return ["<results>/provenance/audit.txt"]
