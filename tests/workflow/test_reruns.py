"""An edit reruns exactly the jobs that its row in docs/reference/reruns.md describes."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import sha256
from pathlib import Path

import pytest

from scripts.lib.files import read_json, sha256_file
from scripts.lib.parquet import read_table
from tests.workflow.conftest import ROOT, snakemake_environment
from tests.workflow.jobs import jobs_in, matching

pytestmark = pytest.mark.resilience

# Jobs that depend on scores, on IRCoder, on pairs, on IR.
RECORDS = (
    "provenance_jobs",
    "provenance_cost",
    "provenance_timeline",
    "provenance_report",
    "provenance_crate",
    "provenance_database",
    "all",
)
SCORES = ("scores", "differences", "benchmark *", "main", "figure_scores", "figure_losses")
SCORED = (*(f"tables_{name}" for name in SCORES), *RECORDS)
IRCODER = (
    *("pretrain_adapter *", "pretrain_merge* *", "pretrain_losses * ircoder", "finetune_* ircoder*"),
    *(f"evaluate_{step} * tiny-gpt-bigcode ircoder*" for step in ("execute", "modules", "score")),
    *("evaluate_generate* *ircoder*", "tables_figure_curves", *SCORED),
)
MODELS = (
    *("pretrain_*", "finetune_*", "evaluate_generate*"),
    *(f"evaluate_{step} * tiny*" for step in ("execute", "modules", "score")),
    *("tables_figure_curves", *SCORED),
)
# What compares modules with the compilers'.
MODULES = ("evaluate_controls source-to-llvm *", "evaluate_modules *", "evaluate_score source-to-llvm *")
PAIRS = ("pairs_card", "pairs_figures", "provenance_tools", *MODULES, *MODELS)
# The jobs of the target `pairs` that concern all languages.
DATASET = {"pairs_card", "pairs_figures", "provenance_pairs", "pairs"}
# The report and the crate contain the whole config.
SHOWN = ("provenance_report", "provenance_crate", "all")
COMMITS = (
    *("finetune_commits *", "evaluate_generate_commits *", "evaluate_score commits * tiny*"),
    *("tables_figure_curves", *SCORED),
)


# They follow the content of generations, not their age: whether they run is decided when a planned
# generating job has ended, so a plan may have them or not.
AFTER_GENERATION = tuple(f"evaluate_{step} * tiny*" for step in ("execute", "modules", "score"))


def decided(jobs: set[str], planned: set[str]) -> set[str]:
    """The jobs about which a plan can decide, without those that follow planned generations."""
    generates = any(job.startswith("evaluate_generate") for job in planned)
    if not generates:
        return jobs
    return {job for job in jobs if not any(fnmatchcase(job, pattern) for pattern in AFTER_GENERATION)}


def pair_digests(folder: Path) -> dict[Path, str]:
    """SHA-256 of the files of pairs and ledgers of a run."""
    files = sorted((folder / "results" / "pairs").rglob("*.parquet"))
    return {file: sha256_file(file) for file in files if file.is_file()}


@dataclass(frozen=True)
class Project:
    """A copy of the repository and a finished run in it."""

    root: Path
    folder: Path
    jobs: frozenset[str]

    def snakemake(self, *arguments: str) -> str:
        """Run Snakemake in the copy and return its output; fail unless it succeeds."""
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(self.root / "Snakefile"), "--cores", "2"]
        folder = self.root / "tests" / "workflow"
        config = ["--configfile", str(folder / "tiny.yaml"), str(folder / "reruns.yaml")]
        done = subprocess.run(
            [*command, "--directory", str(self.folder), *arguments, *config],
            env=snakemake_environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-6000:]
        return done.stdout

    def planned(self) -> set[str]:
        """The jobs of the next run."""
        return jobs_in(self.snakemake("--dry-run"))

    @contextmanager
    def edited(self, file: str, old: str, new: str) -> Iterator[None]:
        """Replace the first `old` in a file of the copy.

        The text and the modification time are restored afterwards.
        """
        path = self.root / file
        text, before = path.read_text(encoding="utf-8"), path.stat()
        assert old in text, f"{file} has no '{old}'"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        try:
            yield
        finally:
            path.write_text(text, encoding="utf-8")
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the files under version control, and a finished, minimal run of it."""
    root, folder = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("run")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in listed.splitlines():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, root / name)
    jobs = jobs_in(Project(root, folder, frozenset()).snakemake())
    return Project(root, folder, frozenset(jobs))


@dataclass(frozen=True)
class Row:
    """A row of the table: edit, file, replaced and new text, and patterns of the rerun jobs.

    `added` are patterns of jobs that the finished run did not have.
    """

    edit: str
    file: str
    old: str
    new: str
    jobs: tuple[str, ...]
    added: tuple[str, ...] = ()


