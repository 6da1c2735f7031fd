"""The default run, from programs to tables: complete, with the expected controls, and nothing left to do; and the
commands that answer questions about it.
"""

import csv
import json
import os
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import yaml

from scripts.evaluate.generations import read_generations
from scripts.lib.files import read_json, sha256_file
from scripts.lib.parquet import read_table
from scripts.provenance.audit import audit
from scripts.provenance.corpus_check import corpus_faults
from scripts.workflow.command import printable
from scripts.workflow.why import why
from tests.support.card_snippets import check_metadata, run_snippet, snippets
from tests.support.cpu_time import seconds_of_children
from tests.support.paths import ROOT
from tests.support.questions import alter, ask, outcome_in

pytestmark = pytest.mark.slow

# Files that must be the same in every run, below the results folder.
REPEATABLE = ("pairs/**/*.parquet", "models/*/*/*.safetensors", "tables/*", "scores/**/*.json", "figures/*.svg")


def hashes(results: Path) -> dict[str, str]:
    """SHA-256 of every file that must be repeatable, by its path in the results.

    A table of pairs is a folder of parts.
    """
    files = {file for pattern in REPEATABLE for file in results.glob(pattern) if file.is_file()}
    return {file.relative_to(results).as_posix(): sha256_file(file) for file in sorted(files)}


# Environment variables with secrets, of which no file of a run may contain the value.
SECRETS = {name: f"secret-{name.lower()}" for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "WANDB_API_KEY")}


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory, workflow):
    """The folder of a default run from scratch, with secrets in its environment."""
    folder = tmp_path_factory.mktemp("unbroken")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SECRETS.items():
            patch.setenv(name, value)
        workflow(folder, timeout=3600)
    return folder


def test_controls_have_the_expected_scores(unbroken):
    with (unbroken / "results/tables/scores.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    for model, value in (("reference", 100), ("empty", 0)):
        passes = [row for row in rows if row["model"] == model and row["metric"].startswith("pass@")]
        assert {row["benchmark"] for row in passes} == {"fixdocs", "humaneval", "multipl-e"}
        assert {float(row["value"]) for row in passes} == {value}
    ceiling = [row for row in rows if row["model"] == "ceiling"]
    assert {(row["benchmark"], row["metric"], float(row["value"])) for row in ceiling} == {("fixdocs", "pass@1", 100)}
    compiled = {(row["benchmark"], row["language"]) for row in rows if row["metric"] == "compiles@1"}
    assert compiled == {("multipl-e", "C++")}


def test_likelihoods_see_a_difference_and_their_controls_are_at_chance(unbroken):
    rows = {}
    for name in ("scores", "differences"):
        with (unbroken / f"results/tables/{name}.csv").open(newline="") as stream:
            rows[name] = list(csv.DictReader(stream))
    scores = {(row["setting"], row["metric"], row["model"], row["checkpoint"]): row for row in rows["scores"]}
    chance = {("humaneval", "bits_per_byte"): 8, ("humaneval", "accuracy"): 25, ("fixdocs", "accuracy"): 50}
    for key, value in chance.items():
        random = float(scores[*key, "random", "control"]["value"])
        reference = float(scores[*key, "reference", "control"]["value"])
        assert (random, reference) == (pytest.approx(value, abs=3), 0 if value == 8 else 100)
    # Both checkpoints need fewer bits than a scorer without knowledge, and IRCoder fewer than the base.
    model = next(row["model"] for row in rows["differences"])
    both = [scores["humaneval", "bits_per_byte", model, checkpoint] for checkpoint in ("base", "ircoder")]
    assert all(float(row["ci_high"]) < 8 for row in both)
    key = ("humaneval", "bits_per_byte", "ircoder")
    (difference,) = [
        row
        for row in rows["differences"]
        if (row["setting"], row["metric"], row["checkpoint"]) == key and row["base"] == "base"
    ]
    assert float(difference["ci_high"]) < 0


def test_every_default_stage_is_in_the_tables(unbroken):
    with (unbroken / "results/tables/scores.csv").open(newline="") as stream:
        seen = {(row["benchmark"], row["checkpoint"]) for row in csv.DictReader(stream)}
    own = ("likelihood", "choice", "source-to-llvm")
    for benchmark in ("multipl-e", "humaneval", "recode", "codexglue", "validation", *own):
        assert {(benchmark, name) for name in ("base", "ircoder", "source-only")} <= seen
    assert {("fixdocs", f"{name}-instruct") for name in ("base", "ircoder", "source-only")} <= seen
    assert len([checkpoint for benchmark, checkpoint in seen if benchmark == "commits"]) >= 3


def test_the_database_agrees_with_the_files(unbroken):
    results = unbroken / "results"
    with closing(sqlite3.connect(results / "provenance/run.sqlite")) as database:

        def counted(table: str) -> int:
            return database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]

        tables = {
            "sources": "sources/*/[0-9]*.parquet",
            "modules": "ir/*/*.parquet",
            "outcomes": "pairs/*/ledger.parquet",
            "executions": "executions/*/*/*/*.parquet",
            "truncated_documents": "tokens/*/truncated.parquet",
        }
        for table, pattern in tables.items():
            assert counted(table) == sum(read_table(path).num_rows for path in results.glob(pattern)), table
        variants = [path for name in ("perf", "size") for path in results.glob(f"pairs/*/{name}.parquet")]
        assert counted("pairs") == sum(read_table(path).num_rows for path in variants)
        key = ("benchmark", "language", "model", "checkpoint", "setting", "metric")
        with (results / "tables/scores.csv").open(newline="") as stream:
            scores = {tuple(row[name] for name in key): float(row["value"]) for row in csv.DictReader(stream)}
        rows = database.execute("SELECT benchmark, language, model, checkpoint, setting, metric, value FROM scores")
        assert {row[:6]: row[6] for row in rows} == scores
        shard = read_table(results / "sources/C/000.parquet").to_pylist()
        texts = dict(database.execute("SELECT id, text FROM sources WHERE file = 'sources/C/000.parquet'"))
        assert texts == {row["id"]: row["source"] for row in shard}
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []


