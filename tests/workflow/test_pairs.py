"""A corpus with IR becomes a data set of pairs without a compiler."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scripts.lib.files import read_json, sha256_file
from scripts.lib.parquet import iter_rows
from tests.support.fake_hub import REVISION, fake_hub
from tests.workflow.jobs import jobs_in

SOURCE = "int f{n}(int a{n}, int b{n}) {{\n  return a{n} * {n} + b{n} - c{n} * d{n} + e{n} / g{n};\n}}\n"
IR = "define i32 @f{n}(i32 %a, i32 %b) {{\n  %1 = mul i32 %a, {n}\n  %2 = add i32 %1, %b\n  ret i32 %2\n}}\n"
VARIANTS = {"perf": "Perf_Optimized", "size": "Size_Optimized"}


def pairs(numbers, mark):
    """Columns of a table like those of the published data set."""
    modules = [f"; {mark}\n" + IR.format(n=number) for number in numbers]
    return {"Source_Code": [SOURCE.format(n=number) for number in numbers], "IR_Original": modules}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    """Two languages.

    The lists of one differ and have a duplicate and an invalid module; the other has one variant.
    """
    root = tmp_path_factory.mktemp("sltrans")
    lists = {
        ("C++", "Perf_Optimized"): pairs(range(20), "p"),
        ("C++", "Size_Optimized"): pairs([*range(2, 24), 5], "s"),
        ("Nim", "Size_Optimized"): pairs(range(3), "s"),
    }
    lists["C++", "Perf_Optimized"]["IR_Original"][4] = "define i32 @broken("
    for (language, split), columns in lists.items():
        (root / language).mkdir(exist_ok=True)
        pq.write_table(pa.table(columns), root / language / f"{split}-00000-of-00001.parquet")
    return root


def arguments(corpus: Path, *more: str) -> list[str]:
    """Snakemake's arguments for the pairs of the corpus."""
    entry = f"{{path: {corpus}, format: tables, columns: {{ir: IR_Original}}}}"
    return ["pairs", "--config", f"corpus={entry}", "languages=[C++, Nim]", *more]


@pytest.fixture(scope="module")
def finished(tmp_path_factory, workflow, corpus, without_compilers) -> Path:
    """Results of a run whose PATH has no compiler."""
    folder = tmp_path_factory.mktemp("run")
    done = workflow(folder, *arguments(corpus))
    assert "sources_ir C++ 000" in jobs_in(done.stdout)
    assert not any(job.startswith("compile_shard") for job in jobs_in(done.stdout))
    return folder


def test_statistics_add_up(finished):
    rows = list(csv.DictReader((finished / "results/pairs/statistics.csv").open()))
    statistics = {(row["language"], row["variant"]): row for row in rows}
    columns = ("sources", "duplicates", "failed", "pairs")
    assert {key: tuple(int(row[name]) for name in columns) for key, row in statistics.items()} == {
        ("C++", "perf"): (25, 1, 5, 19),
        ("C++", "size"): (25, 1, 2, 22),
        ("Nim", "perf"): (3, 0, 3, 0),
        ("Nim", "size"): (3, 0, 0, 3),
    }
    assert statistics["C++", "perf"]["invalid_ir"] == "1"
    assert statistics["C++", "perf"]["compile_error"] == "4"


def test_files_that_the_pattern_does_not_match_are_an_error(tmp_path, workflow, corpus):
    entry = f"{{path: {corpus}, format: tables, columns: {{ir: IR_Original}}, splits: {{perf: Fast, size: Small}}}}"
    workflow(tmp_path, "pairs", "--config", f"corpus={entry}", "languages=[C++, Nim]", succeeds=False)
    log = (tmp_path / "results/logs/pairs/card.log").read_text()
    assert "the corpus has no program in C++, Nim; check path, files, names and splits" in log
    assert not (tmp_path / "results/pairs/statistics.csv").exists()


def test_a_run_that_ends_with_the_pairs_records_how_they_were_made(finished):
    results = finished / "results"
    record = read_json(results / "provenance/pairs.json")
    writers = {output: job["rule"] for job in record["jobs"] for output in job["outputs"]}
    assert writers["pairs/C++/perf.parquet/00000.parquet"] == "pairs_language"
    assert writers["sources/Nim/shards.json"] == "sources_read"
    assert record["files"]["pairs/statistics.csv"]["sha256"] == sha256_file(results / "pairs/statistics.csv")
    assert record["tools"]["snakemake"]
    assert record["config"]["languages"] == ["C++", "Nim"]
    (start,) = read_json(results / "provenance/run.json")["starts"]
    assert (start["targets"], start["succeeded"], start["failures"]) == (["pairs"], True, [])