ROWS = [
    Row(
        "a language's compiler flags",
        "config/languages.yaml",
        "flags: {perf: [-O3], size: [-Oz]}",
        "flags: {perf: [-O2], size: [-Oz]}",
        ("compile_shard C *", "dedup_clusters C", "pairs_language C", *PAIRS),
    ),
    Row(
        "a limit of the compilers",
        "config/config.yaml",
        "cpu_seconds: 20",
        "cpu_seconds: 21",
        ("compile_shard *", "dedup_clusters *", "pairs_language *", *PAIRS),
    ),
    Row(
        "the threshold of deduplication",
        "config/config.yaml",
        "threshold: 0.7",
        "threshold: 0.8",
        ("dedup_clusters *", "pairs_language *", *PAIRS),
    ),
    Row(
        "deduplication switched off",
        "config/config.yaml",
        "dedup:\n  enabled: true",
        "dedup:\n  enabled: false",
        ("dedup_signatures *", "dedup_clusters *", "pairs_language *", *PAIRS),
    ),
    Row(
        "how Python is prepared for its compiler (`compile.prepare`)",
        "config/config.yaml",
        "prepare: rewrite",
        "prepare: paper",
        SHOWN,
    ),
    Row(
        "how many losses are compared (`pretrain.loss_documents`)",
        "tests/workflow/tiny.yaml",
        "loss_documents: 1",
        "loss_documents: 2",
        ("pretrain_sample losses", "pretrain_losses *", *SCORED),
    ),
    Row(
        "the learning rate of the continued pre-training",
        "tests/workflow/tiny.yaml",
        "trackers: []}",
        "trackers: [], learning_rate: 1.0e-3}",
        IRCODER,
    ),
    Row(
        "a milestone added",
        "tests/workflow/reruns.yaml",
        "milestones: [1]",
        "milestones: [1, 2]",
        IRCODER,
        ("pretrain_merge_milestone * 2",),
    ),
    Row(
        "a milestone removed",
        "tests/workflow/reruns.yaml",
        "milestones: [1]",
        "milestones: []",
        RECORDS,
    ),
    Row(
        "a checkpoint added to `evaluate.checkpoints`",
        "tests/workflow/reruns.yaml",
        "checkpoints: [base, ircoder]",
        "checkpoints: [base, ircoder-1, ircoder]",
        ("tables_figure_curves", *SCORED),
        (
            *("pretrain_losses * ircoder-1", "finetune_commits * ircoder-1 *"),
            *(f"evaluate_{step} * tiny-gpt-bigcode ircoder-1*" for step in ("execute", "modules", "score")),
            "evaluate_generate* *ircoder-1*",
        ),
    ),
    Row(
        "a checkpoint removed from `evaluate.checkpoints`",
        "tests/workflow/reruns.yaml",
        "checkpoints: [base, ircoder]",
        "checkpoints: [ircoder]",
        ("tables_figure_curves", *SCORED),
    ),
    # tests/workflow/test_evaluate.py runs such a plan, in which the programs of other tasks do not run.
    Row(
        "a benchmark language added to `evaluate.tasks`",
        "tests/workflow/tiny.yaml",
        "codexglue: [python]",
        "codexglue: [python, ruby]",
        (
            *("evaluate_generate tiny*", "evaluate_execute * tiny*", "evaluate_score multipl-e * tiny*"),
            *("evaluate_score codexglue * tiny*", *SCORED),
        ),
        ("evaluate_controls codexglue ruby", "evaluate_score codexglue ruby *"),
    ),
    Row(
        "an ablation added to `ablations`",
        "tests/workflow/reruns.yaml",
        "checkpoints: [base, ircoder]}",
        "checkpoints: [base, ircoder]}\nablations: {source-only: {documents: source, equal_tokens: true}}",
        ("tables_figure_curves", *SCORED),
        (
            *("pretrain_sample documents-source-only", "pretrain_ablation_*", "pretrain_losses * source-only"),
            *(f"evaluate_{step} * tiny-gpt-bigcode source-only*" for step in ("execute", "modules", "score")),
            *("finetune_commits * source-only *", "evaluate_generate* *source-only*"),
        ),
    ),
    Row(
        "what becomes of a commit that is too long (`commits.prompts.overflow`)",
        "config/config.yaml",
        "overflow: shorten\n  lora: {r: 64",
        "overflow: truncate_right\n  lora: {r: 64",
        COMMITS,
    ),
    Row(
        "whether the hub may be used (`hub.offline`)",
        "config/config.yaml",
        "offline: true",
        "offline: false",
        SHOWN,
    ),
    Row(
        "the k of a benchmark's pass@k",
        "config/benchmarks.yaml",
        "pass_at: [1, 10, 25]",
        "pass_at: [1, 2]",
        ("evaluate_score multipl-e *", *SCORED),
    ),
    Row(
        "the wrong programs of a choice (`wrong` of a task)",
        "config/benchmarks.yaml",
        "source: [fixdocs, python], wrong: buggy",
        "source: [fixdocs, python], wrong: mutants",
        # One job generates all of a checkpoint, so what follows it is planned as well.
        (
            *(f"evaluate_{step} choice *" for step in ("choices", "scorers", "score")),
            *(f"evaluate_* tiny-gpt-bigcode {checkpoint}" for checkpoint in ("base", "ircoder")),
            *SCORED,
        ),
    ),
    Row(
        "the look of one benchmark's table",
        "config/tables.yaml",
        "MultiPL-E\n  caption: >-\n    HumanEval in other",
        "MultiPL-E\n  caption: >-\n    Note: HumanEval in other",
        (
            "tables_benchmark multipl-e md",
            "tables_benchmark multipl-e tex",
            "tables_benchmark multipl-e html",
            *RECORDS,
        ),
    ),
    Row(
        "a script",
        "scripts/dedup/clusters.py",
        '"""',
        '"""In other words: ',
        ("dedup_clusters *", "pairs_language *", *PAIRS),
    ),
    Row(
        "a library module",
        "scripts/lib/figure.py",
        '"""',
        '"""In other words: ',
        ("pairs_figures", "tables_figure_*", *RECORDS),
    ),
    Row("an env file, on the host route", "envs/tables.yaml", "numpy=2.4.6", "numpy=2.4.5", ()),
    Row("a comment in the config", "config/config.yaml", "seed: 484", "seed: 484  # as before", ()),
]
SOURCES = ("a source file added", "a source file changed", "a source file removed")
FIRST = "how many programs are read (`corpus.first`)"
# tests/workflow/test_checkpoints.py tests this row, because this run has no local model.
ELSEWHERE = "a file of a local model"


