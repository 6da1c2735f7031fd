"""What a run will take is computed from its plan and from what jobs have cost before."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scripts.evaluate.plan import Plan
from scripts.lib.csv_files import write_csv
from scripts.lib.job import InputError
from scripts.lib.schemas.cost import JOB_COSTS
from scripts.workflow.config import prepare
from scripts.workflow.estimate.planned import PlannedJob, source_counts, text_bytes
from scripts.workflow.estimate.rates import ANY, SHIPPED, line, measured_rates, read_rates, write_rates
from scripts.workflow.estimate.summary import elapsed, forecast, longest_chain, rate_of, temporary_bytes, text
from scripts.workflow.estimate.units import Counts, units_of
from scripts.workflow.pin import merged_config
from tests.support.paths import ROOT


def job(rule: str, units: float = 1.0, needs: tuple[int, ...] = (), **values: Any) -> PlannedJob:
    """A planned job."""
    stage = rule.split("_")[0]
    plain = PlannedJob(f"{stage}/{rule}-{units:g}", rule, stage, "", units, threads=1, gpus=0, minutes=60, needs=needs)
    return replace(plain, **values)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A finished run: reading costs 2 s and 0.1 s a program, clusters of 100 programs 5 s."""
    empty = dict.fromkeys(JOB_COSTS.names, 0)
    rows = [
        {"job": f"sources/sources_read-{units}", "user_seconds": 1 + 0.1 * units, "system_seconds": 1}
        for units in (10, 40, 100)
    ]
    rows.append({"job": "dedup/dedup_clusters-100", "user_seconds": 5})
    rows.append({"job": "snakemake/snakemake", "user_seconds": 8})
    rows = [{**empty, "state": "done", "cpu": "A CPU", "output_bytes": 1000, **row} for row in rows]
    rows.append({**rows[0], "state": "failed", "user_seconds": 1000})
    write_csv(tmp_path / "provenance" / "job_costs.csv", JOB_COSTS.names, rows)
    return tmp_path


READ = [job("sources_read", units) for units in (10, 40, 100)]


def test_rates_are_those_of_the_measured_jobs_also_from_their_file(results: Path) -> None:
    rates = measured_rates(results, [*READ, job("dedup_clusters", 100)])
    read = rates["sources_read", ""]
    assert (read.cpu_fixed, read.cpu_per_unit) == (pytest.approx(2), pytest.approx(0.1))
    assert (read.jobs, read.largest, read.machine) == (3, 100, "A CPU")
    assert rates["snakemake", ANY].cpu(1) == 2
    write_rates(results / "rates.csv", rates)
    assert read_rates(results / "rates.csv") == rates


def test_a_line_has_no_negative_part() -> None:
    assert line([(10, 1.0), (100, 100.0)], 0) == (0.0, pytest.approx(50.5 / 55))
    assert line([(10, 5.0), (100, 1.0)], 0) == (3.0, 0.0)
    assert line([(100, 5.0)], 2.0) == (2.0, 0.03)
    assert line([(100, 5.0)], 9.0) == (5.0, 0.0)


def test_a_job_without_a_rate_takes_what_it_requests_and_is_marked(results: Path) -> None:
    rates = measured_rates(results, READ)
    generate = job("evaluate_generate", key="large", gpus=2, threads=4)
    unknown = forecast(generate, rates, cores=8)
    assert (unknown.cpu, unknown.gpu, unknown.seconds) == (None, None, 3600)
    printed = text([forecast(READ[0], rates, 8), unknown], rates, 8, ["a note"])
    assert "≤ 4.0 h" in printed
    assert "≤ 2.0 h" in printed
    assert "not measured: evaluate_generate 1;" in printed
    assert printed.endswith("a note")


def test_a_rate_of_another_model_is_not_used_and_one_of_another_language_is_marked(results: Path) -> None:
    rates = {**measured_rates(results, [replace(READ[0], key="C")])}
    other = replace(READ[0], key="D")
    assert forecast(other, rates, 2).is_far
    assert not forecast(replace(READ[0], key="C"), rates, 2).is_far
    trained = {
        ("pretrain_adapter", "tiny"): rates["sources_read", "C"],
        ("pretrain_adapter", ANY): rates["sources_read", "C"],
    }
    assert rate_of(job("pretrain_adapter", key="large"), trained) is None


