"""The log of a shard, the doctor and the report name a frontend that compiles nothing."""

import logging

from scripts.compile.cache import Cache
from scripts.compile.compiler import Compiler
from scripts.compile.shard import write_shard
from scripts.doctor.host import earlier_runs
from scripts.lib.failing_frontends import MIN_PROGRAMS, failing_frontends
from scripts.lib.parquet import read_table, write_table
from scripts.lib.schemas.ir import IR
from scripts.lib.schemas.ledger import LEDGER
from scripts.lib.schemas.sources import SOURCES
from scripts.pairs.ledger import base_entry, failed
from scripts.provenance.outcomes import outcomes
from tests.support.compiling import build


def rows(statuses, language="Go", variant="perf", command="tinygo build"):
    """Outcome rows with the given statuses."""
    columns = {"compiler": "tinygo 0.39.0", "command": command, "diagnostics": "could not find 'go' command"}
    return [{"language": language, "variant": variant, "status": status, **columns} for status in statuses]


def test_a_frontend_of_which_nothing_compiles_is_named_with_its_commonest_message():
    [line] = failing_frontends([rows(["compile_error"] * MIN_PROGRAMS)])
    assert line.startswith("Go, perf: none of 10 programs compiled with tinygo 0.39.0; most often ")
    assert line.endswith("compile_error: could not find 'go' command")


def test_one_program_that_compiles_or_too_few_programs_are_no_failing_frontend():
    assert failing_frontends([rows(["compile_error"] * MIN_PROGRAMS + ["ok"])]) == []
    assert failing_frontends([rows(["timeout"] * (MIN_PROGRAMS - 1))]) == []
    assert failing_frontends([rows(["timeout"] * 6), rows(["timeout"] * 6)]) == []


def test_each_variant_counts_by_itself_and_what_no_compiler_was_run_for_does_not():
    lines = failing_frontends([rows(["ok"] * 12) + rows(["tool_crash"] * 12, variant="size")])
    assert [line.split(":")[0] for line in lines] == ["Go, size"]
    assert failing_frontends([rows(["no_toolchain", "rejected_source"] * 20, command="")]) == []


def test_the_log_the_doctor_and_the_report_say_it(tmp_path, caplog):
    sources, table = tmp_path / "sources.parquet", tmp_path / "results/ir/C/000.parquet"
    table.parent.mkdir(parents=True)
    named = {"language": "C", "encoding": "utf-8", "bytes": 9, "rejected": None, "license": None}
    programs = [
        {**named, "id": f"{n:016x}", "path": f"C/{n}.c", "source_sha256": f"{n:064x}", "source": f"int x{n} = ;"}
        for n in range(MIN_PROGRAMS)
    ]
    write_table(sources, programs, SOURCES.schema)
    write_shard(str(sources), Compiler(build("C"), ["perf", "size"], Cache(None)), 1, str(table), None)
    errors = [record.message for record in caplog.records if record.levelno == logging.ERROR]
    assert [error.split(" compiled")[0] for error in errors] == [
        "C, perf: none of 10 programs",
        "C, size: none of 10 programs",
    ]
    findings = list(earlier_runs(tmp_path / "results"))
    assert [(finding.name, finding.ok, finding.required) for finding in findings] == [
        ("C, perf", False, True),
        ("C, size", False, True),
    ]
    rows = [row | {"path": "p", "license": None, "rejected": None} for row in read_table(table).to_pylist()]
    entries = [base_entry(row, row, "000") | failed(row, row) for row in rows]
    write_table(tmp_path / "ledger.parquet", entries, LEDGER.schema)
    assert outcomes({"C": str(tmp_path / "ledger.parquet")})["failing_frontends"] == errors
    fixed = [row | {"status": "ok"} for row in read_table(table).to_pylist()]
    write_table(table, fixed, IR.schema)
    assert [finding.ok for finding in earlier_runs(tmp_path / "results")] == [True]
    assert list(earlier_runs(tmp_path / "nothing")) == []
