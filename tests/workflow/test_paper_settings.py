"""The paper's settings on a corpus like SLTrans, from pairs to tables, without compilers."""

import csv
import json
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from transformers import AutoModelForCausalLM

from scripts.lib.training.token_shards import TokenShards
from scripts.workflow.validation import read_yaml
from tests.workflow.conftest import ROOT
from tests.workflow.jobs import jobs_in

pytestmark = pytest.mark.paper

PROGRAMS = 40
CONTEXT = 1024
# The last program of each list is the first one with a comment: a near-duplicate for deduplication.
TWIN = "// {n}\n"
SOURCE = "int f{n}(int a{n}, int b{n}) {{\n  int c{n} = a{n} * {n};\n  return b{n} + d{n}(e{n}, c{n}) / g{n};\n}}\n"
# A module like those of compilers at the paper's time: names of files and compilers, a CPU, older
# syntax, debug information.
IR = """; ModuleID = '/home/someone/Source_{n}/source.c'
source_filename = "/home/someone/Source_{n}/source.c"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-f80:128-n8:16:32:64-S128"
target triple = "x86_64-unknown-linux-gnu"

define i32 @f{n}(i32 %a, i32 %b) #0 {{
entry:
  %slot = alloca i32, align 4
  call void @llvm.lifetime.start.p0(i64 4, ptr nonnull %slot) #3
  %c = mul i32 %a, {n}
  %d = {operation} i32 %c, %b
  call void @llvm.lifetime.end.p0(i64 4, ptr nonnull %slot) #3
  ret i32 %d
}}

declare void @llvm.lifetime.start.p0(i64 immarg, ptr nocapture) #1

declare void @llvm.lifetime.end.p0(i64 immarg, ptr nocapture) #1

attributes #0 = {{ nounwind "target-cpu"="x86-64" "target-features"="+cx8,+mmx,+sse,+sse2,+x87" "tune-cpu"="generic" }}
attributes #1 = {{ nocallback nofree nosync nounwind willreturn memory(argmem: readwrite) }}
attributes #3 = {{ nounwind }}

!llvm.module.flags = !{{!0, !1}}
!llvm.ident = !{{!2}}

!0 = !{{i32 7, !"Dwarf Version", i32 5}}
!1 = !{{i32 2, !"Debug Info Version", i32 3}}
!2 = !{{!"clang version 17.0.6"}}
"""
VARIANTS = {"Perf_Optimized": "perf", "Size_Optimized": "size"}
# The lists of the published data set; one language has programs in one variant only.
LISTS = {
    ("C", "Perf_Optimized"): "add",
    ("C", "Size_Optimized"): "sub",
    ("Nim", "Size_Optimized"): "xor",
}


def source_text(number: int) -> str:
    """A program; the last of each thousand is a near-duplicate of the first."""
    if number % 1000 < PROGRAMS - 1:
        return SOURCE.format(n=number)
    return SOURCE.format(n=number - number % 1000) + TWIN.format(n=number)


def write_corpus(root: Path) -> Path:
    """Write a small data set with SLTrans's columns, folders and names, two files for each list."""
    for (language, split), operation in LISTS.items():
        (root / language).mkdir(exist_ok=True)
        for part in range(2):
            numbers = [number + len(language) * 1000 for number in range(part, PROGRAMS, 2)]
            columns = {
                "Source_Code": [source_text(number) for number in numbers],
                "IR_Original": [IR.format(n=number, operation=operation) for number in numbers],
            }
            pq.write_table(pa.table(columns), root / language / f"{split}-{part:05d}-of-00002.parquet")
    return root


def published_rows(root: Path, language: str, split: str) -> list[dict[str, str]]:
    """The rows of one list of the data set."""
    return [row for file in sorted((root / language).glob(f"{split}-*")) for row in pq.read_table(file).to_pylist()]


def batch_loss(model, rows: list[list[int]], left: int = 0) -> float:
    """Mean loss of a batch's tokens, row by row, with `left` masked pad tokens before each row."""
    losses = []
    for row in rows:
        ids = torch.tensor([[0] * left + row])
        mask = torch.tensor([[0] * left + [1] * len(row)])
        with torch.no_grad():
            logits = model(input_ids=ids, attention_mask=mask).logits[0, left:-1]
        losses += torch.nn.functional.cross_entropy(logits, torch.tensor(row[1:]), reduction="none").tolist()
    return sum(losses) / len(losses)