def test_a_finished_run_reruns_nothing(unbroken, workflow):
    before = seconds_of_children()
    output = workflow(unbroken).stdout
    assert "Nothing to be done" in output
    assert seconds_of_children() - before < 20


def test_no_secret_of_the_environment_in_any_file(unbroken):
    values = [value.encode() for value in SECRETS.values()]
    files = [file for file in unbroken.rglob("*") if file.is_file()]
    assert any(".snakemake" in file.parts for file in files) and any("logs" in file.parts for file in files)
    assert [file for file in files if any(value in file.read_bytes() for value in values)] == []


def test_jobs_of_models_log_no_warning_of_python(unbroken):
    logs = [*unbroken.glob("results/logs/pretrain/**/*.log"), *unbroken.glob("results/logs/finetune/**/*.log")]
    lines = [(log.name, line) for log in logs for line in log.read_text().splitlines() if "Warning: " in line]
    assert logs and lines == []


MODEL = "results/models/tiny-gpt-bigcode"


@pytest.mark.parametrize(
    "folder",
    [
        f"{MODEL}/base",
        f"{MODEL}/ircoder-instruct",
        f"{MODEL}/ircoder-commits-C++",
        "results/pairs",
    ],
)
def test_the_snippet_of_a_card_runs_without_a_network(unbroken, folder):
    (snippet,) = snippets(unbroken / folder / "README.md")
    # An adapter's snippet names its folder from the run's, as the adapter names its base.
    is_adapter = (unbroken / folder / "adapter_config.json").exists()
    run_snippet(snippet, unbroken if is_adapter else unbroken / folder)


def test_tuned_models_are_adapters_of_less_than_half_the_size(unbroken):
    sizes = {path.parent.name: path.stat().st_size for path in (unbroken / MODEL).glob("*/*.safetensors")}
    tuned = [name for name in sizes if "-instruct" in name or "-commits-" in name]
    assert len(tuned) == 6
    assert all(sizes[name] < sizes["ircoder"] / 2 for name in tuned)
    assert not list((unbroken / MODEL).glob("*-instruct/model.safetensors"))


def test_cards_have_the_metadata_that_the_hub_asks_for(unbroken):
    cards = [*unbroken.glob("results/models/*/*/README.md"), unbroken / "results/pairs/README.md"]
    assert len(cards) > 8
    for card in cards:
        check_metadata(card)


