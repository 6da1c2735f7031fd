"""Tables of the run's database, `provenance/run.sqlite`.

The module needs no other package, so that the explorer's small environment can import it.
"""

from dataclasses import dataclass

# Where the database is below `results_dir`.
DATABASE = "provenance/run.sqlite"
# Types of SQLite.
TEXT, INTEGER, REAL = "TEXT", "INTEGER", "REAL"
# Columns that name the part of the database that a row belongs to; tables without one describe the whole run.
LANGUAGE, TASK = "language", "task"


@dataclass(frozen=True)
class Field:
    """A column of the database.

    kind: its type in SQLite.
    references: table whose key it contains, or empty.
    indexed: whether there is an index for it; every reference has one.
    """

    name: str
    description: str
    kind: str = TEXT
    references: str = ""
    indexed: bool = False


@dataclass(frozen=True)
class DatabaseTable:
    """A table of the database; its first column is the primary key.

    description: what a row is.
    label: column that stands for a row where another table refers to it.
    part: column that names the part that rows belong to: `language`, `task`, or empty for the run.
    searched: columns with full-text search.
    """

    name: str
    description: str
    fields: tuple[Field, ...]
    label: str = ""
    part: str = ""
    searched: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Name of the primary key."""
        return self.fields[0].name

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(field.name for field in self.fields)


_LANGUAGE = Field(LANGUAGE, "language, as named in `config/languages.yaml`", indexed=True)
_TASK = Field(TASK, "benchmark and its language or task, joined by `/`", indexed=True)
_VARIANT = Field("variant", "optimisation variant: `perf` or `size`")
_FILE = Field("file", "file below `results_dir` that has the row", references="files")
_ROW = Field("row", "number of the row in `file`, from 0", INTEGER)


def _source(description: str) -> Field:
    return Field("source", description, references="sources")


_SOURCES = (
    DatabaseTable(
        "sources",
        "Programs, exact duplicates dropped.",
        (
            Field("key", "`language` and `id`, joined by `/`"),
            _LANGUAGE,
            Field("id", "first 16 hexadecimal digits of `source_sha256`", indexed=True),
            Field("path", "path below the corpus", indexed=True),
            Field("source_sha256", "SHA-256 of the program's original bytes"),
            Field("encoding", "Python codec that decoded the program; null for a rejected one"),
            Field("bytes", "size of the original file", INTEGER),
            Field("rejected", "why the program is not compiled; null for a program that is"),
            Field("license", "license that the corpus states; null where it states none"),
            Field("bad_bytes", "bytes that are not valid UTF-8, each replaced by U+FFFD", INTEGER),
            Field("encoding_uncertain", "1 where another encoding is as likely and gives another text", INTEGER),
            Field("text", "the program; null where it is larger than `database.text_bytes`"),
            _FILE,
            _ROW,
        ),
        label="path",
        part=LANGUAGE,
        searched=("path", "text"),
    ),
    DatabaseTable(
        "duplicates",
        "Files of the corpus that were dropped because another one has the same bytes.",
        (
            Field("key", "`language` and `path`, joined by `/`"),
            _LANGUAGE,
            Field("path", "path of the dropped file", indexed=True),
            _source("program that remains"),
        ),
        label="path",
        part=LANGUAGE,
    ),
    DatabaseTable(
        "modules",
        "Outcomes of compilation: one row for each program and variant.",
        (
            Field("key", "`source` and `variant`, joined by `/`"),
            _LANGUAGE,
            _source("program"),
            _VARIANT,
            Field("status", "what became of the program", indexed=True),
            Field("compiler", "compiler and its version; empty where none was run"),
            Field("llvm", "version of LLVM that the compiler is built on"),
            Field("command", "command that was run, with placeholders for paths"),
            Field("diagnostics", "first error of the compiler, or the reason for the status"),
            Field("rewrites", "rewrites that were applied before compilation, a JSON list"),
            Field("unprepared", "status without these rewrites; null where there was none"),
            Field("ir_sha256", "SHA-256 of the module; null unless `status` is `ok`"),
            Field("ir_bytes", "size of the module", INTEGER),
            Field("ir", "textual LLVM IR; null where it is larger than `database.text_bytes`"),
            _FILE,
            _ROW,
        ),
        part=LANGUAGE,
    ),
)

_CLUSTERS = (
    DatabaseTable(
        "clusters",
        "Clusters of near-duplicates, also those of one program.",
        (
            Field("key", "`language` and the smallest `id` in the cluster, joined by `/`"),
            _LANGUAGE,
            Field("kept", "program that represents the cluster", references="sources"),
            Field("members", "programs in the cluster", INTEGER, indexed=True),
        ),
        part=LANGUAGE,
    ),
    DatabaseTable(
        "cluster_members",
        "Programs of each cluster.",
        (
            Field("source", "program", references="sources"),
            _LANGUAGE,
            Field("cluster", "cluster of the program", references="clusters"),
            Field("similarity", "Jaccard similarity to the kept program, 0 to 1; null where not compared", REAL),
            Field("tokens", "tokens that deduplication counts", INTEGER),
            Field("variants_ok", "variants in which the program compiled", INTEGER),
        ),
        part=LANGUAGE,
    ),
)

_PAIRS = (
    DatabaseTable(
        "pairs",
        "Pairs of source and IR: the data set.",
        (
            Field("key", "`source` and `variant`, joined by `/`"),
            _LANGUAGE,
            _source("program"),
            Field("module", "the program's IR", references="modules"),
            _VARIANT,
            Field("split", "part of the data set: `train` or `validation`", indexed=True),
            Field("source_bytes", "size of the pair's source text", INTEGER),
            Field("ir_bytes", "size of the pair's IR", INTEGER),
            _FILE,
            _ROW,
        ),
        part=LANGUAGE,
    ),
    DatabaseTable(
        "contamination",
        "Programs that share n-grams with a benchmark problem.",
        (
            Field("key", "`source`, benchmark and problem, joined by `/`"),
            _LANGUAGE,
            _source("program"),
            Field("benchmark", "file of the benchmark, without suffix"),
            Field("problem", "name of the problem"),
            Field("parts", "parts of the problem with a shared n-gram, joined by `+`"),
            Field("ngrams", "different n-grams that both contain", INTEGER),
            Field("text", "the first shared n-gram in alphabetical order"),
        ),
        part=LANGUAGE,
    ),
    DatabaseTable(
        "truncated_documents",
        "Documents for training of which some text is not trained on.",
        (
            Field("key", "`model`, `split`, `source`, `variant` and `direction`, joined by `/`"),
            Field("model", "model of `config/models.yaml`", indexed=True),
            Field("split", "part of the data set"),
            Field("language", "language, as named in `config/languages.yaml`", indexed=True),
            _source("program"),
            _VARIANT,
            Field("direction", "key of `pretrain.templates`"),
            Field("tokens", "tokens of the document in training sequences", INTEGER),
            Field("lost_source", "share of the source's text that is cut off at the context", REAL),
            Field("lost_llvm", "share of the module's text that is cut off, there or by `llvm_tokens`", REAL),
        ),
    ),
    DatabaseTable(
        "truncation",
        "Documents for training whose text was cut off, counted for each model, split and language.",
        (
            Field("key", "`model`, `split` and `language`, joined by `/`"),
            Field("model", "model of `config/models.yaml`", indexed=True),
            Field("split", "part of the data set"),
            Field("language", "language, or `all`"),
            Field("documents", "pairs in one direction", INTEGER),
            Field("truncated_documents", "documents of which some text is not trained on", INTEGER),
            Field("lost_source", "mean share of the sources' text that is cut off at the context", REAL),
            Field("lost_llvm", "mean share of the modules' text that is cut off, there or by `llvm_tokens`", REAL),
            Field("tokens", "tokens of the documents in training sequences", INTEGER),
            Field("useful_share", "share of tokens among the positions of all sequences", REAL),
        ),
    ),
)

_OUTCOMES = (
    DatabaseTable(
        "outcomes",
        "What became of every source file in every variant, exact duplicates included: the ledger.",
        (
            Field("key", "`language`, `path` and `variant`, joined by `/`"),
            _LANGUAGE,
            Field("path", "path below the corpus", indexed=True),
            _VARIANT,
            _source("program; exact duplicates have the same"),
            Field(
                "outcome", "what became of it: `pair`, `rejected`, `compile_error`, `near_duplicate` …", indexed=True
            ),
            Field("detail", "why: the program that represents it, the error, the limit, the problem; empty for a pair"),
            Field("kept", "program that represents a duplicate or near-duplicate; else null", references="sources"),
            Field("similarity", "Jaccard similarity to `kept`, 0 to 1; null where there is none", REAL),
            Field("split", "part of the data set that a pair belongs to; else null"),
            Field("source_bytes", "length of the source; null where it was not measured", INTEGER),
            Field("source_tokens", "length of the source in tokens; null where it was not measured", INTEGER),
            Field("ir_bytes", "length of the IR; null where it was not measured", INTEGER),
            Field("ir_tokens", "length of the IR in tokens; null where it was not measured", INTEGER),
            Field("exceeded", "length of a filtered program that exceeds its limit; else null"),
        ),
        label="path",
        part=LANGUAGE,
    ),
)

_EVALUATION = (
    DatabaseTable(
        "problems",
        "Problems of the benchmarks.",
        (
            Field("key", "`task` and `problem`, joined by `/`"),
            _TASK,
            Field("problem", "name of the problem", indexed=True),
            Field("reference", "the reference completion; null where it is larger than `database.text_bytes`"),
        ),
        label="problem",
        part=TASK,
    ),
    DatabaseTable(
        "cells",
        "What was evaluated: a checkpoint on a task in a setting.",
        (
            Field("key", "`task`, `setting`, and `model` with `checkpoint`: the name of its files"),
            _TASK,
            Field("benchmark", "name of the benchmark", indexed=True),
            Field("setting", "how completions were drawn; `control` for a control"),
            Field("model", "model, or a control: `reference`, `ceiling`, `empty` or `random`", indexed=True),
            Field("checkpoint", "trained state of the model; `control` for a control", indexed=True),
            Field("engine", "engine that generated"),
            Field("version", "version of the engine"),
            Field("sampling", "how samples were drawn, a JSON object"),
            Field("generations", "file with the completions", references="files"),
            Field("executions", "file with the executions; null where texts are compared", references="files"),
            Field("scores", "file with the scores", references="files"),
        ),
        part=TASK,
    ),
    DatabaseTable(
        "generations",
        "Prompts that a checkpoint was given: one row for each cell and problem.",
        (
            Field("key", "`cell` and the problem's name, joined by `/`"),
            _TASK,
            Field("cell", "what was evaluated", references="cells"),
            Field("problem", "problem", references="problems"),
            Field("prompt", "text that the model was given; null where it is larger than `database.text_bytes`"),
            Field("target", "reference text, where it depends on the tokenizer"),
            Field("row", "number of the line in the cell's file of generations, from 0", INTEGER),
        ),
        part=TASK,
    ),
    DatabaseTable(
        "completions",
        "Texts that were generated: one row for each sample.",
        (
            Field("key", "`generation` and `sample`, joined by `#`"),
            _TASK,
            Field("cell", "what was evaluated", references="cells"),
            Field("generation", "prompt", references="generations"),
            Field("sample", "number of the sample, from 0", INTEGER),
            Field("finish_reason", "why the generation ended"),
            Field("seed", "seed of the sample, as text because it may need 64 bits"),
            Field("text", "the completion; null where it is larger than `database.text_bytes`"),
        ),
        part=TASK,
        searched=("text",),
    ),
    DatabaseTable(
        "executions",
        "What became of each sample's program.",
        (
            Field("completion", "completion that the program was made from", references="completions"),
            _TASK,
            Field("cell", "what was evaluated", references="cells"),
            Field("status", "what became of the program", indexed=True),
            Field("detail", "how, in words of the runner"),
            Field("message", "first error line of the compiler or the program; empty where there is none"),
            Field("exit_code", "exit code; null where a limit ended it or a harness reported the verdict", INTEGER),
            Field("signal", "signal that ended it; null for none"),
            Field("stdout", "what the compiler or the program printed, cut in the middle"),
            Field("stderr", "what it wrote to standard error, cut in the middle"),
            Field("program", "program that was run", references="programs"),
        ),
        part=TASK,
    ),
    DatabaseTable(
        "programs",
        "Programs that were run: prompt, completion and tests in one text.",
        (
            Field("key", "`task` and SHA-256 of the program, joined by `/`"),
            _TASK,
            Field("name", "name of the file with the completion"),
            Field("text", "that file; null where it is larger than `database.text_bytes`"),
            Field("tests", "tests that are apart from the program; empty where its file has them"),
            Field("file", "file below `results_dir` that has the row", references="files"),
            Field("row", "number of the row in `file`, from 0", INTEGER),
        ),
        part=TASK,
    ),
)

_SCORES = (
    DatabaseTable(
        "scores",
        "Scores, with 95 % bootstrap intervals over problems: the rows of `tables/scores.csv`.",
        (
            Field("key", "benchmark, language, model, checkpoint, setting and metric, joined by `/`"),
            Field("cell", "what was evaluated; null for validation losses", references="cells"),
            Field("benchmark", "benchmark, or `validation` for validation losses", indexed=True),
            Field("language", "language or task of the benchmark"),
            Field("model", "model, or a control", indexed=True),
            Field("checkpoint", "trained state of the model", indexed=True),
            Field("setting", "how completions were drawn, with the perturbation where there is one"),
            Field("metric", "name of the metric", indexed=True),
            Field("value", "mean over problems, 0 to 100; losses in nats per token", REAL),
            Field("ci_low", "lower bound of the interval", REAL),
            Field("ci_high", "upper bound of the interval", REAL),
            Field("problems", "problems that the value is computed from", INTEGER),
            Field("samples", "completions for each problem", INTEGER),
        ),
    ),
    DatabaseTable(
        "problem_scores",
        "Values of a score for each problem, 0 to 100.",
        (
            Field("key", "`score` and the problem's name, joined by `/`"),
            _TASK,
            Field("score", "score that is the mean of these values", references="scores"),
            Field("name", "name of the problem, or of a group of perturbed problems", indexed=True),
            Field("problem", "the problem; null for a group of perturbed problems", references="problems"),
            Field("value", "value of the metric for the problem, 0 to 100", REAL),
        ),
        part=TASK,
    ),
    DatabaseTable(
        "differences",
        "Differences between two checkpoints, paired by problem.",
        (
            Field("key", "benchmark, language, model, checkpoint, setting, metric and base, joined by `/`"),
            Field("score", "score of the checkpoint; null for a mean over seeds", references="scores"),
            Field("base", "score that is subtracted; null for a mean over seeds", references="scores"),
            Field("difference", "value of the checkpoint minus that of the base", REAL),
            Field("ci_low", "lower bound of the 95 % interval", REAL),
            Field("ci_high", "upper bound of the 95 % interval", REAL),
            Field("problems", "problems that the value is computed from", INTEGER),
        ),
    ),
)

_RUN = (
    DatabaseTable(
        "jobs",
        "Jobs of the run.",
        (
            Field("key", "rule and first output, joined by a space"),
            Field("stage", "stage of the rule", indexed=True),
            Field("rule", "rule of the workflow", indexed=True),
        ),
    ),
    DatabaseTable(
        "files",
        "Files of the run. Results are named relative to `results_dir`; other files begin with `project/`, "
        "`package/` or `removed/`.",
        (
            Field("name", "name of the file"),
            Field("job", "job that wrote it; null for a file that no job wrote", references="jobs"),
            Field("bytes", "size; null for a temporary file that was removed", INTEGER),
            Field("sha256", "SHA-256 of the content; null for a temporary file that was removed"),
        ),
    ),
    DatabaseTable(
        "job_inputs",
        "Files that each job read.",
        (
            Field("key", "`job` and `file`, joined by ` < `"),
            Field("job", "job", references="jobs"),
            Field("file", "file that it read", references="files"),
        ),
    ),
    DatabaseTable(
        "job_costs",
        "What each attempt of each job cost. Equal runs have equal results, but not equal costs.",
        (
            Field("key", "`job` and the number of the attempt, joined by `#`"),
            Field("stage", "stage of the rule; `snakemake` for Snakemake itself", indexed=True),
            Field("rule", "rule of the workflow", indexed=True),
            Field("job", "path of the job's log below `logs/`, without suffix"),
            Field("model", "model that the job is for; null for other jobs", indexed=True),
            Field("checkpoint", "checkpoint that the job is for; null for other jobs"),
            Field("state", "`done`, `failed`, or `running` for an attempt that was killed"),
            Field("started", "start in seconds since 1970", REAL),
            Field("wall_seconds", "time from start to end", REAL),
            Field("user_seconds", "CPU time in user mode, with all processes below it", REAL),
            Field("system_seconds", "CPU time in the kernel, likewise", REAL),
            Field("killed_seconds", "CPU time of programs that a sandbox killed at a limit", REAL),
            Field("gpu_seconds", "number of GPUs times the wall-clock time", REAL),
            Field("peak_memory_mb", "largest memory of all processes together, in MB", REAL),
            Field("bytes_written", "bytes sent to storage", INTEGER),
            Field("output_bytes", "size of the outputs", INTEGER),
            Field("threads", "threads that the job was given", INTEGER),
            Field("gpus", "GPUs that the job was given", INTEGER),
            Field("machine", "name of the machine"),
            Field("slurm_job", "identifier of the SLURM job; null without SLURM"),
        ),
        label="job",
    ),
    DatabaseTable(
        "parts",
        "Parts of the database, which are replaced only when their inputs change.",
        (
            Field("part", "`language/…`, `task/…` or `run`"),
            Field("digest", "digest over the contents of the part's files, and the settings and code that read them"),
        ),
    ),
)

# In the order in which the documentation and the explorer list them.
DATABASE_TABLES = (*_SOURCES, *_OUTCOMES, *_CLUSTERS, *_PAIRS, *_EVALUATION, *_SCORES, *_RUN)
BY_NAME = {table.name: table for table in DATABASE_TABLES}