def validation_loss(folder: Path, left: int = 0) -> float:
    """The loss that continued pre-training should report at its end: mean over batches of two."""
    rows = [example.input_ids for example in TokenShards(folder / "tokens/tiny-gpt-bigcode/validation")]
    assert min(map(len, rows)) < CONTEXT
    model = AutoModelForCausalLM.from_pretrained(folder / "models/tiny-gpt-bigcode/ircoder").eval()
    batches = [rows[start : start + 2] for start in range(0, len(rows), 2)]
    return sum(batch_loss(model, batch, left) for batch in batches) / len(batches)


def reported_loss(folder: Path) -> float:
    """The last validation loss in the learning curve of the continued pre-training."""
    with (folder / "models/tiny-gpt-bigcode/curves/pretrain.csv").open(newline="") as stream:
        return float([row["validation_loss"] for row in csv.DictReader(stream) if row["validation_loss"]][-1])


def compilers() -> set[str]:
    """Names of all compilers in the table of languages."""
    languages = read_yaml(ROOT / "config/languages.yaml").values()
    frontends = [frontend for language in languages for frontend in language["frontends"]]
    return {name for frontend in frontends for tool in frontend["tools"].values() for name in tool["programs"]}


def test_from_pairs_to_tables_without_a_compiler(tmp_path, workflow, without_compilers):
    corpus = write_corpus(tmp_path)
    files = [str(ROOT / "config/paper.yaml"), str(ROOT / "tests/workflow/paper_small.yaml")]
    known = {*compilers(), "cc", "gcc", "g++", "ld", "as"}
    assert {"clang", "rustc"} <= known
    assert not [name for name in known if shutil.which(name)]
    overlay = f"corpus={json.dumps({'dataset': None, 'path': str(corpus)})}"
    done = workflow(tmp_path / "run", "pairs", "tables", "--configfile", *files, "--config", overlay, timeout=3600)
    jobs = {job.split()[0] for job in jobs_in(done.stdout)}
    assert {"sources_ir", "dedup_clusters", "pairs_language", "pretrain_adapter", "evaluate_score"} <= jobs
    assert "compile_shard" not in jobs
    with (tmp_path / "run/results/pairs/statistics.csv").open(newline="") as stream:
        statistics = {(row["language"], row["variant"]): row for row in csv.DictReader(stream)}
    assert int(statistics["C", "perf"]["pairs"]) == int(statistics["C", "size"]["pairs"]) == PROGRAMS
    assert {row["near_duplicates"] for row in statistics.values()} == {"0"}
    assert (statistics["Nim", "perf"]["pairs"], statistics["Nim", "size"]["pairs"]) == ("0", str(PROGRAMS))
    for language, split in LISTS:
        rows = pq.read_table(tmp_path / f"run/results/pairs/{language}/{VARIANTS[split]}.parquet").to_pylist()
        published = {row["Source_Code"]: row["IR_Original"] for row in published_rows(corpus, language, split)}
        assert {row["Source_Code"]: row["IR_Original"] for row in rows} == published
    with (tmp_path / "run/results/tables/scores.csv").open(newline="") as stream:
        cells = {(row["benchmark"], row["checkpoint"]) for row in csv.DictReader(stream)}
    for benchmark in ("multipl-e", "recode", "codexglue"):
        assert {(benchmark, "base"), (benchmark, "ircoder")} <= cells
    assert {("fixdocs", "base-instruct"), ("fixdocs", "ircoder-instruct"), ("commits", "base-commits-Python")} <= cells
    milestone = {("multipl-e", "ircoder-1"), ("fixdocs", "ircoder-1-instruct"), ("validation", "ircoder-1")}
    assert milestone <= cells
    assert ("commits", "ircoder-1-commits-Python") in cells
    results = tmp_path / "run/results"
    # Rows are padded on the right, so the loss equals that of rows without padding, and differs
    # from that of rows padded on the left.
    assert reported_loss(results) == pytest.approx(validation_loss(results), abs=1e-4)
    assert reported_loss(results) != pytest.approx(validation_loss(results, left=8), abs=5e-4)
    for tuned in ("base-instruct", "ircoder-1-commits-Python"):
        card = (tmp_path / f"run/results/models/tiny-gpt-bigcode/{tuned}/README.md").read_text()
        assert "| prompts.overflow | `truncate_right` |" in card