def test_an_adapter_generates_what_the_merged_model_does(unbroken):
    # An adapter's snippet names its folder from the run's, as the adapter names its base.
    (adapter,), (merged,) = (snippets(unbroken / MODEL / name / "README.md") for name in ("adapter", "ircoder"))
    assert run_snippet(adapter, unbroken) == run_snippet(merged, unbroken / MODEL / "ircoder")


def test_no_path_of_this_machine_in_the_results(unbroken):
    files = [
        str(file)
        for file in sorted((unbroken / "results").rglob("*"))
        if file.is_file()
        and not {"logs", "benchmarks"} & set(file.parts)
        and os.fsencode(unbroken) in file.read_bytes()
    ]
    assert files == []


def rows_of(path: Path) -> list[dict]:
    """Rows of a parquet table or CSV file."""
    if path.suffix == ".parquet":
        return read_table(path).to_pylist()
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_source_has_one_row_in_the_ledger_for_each_variant(unbroken):
    for index in sorted((unbroken / "results/sources").glob("*/shards.json")):
        ledger = rows_of(unbroken / "results/pairs" / index.parent.name / "ledger.parquet")
        sources = read_json(index)["sources"]
        assert len(ledger) == len({(row["path"], row["variant"]) for row in ledger}) == 2 * sources


def test_planted_programs_have_the_outcomes_that_the_corpus_states(unbroken):
    ledgers = [row for file in unbroken.glob("results/pairs/*/ledger.parquet") for row in rows_of(file)]
    outcomes = {row["path"]: row["outcome"] for row in ledgers if row["variant"] == "perf"}
    text = (ROOT / "resources/corpus/README.md").read_text(encoding="utf-8")
    planted = re.findall(r"^\| `([^`]+/source\.\w+)` \| .* \| `(\w+)`[^|]*\|$", text, re.MULTILINE)
    assert len(planted) == 14
    assert planted == [(path, outcomes[path]) for path, _ in planted]


def test_why_answers_what_became_of_every_program_that_is_no_pair(unbroken):
    """Checked against the tables of the stages, not against the ledger."""
    results = unbroken / "results"
    modules = {(row["id"], row["variant"]): row for file in results.glob("ir/*/*.parquet") for row in rows_of(file)}
    sources = {row["id"]: row for file in results.glob("sources/*/[0-9]*.parquet") for row in rows_of(file)}
    clusters = {row["id"]: row for file in results.glob("dedup/*/clusters.parquet") for row in rows_of(file)}
    contaminated = {row["id"]: row for row in rows_of(results / "pairs/contamination.csv")}
    limit = yaml.safe_load((results / "provenance/config.yaml").read_text())["pairs"]["max_ir_bytes"]
    pairs = {(row["id"], file.stem) for file in results.glob("pairs/*/[ps]*.parquet") for row in rows_of(file)}
    expected = {}
    for (name, variant), module in modules.items():
        source, cluster = sources[name], clusters[name]
        if (name, variant) in pairs:
            continue
        if source["rejected"]:
            answer = "rejected", source["rejected"]
        elif module["status"] != "ok":
            answer = module["status"], module["diagnostics"]
        elif cluster["kept"] != name:
            answer = "near_duplicate", f"{sources[cluster['kept']]['path']}; similarity {cluster['similarity']:.3f}"
        elif name in contaminated:
            first = contaminated[name]
            answer = "contaminated", f"{first['benchmark']} {first['problem']}: {first['ngrams']} n-grams"
        else:
            answer = "filtered", f"ir_bytes {len(module['ir'].encode())}, at most {limit}"
        expected[source["path"], variant] = answer
    for file in results.glob("sources/*/aliases.parquet"):
        expected |= {(row["path"], "size"): ("duplicate", row["kept_path"]) for row in rows_of(file)}
    assert {outcome for outcome, _ in expected.values()} >= {
        *("rejected", "compile_error", "timeout", "near_duplicate", "contaminated", "filtered", "duplicate")
    }
    # One program of each outcome by the command, as each answer starts a process; all by its function.
    one_each = {outcome: key for key, (outcome, _) in expected.items()}
    for (path, variant), (outcome, detail) in expected.items():
        is_asked = (path, variant) == one_each[outcome]
        answer = ask("why", path, "--results", results) if is_asked else why(results, path)
        assert (outcome, True) == (outcome_in(answer, variant)[0], detail in answer), answer