def test_the_longest_chain_and_the_time_follow_what_jobs_wait_for(results: Path) -> None:
    rates = measured_rates(results, READ)
    # 3 s, 6 s and 12 s; the last one waits for the first.
    jobs = [READ[0], READ[1], replace(READ[2], needs=(0,))]
    forecasts = [forecast(each, rates, 2) for each in jobs]
    seconds, chain = longest_chain(forecasts)
    assert (seconds, chain) == (pytest.approx(15), [jobs[0], jobs[2]])
    assert elapsed(forecasts, 1) == pytest.approx(21)
    assert elapsed(forecasts, 2) == pytest.approx(15)


def test_disk_is_that_of_the_plan_where_it_is_known_and_of_rates_elsewhere(results: Path) -> None:
    rates = measured_rates(results, READ)
    own = replace(READ[0], size=5e9, temporary=1e9)
    model = job("finetune_commits", key="large", size=2e9, working=3e9)
    other = replace(model, working=4e9)
    forecasts = [forecast(each, rates, 8) for each in (own, READ[1], model, other)]
    assert [each.size for each in forecasts] == [5e9, pytest.approx(1000), 2e9, 2e9]
    # Of the two trainings of a model, one at a time runs.
    assert temporary_bytes(forecasts) == 1e9 + 4e9
    printed = text(forecasts, rates, 8, [])
    assert "9.00 GB" in printed
    assert "5.00 GB" in printed


def counts(*values: str, rows: object = None) -> Counts:
    """What the default config has to do, with some of its values changed."""
    config = merged_config([], values)
    config["estimate"]["rows"] = rows
    languages, models, runners, benchmarks, _ = prepare(config, str(ROOT))
    return Counts(config, Plan(config, benchmarks, runners, ROOT), source_counts(config, languages, None), models)


def test_programs_are_counted_in_the_corpus_or_stated() -> None:
    programs = sum(
        path.is_file() and not path.name.startswith(".") for path in (ROOT / "resources/corpus/C").rglob("*.c")
    )
    assert counts().sources["C"] == programs
    stated = counts("languages=[C, D]", rows=400)
    assert stated.sources == {"C": 100, "D": 100}
    assert counts("languages=[C]", rows={"C": 7}).sources == {"C": 7}
    with pytest.raises(InputError, match=r"programs in D is not known; set estimate\.rows"):
        counts("languages=[C, D]", rows={"C": 7})


def test_work_grows_with_the_config() -> None:
    small, large = counts("shard_size=64", rows=1800), counts("shard_size=1000", rows=180000)
    shard = {"language": "C", "shard": "000"}
    assert (units_of("compile_shard", shard, small), units_of("compile_shard", shard, large)) == (50, 1000)
    cell = {"benchmark": "humaneval", "task": "python", "setting": "t0.2", "model": "m", "checkpoint": "base"}
    # 24 problems, one sample each; and 164 problems with 50 samples.
    assert units_of("evaluate_execute", cell, small) == 24
    assert units_of("evaluate_execute", {**cell, "setting": "control"}, small) == 164
    assert units_of("tables_main", {}, small) == 1


def test_text_is_stated_or_measured_in_tables_that_have_the_ir(tmp_path: Path) -> None:
    config = merged_config([], [])
    assert text_bytes(config) is None
    texts = {
        "Source_Code": [f"{row:01000}" for row in range(100)],
        "IR_Original": [f"{row:05000}" for row in range(100)],
    }
    pq.write_table(pa.table(texts), tmp_path / "C.parquet")
    corpus = {**config["corpus"], "format": "tables", "path": str(tmp_path), "files": "{language}.parquet"}
    corpus["columns"] = {**corpus["columns"], "ir": "IR_Original"}
    tables = {**config, "languages": ["C"], "corpus": corpus}
    assert text_bytes(tables) == pytest.approx(600_000, rel=0.1)
    assert text_bytes({**tables, "estimate": {"dataset": None, "rows": None, "text_bytes": 7}}) == 7


def test_the_shipped_rates_are_complete() -> None:
    rates = read_rates(ROOT / SHIPPED)
    assert ("snakemake", ANY) in rates
    assert all(rate.machine and rate.jobs > 0 for rate in rates.values())
    assert {"sources_read", "compile_shard", "pairs_language", "evaluate_execute"} <= {rule for rule, _ in rates}
