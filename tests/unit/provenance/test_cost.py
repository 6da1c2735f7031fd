"""The tables of costs add up what the records of jobs say."""

import json
import os
from dataclasses import asdict
from pathlib import Path

import pytest

from scripts.lib.cost import Attempt
from scripts.lib.csv_files import read_csv
from scripts.provenance.cost import duration, render, section, size
from scripts.provenance.cost_records import by_rule, megabytes_of, parse_sacct, read_attempts, seconds_of
from scripts.provenance.cost_tables import end_costs, write_costs
from scripts.provenance.digests import END_OF_VARYING, VARYING, digest_of
from scripts.provenance.timeline import draw_timeline, read_jobs

GENERATE = {"model": "tiny", "checkpoint": "base", "benchmark": "humaneval"}


def attempt(state: str, started: float, **values: object) -> dict[str, object]:
    """An attempt of a record."""
    return asdict(Attempt(state, started, wall_seconds=10.0, user_seconds=4.0, system_seconds=1.0)) | values


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A results folder with records: a job of two attempts on GPUs, another of its rule, and a plain one."""
    records = {
        "evaluate/generate/a": ("evaluate_generate", GENERATE, [
            attempt("running", 100.0, gpus=2, peak_memory_mb=50.0, output_bytes=0),
            attempt("done", 200.0, gpus=2, peak_memory_mb=20.0, output_bytes=7, killed_seconds=3.0),
        ]),
        "evaluate/generate/b": ("evaluate_generate", GENERATE, [attempt("done", 150.0, output_bytes=5)]),
        "sources/read/C": ("sources_read", {"language": "C"}, [attempt("failed", 50.0, cpu="<x>", machine="m")]),
    }  # fmt: skip
    for job, (rule, wildcards, attempts) in records.items():
        path = tmp_path / "logs" / f"{job}.cost.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"rule": rule, "wildcards": wildcards, "attempts": attempts}), encoding="utf-8")
    return tmp_path


def test_attempts_are_summed_by_rule_model_and_checkpoint(results: Path) -> None:
    sources, generate = by_rule(read_attempts(results))
    assert (sources["stage"], sources["rule"], sources["model"]) == ("sources", "sources_read", "")
    assert (generate["stage"], generate["model"], generate["checkpoint"]) == ("evaluate", "tiny", "base")
    assert (generate["jobs"], generate["attempts"]) == (2, 3)
    assert (generate["user_seconds"], generate["killed_seconds"]) == (12.0, 3.0)
    assert (generate["gpu_seconds"], generate["peak_memory_mb"], generate["output_bytes"]) == (40.0, 50.0, 12)


def test_tables_are_written_again_without_a_new_modification_time(results: Path) -> None:
    write_costs(results)
    path = results / "provenance" / "cost.csv"
    os.utime(path, (1000, 1000))
    before = os.times()
    end_costs(results)
    assert path.stat().st_mtime == 1000
    rows = {row["rule"]: row for row in read_csv(path)}
    assert set(rows) == {"sources_read", "evaluate_generate", "snakemake", "between_jobs"}
    # The process that calls it is Snakemake, without its children.
    assert float(rows["snakemake"]["user_seconds"]) >= before.user - 0.1
    jobs = read_csv(results / "provenance" / "job_costs.csv")
    assert [row["rule"] for row in jobs if row["stage"] != "snakemake"] == ["sources_read", *["evaluate_generate"] * 3]


def test_the_figure_and_the_part_of_the_report_show_what_was_recorded(results: Path) -> None:
    write_costs(results)
    draw_timeline(read_jobs(results / "provenance" / "job_costs.csv"), results / "timeline.svg")
    assert "evaluate_generate" in (results / "timeline.svg").read_text(encoding="utf-8")
    page = render(section(read_attempts(results)))
    assert "1 attempt failed or were interrupted" not in page
    assert "1 attempt failed or was interrupted" in page
    assert "&lt;x&gt;" in page
    assert "<x>" not in page


def test_a_run_without_records_has_an_empty_figure_and_tables(tmp_path: Path) -> None:
    write_costs(tmp_path)
    draw_timeline(read_jobs(tmp_path / "provenance" / "job_costs.csv"), tmp_path / "timeline.svg")
    assert render(section(read_attempts(tmp_path)))


def test_sacct_is_read_with_its_units_and_steps() -> None:
    assert [seconds_of(text) for text in ("01:02.500", "1:00:00", "2-00:00:01", "")] == [62.5, 3600, 172801, 0]
    assert [megabytes_of(text) for text in ("1000K", "1.5G", "2000000", "")] == pytest.approx(
        [1.024, 1610.61, 2, 0], 0.01
    )
    text = "7|00:10.000|\n7.batch|00:09.000|2000K\n7.extern|00:00.100|500K\n8|00:01|\n"
    assert parse_sacct(text) == {"7": (10.0, pytest.approx(2.048)), "8": (1.0, 0.0)}


def test_amounts_are_rounded_for_readers() -> None:
    assert [duration(seconds) for seconds in (5.04, 600, 36000)] == ["5.0 s", "10.0 min", "10.0 h"]
    assert [size(count) for count in (12, 3_400, 5_600_000, 7e9, 8e15)] == [
        "12 B",
        "3.4 kB",
        "5.6 MB",
        "7.0 GB",
        "8,000.0 TB",
    ]


def test_the_digest_of_a_page_ignores_costs_and_nothing_else(tmp_path: Path) -> None:
    pages = {}
    for name, cost, text in (("a", "1 s", "same"), ("b", "2 s", "same"), ("c", "1 s", "other")):
        path = tmp_path / f"{name}.html"
        path.write_text(f"<p>{text}</p>{VARYING}<p>{cost}</p>{END_OF_VARYING}<p>end</p>", encoding="utf-8")
        pages[name] = digest_of(path)
    assert pages["a"] == pages["b"] != pages["c"]
    (tmp_path / "plain.html").write_text("<p>same</p>", encoding="utf-8")
    assert set(digest_of(tmp_path / "plain.html")) == {"bytes", "sha256"}