def test_why_names_compiler_and_command_of_a_module(unbroken):
    results = unbroken / "results"
    pair = rows_of(results / "pairs/Rust/perf.parquet")[0]
    module = next(
        row for row in rows_of(results / "ir/Rust/000.parquet") if (row["id"], row["variant"]) == (pair["id"], "perf")
    )
    answer = ask("why", pair["id"], "--results", results)
    assert f"compiler: {module['compiler']}, LLVM {module['llvm']}" in answer
    assert f"command: {module['command']}" in answer
    assert f"pairs/Rust/perf.parquet, split {pair['split']}" in answer


def test_a_wrong_name_gets_suggestions(unbroken):
    answer = ask("why", "c++/Sorce_54", "--results", unbroken / "results", succeeds=False)
    assert "did you mean 'C++/Source_54'" in answer
    answer = ask("trace_score", "humaneval ircodr", "--results", unbroken / "results", succeeds=False)
    assert "did you mean 'ircoder'" in answer


CELL = "humaneval Python tiny-gpt-bigcode ircoder pass@1"


def test_trace_leads_from_a_score_to_files_programs_and_versions(unbroken, tmp_path):
    results = unbroken / "results"
    answer = ask("trace_score", CELL, "--lists", tmp_path, "--results", results)
    score = "humaneval/python/t0.2/tiny-gpt-bigcode.ircoder"
    for name in (
        f"scores/{score}.json",
        f"generations/{score}.jsonl.zst",
        "models/tiny-gpt-bigcode/ircoder/model.safetensors",
    ):
        assert re.search(rf"{re.escape(name)} +sha256 {sha256_file(results / name)[:12]}, unchanged", answer), answer
    for rule in ("evaluate_execute", "pretrain_merge", "pairs_language", "compile_shard", "sources_read"):
        assert re.search(rf"^{rule} ", answer, re.M)
    programs = rows_of(tmp_path / "programs.csv")
    pairs = [row for file in results.glob("pairs/*/[ps]*.parquet") for row in rows_of(file)]
    assert sorted(row["source_sha256"] for row in programs) == sorted(row["source_sha256"] for row in pairs)
    files = {row["file"]: row for row in rows_of(tmp_path / "files.csv")}
    assert files["tokens/tiny-gpt-bigcode/train/000.safetensors"]["rule"] == "pretrain_tokens"


def test_trace_shows_the_problems_of_a_score_with_what_was_generated(unbroken):
    results = unbroken / "results"
    score = "humaneval/python/t0.2/tiny-gpt-bigcode.ircoder"
    answer = ask("trace_score", CELL, "--problem", "all", "--results", results)
    problems = read_json(results / f"scores/{score}.json")["per_problem"]["t0.2"]["pass@1"]
    statuses = {row["id"]: row["status"] for row in rows_of(results / f"executions/{score}.parquet")}
    for name, value in problems.items():
        assert re.search(rf"^{name} +{value:.4g} +.*{statuses[name]}", answer, re.M), answer
    name = next(iter(problems))
    generation = next(one for one in read_generations(results / f"generations/{score}.jsonl.zst") if one.id == name)
    text = ask("trace_score", CELL, "--problem", name, "--results", results)
    assert printable(generation.prompt) in text
    assert printable(generation.completions[0]) in text


def test_trace_leads_from_a_program_to_the_scores(unbroken):
    results = unbroken / "results"
    answer = ask("trace_score", "--program", "C/Source_1", "--results", results)
    scored = {(row["checkpoint"], row["benchmark"]) for row in rows_of(results / "tables/scores.csv")}
    for checkpoint, benchmark in scored:
        # The references of source-to-llvm are modules of the pairs.
        depends = checkpoint != "control" or benchmark == "source-to-llvm"
        assert bool(re.search(rf" {re.escape(checkpoint)} +{benchmark} ", answer)) == depends
    assert "no score depends on it" in ask("trace_score", "--program", "C/Source_52", "--results", results)


