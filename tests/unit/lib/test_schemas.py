"""The tables that stages exchange: what their schemas promise, and that dataclasses and protocols agree with them."""

from dataclasses import fields
from importlib import import_module
from pathlib import Path

import pyarrow as pa
import pytest

from scripts.evaluate.generations import Generation, Sampling
from scripts.lib.schemas.dedup import signatures_table
from scripts.lib.schemas.evaluation import GENERATIONS
from scripts.lib.schemas.ir import FAILURES, IR, CompileStatus
from scripts.lib.schemas.pairs import STATISTICS
from scripts.lib.schemas.scores import SCORES
from scripts.lib.schemas.table import Table

MODULES = sorted(path.stem for path in Path("scripts/lib/schemas").glob("*.py"))
TABLES = [
    table
    for name in MODULES
    for table in vars(import_module(f"scripts.lib.schemas.{name}")).values()
    if isinstance(table, Table)
] + [signatures_table(4)]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_every_column_is_described_and_unique(table):
    assert len(set(table.names)) == len(table.names)
    assert table.description.endswith(".")
    for column in table.columns:
        assert column.description
        assert not column.description.endswith(".")
        assert type(column.name) is str


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_descriptions_are_no_part_of_a_schema(table):
    assert table.schema.metadata is None
    assert all(field.metadata is None for field in table.schema)
    assert tuple(table.schema.names) == table.names


def test_a_word_is_its_text():
    assert CompileStatus("timeout") is CompileStatus.TIMEOUT
    assert CompileStatus.OK == "ok"
    assert f"{CompileStatus.OK}" == "ok"
    assert pa.array([CompileStatus.OK], pa.string()).to_pylist() == ["ok"]


def test_failures_are_the_statuses_of_programs_that_a_compiler_did_not_translate():
    assert set(CompileStatus) - set(FAILURES) == {CompileStatus.OK, CompileStatus.REJECTED_SOURCE}
    assert set(FAILURES) <= set(STATISTICS.names)


def test_numbers_are_the_columns_of_integers_and_floats():
    assert SCORES.numbers == ("value", "ci_low", "ci_high", "problems", "samples")
    assert IR.numbers == ("seconds",)


def test_generations_have_the_fields_of_their_schema():
    assert {field.name for field in fields(Generation)} == set(GENERATIONS.names)
    sampling = GENERATIONS.schema.field("sampling").type
    assert {field.name for field in sampling} == {field.name for field in fields(Sampling)}