def documented() -> list[str]:
    """First cells of the table in docs/reference/reruns.md."""
    lines = (ROOT / "docs" / "reference" / "reruns.md").read_text(encoding="utf-8").splitlines()
    cells = [re.match(r"\| ([^|]+?) +\|", line) for line in lines]
    return [cell[1] for cell in cells if cell][1:]


def test_the_table_in_the_docs_lists_the_tested_edits() -> None:
    expected = [*(row.edit for row in ROWS), *SOURCES, FIRST, ELSEWHERE]
    assert sorted(documented()) == sorted(expected)


def test_a_finished_run_does_nothing(project: Project) -> None:
    assert project.planned() == set()


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.edit)
def test_an_edit_reruns_what_depends_on_it(project: Project, row: Row) -> None:
    with project.edited(row.file, row.old, row.new):
        planned = project.planned()
        added = planned - project.jobs
        assert decided(planned & project.jobs, planned) == decided(matching(project.jobs, row.jobs), planned)
        assert decided(added, planned) == decided(matching(added, row.added), planned)
    assert project.planned() == set()


def test_edited_source_files_rerun_only_their_shards(project: Project) -> None:
    pairs = pair_digests(project.folder)
    file = project.root / "resources" / "corpus" / "C" / "Source_9000" / "source.c"
    file.parent.mkdir()
    number = len(read_json(project.folder / "results" / "sources" / "C" / "shards.json")["shards"])

    def write(text: str) -> str:
        file.write_text(text)
        return f"{int(sha256(text.encode()).hexdigest(), 16) * number >> 256:03}"

    def remove() -> str:
        file.unlink()
        return shards[-1]

    steps: list[Callable[[], str]] = [
        lambda: write('#include <stdio.h>\nint main(void) { for (int i = 0; i < 41; i++) printf("%d\\n", i * i); }\n'),
        lambda: write('#include <stdio.h>\nint main(void) { for (int i = 9; i > 3; i--) printf("%d;", i - 1); }\n'),
        remove,
    ]
    shards: list[str] = []
    for edit, step in zip(SOURCES, steps, strict=True):
        before = shards[-1:]
        shards.append(step())
        changed = sorted({*before, shards[-1]})
        expected = {f"compile_shard C {shard}" for shard in changed}
        expected |= {"sources_read C", "dedup_signatures C", "dedup_clusters C", "pairs_language C", *DATASET}
        assert jobs_in(project.snakemake("pairs")) == expected, edit
    assert pair_digests(project.folder) == pairs


def test_reading_only_the_first_programs_reruns_what_depends_on_them(project: Project) -> None:
    pairs = pair_digests(project.folder)
    languages, rules = ("C", "Fortran"), ("sources_read", "dedup_signatures", "dedup_clusters", "pairs_language")
    expected = {f"{rule} {name}" for rule in rules for name in languages}
    # Two programs are one shard, 000, which exists among the shards of all programs as well.
    expected |= {f"compile_shard {name} 000" for name in languages}
    expected |= DATASET
    with project.edited("config/config.yaml", "first: null", "first: 2"):
        assert jobs_in(project.snakemake("pairs")) == expected
        ledger = read_table(project.folder / "results" / "pairs" / "C" / "ledger.parquet", ["variant"])
        assert ledger["variant"].to_pylist().count("perf") == 2
    project.snakemake("pairs")
    assert pair_digests(project.folder) == pairs