def test_pairs_are_those_of_the_corpus(finished):
    modules = {row["Source_Code"]: row["IR_Original"] for row in iter_rows(finished / "results/pairs/C++/perf.parquet")}
    assert SOURCE.format(n=4) not in modules
    assert "mul i32 %a, 7\n" in modules[SOURCE.format(n=7)]
    assert set(modules) == {SOURCE.format(n=number) for number in range(20) if number != 4}


def test_the_library_datasets_loads_the_parts_of_pairs_offline(finished, tmp_path):
    pairs = tmp_path / "pairs"
    shutil.copytree(finished / "results/pairs", pairs)
    shutil.copy(pairs / "C++/perf.parquet/00000.parquet", pairs / "C++/perf.parquet/00001.parquet")
    program = (
        "import sys; from datasets import load_dataset\n"
        "data = load_dataset(sys.argv[1], 'C++', split='Perf_Optimized')\n"
        "print(data.num_rows, data.column_names[:6])\n"
    )
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program, str(pairs)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    columns = ["Source_Code", "IR_Original", "id", "source_sha256", "ir_sha256", "split"]
    assert done.stdout.strip() == f"{2 * 19} {columns}"


@pytest.mark.resilience
def test_shard_size_and_number_of_workers_change_no_byte(finished, workflow, corpus, tmp_path):
    workflow(tmp_path, *arguments(corpus, "ir_shard_size=12", "languages=[C++]", "--cores", "1"))
    assert len(read_json(tmp_path / "results/sources/C++/shards.json")["shards"]) == 2
    for variant in VARIANTS:
        name = f"results/pairs/C++/{variant}.parquet/00000.parquet"
        assert sha256_file(tmp_path / name) == sha256_file(finished / name), name


@pytest.mark.resilience
def test_modules_are_deleted_when_they_are_verified_and_sorted_again_when_needed(finished, workflow, corpus, tmp_path):
    assert not list(finished.glob("results/modules/*"))
    assert not jobs_in(workflow(finished, *arguments(corpus, "-n")).stdout)
    copied = tmp_path / "run"
    shutil.copytree(finished, copied)
    before = sha256_file(copied / "results/ir/Nim/000.parquet")
    (copied / "results/ir/Nim/000.parquet").unlink()
    jobs = jobs_in(workflow(copied, "ir", *arguments(corpus)[1:]).stdout)
    assert jobs == {"sources_modules Nim", "sources_ir Nim 000", "ir"}
    assert sha256_file(copied / "results/ir/Nim/000.parquet") == before
    assert not list(copied.glob("results/modules/*"))


def test_a_missing_shard_is_named_with_its_remedy(finished, workflow, corpus):
    shard = finished / "results/sources/Nim/000.parquet"
    content = shard.read_bytes()
    shard.unlink()
    try:
        done = workflow(finished, *arguments(corpus), succeeds=False)
    finally:
        shard.write_bytes(content)
    assert "whose table is gone; delete results/sources/Nim/shards.json and run again" in done.stdout


def test_a_data_set_that_must_be_fetched_offline_is_an_error(workflow, tmp_path):
    entry = "{dataset: {id: owner/name, revision: abc}, format: tables}"
    done = workflow(tmp_path, "sources", "--config", f"corpus={entry}", "languages=[C]", succeeds=False)
    assert "rule fetch_corpus needs the network, but hub.offline is true" in done.stdout


def test_a_data_set_of_the_hub_is_fetched_and_read(workflow, corpus, tmp_path, monkeypatch):
    """Files of the selected language are fetched, at the revision's commit; the card is read."""
    files = {path.relative_to(corpus).as_posix(): path.read_bytes() for path in corpus.rglob("*.parquet")}
    card = b"---\nlicense: cc-by-sa-4.0\n---\n"
    dataset = f"{{id: owner/programs, revision: '{REVISION[:7]}'}}"
    entry = f"{{dataset: {dataset}, format: tables, columns: {{ir: IR_Original}}}}"
    for name, value in {"HF_HOME": str(tmp_path / "home"), "HF_HUB_DISABLE_XET": "1", "HF_HUB_OFFLINE": "0"}.items():
        monkeypatch.setenv(name, value)
    with fake_hub({"owner/programs": {**files, "README.md": card}}) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        workflow(tmp_path, "sources", "--config", f"corpus={entry}", "languages=[Nim]", "hub={offline: false}")
    # Without network, fetched files remain valid.
    done = workflow(tmp_path, "sources", "-n", "--config", f"corpus={entry}", "languages=[Nim]")
    assert "Nothing to be done" in done.stdout
    fetched = read_json(tmp_path / "results/corpus/fetched.json")
    assert fetched["commit"] == REVISION
    assert list(fetched["files"]) == ["Nim/Size_Optimized-00000-of-00001.parquet", "README.md"]
    rows = list(iter_rows(tmp_path / "results/sources/Nim/000.parquet"))
    assert {row["source"] for row in rows} == {SOURCE.format(n=number) for number in range(3)}
    assert {row["license"] for row in rows} == {"cc-by-sa-4.0"}