def test_compare_names_what_differs_and_what_that_did_to_a_score(unbroken, tmp_path):
    results, other = unbroken / "results", tmp_path / "other"
    shutil.copytree(results, other, copy_function=os.link, ignore=shutil.ignore_patterns("*.safetensors", "logs"))
    config, scores = other / "provenance/config.yaml", other / "tables/scores.csv"
    file = other / "scores/codexglue/python/greedy/tiny-gpt-bigcode.ircoder.json"
    content = read_json(file)
    values = content["per_problem"]["greedy"]["bleu"]
    for number, name in enumerate(values):
        values[name] += number % 2 + 1
    before, content["rows"][0]["value"] = content["rows"][0]["value"], sum(values.values()) / len(values)
    key = "codexglue,Python,tiny-gpt-bigcode,ircoder,greedy,bleu,"
    text = scores.read_text().replace(f"{key}{before:.10g}", f"{key}{content['rows'][0]['value']:.10g}")
    settings = config.read_text().replace("min_tokens: 8", "min_tokens: 9", 1)
    for path, new in ((config, settings), (scores, text), (file, json.dumps(content))):
        assert new != path.read_text()
        path.unlink()
        path.write_text(new)
    printed = ask("compare", results, other, "--out", tmp_path / "out")
    assert "config: dedup.min_tokens: 8 → 9" in printed
    rows = rows_of(tmp_path / "out/comparison.csv")
    [changed] = [row for row in rows if float(row["difference"] or 0)]
    assert (changed["benchmark"], changed["checkpoint"], changed["metric"]) == ("codexglue", "ircoder", "bleu")
    low, difference, high = (float(changed[name]) for name in ("low", "difference", "high"))
    assert 1 < low < difference < high < 2
    assert difference == pytest.approx(1.5, abs=0.03)
    assert [(row["part"], row["name"]) for row in rows_of(tmp_path / "out/differences.csv")] == [
        ("config", "dedup.min_tokens")
    ]
    assert "dedup.min_tokens" in (tmp_path / "out/comparison.html").read_text()


ALTERED = (
    *("sources/C/000.parquet", "ir/C/000.parquet", "pairs/C/perf.parquet/00000.parquet", "pairs/C/ledger.parquet"),
    *("models/tiny-gpt-bigcode/ircoder/model.safetensors", "models/tiny-gpt-bigcode/losses/base.parquet"),
    *(f"generations/{task}.jsonl.zst" for task in ("humaneval/python/t0.2/tiny-gpt-bigcode.base",)),
    *(f"executions/{task}.parquet" for task in ("humaneval/python/t0.2/tiny-gpt-bigcode.base",)),
    *(f"scores/{task}.json" for task in ("humaneval/python/t0.2/tiny-gpt-bigcode.base",)),
    *("tables/scores.csv", "tables/humaneval.csv", "pairs/statistics.csv"),
)


def test_the_audit_names_every_file_of_which_a_byte_was_altered(unbroken, tmp_path):
    results = tmp_path / "results"
    shutil.copytree(unbroken / "results", results, copy_function=os.link)
    assert audit(results, ROOT, ["humaneval", "validation"], 2)[0] == []
    for name in ALTERED:
        alter(results / name)
    faults = audit(results, ROOT, ["humaneval", "validation"], 2)[0]
    assert {name for name in ALTERED if any(line.startswith(f"{name}: ") for line in faults)} == set(ALTERED), faults


def test_the_audit_names_a_program_of_the_corpus_that_was_altered(unbroken, tmp_path):
    corpus = tmp_path / "corpus"
    shutil.copytree(ROOT / "resources/corpus", corpus)
    settings = {"path": str(corpus), "format": "tree", "dataset": None}
    assert list(corpus_faults(unbroken / "results", ROOT, settings)) == []
    alter(corpus / "C/Source_1/source.c")
    (corpus / "C/Source_51/source.c").unlink()
    assert list(corpus_faults(unbroken / "results", ROOT, settings)) == [
        "corpus: C/Source_1/source.c: has changed since the run read it",
        "corpus: C/Source_51/source.c: is missing",
    ]
